#include "kit/kit.h"

#include <math.h>

#include "base/json_write.h"
#include "base/str.h"

static void escapes_are_valid_json(void **state)
{
    static const struct {
        const char *name;
        struct koa_str in;
        const char *out;
    } cases[] = {
        {"nothing", {NULL, 0}, "\"\""},
        {"plain", {"a topic-1_x", 11}, "\"a topic-1_x\""},
        {"quote and backslash", {"a\"b\\c", 5}, "\"a\\\"b\\\\c\""},
        {"short escapes", {"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
        {"control", {"\x01\x1f\x7f\0x", 5}, "\"\\u0001\\u001f\\u007f\\u0000x\""},
        {"utf-8",
         {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9},
         "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""},
        {"bad byte",
         {"a\xff"
          "b",
          3},
         "\"a\xef\xbf\xbd"
         "b\""},
        {"cut character", {"a\xe2\x82", 3}, "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
        {"surrogate", {"\xed\xa0\x80", 3}, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_buf buf = {.limit = 1000};

        koa_json_escape(&buf, c->in);
        KIT_EXPECT_TEXT(c->name, c->out, koa_buf_text(&buf));
        koa_buf_deinit(&buf);
    }
}

static void commas_and_colons_are_the_writers(void **state)
{
    struct koa_buf buf = {.limit = 10000};
    struct koa_json json = {.buf = &buf};

    (void) state;
    koa_json_object(&json, NULL);
    koa_json_text(&json, "text", "a");
    koa_json_text(&json, "none", NULL);
    koa_json_int(&json, "int", INT64_MIN);
    koa_json_bool(&json, "yes", true);
    koa_json_bool(&json, "no", false);
    koa_json_list(&json, "list");
    koa_json_list_end(&json);
    koa_json_list(&json, "more");
    koa_json_int(&json, NULL, 1);
    koa_json_object(&json, NULL);
    koa_json_object_end(&json);
    koa_json_list(&json, NULL);
    koa_json_null(&json, NULL);
    koa_json_list_end(&json);
    koa_json_list_end(&json);
    koa_json_key(&json, KOA_STR("k\"ey"));
    koa_json_double(&json, NULL, 0.5);
    koa_json_raw(&json, "raw", KOA_STR("[1,2]"));
    koa_json_key(&json, KOA_STR("object"));
    koa_json_object(&json, NULL);
    koa_json_str(&json, "s", KOA_STR("v"));
    koa_json_object_end(&json);
    koa_json_object_end(&json);
    KIT_EXPECT_TEXT("whole",
                    "{\"text\":\"a\",\"none\":null,\"int\":-9223372036854775808,\"yes\":true,"
                    "\"no\":false,\"list\":[],\"more\":[1,{},[null]],\"k\\\"ey\":0.5,"
                    "\"raw\":[1,2],\"object\":{\"s\":\"v\"}}",
                    koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void numbers_that_json_lacks_are_strings(void **state)
{
    static const struct {
        const char *name;
        double number;
        const char *out;
    } cases[] = {
        {"NaN", NAN, "[\"NaN\"]"},
        {"infinity", INFINITY, "[\"+Inf\"]"},
        {"minus", -INFINITY, "[\"-Inf\"]"},
        {"zero", 0.0, "[0]"},
        {"tenth", 0.1, "[0.1]"},
        {"whole", 123456789.0, "[123456789]"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_buf buf = {.limit = 1000};
        struct koa_json json = {.buf = &buf};

        koa_json_list(&json, NULL);
        koa_json_double(&json, NULL, c->number);
        koa_json_list_end(&json);
        KIT_EXPECT_TEXT(c->name, c->out, koa_buf_text(&buf));
        koa_buf_deinit(&buf);
    }
}

static void times_are_rfc_3339_and_zero_is_null(void **state)
{
    struct koa_buf buf = {.limit = 1000};
    struct koa_json json = {.buf = &buf};

    (void) state;
    koa_json_object(&json, NULL);
    koa_json_time(&json, "never", (struct koa_wall){.ms = 0});
    koa_json_time(&json, "at", (struct koa_wall){.ms = 1764086479123});
    koa_json_object_end(&json);
    KIT_EXPECT_TEXT("both", "{\"never\":null,\"at\":\"2025-11-25T16:01:19.123Z\"}",
                    koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void the_buffer_may_be_drained_between_values(void **state)
{
    struct koa_buf buf = {.limit = 100};
    struct koa_json json = {.buf = &buf};

    (void) state;
    koa_json_list(&json, NULL);
    koa_json_int(&json, NULL, 1);
    koa_buf_clear(&buf);
    koa_json_int(&json, NULL, 2);
    koa_json_list_end(&json);
    KIT_EXPECT_TEXT("goes on", ",2]", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_are_valid_json),
        cmocka_unit_test(commas_and_colons_are_the_writers),
        cmocka_unit_test(numbers_that_json_lacks_are_strings),
        cmocka_unit_test(times_are_rfc_3339_and_zero_is_null),
        cmocka_unit_test(the_buffer_may_be_drained_between_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

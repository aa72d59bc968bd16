#include "kit/kit.h"

#include "base/str.h"
#include "metrics/key.h"

static void a_key_reads_back_as_it_was_printed(void **state)
{
    static const struct koa_family_view family = {.name = {"requests_total", 14}};
    static const struct koa_label_view labels[] = {
        {{"a", 1}, {"plain", 5}},
        {{"b", 1}, {"x,y=z{}\"\\", 9}},
        {{"c", 1}, {"", 0}},
    };
    const struct koa_sample sample = {.family = &family, .labels = labels, .label_count = 3};
    struct koa_buf buf = {.limit = 1000};
    KOA_AUTO(koa_arena) *arena = koa_arena_create(10000);
    struct koa_labels parsed;
    const char *name;
    struct koa_error error;

    (void) state;
    koa_series_key_print(&buf, &sample);
    KIT_EXPECT_TEXT("printed", "requests_total{a=plain,b=x\\,y\\=z\\{\\}\\\"\\\\,c=}",
                    koa_buf_text(&buf));
    assert_int_equal(
        koa_series_key_parse(koa_str_from(koa_buf_text(&buf)), arena, &name, &parsed, &error),
        KOA_OK);
    KIT_EXPECT_TEXT("name", "requests_total", name);
    KIT_EXPECT_INT("labels", 3, parsed.count);
    KIT_EXPECT_TEXT("plain", "plain", parsed.rows[0].value);
    KIT_EXPECT_TEXT("escaped", "x,y=z{}\"\\", parsed.rows[1].value);
    KIT_EXPECT_TEXT("empty", "", parsed.rows[2].value);
    koa_buf_deinit(&buf);
}

static void a_bad_key_is_an_error_with_its_place(void **state)
{
    static const char *const cases[] = {
        "",      "{a=b}",   "1x",      "x{",       "x{a",      "x{a=",    "x{a=b",
        "x{a=b", "x{a=b,}", "x{=b}",   "x{a=b}c",  "x{a==}",   "x{a=\\}", "x{a=\\b}",
        "x y",   "x{1=b}",  "x{a=b{}", "x{a=\"b}", "x{a=b}\n",
    };
    KOA_AUTO(koa_arena) *arena = koa_arena_create(100000);

    (void) state;
    KIT_EACH (text, cases) {
        struct koa_labels labels;
        const char *name;
        struct koa_error error = {0};

        KIT_EXPECT_INT(*text, KOA_ERR_PARSE,
                       koa_series_key_parse(koa_str_from(*text), arena, &name, &labels, &error));
        KIT_EXPECT_CONTAINS(*text, "at byte", error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_reads_back_as_it_was_printed),
        cmocka_unit_test(a_bad_key_is_an_error_with_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

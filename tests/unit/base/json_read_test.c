#include "kit/kit.h"

#include <string.h>

#include "base/json_read.h"
#include "base/str.h"

static void a_document_is_read_member_by_member(void **state)
{
    KOA_AUTO(koa_json_value) *root = NULL;
    struct koa_error error;
    double number;
    int64_t whole;
    bool flag;
    const char *key;

    (void) state;
    assert_int_equal(koa_json_parse(KOA_STR("{\"t\":\"x\",\"i\":5,\"d\":0.5,\"e\":1e3,\"b\":true,"
                                            "\"n\":null,\"l\":[1,[2],{}]}"),
                                    &root, &error),
                     KOA_OK);
    KIT_EXPECT_INT("type", KOA_JSON_OBJECT, koa_json_value_type(root));
    KIT_EXPECT_INT("members", 7, koa_json_count(root));
    KIT_EXPECT_TEXT("text", "x", koa_json_value_text(koa_json_get(root, "t")));
    KIT_EXPECT("whole", koa_json_value_int(koa_json_get(root, "i"), &whole) && whole == 5);
    KIT_EXPECT("whole by exponent",
               koa_json_value_int(koa_json_get(root, "e"), &whole) && whole == 1000);
    KIT_EXPECT("not whole", !koa_json_value_int(koa_json_get(root, "d"), &whole));
    assert_true(koa_json_value_number(koa_json_get(root, "d"), &number));
    KIT_EXPECT_DOUBLE("number", 0.5, number);
    assert_true(koa_json_value_number(koa_json_get(root, "i"), &number));
    KIT_EXPECT_DOUBLE("whole as number", 5, number);
    KIT_EXPECT("bool", koa_json_value_bool(koa_json_get(root, "b"), &flag) && flag);
    KIT_EXPECT_INT("null", KOA_JSON_NULL, koa_json_value_type(koa_json_get(root, "n")));
    KIT_EXPECT_INT("list", 3, koa_json_count(koa_json_get(root, "l")));
    KIT_EXPECT_INT("nested", KOA_JSON_LIST,
                   koa_json_value_type(koa_json_at(koa_json_get(root, "l"), 1)));
    KIT_EXPECT("beyond", koa_json_at(koa_json_get(root, "l"), 3) == NULL);
    key = koa_json_next_key(root, NULL);
    for (int i = 0; i < 6; i++)
        key = koa_json_next_key(root, key);
    KIT_EXPECT_TEXT("the last key in order of the text", "l", key);
    KIT_EXPECT("no more", koa_json_next_key(root, key) == NULL);
}

static void nothing_is_taken_softly(void **state)
{
    double number;
    int64_t whole;
    bool flag;

    (void) state;
    KIT_EXPECT_INT("type", KOA_JSON_NULL, koa_json_value_type(NULL));
    KIT_EXPECT("get", koa_json_get(NULL, "x") == NULL);
    KIT_EXPECT_INT("count", 0, koa_json_count(NULL));
    KIT_EXPECT("at", koa_json_at(NULL, 0) == NULL);
    KIT_EXPECT("key", koa_json_next_key(NULL, NULL) == NULL);
    KIT_EXPECT("text", koa_json_value_text(NULL) == NULL);
    KIT_EXPECT("number", !koa_json_value_number(NULL, &number));
    KIT_EXPECT("int", !koa_json_value_int(NULL, &whole));
    KIT_EXPECT("bool", !koa_json_value_bool(NULL, &flag));
}

static void bad_text_is_an_error_with_its_place(void **state)
{
    static const struct {
        const char *name;
        struct koa_str text;
        const char *place;
    } cases[] = {
        {"empty", {NULL, 0}, "line 1 column"},
        {"cut", {"{\"a\":", 5}, "line 1 column 5"},
        {"trailing", {"{}\n x", 5}, "line 2 column"},
        {"duplicate key", {"{\"a\":1,\n\"a\":2}", 14}, "line 2 column"},
        {"bad utf-8", {"[\"\xff\"]", 5}, "line 1 column"},
        {"NUL in text", {"[\"a\\u0000\"]", 11}, "line 1 column"},
        {"NaN", {"[NaN]", 5}, "line 1 column"},
        {"huge real", {"[1e999]", 7}, "line 1 column"},
        {"huge integer", {"[99999999999999999999]", 22}, "line 1 column"},
        {"comment", {"[1] // x", 8}, "line 1 column"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_json_value *root = NULL;
        struct koa_error error;

        KIT_EXPECT_INT(c->name, KOA_ERR_PARSE, koa_json_parse(c->text, &root, &error));
        KIT_EXPECT_CONTAINS(c->name, c->place, error.text);
        KIT_EXPECT(c->name, root == NULL);
    }
}

static void depth_and_size_have_limits(void **state)
{
    struct koa_json_value *root = NULL;
    struct koa_error error;
    char deep[80];
    char *large = koa_calloc(1, 1024 * 1024 + 1);

    (void) state;
    assert_non_null(large);
    memset(deep, '[', 32);
    memset(deep + 32, ']', 32);
    assert_int_equal(koa_json_parse((struct koa_str){deep, 64}, &root, &error), KOA_OK);
    koa_json_value_destroy(root);
    memset(deep, '[', 33);
    memset(deep + 33, ']', 33);
    KIT_EXPECT_INT("33 deep", KOA_ERR_PARSE,
                   koa_json_parse((struct koa_str){deep, 66}, &root, &error));
    KIT_EXPECT_CONTAINS("says where", "column 33", error.text);
    memset(large, ' ', 1024 * 1024);
    large[0] = '1';
    assert_int_equal(koa_json_parse((struct koa_str){large, 1024 * 1024}, &root, &error), KOA_OK);
    koa_json_value_destroy(root);
    KIT_EXPECT_INT("one byte too many", KOA_ERR_LIMIT,
                   koa_json_parse((struct koa_str){large, 1024 * 1024 + 1}, &root, &error));
    koa_free(large);
}

static void brackets_in_strings_are_not_depth(void **state)
{
    KOA_AUTO(koa_json_value) *root = NULL;
    struct koa_error error;

    (void) state;
    assert_int_equal(
        koa_json_parse(KOA_STR("[\"[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[[[[[[[[[[[[[\"]"), &root,
                       &error),
        KOA_OK);
    KIT_EXPECT_INT("one text", 1, koa_json_count(root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_is_read_member_by_member),
        cmocka_unit_test(nothing_is_taken_softly),
        cmocka_unit_test(bad_text_is_an_error_with_its_place),
        cmocka_unit_test(depth_and_size_have_limits),
        cmocka_unit_test(brackets_in_strings_are_not_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

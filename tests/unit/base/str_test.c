#include "base/str.h"

#include <string.h>

#include "kit/kit.h"

static void views_compare_by_bytes(void **state)
{
    static const struct {
        const char *a, *b;
        int order;
    } cases[] = {
        {"", "", 0}, {"a", "a", 0}, {"a", "b", -1}, {"b", "a", 1}, {"a", "ab", -1}, {"ab", "a", 1},
    };

    (void) state;
    KIT_EACH (c, cases) {
        int order = koa_str_compare(koa_str_from(c->a), koa_str_from(c->b));

        KIT_EXPECT_INT(c->a, c->order, (order > 0) - (order < 0));
        KIT_EXPECT_INT(c->b, c->order == 0, koa_str_equal_text(koa_str_from(c->a), c->b));
    }
    KIT_EXPECT("null is empty", koa_str_equal(koa_str_from(NULL), KOA_STR("")));
    KIT_EXPECT("starts", koa_str_starts(KOA_STR("kafka_x"), KOA_STR("kafka_")));
    KIT_EXPECT("short", !koa_str_starts(KOA_STR("kaf"), KOA_STR("kafka_")));
    KIT_EXPECT("case", koa_text_equal_nocase("Bearer", "bEARER"));
    KIT_EXPECT("other", !koa_text_equal_nocase("Bearer", "Bearers"));
    KIT_EXPECT("nulls", koa_text_equal(NULL, NULL) && !koa_text_equal(NULL, ""));
    KIT_EXPECT("nulls", koa_text_equal_nocase(NULL, NULL) && !koa_text_equal_nocase("", NULL));
}

static void text_is_trimmed_and_split(void **state)
{
    struct koa_str rest;
    struct koa_str first = koa_str_split(KOA_STR("a=b=c"), '=', &rest);

    (void) state;
    KIT_EXPECT("first", koa_str_equal_text(first, "a"));
    KIT_EXPECT("rest", koa_str_equal_text(rest, "b=c"));
    first = koa_str_split(KOA_STR("abc"), '=', &rest);
    KIT_EXPECT("no separator", koa_str_equal_text(first, "abc") && rest.data == NULL);
    first = koa_str_split(KOA_STR("abc="), '=', &rest);
    KIT_EXPECT("nothing after it",
               koa_str_equal_text(first, "abc") && rest.data != NULL && rest.size == 0);
    first = koa_str_split((struct koa_str){0}, '=', &rest);
    KIT_EXPECT("nothing at all", first.size == 0 && rest.data == NULL);
    KIT_EXPECT("trim", koa_str_equal_text(koa_str_trim(KOA_STR(" \t a b\r\n")), "a b"));
    KIT_EXPECT("trim all", koa_str_trim(KOA_STR(" \n ")).size == 0);
}

static void copies_are_cut_between_characters(void **state)
{
    static const struct {
        const char *text;
        size_t size;
        const char *expected;
    } cases[] = {
        {"abc", 4, "abc"},
        {"abc", 3, "ab"},
        {"a\xc3\xa4", 3, "a"},
        {"a\xc3\xa4", 4, "a\xc3\xa4"},
        {"\xf0\x9f\x98\x80!", 4, ""},
        {"\xf0\x9f\x98\x80!", 5, "\xf0\x9f\x98\x80"},
        {"\x80\x80\x80\x80\x80", 3, "\x80\x80"}, /* not UTF-8: cut anywhere */
        {"abc", 1, ""},
    };

    (void) state;
    KIT_EACH (c, cases) {
        char target[8];
        bool is_whole = koa_str_copy(target, c->size, koa_str_from(c->text));

        KIT_EXPECT_TEXT(c->text, c->expected, target);
        KIT_EXPECT_INT(c->text, strlen(c->expected) == strlen(c->text), is_whole);
    }
}

static void only_well_formed_utf8_is_valid(void **state)
{
    static const struct {
        const char *name, *text;
        bool is_valid;
    } cases[] = {
        {"ascii", "abc", true},
        {"empty", "", true},
        {"two bytes", "\xc3\xa4", true},
        {"three bytes", "\xe2\x82\xac", true},
        {"four bytes", "\xf0\x9f\x98\x80", true},
        {"last", "\xf4\x8f\xbf\xbf", true},
        {"beyond the last", "\xf4\x90\x80\x80", false},
        {"overlong slash", "\xc0\xaf", false},
        {"overlong three", "\xe0\x80\xaf", false},
        {"overlong four", "\xf0\x80\x80\xaf", false},
        {"surrogate", "\xed\xa0\x80", false},
        {"lone continuation", "\x80", false},
        {"cut", "\xe2\x82", false},
        {"wrong second", "\xc3(", false},
        {"latin-1", "caf\xe9", false},
        {"five bytes", "\xf8\x88\x80\x80\x80", false},
    };

    (void) state;
    KIT_EACH (c, cases)
        KIT_EXPECT_INT(c->name, c->is_valid, koa_utf8_valid(koa_str_from(c->text)));
}

static void distance_counts_edits(void **state)
{
    static const struct {
        const char *a, *b;
        int expected;
    } cases[] = {
        {"timeout", "timeout", 0},
        {"timeout", "timeuot", 2},
        {"timeout", "timout", 1},
        {"interval", "", 4},
        {"", "", 0},
        {"port", "prot", 2},
        {"kitten", "sitting", 3},
        {"abcdef", "uvwxyz", 4},
    };
    char longest[200];

    (void) state;
    KIT_EACH (c, cases)
        KIT_EXPECT_INT(c->a, c->expected, koa_text_distance(c->a, c->b, 4));
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    KIT_EXPECT_INT("too long to be a name", 4, koa_text_distance(longest, "xx", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_by_bytes),
        cmocka_unit_test(text_is_trimmed_and_split),
        cmocka_unit_test(copies_are_cut_between_characters),
        cmocka_unit_test(only_well_formed_utf8_is_valid),
        cmocka_unit_test(distance_counts_edits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

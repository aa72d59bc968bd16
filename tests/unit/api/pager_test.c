/* Pages: what `after` means when rows come, go and change between two requests. */
#include "api/pager.h"

#include <string.h>

#include "base/buf.h"
#include "base/json_read.h"
#include "base/str.h"
#include "kit/kit.h"

enum { NAMES = 0, WEIGHTS = 1 };

static const char *cut(const struct koa_page *page, const struct koa_page_row *table, size_t count)
{
    static char text[128];
    struct koa_buf names = {.limit = sizeof(text)};
    struct koa_page_row rows[8];
    struct koa_page_cut cut;

    if (count > 0)
        memcpy(rows, table, count * sizeof(*rows));
    cut = koa_page_cut(page, rows, count);
    for (size_t i = cut.first; i < cut.end; i++) {
        koa_buf_append_text(&names, rows[i].name);
        koa_buf_append_char(&names, ' ');
    }
    (void) koa_str_copy(text, sizeof(text), koa_str_from(koa_buf_text(&names)));
    koa_buf_deinit(&names);
    return text;
}

static const struct koa_page_row table[] = {
    {.name = "c", .weight = 5}, {.name = "a", .weight = 5}, {.name = "e", .weight = -1},
    {.name = "b", .weight = 9}, {.name = "d", .weight = 0},
};

static const struct {
    const char *name, *after, *expected;
    size_t order;
    int64_t limit;
} pages[] = {
    {"the first by name", NULL, "a b ", NAMES, 2},
    {"no limit", NULL, "a b c d e ", NAMES, 0},
    {"the first by weight, then by name", NULL, "b a c ", WEIGHTS, 3},
    {"the next by name", "b", "c d ", NAMES, 2},
    {"the last by name", "d", "e ", NAMES, 2},
    {"after the last", "e", "", NAMES, 2},
    {"after a name that has vanished", "bb", "c d ", NAMES, 2},
    {"the next by weight", "5:a", "c d ", WEIGHTS, 2},
    {"after a row that has vanished", "5:b", "c d ", WEIGHTS, 2},
    {"after a row that weighs more now", "7:a", "a c ", WEIGHTS, 2},
    {"what is not known comes last", "0:d", "e ", WEIGHTS, 2},
    {"an empty cursor is the first page", "", "a b ", NAMES, 2},
};

static void a_cursor_is_a_place_in_the_order(void **state)
{
    (void) state;
    KIT_EACH (c, pages) {
        struct koa_page page = {.limit = c->limit, .order = c->order};

        KIT_EXPECT(c->name, koa_page_after(&page, c->after));
        KIT_EXPECT_TEXT(c->name, c->expected, cut(&page, table, KOA_ARRAY_COUNT(table)));
    }
}

static void a_cursor_of_another_order_is_refused(void **state)
{
    static const struct {
        const char *name, *after;
    } bad[] = {{"a name", "orders"}, {"no number", "x:orders"}, {"no weight", ":orders"}};

    (void) state;
    KIT_EACH (c, bad) {
        struct koa_page page = {.order = WEIGHTS};

        KIT_EXPECT(c->name, !koa_page_after(&page, c->after));
    }
}

static void no_row_is_an_empty_page(void **state)
{
    struct koa_page page = {.limit = 5, .order = WEIGHTS};

    (void) state;
    KIT_EXPECT_TEXT("none", "", cut(&page, NULL, 0));
}

/* Walks all pages by the `next` that each one writes. */
static void walk(size_t order, const char *expected)
{
    char after[64] = "";
    struct koa_buf seen = {.limit = 64};

    for (size_t pages_read = 0; pages_read < 9; pages_read++) {
        struct koa_page page = {.limit = 2, .order = order};
        struct koa_page_row rows[KOA_ARRAY_COUNT(table)];
        struct koa_buf buf = {.limit = 4096};
        struct koa_json json = {.buf = &buf};
        KOA_AUTO(koa_json_value) *value = NULL;
        const char *next;
        struct koa_page_cut cut;

        memcpy(rows, table, sizeof(rows));
        assert_true(koa_page_after(&page, after));
        cut = koa_page_cut(&page, rows, KOA_ARRAY_COUNT(rows));
        for (size_t i = cut.first; i < cut.end; i++)
            koa_buf_append_text(&seen, rows[i].name);
        koa_json_object(&json, NULL);
        koa_page_write_end(&json, &page, &cut);
        koa_json_object_end(&json);
        assert_int_equal(
            koa_json_parse((struct koa_str){.data = buf.data, .size = buf.size}, &value, NULL),
            KOA_OK);
        next = koa_json_value_text(koa_json_get(value, "next"));
        (void) koa_str_copy(after, sizeof(after), koa_str_from(next));
        koa_buf_deinit(&buf);
        if (after[0] == '\0')
            break;
    }
    KIT_EXPECT_TEXT("each row once, in order", expected, koa_buf_text(&seen));
    koa_buf_deinit(&seen);
}

static void next_leads_through_every_row_once(void **state)
{
    (void) state;
    walk(NAMES, "abcde");
    walk(WEIGHTS, "bacde");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_is_a_place_in_the_order),
        cmocka_unit_test(a_cursor_of_another_order_is_refused),
        cmocka_unit_test(no_row_is_an_empty_page),
        cmocka_unit_test(next_leads_through_every_row_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

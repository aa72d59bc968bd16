#include "kit/kit.h"

#include <string.h>

#include "base/buf.h"

static void a_zeroed_buffer_is_empty_text(void **state)
{
    struct koa_buf buf = {.limit = 10};
    struct koa_error error;

    (void) state;
    KIT_EXPECT_TEXT("text", "", koa_buf_text(&buf));
    KIT_EXPECT_INT("status", KOA_OK, koa_buf_status(&buf, "x", &error));
    KIT_EXPECT("nothing to take", koa_buf_take(&buf) == NULL);
    koa_buf_deinit(&buf);
}

static void appends_of_every_kind_follow_each_other(void **state)
{
    struct koa_buf buf = {.limit = 10000};
    char *room;

    (void) state;
    koa_buf_append(&buf, "ab", 2);
    koa_buf_append(&buf, NULL, 0);
    koa_buf_append_text(&buf, "cd");
    koa_buf_append_char(&buf, 'e');
    koa_buf_printf(&buf, "%d", 12345);
    room = koa_buf_reserve(&buf, 100);
    assert_non_null(room);
    memcpy(room, "xyz", 3);
    koa_buf_advance(&buf, 3);
    KIT_EXPECT_TEXT("text", "abcde12345xyz", koa_buf_text(&buf));
    koa_buf_consume(&buf, 5);
    KIT_EXPECT_TEXT("consumed", "12345xyz", koa_buf_text(&buf));
    koa_buf_consume(&buf, 8);
    KIT_EXPECT_TEXT("all consumed", "", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void a_long_print_grows_the_buffer(void **state)
{
    struct koa_buf buf = {.limit = 10000};

    (void) state;
    for (int i = 0; i < 300; i++)
        koa_buf_printf(&buf, "%0*d|", i % 40 + 1, i % 10);
    KIT_EXPECT_INT("size is the text's", strlen(koa_buf_text(&buf)), buf.size);
    KIT_EXPECT("not failed", !buf.failed);
    koa_buf_deinit(&buf);
}

static void the_limit_is_exact_and_sticky(void **state)
{
    struct koa_buf buf = {.limit = 8};
    struct koa_error error;

    (void) state;
    koa_buf_append_text(&buf, "12345678");
    KIT_EXPECT("as much as the limit", !buf.failed);
    koa_buf_append_char(&buf, '9');
    KIT_EXPECT("one more", buf.failed);
    KIT_EXPECT_TEXT("what was there stays", "12345678", koa_buf_text(&buf));
    koa_buf_append_text(&buf, "");
    koa_buf_printf(&buf, "x");
    KIT_EXPECT("no room any more", koa_buf_reserve(&buf, 0) == NULL);
    KIT_EXPECT_INT("status", KOA_ERR_LIMIT, koa_buf_status(&buf, "the answer", &error));
    KIT_EXPECT_CONTAINS("names it", "the answer", error.text);
    KIT_EXPECT_CONTAINS("and the limit", "8 bytes", error.text);
    koa_buf_clear(&buf);
    koa_buf_printf(&buf, "%s", "123456789");
    KIT_EXPECT("a print beyond the limit", buf.failed);
    KIT_EXPECT_TEXT("leaves nothing half", "", koa_buf_text(&buf));
    KIT_EXPECT("a failed buffer gives nothing", koa_buf_take(&buf) == NULL);
    koa_buf_append_text(&buf, "new");
    KIT_EXPECT_TEXT("and may be used again", "new", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void no_limit_given_means_nothing_fits(void **state)
{
    struct koa_buf buf = {0};
    struct koa_buf huge = {.limit = SIZE_MAX};

    (void) state;
    koa_buf_append_char(&buf, 'x');
    KIT_EXPECT("limit 0", buf.failed);
    KIT_EXPECT("limit too large to add a NUL", koa_buf_reserve(&huge, 1) == NULL);
    koa_buf_deinit(&buf);
    koa_buf_deinit(&huge);
}

static void out_of_memory_is_told_apart(void **state)
{
    struct koa_buf buf = {.limit = 1000};
    struct koa_error error;

    (void) state;
    koa_memory_fail_after(0);
    koa_buf_append_text(&buf, "x");
    koa_memory_fail_after(-1);
    KIT_EXPECT_INT("status", KOA_ERR_NOMEM, koa_buf_status(&buf, "it", &error));
    koa_buf_clear(&buf);
    koa_buf_append_text(&buf, "x");
    KIT_EXPECT_TEXT("works later", "x", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void taken_text_belongs_to_the_caller(void **state)
{
    struct koa_buf buf = {.limit = 100};
    char *text;

    (void) state;
    koa_buf_append_text(&buf, "mine");
    text = koa_buf_take(&buf);
    koa_buf_append_text(&buf, "other");
    KIT_EXPECT_TEXT("text", "mine", text);
    koa_free(text);
    koa_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_buffer_is_empty_text),
        cmocka_unit_test(appends_of_every_kind_follow_each_other),
        cmocka_unit_test(a_long_print_grows_the_buffer),
        cmocka_unit_test(the_limit_is_exact_and_sticky),
        cmocka_unit_test(no_limit_given_means_nothing_fits),
        cmocka_unit_test(out_of_memory_is_told_apart),
        cmocka_unit_test(taken_text_belongs_to_the_caller),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

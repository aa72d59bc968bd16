#include "base/memory.h"

#include <string.h>

#include "kit/kit.h"

static void sizes_that_overflow_are_refused(void **state)
{
    void *block = koa_calloc(4, 4);

    (void) state;
    assert_non_null(block);
    assert_null(koa_calloc(SIZE_MAX / 2, 3));
    assert_null(koa_realloc_array(block, SIZE_MAX / 2, 3));
    memset(block, 1, 16); /* still valid */
    koa_free(block);
}

static void nothing_is_a_block_of_its_own(void **state)
{
    void *block = koa_calloc(0, 8);

    (void) state;
    assert_non_null(block);
    block = koa_realloc_array(block, 0, 8);
    assert_non_null(block);
    koa_free(block);
}

static void copies_end_with_nul(void **state)
{
    KOA_AUTOFREE char *whole = koa_strdup("secret");
    KOA_AUTOFREE char *part = koa_strndup("secret", 3);
    char *empty = koa_strndup(NULL, 0);

    (void) state;
    KIT_EXPECT_TEXT("whole", "secret", whole);
    KIT_EXPECT_TEXT("part", "sec", part);
    KIT_EXPECT_TEXT("empty", "", empty);
    koa_free_secret(empty);
    koa_free_secret(NULL);
}

static void a_moved_pointer_leaves_null(void **state)
{
    KOA_AUTOFREE char *source = koa_strdup("x");
    KOA_AUTOFREE char *target = KOA_MOVE(source);

    (void) state;
    assert_null(source);
    KIT_EXPECT_TEXT("target", "x", target);
}

static void missing_memory_is_an_error_with_text(void **state)
{
    struct koa_error error = {0};
    int thing = 0;

    (void) state;
    KIT_EXPECT_INT("there", KOA_OK, koa_require_memory(&thing, &error));
    KIT_EXPECT_INT("missing", KOA_ERR_NOMEM, koa_require_memory(NULL, &error));
    KIT_EXPECT_TEXT("text", "memory is out", error.text);
}

static void each_allocation_fails_once(void **state)
{
    bool ok = false;
    int runs = 0;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        KOA_AUTOFREE char *first = koa_strdup("a");
        KOA_AUTOFREE void *second = first != NULL ? koa_realloc_array(NULL, 2, 8) : NULL;
        KOA_AUTOFREE void *third = second != NULL ? koa_calloc(1, 1) : NULL;

        ok = third != NULL;
        runs++;
    }
    KIT_EXPECT_INT("three failures and one success", 4, runs);
    KOA_AUTOFREE void *after = koa_calloc(1, 1);
    assert_non_null(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(nothing_is_a_block_of_its_own),
        cmocka_unit_test(copies_end_with_nul),
        cmocka_unit_test(a_moved_pointer_leaves_null),
        cmocka_unit_test(missing_memory_is_an_error_with_text),
        cmocka_unit_test(each_allocation_fails_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

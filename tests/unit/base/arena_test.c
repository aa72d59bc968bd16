#include "kit/kit.h"

#include <string.h>

#include "base/arena.h"

static bool is_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static void blocks_are_zeroed_aligned_and_apart(void **state)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(10 * 1024 * 1024);
    unsigned char *blocks[400];

    (void) state;
    assert_non_null(arena);
    for (size_t i = 0; i < 400; i++) {
        size_t size = i * 7 % 3000 + 1;

        blocks[i] = koa_arena_alloc(arena, size, 1);
        assert_non_null(blocks[i]);
        KIT_EXPECT_INT("aligned", 0, (uintptr_t) blocks[i] % _Alignof(max_align_t));
        KIT_EXPECT("zeroed", is_zero(blocks[i], size));
        memset(blocks[i], (int) (i % 251), size);
    }
    for (size_t i = 0; i < 400; i++)
        KIT_EXPECT_INT("untouched by the others", i % 251, blocks[i][i * 7 % 3000]);
}

static void texts_are_packed_and_ended(void **state)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(100000);

    (void) state;
    assert_non_null(arena);
    KIT_EXPECT_TEXT("strdup", "abc", koa_arena_strdup(arena, "abc"));
    KIT_EXPECT_TEXT("strndup", "ab", koa_arena_strndup(arena, "abc", 2));
    KIT_EXPECT_TEXT("of nothing", "", koa_arena_strndup(arena, NULL, 0));
    KIT_EXPECT_TEXT("printf", "7-x", koa_arena_printf(arena, "%d-%s", 7, "x"));
    KIT_EXPECT_INT("bytes", 4 + 3 + 1 + 4, koa_arena_used(arena));
    KIT_EXPECT("an allocation of nothing has an address", koa_arena_alloc(arena, 0, 8) != NULL);
}

static void the_limit_is_exact_and_sticky(void **state)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(100);

    (void) state;
    assert_non_null(arena);
    KIT_EXPECT("up to the limit", koa_arena_alloc(arena, 10, 10) != NULL);
    KIT_EXPECT("not failed", !koa_arena_failed(arena));
    KIT_EXPECT("beyond", koa_arena_strdup(arena, "") == NULL);
    KIT_EXPECT("failed", koa_arena_failed(arena));
    koa_arena_reset(arena);
    KIT_EXPECT("reset clears it", !koa_arena_failed(arena));
    KIT_EXPECT("product overflows", koa_arena_alloc(arena, SIZE_MAX / 2, 3) == NULL);
    KIT_EXPECT("failed again", koa_arena_failed(arena));
    KIT_EXPECT("sticky", koa_arena_alloc(arena, 1, 1) == NULL);
}

static void a_reset_keeps_one_block_and_zeroes_it(void **state)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(10 * 1024 * 1024);
    size_t held_after_first = 0;

    (void) state;
    assert_non_null(arena);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 100; i++) {
            unsigned char *bytes = koa_arena_alloc(arena, 5000, 1);

            assert_non_null(bytes);
            KIT_EXPECT("zeroed", is_zero(bytes, 5000));
            memset(bytes, 0xff, 5000);
        }
        KIT_EXPECT("holds what it hands out", koa_arena_held(arena) >= koa_arena_used(arena));
        koa_arena_reset(arena);
        KIT_EXPECT_INT("used", 0, koa_arena_used(arena));
        if (round == 0)
            held_after_first = koa_arena_held(arena);
        KIT_EXPECT("bounded", koa_arena_held(arena) <= held_after_first * 4);
    }
}

static void out_of_memory_fails_softly(void **state)
{
    struct koa_arena *arena;

    (void) state;
    koa_memory_fail_after(0);
    KIT_EXPECT("no arena", koa_arena_create(1000) == NULL);
    koa_memory_fail_after(-1);
    arena = koa_arena_create(1000);
    assert_non_null(arena);
    koa_memory_fail_after(0);
    KIT_EXPECT("no block", koa_arena_printf(arena, "%d", 1) == NULL);
    koa_memory_fail_after(-1);
    KIT_EXPECT("failed", koa_arena_failed(arena));
    koa_arena_destroy(arena);
    koa_arena_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed_aligned_and_apart),
        cmocka_unit_test(texts_are_packed_and_ended),
        cmocka_unit_test(the_limit_is_exact_and_sticky),
        cmocka_unit_test(a_reset_keeps_one_block_and_zeroes_it),
        cmocka_unit_test(out_of_memory_fails_softly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/map.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/num.h"
#include "base/str.h"
#include "kit/kit.h"

/* Values are numbers in disguise. */
static void *value_of(size_t number)
{
    return (void *) (uintptr_t) number; /* NOLINT(performance-no-int-to-ptr): that is the point */
}

static struct koa_str key_of(size_t number, char text[KOA_NUM_TEXT_SIZE])
{
    return (struct koa_str){.data = text, .size = koa_format_uint(number, text)};
}

static void entries_are_found_replaced_and_removed(void **state)
{
    struct koa_map *map = koa_map_create(10);
    void *old = value_of(99);

    (void) state;
    KIT_EXPECT("empty", koa_map_find_text(map, "a") == NULL && koa_map_count(map) == 0);
    KIT_EXPECT("nothing to remove", koa_map_remove(map, KOA_STR("a")) == NULL);
    KIT_EXPECT_INT("put", KOA_OK, koa_map_put(map, KOA_STR("a"), value_of(1), &old));
    KIT_EXPECT("nothing before", old == NULL);
    KIT_EXPECT_INT("put", KOA_OK, koa_map_put(map, KOA_STR("a"), value_of(2), &old));
    KIT_EXPECT("one before", old == value_of(1));
    KIT_EXPECT("found", koa_map_find_text(map, "a") == value_of(2));
    KIT_EXPECT("case", koa_map_find_text(map, "A") == NULL);
    KIT_EXPECT_INT("one", 1, koa_map_count(map));
    KIT_EXPECT("removed", koa_map_remove(map, KOA_STR("a")) == value_of(2));
    KIT_EXPECT("gone", koa_map_find_text(map, "a") == NULL && koa_map_count(map) == 0);
    koa_map_destroy(map, NULL);
    koa_map_destroy(NULL, NULL);
}

static void keys_are_bytes_and_copied(void **state)
{
    struct koa_map *map = koa_map_create(10);
    char key[] = {'a', '\0', 'b'};

    (void) state;
    KIT_EXPECT_INT("put", KOA_OK, koa_map_put(map, (struct koa_str){key, 3}, value_of(1), NULL));
    KIT_EXPECT_INT("empty key", KOA_OK, koa_map_put(map, (struct koa_str){0}, value_of(2), NULL));
    key[2] = 'c';
    KIT_EXPECT("changed", koa_map_find(map, (struct koa_str){key, 3}) == NULL);
    key[2] = 'b';
    KIT_EXPECT("found", koa_map_find(map, (struct koa_str){key, 3}) == value_of(1));
    KIT_EXPECT("shorter", koa_map_find(map, (struct koa_str){key, 1}) == NULL);
    KIT_EXPECT("empty", koa_map_find(map, KOA_STR("")) == value_of(2));
    koa_map_destroy(map, NULL);
}

static void borrowed_keys_are_those_of_the_values(void **state)
{
    struct koa_map *map = koa_map_create_borrowing(100);
    struct named {
        int number;
        char name[8];
    };
    struct named *old = koa_calloc(1, sizeof(*old));
    struct named *new = koa_calloc(1, sizeof(*new));
    void *replaced = NULL;

    (void) state;
    (void) snprintf(old->name, sizeof(old->name), "a");
    (void) snprintf(new->name, sizeof(new->name), "a");
    assert_int_equal(koa_map_put(map, koa_str_from(old->name), old, NULL), KOA_OK);
    assert_int_equal(koa_map_put(map, koa_str_from(new->name), new, &replaced), KOA_OK);
    assert_ptr_equal(replaced, old);
    koa_free(old);
    assert_ptr_equal(koa_map_find_text(map, "a"), new);
    assert_ptr_equal(koa_map_remove(map, koa_str_from(new->name)), new);
    KIT_EXPECT("gone", koa_map_find_text(map, "a") == NULL);
    assert_int_equal(koa_map_put(map, koa_str_from(new->name), new, NULL), KOA_OK);
    koa_map_destroy(map, koa_free);
}

static void at_the_limit_only_known_keys_are_taken(void **state)
{
    struct koa_map *map = koa_map_create(2);

    (void) state;
    KIT_EXPECT_INT("first", KOA_OK, koa_map_put(map, KOA_STR("a"), value_of(1), NULL));
    KIT_EXPECT_INT("second", KOA_OK, koa_map_put(map, KOA_STR("b"), value_of(2), NULL));
    KIT_EXPECT_INT("third", KOA_ERR_LIMIT, koa_map_put(map, KOA_STR("c"), value_of(3), NULL));
    KIT_EXPECT_INT("known", KOA_OK, koa_map_put(map, KOA_STR("a"), value_of(4), NULL));
    KIT_EXPECT("replaced", koa_map_find_text(map, "a") == value_of(4));
    KIT_EXPECT("other", koa_map_find_text(map, "b") == value_of(2));
    koa_map_destroy(map, NULL);
}

/* Puts and removes ten thousand, so that growth, gaps and reuse are all met. */
static void many_entries_survive_growth_and_removal(void **state)
{
    enum { MANY = 10000 };
    struct koa_map *map = koa_map_create(MANY);
    char text[KOA_NUM_TEXT_SIZE];

    (void) state;
    for (size_t i = 1; i <= MANY; i++)
        assert_int_equal(koa_map_put(map, key_of(i, text), value_of(i), NULL), KOA_OK);
    for (size_t i = 1; i <= MANY; i++)
        assert_ptr_equal(koa_map_find(map, key_of(i, text)), value_of(i));
    for (size_t i = 1; i <= MANY; i += 2)
        assert_ptr_equal(koa_map_remove(map, key_of(i, text)), value_of(i));
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 1; i <= MANY; i += 2)
            assert_int_equal(koa_map_put(map, key_of(i, text), value_of(i + round), NULL), KOA_OK);
        for (size_t i = 1; i <= MANY; i += 2)
            assert_ptr_equal(koa_map_remove(map, key_of(i, text)), value_of(i + round));
    }
    assert_int_equal(koa_map_count(map), MANY / 2);
    for (size_t i = 1; i <= MANY; i++)
        assert_ptr_equal(koa_map_find(map, key_of(i, text)), value_of(i % 2 == 0 ? i : 0));
    koa_map_destroy(map, NULL);
}

static void a_walk_keeps_the_order_and_may_remove(void **state)
{
    static const char *const keys[] = {"zebra", "ant", "mole", "bee"};
    struct koa_map *map = koa_map_create(10);
    struct koa_str key;
    void *value;
    size_t seen = 0;

    (void) state;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(keys); i++)
        assert_int_equal(koa_map_put(map, koa_str_from(keys[i]), value_of(i + 1), NULL), KOA_OK);
    for (size_t at = 0; koa_map_next(map, &at, &key, &value);) {
        KIT_EXPECT(keys[seen], koa_str_equal_text(key, keys[seen]) && value == value_of(seen + 1));
        if (seen % 2 == 0)
            (void) koa_map_remove(map, key);
        seen++;
    }
    KIT_EXPECT_INT("all", 4, seen);
    KIT_EXPECT_INT("half", 2, koa_map_count(map));
    seen = 0;
    for (size_t at = 0; koa_map_next(map, &at, NULL, &value);)
        seen += (size_t) (uintptr_t) value;
    KIT_EXPECT_INT("ant and bee", 6, seen);
    koa_map_destroy(map, NULL);
}

static void a_failed_put_leaves_the_map_as_it_was(void **state)
{
    struct koa_map *map = koa_map_create(1000);
    char text[KOA_NUM_TEXT_SIZE];

    (void) state;
    for (size_t i = 1; i <= 100; i++) {
        bool ok = false;

        KIT_FOR_EACH_ALLOC_FAILURE (ok) {
            ok = koa_map_put(map, key_of(i, text), value_of(i), NULL) == KOA_OK;
            KIT_EXPECT_INT("all or nothing", ok ? i : i - 1, koa_map_count(map));
        }
    }
    for (size_t i = 1; i <= 100; i++)
        assert_ptr_equal(koa_map_find(map, key_of(i, text)), value_of(i));
    koa_map_destroy(map, NULL);
}

static void values_are_freed_with_the_map(void **state)
{
    struct koa_map *map = koa_map_create(10);

    (void) state;
    KIT_EXPECT_INT("put", KOA_OK, koa_map_put(map, KOA_STR("a"), koa_strdup("x"), NULL));
    koa_map_destroy(map, koa_free); /* the leak check of a sanitized build sees it otherwise */
}

/* A host, or the simulated cluster, may have made it before the agent has random bytes. */
static void a_map_outlives_a_new_process_key(void **state)
{
    struct koa_map *map = koa_map_create(100);
    char text[KOA_NUM_TEXT_SIZE];

    (void) state;
    for (size_t i = 1; i <= 20; i++)
        KIT_EXPECT_INT("put", KOA_OK, koa_map_put(map, key_of(i, text), value_of(i), NULL));
    koa_hash_seed((struct koa_hash_key){.words = {1, 2}});
    for (size_t i = 1; i <= 20; i++)
        assert_ptr_equal(koa_map_find(map, key_of(i, text)), value_of(i));
    for (size_t i = 21; i <= 100; i++)
        KIT_EXPECT_INT("put", KOA_OK, koa_map_put(map, key_of(i, text), value_of(i), NULL));
    for (size_t i = 1; i <= 100; i++)
        assert_ptr_equal(koa_map_remove(map, key_of(i, text)), value_of(i));
    koa_hash_seed((struct koa_hash_key){0});
    koa_map_destroy(map, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_replaced_and_removed),
        cmocka_unit_test(keys_are_bytes_and_copied),
        cmocka_unit_test(borrowed_keys_are_those_of_the_values),
        cmocka_unit_test(at_the_limit_only_known_keys_are_taken),
        cmocka_unit_test(many_entries_survive_growth_and_removal),
        cmocka_unit_test(a_walk_keeps_the_order_and_may_remove),
        cmocka_unit_test(a_failed_put_leaves_the_map_as_it_was),
        cmocka_unit_test(values_are_freed_with_the_map),
        cmocka_unit_test(a_map_outlives_a_new_process_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

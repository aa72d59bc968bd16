#include "base/published.h"

#include <pthread.h>

#include "kit/kit.h"

static atomic_int alive;

struct number {
    struct koa_object object; /* first */
    int value;
};

static void destroy_number(struct koa_object *object)
{
    atomic_fetch_sub(&alive, 1);
    koa_free(object);
}

static struct koa_object *new_number(int value)
{
    struct number *number = koa_calloc(1, sizeof(*number));

    assert_non_null(number);
    koa_object_init(&number->object, destroy_number);
    number->value = value;
    atomic_fetch_add(&alive, 1);
    return &number->object;
}

static int value_of(const struct koa_object *object)
{
    return ((const struct number *) object)->value;
}

static void a_reader_keeps_what_it_has(void **state)
{
    struct koa_published published = KOA_PUBLISHED_INIT;
    struct koa_object *first;

    (void) state;
    KIT_EXPECT("nothing yet", koa_published_get(&published) == NULL);
    koa_published_set(&published, new_number(1));
    first = koa_published_get(&published);
    koa_published_set(&published, new_number(2));
    KIT_EXPECT_INT("the old one", 1, value_of(first));
    KIT_EXPECT_INT("both live", 2, atomic_load(&alive));
    koa_object_unref(first);
    KIT_EXPECT_INT("one lives", 1, atomic_load(&alive));
    koa_published_set(&published, NULL);
    KIT_EXPECT("withdrawn", koa_published_get(&published) == NULL);
    KIT_EXPECT_INT("none lives", 0, atomic_load(&alive));
    koa_object_unref(NULL);
    koa_published_deinit(&published);
}

static void what_is_published_ends_with_its_place(void **state)
{
    struct koa_published published;

    (void) state;
    koa_published_init(&published);
    koa_published_set(&published, new_number(1));
    koa_published_deinit(&published);
    KIT_EXPECT_INT("none lives", 0, atomic_load(&alive));
}

enum { ROUNDS = 20000, READERS = 3 };

static void *read_many(void *context)
{
    struct koa_published *published = context;
    intptr_t last = 0;

    for (int i = 0; i < ROUNDS; i++) {
        struct koa_object *object = koa_published_get(published);

        /* Never an older one than before. */
        if (value_of(object) < last) {
            last = INT32_MAX;
        } else {
            last = value_of(object);
        }
        koa_object_unref(object);
    }
    return (void *) last; /* NOLINT(performance-no-int-to-ptr): a number is what is handed over */
}

static void readers_and_writer_do_not_disturb_each_other(void **state)
{
    struct koa_published published;
    pthread_t readers[READERS];

    (void) state;
    koa_published_init(&published);
    koa_published_set(&published, new_number(0));
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_many, &published), 0);
    for (int i = 1; i <= ROUNDS; i++)
        koa_published_set(&published, new_number(i));
    for (int i = 0; i < READERS; i++) {
        void *last;

        assert_int_equal(pthread_join(readers[i], &last), 0);
        KIT_EXPECT("in order", (intptr_t) last <= ROUNDS);
    }
    koa_published_deinit(&published);
    KIT_EXPECT_INT("none lives", 0, atomic_load(&alive));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_keeps_what_it_has),
        cmocka_unit_test(what_is_published_ends_with_its_place),
        cmocka_unit_test(readers_and_writer_do_not_disturb_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

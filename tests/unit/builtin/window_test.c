/* Growth of counters over a window, by tables: one letter of time is ten seconds. */
#include "builtin/rules/window.h"

#include <math.h>
#include <stdio.h>

#include "base/str.h"
#include "kit/kit.h"

enum { ABSENT = -1 };

static const struct {
    const char *name;
    bool is_counter;
    double values[8]; /* every 10 s; the window is 30 s; ABSENT: not there */
    size_t count;
    double increase; /* at the last one */
    bool is_full;
} cases[] = {
    {"one look knows nothing", true, {100}, 1, 0, false},
    {"a part of the window", true, {100, 110}, 2, 10, false},
    {"the whole window", true, {100, 110, 120, 130}, 4, 30, true},
    {"it slides", true, {100, 110, 120, 130, 131, 132}, 6, 12, true},
    {"standing still", true, {5, 5, 5, 5, 5}, 5, 0, true},
    {"a reset is taken out", true, {100, 110, 3, 5}, 4, 15, true},
    {"two resets", true, {100, 2, 4, 1}, 4, 5, true},
    {"a reset before the window", true, {100, 1, 2, 3, 4}, 5, 3, true},
    {"a counter that appears began at nothing", true, {ABSENT, ABSENT, 7, 9}, 4, 9, true},
    {"a gauge that appears began where it is", false, {ABSENT, ABSENT, 7, 9}, 4, 2, true},
    {"a counter that was away for a while goes on", true, {10, ABSENT, 12, 13}, 4, 3, true},
};

static double run(size_t row, struct koa_window *window)
{
    struct koa_mono now = {.ms = -5000};
    double increase = NAN;

    for (size_t i = 0; i < cases[row].count; i++, now.ms += 10000) {
        koa_window_begin(window, now);
        if (cases[row].values[i] > ABSENT) {
            assert_true(koa_window_add(window, KOA_STR("s"), cases[row].values[i],
                                       cases[row].is_counter, &increase));
        }
        koa_window_end(window);
    }
    return increase;
}

static void increases_over_the_window(void **state)
{
    (void) state;
    for (size_t row = 0; row < KOA_ARRAY_COUNT(cases); row++) {
        struct koa_window *window = koa_window_create(30000);

        assert_non_null(window);
        KIT_EXPECT_DOUBLE(cases[row].name, cases[row].increase, run(row, window));
        KIT_EXPECT(cases[row].name, koa_window_is_full(window) == cases[row].is_full);
        koa_window_destroy(window);
    }
}

/* Looks every 100 ms into a window of a minute: far more than there are points. */
static void many_looks_need_few_points(void **state)
{
    struct koa_window *window = koa_window_create(60000);
    struct koa_mono now = {0};
    double increase = 0;

    (void) state;
    assert_non_null(window);
    for (int i = 0; i < 2000; i++, now.ms += 100) {
        koa_window_begin(window, now);
        assert_true(koa_window_add(window, KOA_STR("s"), i, true, &increase));
        koa_window_end(window);
    }
    KIT_EXPECT("a sixtieth too much at most", increase >= 600 && increase <= 611);
    KIT_EXPECT("full", koa_window_is_full(window));
    koa_window_destroy(window);
}

static void series_are_bounded_and_forgotten(void **state)
{
    struct koa_window *window = koa_window_create(30000);
    struct koa_mono now = {0};
    double increase;
    char key[16];
    int taken = 0;

    (void) state;
    assert_non_null(window);
    koa_window_begin(window, now);
    for (int i = 0; i < KOA_WINDOW_SERIES + 10; i++) {
        (void) snprintf(key, sizeof(key), "%d", i);
        taken += koa_window_add(window, koa_str_from(key), 1, true, &increase);
    }
    koa_window_end(window);
    KIT_EXPECT_INT("the limit", KOA_WINDOW_SERIES, taken);
    KIT_EXPECT("a number that is none",
               !koa_window_add(window, KOA_STR("0"), NAN, true, &increase));
    now.ms = 31000;
    koa_window_begin(window, now);
    koa_window_end(window);
    KIT_EXPECT_INT("forgotten", 0, koa_window_series(window));
    koa_window_destroy(window);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(increases_over_the_window),
        cmocka_unit_test(many_looks_need_few_points),
        cmocka_unit_test(series_are_bounded_and_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

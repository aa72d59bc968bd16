#include "kit/kit.h"

#include "base/timers.h"

enum { TIMERS = 1000 };

struct ticker {
    struct koa_timer timer; /* first: the function gets this address */
    struct koa_timers *timers;
    int64_t period_ms;
    struct koa_timer *victim; /* disarmed when this one fires */
    int id;
};

static int fired_ids[2 * TIMERS];
static size_t fired_count;

static void on_fire(struct koa_timer *timer, struct koa_mono now)
{
    struct ticker *ticker = (struct ticker *) (void *) timer;

    KIT_EXPECT("unarmed in its function", !koa_timer_is_armed(timer));
    assert_true(fired_count < KOA_ARRAY_COUNT(fired_ids));
    fired_ids[fired_count++] = ticker->id;
    if (ticker->victim != NULL)
        koa_timers_disarm(ticker->timers, ticker->victim);
    if (ticker->period_ms >= 0)
        assert_true(koa_timers_arm(ticker->timers, timer, koa_mono_add_ms(now, ticker->period_ms),
                                   on_fire));
}

static struct koa_mono at(int64_t ms)
{
    return (struct koa_mono){.ms = ms};
}

static int setup(void **state)
{
    (void) state;
    fired_count = 0;
    return 0;
}

static void timers_fire_in_order_of_time_then_of_arming(void **state)
{
    static struct ticker tickers[TIMERS];
    struct koa_timers timers = {0};
    unsigned int random = 1;
    struct koa_mono due;

    (void) state;
    for (int i = 0; i < TIMERS; i++) {
        random = random * 1664525u + 1013904223u;
        tickers[i] = (struct ticker){.timers = &timers, .period_ms = -1, .id = i};
        assert_true(koa_timers_arm(&timers, &tickers[i].timer, at(random >> 16 & 127), on_fire));
    }
    for (int i = 0; i < TIMERS; i += 3)
        koa_timers_disarm(&timers, &tickers[i].timer);
    for (int i = 1; i < TIMERS; i += 3)
        assert_true(koa_timers_arm(&timers, &tickers[i].timer, at(i % 64), on_fire));
    assert_true(koa_timers_next(&timers, &due));
    KIT_EXPECT_INT("none before the first", 0, koa_timers_run(&timers, at(due.ms - 1)));
    KIT_EXPECT_INT("all in the end", 666, koa_timers_run(&timers, at(128)));
    for (size_t i = 1; i < fired_count; i++) {
        struct koa_timer *a = &tickers[fired_ids[i - 1]].timer;
        struct koa_timer *b = &tickers[fired_ids[i]].timer;

        KIT_EXPECT("in order",
                   a->due.ms < b->due.ms || (a->due.ms == b->due.ms && a->order < b->order));
    }
    KIT_EXPECT("none left", !koa_timers_next(&timers, &due));
    koa_timers_deinit(&timers);
}

static void a_timer_fires_at_most_once_a_run(void **state)
{
    struct koa_timers timers = {0};
    struct ticker greedy = {.timers = &timers, .period_ms = 0, .id = 1};
    struct ticker behind = {.timers = &timers, .period_ms = -1, .id = 2};
    struct koa_mono due = {0};

    (void) state;
    assert_true(koa_timers_arm(&timers, &greedy.timer, at(1), on_fire));
    assert_true(koa_timers_arm(&timers, &behind.timer, at(10), on_fire));
    KIT_EXPECT_INT("both", 2, koa_timers_run(&timers, at(10)));
    KIT_EXPECT_INT("first", 1, fired_ids[0]);
    KIT_EXPECT_INT("not hidden by it", 2, fired_ids[1]);
    assert_true(koa_timers_next(&timers, &due));
    KIT_EXPECT_INT("armed for the same moment", 10, due.ms);
    KIT_EXPECT_INT("fires in the next run", 1, koa_timers_run(&timers, at(10)));
    koa_timers_deinit(&timers);
    KIT_EXPECT("deinit disarms", !koa_timer_is_armed(&greedy.timer));
}

static struct ticker *armed_by_hook;

static void arm_another(struct koa_timer *timer, struct koa_mono now)
{
    struct ticker *ticker = (struct ticker *) (void *) timer;

    fired_ids[fired_count++] = ticker->id;
    assert_true(koa_timers_arm(ticker->timers, &armed_by_hook->timer, now, on_fire));
}

static void a_timer_armed_for_now_by_another_fires_too(void **state)
{
    struct koa_timers timers = {0};
    struct ticker first = {.timers = &timers, .id = 1};
    struct ticker second = {.timers = &timers, .period_ms = -1, .id = 2};

    (void) state;
    armed_by_hook = &second;
    assert_true(koa_timers_arm(&timers, &first.timer, at(5), arm_another));
    KIT_EXPECT_INT("both in one run", 2, koa_timers_run(&timers, at(7)));
    koa_timers_deinit(&timers);
}

static void a_timer_may_disarm_one_that_is_due(void **state)
{
    struct koa_timers timers = {0};
    struct ticker victim = {.timers = &timers, .period_ms = -1, .id = 2};
    struct ticker killer = {.timers = &timers, .period_ms = -1, .id = 1, .victim = &victim.timer};

    (void) state;
    assert_true(koa_timers_arm(&timers, &killer.timer, at(1), on_fire));
    assert_true(koa_timers_arm(&timers, &victim.timer, at(1), on_fire));
    KIT_EXPECT_INT("only one", 1, koa_timers_run(&timers, at(1)));
    koa_timers_disarm(&timers, &victim.timer);
    koa_timers_deinit(&timers);
}

static int changes;

static void on_change(void *context)
{
    (void) context;
    changes++;
}

static void the_owner_hears_when_the_earliest_time_changes(void **state)
{
    struct koa_timers timers = {.changed = on_change};
    struct ticker a = {.timers = &timers, .period_ms = 10, .id = 1};
    struct ticker b = {.timers = &timers, .period_ms = -1, .id = 2};

    (void) state;
    changes = 0;
    assert_true(koa_timers_arm(&timers, &a.timer, at(10), on_fire));
    KIT_EXPECT_INT("the first", 1, changes);
    assert_true(koa_timers_arm(&timers, &b.timer, at(20), on_fire));
    KIT_EXPECT_INT("a later one", 1, changes);
    assert_true(koa_timers_arm(&timers, &b.timer, at(5), on_fire));
    KIT_EXPECT_INT("an earlier one", 2, changes);
    koa_timers_disarm(&timers, &b.timer);
    KIT_EXPECT_INT("back", 3, changes);
    KIT_EXPECT_INT("a run", 1, koa_timers_run(&timers, at(10)));
    KIT_EXPECT_INT("tells once", 4, changes);
    koa_timers_disarm(&timers, &a.timer);
    KIT_EXPECT_INT("none left", 5, changes);
    koa_timers_deinit(&timers);
}

static void without_memory_arming_says_so(void **state)
{
    struct koa_timers timers = {0};
    struct ticker a = {.timers = &timers, .period_ms = -1};

    (void) state;
    koa_memory_fail_after(0);
    KIT_EXPECT("refused", !koa_timers_arm(&timers, &a.timer, at(1), on_fire));
    koa_memory_fail_after(-1);
    KIT_EXPECT("unarmed", !koa_timer_is_armed(&a.timer));
    koa_timers_deinit(&timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(timers_fire_in_order_of_time_then_of_arming, setup),
        cmocka_unit_test_setup(a_timer_fires_at_most_once_a_run, setup),
        cmocka_unit_test_setup(a_timer_armed_for_now_by_another_fires_too, setup),
        cmocka_unit_test_setup(a_timer_may_disarm_one_that_is_due, setup),
        cmocka_unit_test_setup(the_owner_hears_when_the_earliest_time_changes, setup),
        cmocka_unit_test_setup(without_memory_arming_says_so, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

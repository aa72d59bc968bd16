/* The schedule under virtual time. */
#include "health/schedule.h"

#include <stdio.h>

#include "kit/kit.h"

static const struct koa_schedule_opts plain = {
    .interval_ms = 15000, .failure_threshold = 1, .success_threshold = 1, .max_age_ms = 60000};

static struct koa_mono at(int64_t ms)
{
    return (struct koa_mono){.ms = ms};
}

static void start(struct koa_schedule *schedule, int64_t ms)
{
    KIT_EXPECT_INT("due", KOA_SCHEDULE_START, koa_schedule_tick(schedule, at(ms)));
}

static enum koa_status end(struct koa_schedule *schedule, int64_t ms, enum koa_status status)
{
    struct koa_schedule_outcome outcome;

    koa_schedule_end(schedule, at(ms), status, 1.0, &outcome);
    return outcome.status;
}

static void runs_at_once_and_then_every_interval(void **state)
{
    struct koa_schedule schedule;

    (void) state;
    koa_schedule_init(&schedule, &plain, at(1000));
    KIT_EXPECT_INT("due at once", 1000, koa_schedule_next(&schedule, at(1000)).ms);
    KIT_EXPECT_INT("first", KOA_SCHEDULE_START, koa_schedule_tick(&schedule, at(1000)));
    KIT_EXPECT_INT("one at a time", KOA_SCHEDULE_WAIT, koa_schedule_tick(&schedule, at(16000)));
    (void) end(&schedule, 1200, KOA_STATUS_HEALTHY);
    KIT_EXPECT_INT("next", 16000, koa_schedule_next(&schedule, at(1200)).ms);
    KIT_EXPECT_INT("too early", KOA_SCHEDULE_WAIT, koa_schedule_tick(&schedule, at(15999)));
    KIT_EXPECT_INT("second", KOA_SCHEDULE_START, koa_schedule_tick(&schedule, at(16003)));
    (void) end(&schedule, 16010, KOA_STATUS_HEALTHY);
    KIT_EXPECT_INT("the grid does not drift", 31000, koa_schedule_next(&schedule, at(16010)).ms);
}

static void waits_for_the_initial_delay(void **state)
{
    struct koa_schedule_opts opts = plain;
    struct koa_schedule schedule;

    (void) state;
    opts.initial_delay_ms = 5000;
    koa_schedule_init(&schedule, &opts, at(0));
    KIT_EXPECT_INT("not yet", KOA_SCHEDULE_WAIT, koa_schedule_tick(&schedule, at(4999)));
    KIT_EXPECT_INT("asked for", KOA_SCHEDULE_START, koa_schedule_request(&schedule, at(100)));
    (void) end(&schedule, 200, KOA_STATUS_HEALTHY);
    KIT_EXPECT_INT("then", KOA_SCHEDULE_START, koa_schedule_tick(&schedule, at(5000)));
}

static void skips_what_a_long_run_missed(void **state)
{
    struct koa_schedule schedule;

    (void) state;
    koa_schedule_init(&schedule, &plain, at(0));
    start(&schedule, 0);
    (void) end(&schedule, 45000, KOA_STATUS_UNHEALTHY);
    KIT_EXPECT_INT("not at once again", 60000, koa_schedule_next(&schedule, at(45000)).ms);
    KIT_EXPECT_INT("the machine slept", KOA_SCHEDULE_START, koa_schedule_tick(&schedule, at(9e6)));
    (void) end(&schedule, 9000001, KOA_STATUS_HEALTHY);
    KIT_EXPECT_INT("one run only", 9015000, koa_schedule_next(&schedule, at(9000001)).ms);
}

static void joins_callers(void **state)
{
    struct koa_schedule schedule;

    (void) state;
    koa_schedule_init(&schedule, &plain, at(0));
    KIT_EXPECT_INT("starts", KOA_SCHEDULE_START, koa_schedule_request(&schedule, at(0)));
    KIT_EXPECT_INT("joins", KOA_SCHEDULE_JOIN, koa_schedule_request(&schedule, at(1)));
    KIT_EXPECT_INT("joins news", KOA_SCHEDULE_JOIN, koa_schedule_poke(&schedule, at(1)));
    (void) end(&schedule, 2, KOA_STATUS_HEALTHY);
    KIT_EXPECT_INT("young", KOA_SCHEDULE_ANSWER, koa_schedule_request(&schedule, at(999)));
    KIT_EXPECT_INT("news", KOA_SCHEDULE_START, koa_schedule_poke(&schedule, at(999)));
    (void) end(&schedule, 999, KOA_STATUS_HEALTHY);
    KIT_EXPECT_INT("a second later", KOA_SCHEDULE_START, koa_schedule_request(&schedule, at(1999)));
}

static void a_request_keeps_the_grid(void **state)
{
    struct koa_schedule schedule;

    (void) state;
    koa_schedule_init(&schedule, &plain, at(0));
    start(&schedule, 0);
    (void) end(&schedule, 1, KOA_STATUS_HEALTHY);
    KIT_EXPECT_INT("asked for", KOA_SCHEDULE_START, koa_schedule_request(&schedule, at(7000)));
    (void) end(&schedule, 7100, KOA_STATUS_HEALTHY);
    KIT_EXPECT_INT("unchanged", 15000, koa_schedule_next(&schedule, at(7100)).ms);
}

/* One letter per run: H healthy, D degraded, U unhealthy, ? unknown; what is published below. */
static const struct {
    const char *name;
    int failures, successes;
    const char *runs;
    const char *published;
} threshold_cases[] = {
    {"one is enough", 1, 1, "HUHU", "HUHU"},
    {"a failure alone is held back", 3, 1, "HUHUUH", "HHHHHH"},
    {"three in a row count", 3, 1, "HUUUU", "HHHUU"},
    {"the first failures leave it unknown", 3, 1, "UUU", "??U"},
    {"the first success counts at once", 1, 3, "H", "H"},
    {"recovery needs successes in a row", 1, 2, "UHUHHH", "UUUUHH"},
    {"degraded is better than unhealthy, too", 1, 2, "UDDD", "UUDD"},
    {"degraded shows at once", 3, 3, "HDH", "HDH"},
    {"unknown shows at once and moves no count", 2, 1, "HU?UU", "HH?UU"},
    {"unknown does not end unhealthy", 1, 2, "U?HH", "U?UH"},
};

static void believes_statuses_by_thresholds(void **state)
{
    static const char letters[] = {'?', 'H', 'D', 'U'};

    (void) state;
    KIT_EACH (c, threshold_cases) {
        struct koa_schedule_opts opts = plain;
        struct koa_schedule schedule;
        char published[16] = "";
        int64_t now = 0;

        opts.failure_threshold = c->failures;
        opts.success_threshold = c->successes;
        koa_schedule_init(&schedule, &opts, at(0));
        for (size_t i = 0; c->runs[i] != '\0'; i++, now += 15000) {
            enum koa_status status = KOA_STATUS_UNKNOWN;

            for (int letter = 0; letter < KOA_STATUS_COUNT; letter++) {
                if (letters[letter] == c->runs[i])
                    status = (enum koa_status) letter;
            }
            KIT_EXPECT_INT(c->name, KOA_SCHEDULE_START, koa_schedule_tick(&schedule, at(now)));
            published[i] = letters[end(&schedule, now + 10, status)];
        }
        KIT_EXPECT_TEXT(c->name, c->published, published);
    }
}

static void says_how_far_the_threshold_is(void **state)
{
    struct koa_schedule_opts opts = plain;
    struct koa_schedule_outcome outcome;
    struct koa_schedule schedule;

    (void) state;
    opts.failure_threshold = 3;
    koa_schedule_init(&schedule, &opts, at(0));
    koa_schedule_end(&schedule, at(1), KOA_STATUS_HEALTHY, 1, &outcome);
    KIT_EXPECT_INT("not held back", 0, outcome.needed);
    koa_schedule_end(&schedule, at(2), KOA_STATUS_UNHEALTHY, 1, &outcome);
    koa_schedule_end(&schedule, at(3), KOA_STATUS_UNHEALTHY, 1, &outcome);
    KIT_EXPECT_INT("streak", 2, outcome.streak);
    KIT_EXPECT_INT("needed", 3, outcome.needed);
}

static const struct {
    const char *name;
    double duration_ms;
    enum koa_status found, published;
    bool is_slow;
} slow_cases[] = {
    {"in time", 2000, KOA_STATUS_HEALTHY, KOA_STATUS_HEALTHY, false},
    {"slow is degraded", 2000.5, KOA_STATUS_HEALTHY, KOA_STATUS_DEGRADED, true},
    {"slow and unhealthy stays unhealthy", 3000, KOA_STATUS_UNHEALTHY, KOA_STATUS_UNHEALTHY, false},
    {"slow and unknown stays unknown", 3000, KOA_STATUS_UNKNOWN, KOA_STATUS_UNKNOWN, false},
};

static void slow_answers_are_degraded(void **state)
{
    (void) state;
    KIT_EACH (c, slow_cases) {
        struct koa_schedule_opts opts = plain;
        struct koa_schedule_outcome outcome;
        struct koa_schedule schedule;

        opts.degraded_after_ms = 2000;
        koa_schedule_init(&schedule, &opts, at(0));
        start(&schedule, 0);
        koa_schedule_end(&schedule, at(3000), c->found, c->duration_ms, &outcome);
        KIT_EXPECT_INT(c->name, c->published, outcome.status);
        KIT_EXPECT_INT(c->name, c->is_slow, outcome.is_slow);
    }
}

static void answers_grow_old(void **state)
{
    struct koa_schedule_opts opts = plain;
    struct koa_schedule schedule;

    (void) state;
    opts.max_age_ms = 10000;
    opts.initial_delay_ms = 500;
    koa_schedule_init(&schedule, &opts, at(0));
    KIT_EXPECT("before the first run", !koa_schedule_is_stale(&schedule, at(10500)));
    KIT_EXPECT("never ran", koa_schedule_is_stale(&schedule, at(10501)));
    start(&schedule, 500);
    (void) end(&schedule, 600, KOA_STATUS_HEALTHY);
    KIT_EXPECT("as old as allowed", !koa_schedule_is_stale(&schedule, at(10600)));
    KIT_EXPECT("older", koa_schedule_is_stale(&schedule, at(10601)));
    KIT_EXPECT_INT("looked at in time", 10601, koa_schedule_next(&schedule, at(600)).ms);
    KIT_EXPECT_INT("once", 15500, koa_schedule_next(&schedule, at(10601)).ms);
    start(&schedule, 15500);
    KIT_EXPECT("running and old", koa_schedule_is_stale(&schedule, at(15600)));
    (void) end(&schedule, 15700, KOA_STATUS_HEALTHY);
    KIT_EXPECT("fresh again", !koa_schedule_is_stale(&schedule, at(15800)));
    opts.max_age_ms = 0;
    koa_schedule_init(&schedule, &opts, at(0));
    KIT_EXPECT("no limit", !koa_schedule_is_stale(&schedule, at(INT64_MAX / 2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_at_once_and_then_every_interval),
        cmocka_unit_test(waits_for_the_initial_delay),
        cmocka_unit_test(skips_what_a_long_run_missed),
        cmocka_unit_test(joins_callers),
        cmocka_unit_test(a_request_keeps_the_grid),
        cmocka_unit_test(believes_statuses_by_thresholds),
        cmocka_unit_test(says_how_far_the_threshold_is),
        cmocka_unit_test(slow_answers_are_degraded),
        cmocka_unit_test(answers_grow_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

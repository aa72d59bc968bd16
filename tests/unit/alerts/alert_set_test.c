/* Alerts of one rule: many subjects, limits, memory, and what is not mentioned. */
#include "alerts/alert_set.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "alerts/identity.h"
#include "base/buf.h"
#include "kit/kit.h"

static struct koa_rule_settings settings;
static struct koa_alert_policy policy;
static struct koa_observations observations;
static struct koa_alert_set *set;
static struct koa_alert_clock clock_of_test;
static struct koa_buf steps = {.limit = 65536};
static size_t forgotten_count;

static void stepped(void *context, struct koa_alert *alert, enum koa_alert_step step)
{
    const char *name = koa_labels_find(&alert->record->labels, "id");

    (void) context;
    koa_buf_printf(&steps, "%s%s:%s", steps.size > 0 ? " " : "", name != NULL ? name : "-",
                   koa_alert_step_name(step));
}

static void forgotten(void *context, const struct koa_alert *alert)
{
    (void) context;
    (void) alert;
    forgotten_count++;
}

static int set_up(void **state)
{
    (void) state;
    settings =
        (struct koa_rule_settings){.name = "rule", .severity = KOA_SEVERITY_WARNING, .message = ""};
    policy = (struct koa_alert_policy){
        .settings = &settings, .stepped = stepped, .forgotten = forgotten};
    clock_of_test = (struct koa_alert_clock){.running.ms = 1000, .wall.ms = 1764000000000};
    koa_buf_clear(&steps);
    forgotten_count = 0;
    set = koa_alert_set_create(10);
    return set == NULL || koa_observations_init(&observations, 30, NULL) != KOA_OK;
}

static int tear_down(void **state)
{
    (void) state;
    koa_observations_deinit(&observations);
    koa_alert_set_destroy(set);
    koa_buf_deinit(&steps);
    steps = (struct koa_buf){.limit = 65536};
    return 0;
}

static void begin(void)
{
    clock_of_test.running.ms += 1000;
    clock_of_test.wall.ms += 1000;
    koa_buf_clear(&steps);
    assert_true(koa_observations_begin(&observations, "rule", set, 30));
}

static void see(const char *id, bool holds, double value)
{
    koa_observations_add(&observations, holds, value, KOA_LABELS({"id", id}), "%s is %.0f", id,
                         value);
}

static const char *end(void)
{
    koa_alert_set_apply(set, &policy, &observations, &clock_of_test);
    return koa_buf_text(&steps);
}

static void subjects_are_told_apart(void **state)
{
    (void) state;
    begin();
    see("a", true, 1);
    see("b", false, 2);
    see("c", true, 3);
    KIT_EXPECT_TEXT("two", "a:firing c:firing", end());
    begin();
    see("a", true, 1);
    see("c", false, 3);
    KIT_EXPECT_TEXT("one resolves by its value", "c:resolved", end());
    begin();
    see("b", false, 1);
    KIT_EXPECT_TEXT("the other by being gone", "a:resolved", end());
}

static void the_later_of_equal_labels_wins(void **state)
{
    (void) state;
    begin();
    see("a", true, 1);
    see("a", false, 2);
    KIT_EXPECT_TEXT("does not hold", "", end());
    begin();
    see("a", false, 1);
    see("a", true, 2);
    KIT_EXPECT_TEXT("holds", "a:firing", end());
}

static void silence_is_no_evidence(void **state)
{
    (void) state;
    begin();
    see("a", true, 1);
    (void) end();
    begin();
    KIT_EXPECT_TEXT("nothing reported", "a:noted", end());
    begin();
    koa_observations_missing(&observations, "stale");
    KIT_EXPECT_TEXT("stale", "", end());
    begin();
    see("a", true, NAN);
    KIT_EXPECT_TEXT("not a number", "", end());
    KIT_EXPECT_INT("still there", 1, koa_alert_set_active(set));
    begin();
    koa_observations_fresh(&observations);
    KIT_EXPECT_TEXT("looked, and it is gone", "a:resolved", end());
}

static void a_part_that_is_stale_keeps_its_alerts(void **state)
{
    (void) state;
    begin();
    see("a", true, 1);
    see("b", true, 1);
    (void) end();
    begin();
    see("b", false, 0);
    koa_observations_missing(&observations, "cluster of a is stale");
    KIT_EXPECT_TEXT("b was seen", "b:resolved a:noted", end());
    KIT_EXPECT_INT("a stays", 1, koa_alert_set_active(set));
}

static void more_than_the_limit_is_counted_and_the_old_stay(void **state)
{
    char id[16];

    (void) state;
    for (int round = 0; round < 2; round++) {
        begin();
        for (int i = 0; i < 15; i++) {
            (void) snprintf(id, sizeof(id), "%d", i);
            see(id, true, i);
        }
        (void) end();
        KIT_EXPECT_INT("ten", 10, koa_alert_set_active(set));
        KIT_EXPECT_INT("five more", 5, koa_alert_set_refused(set));
    }
    begin();
    see("0", false, 0);
    see("12", true, 1);
    KIT_EXPECT_CONTAINS("a place that is free is taken", "0:resolved 12:firing", end());
}

/* Thousands of healthy subjects need no memory. */
static void what_cannot_change_anything_is_not_kept(void **state)
{
    char id[16];

    (void) state;
    begin();
    see("bad", true, 1);
    (void) end();
    begin();
    for (int i = 0; i < 100000; i++) {
        (void) snprintf(id, sizeof(id), "ok%d", i);
        see(id, false, 0);
    }
    see("bad", true, 2);
    see("worse", true, 3);
    KIT_EXPECT_TEXT("seen behind them all", "worse:firing", end());
    KIT_EXPECT_INT("looked at", 100002, observations.looked);
    KIT_EXPECT_INT("refused", 0, koa_alert_set_refused(set));
}

static void resolved_alerts_are_forgotten_in_time(void **state)
{
    (void) state;
    begin();
    see("a", true, 1);
    (void) end();
    begin();
    see("a", false, 0);
    (void) end();
    clock_of_test.running.ms += KOA_ALERT_RETENTION_MS;
    begin();
    koa_observations_fresh(&observations);
    (void) end();
    KIT_EXPECT_INT("told", 1, forgotten_count);
    KIT_EXPECT("gone", koa_alert_set_next(set, &(size_t){0}) == NULL);
}

static void a_wall_clock_that_is_set_back_gives_no_negative_alert(void **state)
{
    const struct koa_alert *alert;

    (void) state;
    begin();
    see("a", true, 1);
    (void) end();
    clock_of_test.wall.ms -= 3600000;
    begin();
    see("a", false, 0);
    (void) end();
    alert = koa_alert_set_next(set, &(size_t){0});
    KIT_EXPECT_INT("ends when it began", alert->record->starts_at.ms, alert->record->ends_at.ms);
}

static void each_incident_numbers_its_transitions(void **state)
{
    const struct koa_alert *alert;

    (void) state;
    settings.for_ms = 1000;
    for (int incident = 0; incident < 2; incident++) {
        begin();
        see("a", true, 1);
        KIT_EXPECT_TEXT("first", "a:pending", end());
        begin();
        see("a", true, 1);
        KIT_EXPECT_TEXT("second", "a:firing", end());
        begin();
        see("a", false, 1);
        KIT_EXPECT_TEXT("third", "a:resolved", end());
        alert = koa_alert_set_next(set, &(size_t){0});
        KIT_EXPECT_INT("three", 3, alert->record->transition);
    }
}

/* Whatever allocation fails: no crash, no alert half there, and the next evaluation makes up. */
static void lost_memory_is_made_up_for(void **state)
{
    (void) state;
    for (int64_t n = 0; n < 40; n++) {
        (void) tear_down(NULL);
        assert_int_equal(set_up(NULL), 0);
        begin();
        koa_memory_fail_after(n);
        see("a", true, 1);
        see("b", true, 1);
        koa_alert_set_apply(set, &policy, &observations, &clock_of_test);
        koa_memory_fail_after(-1);
        begin();
        see("a", true, 1);
        see("b", true, 1);
        (void) end();
        KIT_EXPECT_INT("both", 2, koa_alert_set_active(set));
    }
}

static void closing_resolves_at_once(void **state)
{
    (void) state;
    settings.keep_firing_for_ms = 3600000;
    begin();
    see("a", true, 1);
    (void) end();
    koa_buf_clear(&steps);
    koa_alert_set_close(set, &policy, "the rule was removed", &clock_of_test);
    KIT_EXPECT_TEXT("resolved", "a:resolved", koa_buf_text(&steps));
    KIT_EXPECT_TEXT("why", "the rule was removed; last: a is 1",
                    koa_alert_set_next(set, &(size_t){0})->record->message);
}

#define SET_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SET_TEST(subjects_are_told_apart),
        SET_TEST(the_later_of_equal_labels_wins),
        SET_TEST(silence_is_no_evidence),
        SET_TEST(a_part_that_is_stale_keeps_its_alerts),
        SET_TEST(more_than_the_limit_is_counted_and_the_old_stay),
        SET_TEST(what_cannot_change_anything_is_not_kept),
        SET_TEST(resolved_alerts_are_forgotten_in_time),
        SET_TEST(a_wall_clock_that_is_set_back_gives_no_negative_alert),
        SET_TEST(each_incident_numbers_its_transitions),
        SET_TEST(lost_memory_is_made_up_for),
        SET_TEST(closing_resolves_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

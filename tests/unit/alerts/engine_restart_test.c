/* What survives a restart: hold times, firing alerts, the clock that stands still meanwhile. */
#include "engine_bench.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static void hold_times_survive_and_downtime_does_not_count(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("slow");

    with_store(bench);
    settings.for_ms = 100000;
    add_rule(bench, &settings);
    look(bench, "a");
    now_ms += 60000;
    look(bench, "a");
    restart(bench, 3600000);
    add_rule(bench, &settings);
    look(bench, "a");
    KIT_EXPECT_TEXT("an hour of downtime is no evidence", "", koa_buf_text(&told));
    now_ms += 39000;
    look(bench, "a");
    KIT_EXPECT_TEXT("99 s", "", koa_buf_text(&told));
    now_ms += 1000;
    look(bench, "a");
    KIT_EXPECT_TEXT("100 s", "firing a", koa_buf_text(&told));
}

static void the_running_clock_is_saved_between_evaluations(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("slow");

    with_store(bench);
    settings.for_ms = 100000;
    add_rule(bench, &settings);
    look(bench, "a");
    for (int i = 0; i < 11; i++)
        pass(bench, 5000);
    restart(bench, 0);
    add_rule(bench, &settings);
    look(bench, "a");
    now_ms += 45000;
    look(bench, "a");
    KIT_EXPECT_TEXT("55 s before, 45 s after", "firing a", koa_buf_text(&told));
}

static void firing_alerts_stay_and_resolve_after_a_restart(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("storm");
    KOA_AUTO(koa_alert_board) *before = NULL;
    KOA_AUTO(koa_alert_board) *after = NULL;

    with_store(bench);
    add_rule(bench, &settings);
    look(bench, "ab");
    before = koa_alerts_board(bench->alerts);
    restart(bench, 60000);
    add_rule(bench, &settings);
    look(bench, "?");
    after = koa_alerts_board(bench->alerts);
    KIT_EXPECT_INT("still firing", 2, after->firing);
    KIT_EXPECT_INT("since the same time", before->alerts[0]->starts_at.ms,
                   after->alerts[0]->starts_at.ms);
    KIT_EXPECT_TEXT("not told again", "firing a, firing b", koa_buf_text(&told));
    look(bench, "b");
    KIT_EXPECT_TEXT("resolved", "firing a, firing b, resolved a", koa_buf_text(&told));
    expect_history(bench, "history", "firing firing resolved");
    restart(bench, 1000);
    expect_history(bench, "kept", "firing firing resolved");
}

static void alerts_of_a_lost_rule_are_resolved(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("storm");

    with_store(bench);
    add_rule(bench, &settings);
    look(bench, "a");
    restart(bench, 1000);
    now_ms += 59000;
    look(bench, "a");
    KIT_EXPECT_TEXT("a host may still add it", "firing a", koa_buf_text(&told));
    now_ms += 1000;
    look(bench, "a");
    KIT_EXPECT_TEXT("then it is over", "firing a, resolved a", koa_buf_text(&told));
    restart(bench, 1000);
    add_rule(bench, &settings);
    look(bench, "?");
    KIT_EXPECT_TEXT("and stays so", "firing a, resolved a", koa_buf_text(&told));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(hold_times_survive_and_downtime_does_not_count),
        ENGINE_TEST(the_running_clock_is_saved_between_evaluations),
        ENGINE_TEST(firing_alerts_stay_and_resolve_after_a_restart),
        ENGINE_TEST(alerts_of_a_lost_rule_are_resolved),
    };

    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    koa_buf_deinit(&told);
    return failed;
}

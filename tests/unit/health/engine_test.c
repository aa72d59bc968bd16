/* The engine with real threads: runs, deadlines, joins. Intervals are long, so that nothing runs
 * but what a test asks for. */
#include "health/engine.h"

#include <string.h>

#include "health/verdict.h"
#include "script.h"

/* Asynchronous checks: one that never ends and can be cancelled, one that cannot. */
struct silent {
    int starts, cancels, drops;
    struct koa_probe *probe;
};
static struct silent silent;

static void silent_cancel(void *context)
{
    struct silent *own = context;

    own->cancels++;
}

static void silent_drop(void *kept)
{
    struct silent *own = kept;

    own->drops++;
}

static void silent_start(const void *config, struct koa_probe *probe)
{
    (void) config;
    silent.starts++;
    koa_probe_keep(probe, &silent, silent_drop);
    koa_probe_on_cancel(probe, silent_cancel, &silent);
}

static void stubborn_start(const void *config, struct koa_probe *probe)
{
    (void) config;
    silent.starts++;
    silent.probe = probe;
}

static void undecided_start(const void *config, struct koa_probe *probe)
{
    (void) config;
    koa_probe_finish(probe);
}

static const struct koa_check_ops silent_check = {KOA_OPS_INIT(koa_check_ops), .name = "silent",
                                                  .help = "Never ends", .start = silent_start};
static const struct koa_check_ops stubborn_check = {KOA_OPS_INIT(koa_check_ops), .name = "stubborn",
                                                    .help = "Cannot be cancelled",
                                                    .start = stubborn_start};
static const struct koa_check_ops undecided_check = {
    KOA_OPS_INIT(koa_check_ops), .name = "undecided", .help = "Forgets to decide",
    .start = undecided_start};

/* ---- tests */

static void a_blocking_check_runs_and_reports(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct script script;
    struct koa_board *board;

    (void) state;
    script_init(&script, KOA_STATUS_HEALTHY);
    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, &script_check, "job", KOA_CONTEXT_SETTINGS(&script, LONG));
    board = kit_checks_run(&checks, "job");
    KIT_EXPECT_INT("whole", KOA_STATUS_HEALTHY, koa_board_overall(board));
    KIT_EXPECT_TEXT("details", "{\"run\":1}", koa_board_find(board, "job")->details);
    KIT_EXPECT("has run", koa_board_find(board, "job")->has_run);
    expect_result(board, "job", KOA_STATUS_HEALTHY, "run 1");
    kit_checks_end(&checks);
}

static void a_hung_call_is_reported_and_disturbs_nobody(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct script hung;
    struct script good;

    (void) state;
    script_init(&hung, KOA_STATUS_HEALTHY);
    script_init(&good, KOA_STATUS_HEALTHY);
    atomic_store(&hung.hangs, true);
    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, &script_check, "hung",
                   KOA_CONTEXT_SETTINGS(&hung, {"interval", "150ms"}, {"timeout", "100ms"}));
    kit_checks_add(&checks, &script_check, "good", KOA_CONTEXT_SETTINGS(&good, LONG));
    expect_result(kit_checks_run(&checks, "good"), "good", KOA_STATUS_HEALTHY, "run 1");
    wait_until_told(&checks, "hung", "Health check timed out after 0.1s");
    KIT_EXPECT_INT("counted", 1, koa_workers_abandoned(checks.kit.workers));
    /* The next run does not pile up behind it: it is late at once. */
    wait_until_told(&checks, "hung", "Health check timed out after 0.1s: 'check:hung' still hangs");
    KIT_EXPECT_INT("one call only", 1, atomic_load(&hung.runs));
    atomic_store(&hung.hangs, false);
    kit_gate_pass(&hung.released);
    wait_until(&checks, "hung", KOA_STATUS_HEALTHY);
    kit_checks_end(&checks);
}

static void callers_share_one_run(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct script script;
    struct koa_board *boards[2];

    (void) state;
    script_init(&script, KOA_STATUS_HEALTHY);
    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, &script_check, "job", KOA_CONTEXT_SETTINGS(&script, LONG));
    boards[0] = kit_checks_run(&checks, "job");
    boards[1] = kit_checks_run(&checks, "job");
    expect_result(boards[0], "job", KOA_STATUS_HEALTHY, "run 1");
    expect_result(boards[1], "job", KOA_STATUS_HEALTHY, "run 1");
    KIT_EXPECT_INT("one run", 1, atomic_load(&script.runs));
    kit_checks_end(&checks);
}

static void waiters_are_answered_when_all_stops(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct script script;
    struct koa_error error;

    (void) state;
    script_init(&script, KOA_STATUS_HEALTHY);
    atomic_store(&script.hangs, true);
    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, &script_check, "job", KOA_CONTEXT_SETTINGS(&script, LONG));
    kit_gate_wait(&script.entered, 1);
    KIT_EXPECT_INT("unknown name", KOA_ERR_NOT_FOUND,
                   koa_health_run_now(checks.health, "nobody", NULL, NULL, &error));
    KIT_EXPECT_CONTAINS("named", "nobody", error.text);
    kit_gate_pass(&script.released);
    kit_checks_end(&checks);
}

/* Removing a check, stopping and a full mailbox must not lose a caller. */
static void remove_job(void *message)
{
    struct kit_checks *checks = message;

    KIT_EXPECT("removed", koa_health_remove(checks->health, "job"));
    KIT_EXPECT("once", !koa_health_remove(checks->health, "job"));
}

static void waiters_are_answered_when_their_check_goes(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct kit_gate gate = KIT_GATE_INIT;
    struct script script;

    (void) state;
    script_init(&script, KOA_STATUS_HEALTHY);
    atomic_store(&script.hangs, true);
    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, &script_check, "job", KOA_CONTEXT_SETTINGS(&script, LONG));
    kit_checks_add(&checks, &silent_check, "silent", KOA_SETTINGS(LONG));
    kit_gate_wait(&script.entered, 1);
    assert_int_equal(KOA_OK, koa_health_run_now(checks.health, "job", count_call, &gate, NULL));
    kit_loop_call(&checks.kit, remove_job, &checks);
    kit_gate_wait(&gate, 1);
    assert_int_equal(KOA_OK, koa_health_run_now(checks.health, NULL, count_call, &gate, NULL));
    kit_gate_pass(&script.released);
    kit_checks_end(&checks);
    KIT_EXPECT_INT("both, once each", 2, kit_gate_count(&gate));
}

static void asynchronous_checks_end_at_the_deadline(void **state)
{
    struct kit_checks checks = {.is_started = false};

    (void) state;
    memset(&silent, 0, sizeof(silent));
    kit_checks_start(&checks, NULL);
    expect_result(kit_checks_look(&checks, &silent_check, KOA_SETTINGS(LONG, {"timeout", "50ms"})),
                  "check", KOA_STATUS_UNHEALTHY, "Health check timed out after 0.1s");
    kit_checks_add(&checks, &prompt_check, "prompt", KOA_SETTINGS(LONG));
    expect_result(kit_checks_run(&checks, "prompt"), "prompt", KOA_STATUS_HEALTHY, "at once");
    kit_checks_add(&checks, &undecided_check, "undecided", KOA_SETTINGS(LONG));
    expect_result(kit_checks_run(&checks, "undecided"), "undecided", KOA_STATUS_UNKNOWN,
                  "the check did not decide");
    kit_checks_end(&checks);
    KIT_EXPECT_INT("started", 1, silent.starts);
    KIT_EXPECT_INT("cancelled", 1, silent.cancels);
    KIT_EXPECT_INT("what it kept is dropped", 1, silent.drops);
}

static void finish_late(void *message)
{
    struct silent *own = message;

    koa_verdict_healthy(koa_probe_verdict(own->probe), "too late");
    koa_probe_finish(own->probe);
}

static void a_check_that_cannot_be_cancelled_may_finish_late(void **state)
{
    struct kit_checks checks = {.is_started = false};

    (void) state;
    memset(&silent, 0, sizeof(silent));
    kit_checks_start(&checks, NULL);
    expect_result(
        kit_checks_look(&checks, &stubborn_check, KOA_SETTINGS(LONG, {"timeout", "20ms"})), "check",
        KOA_STATUS_UNHEALTHY, "Health check timed out after 0.0s");
    kit_loop_call(&checks.kit, finish_late, &silent);
    KOA_AUTO(koa_board) *board = koa_health_board(checks.health);
    KIT_EXPECT_INT("no news", KOA_STATUS_UNHEALTHY, koa_board_find(board, "check")->status);
    kit_checks_end(&checks);
}

static void thresholds_and_slowness_are_explained(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct script script;

    (void) state;
    script_init(&script, KOA_STATUS_UNHEALTHY);
    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, &script_check, "job",
                   KOA_CONTEXT_SETTINGS(&script, LONG, {"failure_threshold", "3"}));
    expect_result(kit_checks_run(&checks, "job"), "job", KOA_STATUS_UNKNOWN,
                  "run 1 (failure 1 of 3, still unknown)");
    kit_checks_end(&checks);
}

static void old_answers_are_unknown(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct script script;
    KOA_AUTO(koa_board) *board = NULL;

    (void) state;
    script_init(&script, KOA_STATUS_HEALTHY);
    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, &script_check, "job",
                   KOA_CONTEXT_SETTINGS(&script, LONG, {"max_age", "50ms"}));
    wait_until(&checks, "job", KOA_STATUS_HEALTHY);
    wait_until(&checks, "job", KOA_STATUS_UNKNOWN);
    board = koa_health_board(checks.health);
    KIT_EXPECT("stale", koa_board_find(board, "job")->is_stale);
    KIT_EXPECT_INT("whole", KOA_STATUS_DEGRADED, koa_board_overall(board));
    KIT_EXPECT_TEXT("text", "no answer for more than 50ms (max_age); the last was healthy: run 1",
                    koa_board_find(board, "job")->message);
    kit_checks_end(&checks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blocking_check_runs_and_reports),
        cmocka_unit_test(a_hung_call_is_reported_and_disturbs_nobody),
        cmocka_unit_test(callers_share_one_run),
        cmocka_unit_test(waiters_are_answered_when_all_stops),
        cmocka_unit_test(waiters_are_answered_when_their_check_goes),
        cmocka_unit_test(asynchronous_checks_end_at_the_deadline),
        cmocka_unit_test(a_check_that_cannot_be_cancelled_may_finish_late),
        cmocka_unit_test(thresholds_and_slowness_are_explained),
        cmocka_unit_test(old_answers_are_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The engine with real threads: deadlines, joins, reloads, listeners. Intervals are long, so that
 * nothing runs but what a test asks for. */
#include "health/engine.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "health/verdict.h"
#include "kit/check_kit.h"
#include "kit/kit.h"

#define LONG                                                                                       \
    {                                                                                              \
        "interval", "1h"                                                                           \
    }

/* ---- checks under test */

/* What the blocking check does; shared with its thread. */
struct script {
    atomic_int runs;
    atomic_int status; /* enum koa_status */
    atomic_bool hangs;
    struct kit_gate entered, released;
};

static void script_run(const void *config, void *context, struct koa_verdict *verdict)
{
    struct script *script = context;
    int run = atomic_fetch_add(&script->runs, 1) + 1;

    (void) config;
    kit_gate_pass(&script->entered);
    if (atomic_load(&script->hangs))
        kit_gate_wait(&script->released, 1);
    koa_verdict_detail(verdict, "run", KOA_VALUE_INT(run));
    switch ((enum koa_status) atomic_load(&script->status)) {
    case KOA_STATUS_HEALTHY:
        koa_verdict_healthy(verdict, "run %d", run);
        break;
    case KOA_STATUS_DEGRADED:
        koa_verdict_degraded(verdict, "run %d", run);
        break;
    case KOA_STATUS_UNHEALTHY:
        koa_verdict_unhealthy(verdict, "run %d", run);
        break;
    case KOA_STATUS_UNKNOWN:
    case KOA_STATUS_COUNT:
        break;
    }
}

static const struct koa_check_ops script_check = {KOA_OPS_INIT(koa_check_ops), .name = "script",
                                                  .help = "Does as told", .run = script_run};

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

static void prompt_start(const void *config, struct koa_probe *probe)
{
    (void) config;
    koa_verdict_healthy(koa_probe_verdict(probe), "at once");
    koa_probe_finish(probe);
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
static const struct koa_check_ops prompt_check = {KOA_OPS_INIT(koa_check_ops), .name = "prompt",
                                                  .help = "Ends in start", .start = prompt_start};
static const struct koa_check_ops undecided_check = {
    KOA_OPS_INIT(koa_check_ops), .name = "undecided", .help = "Forgets to decide",
    .start = undecided_start};

/* ---- helpers */

static void script_init(struct script *script, enum koa_status status)
{
    memset(script, 0, sizeof(*script));
    script->entered = (struct kit_gate) KIT_GATE_INIT;
    script->released = (struct kit_gate) KIT_GATE_INIT;
    atomic_store(&script->status, status);
}

static void expect_result(struct koa_board *board, const char *name, enum koa_status status,
                          const char *message)
{
    const struct koa_result *result = koa_board_find(board, name);

    assert_non_null(result);
    KIT_EXPECT_TEXT(name, koa_status_name(status), koa_status_name(result->status));
    KIT_EXPECT_TEXT(name, message, result->message);
    koa_board_unref(board);
}

struct wish {
    struct kit_checks *checks;
    const char *name;
    enum koa_status status;
    const char *text; /* start of the message */
};

static bool shows(void *context)
{
    const struct wish *wish = context;
    KOA_AUTO(koa_board) *board = koa_health_board(wish->checks->health);
    const struct koa_result *result = koa_board_find(board, wish->name);

    return result != NULL && result->status == wish->status &&
           strncmp(result->message, wish->text, strlen(wish->text)) == 0;
}

/* Until the board shows `name` with this status. */
static void wait_until(struct kit_checks *checks, const char *name, enum koa_status status)
{
    struct wish wish = {.checks = checks, .name = name, .status = status, .text = ""};

    kit_loop_run_until(&checks->kit, shows, &wish);
}

/* Until it is unhealthy and says so. */
static void wait_until_told(struct kit_checks *checks, const char *name, const char *text)
{
    struct wish wish = {
        .checks = checks, .name = name, .status = KOA_STATUS_UNHEALTHY, .text = text};

    kit_loop_run_until(&checks->kit, shows, &wish);
}

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

static void count_call(void *context, const struct koa_board *board)
{
    (void) board;
    kit_gate_pass(context);
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

/* ---- listeners */

static void note_change(void *context, const struct koa_board *board,
                        const struct koa_result *result, enum koa_status before)
{
    struct koa_buf *buf = context;

    KIT_EXPECT("of the board", koa_board_find(board, result->name) == result);
    koa_buf_printf(buf, "%s %s>%s;", result->name, koa_status_name(before),
                   koa_status_name(result->status));
}

static void listeners_hear_of_changes_only(void **state)
{
    struct koa_buf heard = {.limit = 1000};
    struct kit_checks checks = {.changed = note_change, .context = &heard};
    struct script script;

    (void) state;
    script_init(&script, KOA_STATUS_HEALTHY);
    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, &script_check, "job",
                   KOA_CONTEXT_SETTINGS(&script, {"interval", "100ms"}));
    wait_until(&checks, "job", KOA_STATUS_HEALTHY);
    kit_gate_wait(&script.entered, 3);
    atomic_store(&script.status, KOA_STATUS_UNHEALTHY);
    wait_until(&checks, "job", KOA_STATUS_UNHEALTHY);
    kit_checks_end(&checks);
    KIT_EXPECT_TEXT("heard", "job unknown>healthy;job healthy>unhealthy;", koa_buf_text(&heard));
    koa_buf_deinit(&heard);
}

/* ---- reload */

struct replacement {
    struct kit_checks *checks;
    struct koa_check_unit *units[4];
    size_t count;
    struct koa_error error;
    enum koa_err err;
};

static void replace_on_loop(void *message)
{
    struct replacement *replacement = message;

    replacement->err = koa_health_replace(replacement->checks->health, replacement->units,
                                          replacement->count, &replacement->error);
}

static void replace(struct replacement *replacement)
{
    kit_loop_call(&replacement->checks->kit, replace_on_loop, replacement);
    for (size_t i = 0; i < replacement->count; i++)
        koa_check_unit_unref(replacement->units[i]);
    replacement->count = 0;
}

static void take(struct replacement *replacement, struct koa_check_unit *unit)
{
    assert_non_null(unit);
    replacement->units[replacement->count++] = unit;
}

static void a_reload_leaves_alone_what_did_not_change(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct replacement replacement = {.checks = &checks};
    struct script same;
    struct script changed;
    KOA_AUTO(koa_board) *board = NULL;

    (void) state;
    script_init(&same, KOA_STATUS_HEALTHY);
    script_init(&changed, KOA_STATUS_HEALTHY);
    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, &script_check, "same", KOA_CONTEXT_SETTINGS(&same, LONG));
    kit_checks_add(&checks, &script_check, "changed", KOA_CONTEXT_SETTINGS(&changed, LONG));
    kit_checks_add(&checks, &prompt_check, "gone", KOA_SETTINGS(LONG));
    wait_until(&checks, "same", KOA_STATUS_HEALTHY);
    wait_until(&checks, "changed", KOA_STATUS_HEALTHY);
    take(&replacement, kit_check_load(&prompt_check, "new", KOA_SETTINGS(LONG), NULL, 0));
    take(&replacement, kit_check_load(&script_check, "changed",
                                      KOA_CONTEXT_SETTINGS(&changed, {"interval", "2h"}), NULL, 0));
    take(&replacement, kit_check_load(&script_check, "same",
                                      KOA_CONTEXT_SETTINGS(&same, {"interval", "60m"}), NULL, 0));
    take(&replacement,
         kit_check_load(&prompt_check, "off", KOA_SETTINGS({"enabled", "false"}), NULL, 0));
    replace(&replacement);
    KIT_EXPECT_INT("replaced", KOA_OK, replacement.err);
    kit_gate_wait(&changed.entered, 2);
    wait_until(&checks, "changed", KOA_STATUS_HEALTHY);
    wait_until(&checks, "new", KOA_STATUS_HEALTHY);
    board = koa_health_board(checks.health);
    KIT_EXPECT_INT("count", 3, koa_board_count(board));
    KIT_EXPECT_TEXT("order", "new", koa_board_result(board, 0)->name);
    KIT_EXPECT_TEXT("kept", "run 1", koa_board_find(board, "same")->message);
    KIT_EXPECT_INT("not run again", 1, atomic_load(&same.runs));

    take(&replacement, kit_check_load(&prompt_check, "twice", KOA_SETTINGS(LONG), NULL, 0));
    take(&replacement, kit_check_load(&script_check, "twice", KOA_SETTINGS(LONG), NULL, 0));
    replace(&replacement);
    KIT_EXPECT_INT("refused", KOA_ERR_EXISTS, replacement.err);
    KIT_EXPECT("nothing changed", koa_board_find(board, "same") != NULL);
    kit_checks_end(&checks);
}

/* ---- snapshots */

/* A stand-in for the collector: how many snapshots there are, and whether it is asked for one. */
struct collector {
    int generation;
    int refreshes;
    int taken;
    bool is_configured;
};
static struct collector collector;

static bool is_configured(void *context, const char *cluster)
{
    (void) cluster;
    return ((struct collector *) context)->is_configured;
}

static struct koa_snapshot *get_snapshot(void *context, const char *cluster)
{
    struct collector *own = context;

    (void) cluster;
    if (own->generation == 0)
        return NULL;
    own->taken++;
    return (struct koa_snapshot *) own;
}

static void put_snapshot(void *context, struct koa_snapshot *snapshot)
{
    KIT_EXPECT("the same", (struct koa_snapshot *) context == snapshot);
    ((struct collector *) context)->taken--;
}

static bool refresh(void *context, const char *cluster)
{
    (void) cluster;
    ((struct collector *) context)->refreshes++;
    return true;
}

static void evaluate(const void *config, const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *verdict)
{
    (void) config;
    (void) now;
    if (snapshot == NULL) {
        koa_verdict_subjectless(verdict, "set a cluster");
    } else {
        koa_verdict_healthy(verdict, "snapshot %d", collector.generation);
    }
}

static const struct koa_check_ops snapshot_check = {KOA_OPS_INIT(koa_check_ops), .name = "snapshot",
                                                    .help = "Reads", .evaluate = evaluate};

static void publish_snapshot(void *message)
{
    struct kit_checks *checks = message;

    collector.generation++;
    koa_health_snapshot_published(checks->health, "prod", true);
}

static void forget_refreshes(void *message)
{
    (void) message;
    collector.refreshes = 0;
}

static void snapshot_checks_follow_the_collector(void **state)
{
    struct kit_checks checks = {.snapshots = {.context = &collector,
                                              .is_configured = is_configured,
                                              .get = get_snapshot,
                                              .put = put_snapshot,
                                              .refresh = refresh}};
    struct kit_gate gate = KIT_GATE_INIT;
    KOA_AUTO(koa_board) *board = NULL;

    (void) state;
    memset(&collector, 0, sizeof(collector));
    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, &snapshot_check, "none", KOA_SETTINGS(LONG));
    expect_result(kit_checks_run(&checks, "none"), "none", KOA_STATUS_UNKNOWN, "set a cluster");
    collector.is_configured = true;
    kit_checks_add(&checks, &snapshot_check, "first", KOA_SETTINGS(LONG, {"timeout", "20s"}));
    kit_loop_call(&checks.kit, publish_snapshot, &checks);
    expect_result(kit_checks_run(&checks, "first"), "first", KOA_STATUS_HEALTHY, "snapshot 1");
    /* A run now waits for a cycle of its own. It is a second since the last, or an answer comes. */
    kit_loop_call(&checks.kit, forget_refreshes, NULL);
    kit_checks_add(&checks, &snapshot_check, "other",
                   KOA_SETTINGS(LONG, {"timeout", "20s"}, {"initial_delay", "1h"}));
    assert_int_equal(KOA_OK, koa_health_run_now(checks.health, NULL, count_call, &gate, NULL));
    kit_loop_call(&checks.kit, publish_snapshot, &checks);
    kit_gate_wait(&gate, 1);
    board = koa_health_board(checks.health);
    KIT_EXPECT_TEXT("fresh", "snapshot 2", koa_board_find(board, "other")->message);
    KIT_EXPECT_TEXT("all of the cluster", "snapshot 2", koa_board_find(board, "first")->message);
    KIT_EXPECT_INT("asked", 1, collector.refreshes);
    kit_checks_end(&checks);
    KIT_EXPECT_INT("all given back", 0, collector.taken);
}

/* ---- metrics */

static void print_source(const struct koa_metrics_source *source, struct koa_buf *buf)
{
    struct koa_metrics_cursor cursor = {.pinned = NULL};
    struct koa_batch batch;

    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            const struct koa_sample *sample = &batch.samples[i];

            koa_buf_append(buf, sample->family->name.data, sample->family->name.size);
            for (size_t j = 0; j < sample->label_count; j++) {
                koa_buf_printf(buf, " %.*s=%.*s", (int) sample->labels[j].name.size,
                               sample->labels[j].name.data, (int) sample->labels[j].value.size,
                               sample->labels[j].value.data);
            }
            koa_buf_printf(buf, " %g;", sample->value);
        }
    }
    source->end(source, &cursor);
}

static void the_board_is_a_metrics_source(void **state)
{
    struct kit_checks checks = {.is_started = false};
    struct koa_buf buf = {.limit = 100000};
    char name[16];

    (void) state;
    kit_checks_start(&checks, NULL);
    for (int i = 0; i < 40; i++) {
        (void) snprintf(name, sizeof(name), "c%d", i);
        kit_checks_add(&checks, &prompt_check, name, KOA_SETTINGS(LONG));
    }
    koa_board_unref(kit_checks_run(&checks, NULL));
    print_source(koa_health_source(checks.health), &buf);
    KIT_EXPECT_CONTAINS("first", "kafka_ops_health_status check=c0 status=healthy 1;",
                        koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("last", "kafka_ops_health_status check=c39 status=unhealthy 0;",
                        koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("time", "kafka_ops_health_check_last_run_timestamp_seconds check=c39 ",
                        koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("workers", "kafka_ops_health_check_abandoned_workers 0;",
                        koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("whole", "kafka_ops_overall_status status=healthy 1;", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
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
        cmocka_unit_test(listeners_hear_of_changes_only),
        cmocka_unit_test(a_reload_leaves_alone_what_did_not_change),
        cmocka_unit_test(snapshot_checks_follow_the_collector),
        cmocka_unit_test(the_board_is_a_metrics_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What surrounds runs: listeners, a changed set, snapshots, and the board as a metrics source. */
#include <stdio.h>
#include <string.h>

#include "script.h"

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
    bool is_configured; /* one cluster, called prod */
};
static struct collector collector;

static bool is_configured(void *context, const char *cluster)
{
    return ((struct collector *) context)->is_configured &&
           (cluster[0] == '\0' || strcmp(cluster, "prod") == 0);
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
    /* A name that is none of the watched ones was meant to be one. */
    kit_checks_add(&checks, &snapshot_check, "misspelt", KOA_SETTINGS(LONG, {"cluster", "prd"}));
    expect_result(kit_checks_run(&checks, "misspelt"), "misspelt", KOA_STATUS_UNKNOWN,
                  "No Kafka cluster is named 'prd': name one of clusters in the check's `cluster`");
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
        cmocka_unit_test(listeners_hear_of_changes_only),
        cmocka_unit_test(a_reload_leaves_alone_what_did_not_change),
        cmocka_unit_test(snapshot_checks_follow_the_collector),
        cmocka_unit_test(the_board_is_a_metrics_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

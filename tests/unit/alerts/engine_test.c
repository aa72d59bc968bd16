/* The whole of alerts/ under a clock of its own: rules that a test commands, a notifier that a test
 * answers, states in a real store. */
#include "alerts/engine.h"

#include <stdio.h>
#include <string.h>

#include "alerts/identity.h"
#include "alerts/render.h"
#include "base/str.h"
#include "kit/kit.h"

static int64_t now_ms;

static struct koa_mono mono(void)
{
    return (struct koa_mono){.ms = now_ms};
}

static struct koa_wall wall(void)
{
    return (struct koa_wall){.ms = INT64_C(1764000000000) + now_ms};
}

/* What the next evaluations see: subjects "a" to "z" that hold; '?' could not look. */
static char world[64];

static void evaluate(const void *config, void *context, const struct koa_view *view,
                     struct koa_observations *observations)
{
    (void) config;
    (void) context;
    (void) view;
    if (strchr(world, '?') != NULL) {
        koa_observations_missing(observations, "the source is stale");
        return;
    }
    koa_observations_fresh(observations);
    for (const char *at = world; *at != '\0'; at++) {
        char name[2] = {*at, '\0'};

        koa_observations_add(observations, true, 15.0, KOA_LABELS({"subject", name}),
                             "%s holds at 15.0", name);
    }
}

static bool threshold(const void *config, double *ret_threshold)
{
    (void) config;
    *ret_threshold = 10.0;
    return true;
}

static const struct koa_rule_ops world_rule = {
    KOA_OPS_INIT(koa_rule_ops), .name = "world",        .help = "What the test says",
    .evaluate = evaluate,       .threshold = threshold,
};

/* Notifications as "firing a, resolved a". */
static struct koa_buf told = {.limit = 65536};
static enum koa_outcome answer;

static void start(const void *config, struct koa_delivery *delivery)
{
    const struct koa_notification *note = koa_delivery_notification(delivery);
    const struct koa_labels *labels = koa_notification_labels(note);

    (void) config;
    koa_buf_printf(&told, "%s%s %s", told.size > 0 ? ", " : "",
                   koa_alert_state_name(koa_notification_state(note)),
                   labels->count > 0 ? labels->rows[0].value : "-");
    koa_delivery_finish(delivery, answer, -1, "no");
}

static const struct koa_notifier_ops recorder = {
    KOA_OPS_INIT(koa_notifier_ops),
    .name = "recorder",
    .help = "Writes down",
    .start = start,
};

struct bench {
    struct koa_timers timers;
    struct koa_alerts *alerts;
    char *directory;
    struct koa_loop *loop;
    struct koa_workers *workers;
    struct koa_store *store;
};

static struct koa_rule_settings settings_of(const char *name)
{
    return (struct koa_rule_settings){
        .name = name, .type = "world", .severity = KOA_SEVERITY_CRITICAL, .message = ""};
}

static struct koa_rule *make_rule(const struct koa_rule_settings *settings, bool is_configured)
{
    struct koa_arena *arena = koa_arena_create(65536);
    struct koa_rule_settings *copy = koa_arena_alloc(arena, 1, sizeof(*copy));
    struct koa_rule_spec spec = {
        .ops = &world_rule, .settings = copy, .arena = arena, .is_configured = is_configured};
    struct koa_rule *rule = NULL;

    *copy = *settings;
    copy->name = koa_arena_strdup(arena, settings->name);
    assert_int_equal(koa_rule_create(&spec, &rule, NULL), KOA_OK);
    return rule;
}

static struct koa_notifier *make_notifier(const char *name)
{
    struct koa_arena *arena = koa_arena_create(65536);
    struct koa_notifier_settings *copy = koa_arena_alloc(arena, 1, sizeof(*copy));
    struct koa_notifier_spec spec = {
        .ops = &recorder, .settings = copy, .arena = arena, .is_configured = true};
    struct koa_notifier *notifier = NULL;

    *copy = (struct koa_notifier_settings){.name = name,
                                           .type = "recorder",
                                           .min_severity = KOA_SEVERITY_INFO,
                                           .send_resolved = true,
                                           .timeout_ms = 1000,
                                           .max_attempts = 3};
    assert_int_equal(koa_notifier_create(&spec, &notifier, NULL), KOA_OK);
    return notifier;
}

static void open_alerts(struct bench *bench)
{
    struct koa_alerts_opts opts = {.timers = &bench->timers,
                                   .store = bench->store,
                                   .mono = mono,
                                   .wall = wall,
                                   .interval_ms = 60000,
                                   .history = 100};

    assert_int_equal(koa_alerts_create(&opts, &bench->alerts, NULL), KOA_OK);
    assert_int_equal(koa_alerts_add_notifier(bench->alerts, make_notifier("recorder"), NULL),
                     KOA_OK);
}

static int set_up(void **state)
{
    struct bench *bench = koa_calloc(1, sizeof(*bench));

    if (bench == NULL)
        return 1;
    *state = bench;
    now_ms = 1000000;
    world[0] = '\0';
    koa_buf_clear(&told);
    answer = KOA_DELIVERED;
    open_alerts(bench);
    return 0;
}

static void close_store(struct bench *bench)
{
    koa_alerts_destroy(bench->alerts);
    bench->alerts = NULL;
    koa_store_destroy(bench->store, 10000);
    koa_workers_destroy(bench->workers, 10000);
    koa_loop_destroy(bench->loop);
    bench->store = NULL;
}

static void open_store(struct bench *bench)
{
    struct koa_loop_opts loop = {.name = "test"};
    struct koa_workers_opts workers = {0};
    struct koa_store_opts opts = {.directory = bench->directory};

    assert_int_equal(koa_loop_create(&loop, &bench->loop, NULL), KOA_OK);
    assert_int_equal(koa_workers_create(&workers, &bench->workers, NULL), KOA_OK);
    opts.loop = bench->loop;
    opts.workers = bench->workers;
    assert_int_equal(koa_store_create(&opts, &bench->store, NULL), KOA_OK);
    open_alerts(bench);
    assert_int_equal(koa_alerts_restore(bench->alerts, NULL), KOA_OK);
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    if (bench->store != NULL)
        close_store(bench);
    koa_alerts_destroy(bench->alerts);
    koa_timers_deinit(&bench->timers);
    if (bench->directory != NULL)
        kit_remove_directory(bench->directory);
    koa_free(bench);
    return 0;
}

static void add_rule(struct bench *bench, const struct koa_rule_settings *settings)
{
    assert_int_equal(koa_alerts_add_rule(bench->alerts, make_rule(settings, true), NULL), KOA_OK);
}

static void look(struct bench *bench, const char *seen)
{
    (void) snprintf(world, sizeof(world), "%s", seen);
    koa_alerts_evaluate(bench->alerts);
}

static void pass(struct bench *bench, int64_t ms)
{
    now_ms += ms;
    (void) koa_timers_run(&bench->timers, mono());
}

/* The last picture as JSON text; the caller frees the buffer. */
static const char *render(struct bench *bench, struct koa_buf *buf,
                          void (*write)(struct koa_json *json, const struct koa_alert_board *board))
{
    KOA_AUTO(koa_alert_board) *board = koa_alerts_board(bench->alerts);
    struct koa_json json = {.buf = buf};

    koa_buf_clear(buf);
    koa_json_object(&json, NULL);
    write(&json, board);
    koa_json_object_end(&json);
    return koa_buf_text(buf);
}

static void an_alert_fires_and_resolves(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("storm");
    struct koa_buf buf = {.limit = 1 << 20};
    const char *text;

    settings.labels = (struct koa_pairs){(struct koa_pair[]){{"team", "payments"}}, 1};
    settings.annotations = (struct koa_pairs){
        (struct koa_pair[]){{"summary", "{{subject}} {{value}}>{{threshold}} {{nobody}}"}}, 1};
    add_rule(bench, &settings);
    text = render(bench, &buf, koa_alerts_render_active);
    KIT_EXPECT_TEXT("before the first evaluation",
                    "{\"active_count\":0,\"total_rules\":0,\"severity_counts\":{\"critical\":0,"
                    "\"warning\":0,\"info\":0},\"last_check\":null,\"active_alerts\":[]}",
                    text);
    look(bench, "a");
    text = render(bench, &buf, koa_alerts_render_active);
    KIT_EXPECT_CONTAINS("counted", "\"active_count\":1,\"total_rules\":1", text);
    KIT_EXPECT_CONTAINS("severity", "{\"critical\":1,\"warning\":0,\"info\":0}", text);
    KIT_EXPECT_CONTAINS("name",
                        "{\"name\":\"storm\",\"severity\":\"critical\",\"state\":\"firing\","
                        "\"message\":\"a holds at 15.0\"",
                        text);
    KIT_EXPECT_CONTAINS("labels", "\"labels\":{\"subject\":\"a\",\"team\":\"payments\"}", text);
    KIT_EXPECT_CONTAINS("annotation", "{\"summary\":\"a 15>10 {{nobody}}\"}", text);
    KIT_EXPECT_CONTAINS("open", "\"ends_at\":null", text);
    now_ms += 60000;
    look(bench, "");
    KIT_EXPECT_TEXT("told", "firing a, resolved a", koa_buf_text(&told));
    text = render(bench, &buf, koa_alerts_render_active);
    KIT_EXPECT_CONTAINS("over", "\"active_count\":0", text);
    koa_buf_deinit(&buf);
}

static void pending_alerts_are_shown_by_rules_only(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("slow");
    struct koa_buf buf = {.limit = 1 << 20};

    settings.for_ms = 60000;
    add_rule(bench, &settings);
    look(bench, "a");
    KIT_EXPECT_CONTAINS("not active", "\"active_count\":0",
                        render(bench, &buf, koa_alerts_render_active));
    KIT_EXPECT_CONTAINS("in /rules",
                        "\"name\":\"slow\",\"type\":\"world\",\"severity\":\"critical\","
                        "\"state\":\"pending\"",
                        render(bench, &buf, koa_alerts_render_rules));
    KIT_EXPECT_CONTAINS("its value", "\"value\":15,\"threshold\":10",
                        render(bench, &buf, koa_alerts_render_rules));
    KIT_EXPECT_TEXT("nobody is told", "", koa_buf_text(&told));
    look(bench, "?");
    KIT_EXPECT_CONTAINS("why", "\"last_error\":\"the source is stale\"",
                        render(bench, &buf, koa_alerts_render_rules));
    koa_buf_deinit(&buf);
}

static void expect_history(struct bench *bench, const char *name, const char *expected)
{
    struct koa_journal_view *history = koa_alerts_history(bench->alerts);
    struct koa_buf text = {.limit = 4096};

    for (size_t i = 0; history != NULL && i < history->count; i++) {
        koa_buf_printf(&text, "%s%s", i > 0 ? " " : "",
                       koa_alert_state_name(history->rows[i]->state));
    }
    KIT_EXPECT_TEXT(name, expected, koa_buf_text(&text));
    koa_buf_deinit(&text);
    if (history != NULL)
        koa_object_unref(&history->object);
}

static void explained(struct bench *bench, uint64_t identity, struct koa_buf *buf)
{
    KOA_AUTO(koa_alert_board) *board = koa_alerts_board(bench->alerts);
    struct koa_journal_view *history = koa_alerts_history(bench->alerts);
    struct koa_ledger_view *ledger = koa_alerts_ledger(bench->alerts);
    struct koa_json json = {.buf = buf};
    char fingerprint[KOA_FINGERPRINT_SIZE];

    koa_fingerprint_format(identity, fingerprint);
    koa_buf_clear(buf);
    koa_json_object(&json, NULL);
    assert_true(koa_alert_render_explained(&json, fingerprint, board, history, ledger));
    koa_json_object_end(&json);
    KIT_EXPECT("unknown",
               !koa_alert_render_explained(&json, "0000000000000000", board, history, ledger));
    koa_object_unref(&history->object);
    koa_object_unref(&ledger->object);
}

static void one_alert_is_explained(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("storm");
    struct koa_buf buf = {.limit = 1 << 20};
    uint64_t identity = koa_alert_identity("storm", KOA_LABELS({"subject", "a"}));

    settings.for_ms = 60000;
    add_rule(bench, &settings);
    look(bench, "a");
    now_ms += 60000;
    look(bench, "a");
    pass(bench, 1000);
    expect_history(bench, "one entry per transition", "pending firing");
    explained(bench, identity, &buf);
    KIT_EXPECT_CONTAINS("transitions", "\"transitions\":[{\"state\":\"pending\"",
                        koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("suppressed", "\"suppressed_by\":null", koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("notification", "\"notifier\":\"recorder\",\"state\":\"firing\"",
                        koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("delivered",
                        "\"attempt\":1,\"outcome\":\"delivered\",\"next_attempt\":null",
                        koa_buf_text(&buf));
    now_ms += 60000;
    look(bench, "");
    now_ms += KOA_ALERT_RETENTION_MS + 1000;
    look(bench, "");
    explained(bench, identity, &buf);
    KIT_EXPECT_CONTAINS("long over", "\"state\":\"resolved\"", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void health_changes_are_looked_at_once_a_second(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("storm");

    add_rule(bench, &settings);
    koa_alerts_start(bench->alerts);
    pass(bench, 0);
    (void) snprintf(world, sizeof(world), "a");
    pass(bench, 100);
    koa_alerts_poke(bench->alerts);
    koa_alerts_poke(bench->alerts);
    pass(bench, 0);
    KIT_EXPECT_TEXT("not yet", "", koa_buf_text(&told));
    pass(bench, 900);
    KIT_EXPECT_TEXT("a second after the last", "firing a", koa_buf_text(&told));
    (void) snprintf(world, sizeof(world), "%s", "");
    pass(bench, 59000);
    KIT_EXPECT_TEXT("quiet", "firing a", koa_buf_text(&told));
    pass(bench, 1000);
    KIT_EXPECT_TEXT("the interval", "firing a, resolved a", koa_buf_text(&told));
}

static void with_store(struct bench *bench)
{
    koa_alerts_destroy(bench->alerts);
    bench->directory = kit_temporary_directory();
    open_store(bench);
}

static void restart(struct bench *bench, int64_t downtime_ms)
{
    close_store(bench);
    now_ms += downtime_ms;
    open_store(bench);
}

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

static void a_reload_keeps_the_state_by_name(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("kept");
    struct koa_rule_settings other = settings_of("dropped");
    struct koa_rule *rules[1];
    struct koa_notifier *notifiers[1];
    struct koa_alerts_config config = {.interval_ms = 1000,
                                       .history = 2,
                                       .rules = rules,
                                       .rule_count = 1,
                                       .notifiers = notifiers,
                                       .notifier_count = 1};

    add_rule(bench, &settings);
    add_rule(bench, &other);
    assert_int_equal(
        koa_alerts_add_rule(
            bench->alerts,
            make_rule(&(struct koa_rule_settings){.name = "of the host", .message = ""}, false),
            NULL),
        KOA_OK);
    look(bench, "a");
    KIT_EXPECT_TEXT("three rules", "firing a, firing a, firing a", koa_buf_text(&told));
    settings.severity = KOA_SEVERITY_INFO;
    rules[0] = make_rule(&settings, true);
    notifiers[0] = make_notifier("recorder");
    koa_alerts_configure(bench->alerts, &config);
    KIT_EXPECT_TEXT("the dropped one ends", "firing a, firing a, firing a, resolved a",
                    koa_buf_text(&told));
    look(bench, "a");
    KIT_EXPECT_TEXT("the others go on", "firing a, firing a, firing a, resolved a",
                    koa_buf_text(&told));
    look(bench, "");
    KIT_EXPECT_TEXT("until they end",
                    "firing a, firing a, firing a, resolved a, resolved a, resolved a",
                    koa_buf_text(&told));
    expect_history(bench, "the history's new length", "resolved resolved");
}

static void names_are_unique(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("storm");
    struct koa_error error;

    add_rule(bench, &settings);
    KIT_EXPECT_INT("rule", KOA_ERR_EXISTS,
                   koa_alerts_add_rule(bench->alerts, make_rule(&settings, true), &error));
    KIT_EXPECT_CONTAINS("named", "'storm'", error.text);
    KIT_EXPECT_INT("notifier", KOA_ERR_EXISTS,
                   koa_alerts_add_notifier(bench->alerts, make_notifier("recorder"), &error));
}

static void failed_deliveries_are_tried_again_in_order(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("storm");

    add_rule(bench, &settings);
    answer = KOA_RETRY_LATER;
    look(bench, "a");
    now_ms += 100;
    look(bench, "");
    KIT_EXPECT_TEXT("the second waits", "firing a", koa_buf_text(&told));
    answer = KOA_DELIVERED;
    pass(bench, 1000);
    KIT_EXPECT_TEXT("in order", "firing a, firing a, resolved a", koa_buf_text(&told));
}

static void given_up_after_max_attempts(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("storm");
    struct koa_buf buf = {.limit = 1 << 20};

    add_rule(bench, &settings);
    answer = KOA_RETRY_LATER;
    look(bench, "a");
    for (int i = 0; i < 10; i++)
        pass(bench, 10000);
    KIT_EXPECT_TEXT("three attempts", "firing a, firing a, firing a", koa_buf_text(&told));
    explained(bench, koa_alert_identity("storm", KOA_LABELS({"subject", "a"})), &buf);
    KIT_EXPECT_CONTAINS("dead letter", "\"attempt\":3,\"outcome\":\"given_up\"",
                        koa_buf_text(&buf));
    KIT_EXPECT_CONTAINS("why", "\"reason\":\"no\"", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void count_stop(void *context)
{
    ++*(int *) context;
}

static void a_stop_does_not_wait_for_what_waits(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("storm");
    int stopped = 0;

    add_rule(bench, &settings);
    koa_alerts_start(bench->alerts);
    answer = KOA_RETRY_LATER;
    look(bench, "a");
    koa_alerts_stop(bench->alerts, 5000, count_stop, &stopped);
    KIT_EXPECT_INT("at once", 1, stopped);
    pass(bench, 3600);
    KIT_EXPECT_INT("once", 1, stopped);
}

#define ENGINE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(an_alert_fires_and_resolves),
        ENGINE_TEST(pending_alerts_are_shown_by_rules_only),
        ENGINE_TEST(one_alert_is_explained),
        ENGINE_TEST(health_changes_are_looked_at_once_a_second),
        ENGINE_TEST(hold_times_survive_and_downtime_does_not_count),
        ENGINE_TEST(the_running_clock_is_saved_between_evaluations),
        ENGINE_TEST(firing_alerts_stay_and_resolve_after_a_restart),
        ENGINE_TEST(alerts_of_a_lost_rule_are_resolved),
        ENGINE_TEST(a_reload_keeps_the_state_by_name),
        ENGINE_TEST(names_are_unique),
        ENGINE_TEST(failed_deliveries_are_tried_again_in_order),
        ENGINE_TEST(given_up_after_max_attempts),
        ENGINE_TEST(a_stop_does_not_wait_for_what_waits),
    };

    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    koa_buf_deinit(&told);
    return failed;
}

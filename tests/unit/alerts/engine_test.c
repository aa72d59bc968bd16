/* The whole of alerts/ under a clock of its own: alerts, explanations, reloads, deliveries. */
#include "engine_bench.h"

#include <stdio.h>
#include <string.h>

#include "alerts/identity.h"
#include "base/str.h"

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
    koa_object_unref((struct koa_object *) history);
    koa_object_unref((struct koa_object *) ledger);
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

/* Its last entry would else say pending for ever. */
static void a_wait_that_ends_is_over_in_the_history(void **state)
{
    struct bench *bench = *state;
    struct koa_rule_settings settings = settings_of("slow");
    struct koa_buf buf = {.limit = 1 << 20};
    uint64_t identity = koa_alert_identity("slow", KOA_LABELS({"subject", "a"}));

    settings.for_ms = 60000;
    with_store(bench);
    add_rule(bench, &settings);
    look(bench, "a");
    now_ms += 30000;
    look(bench, "");
    expect_history(bench, "both ends", "pending resolved");
    explained(bench, identity, &buf);
    KIT_EXPECT_CONTAINS("over", "\"state\":\"resolved\"", koa_buf_text(&buf));
    KIT_EXPECT("since when", strstr(koa_buf_text(&buf), "\"ends_at\":null") == NULL);
    KIT_EXPECT_TEXT("nobody is told", "", koa_buf_text(&told));
    restart(bench, 1000);
    expect_history(bench, "after a restart", "pending resolved");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(an_alert_fires_and_resolves),
        ENGINE_TEST(pending_alerts_are_shown_by_rules_only),
        ENGINE_TEST(one_alert_is_explained),
        ENGINE_TEST(a_wait_that_ends_is_over_in_the_history),
        ENGINE_TEST(health_changes_are_looked_at_once_a_second),
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

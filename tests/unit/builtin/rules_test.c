/* The built-in rules, from settings to alerts, on real boards and a real registry. */
#include <math.h>
#include <stdio.h>

#include <koa/metrics.h>

#include "alerts/settings.h"
#include "base/arena.h"
#include "builtin/builtin.h"
#include "health/board.h"
#include "kit/kit.h"
#include "kit/rule_kit.h"
#include "metrics/registry.h"

static struct koa_view view;
static struct koa_metrics *metrics;
static const struct koa_metrics_source *source_rows[1];
static struct koa_metrics_sources sources = {.rows = source_rows, .count = 1};

static int set_up(void **state)
{
    struct koa_metrics_opts opts = {0};

    (void) state;
    view = (struct koa_view){.now.ms = 1764000000000, .mono.ms = 1000};
    if (koa_metrics_create(&opts, &metrics, NULL) != KOA_OK)
        return 1;
    source_rows[0] = koa_metrics_source(metrics);
    view.sources = &sources;
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    koa_metrics_destroy(metrics);
    return 0;
}

/* Looks `ms` later. */
static const char *look(struct koa_rule *rule, int64_t ms)
{
    view.mono.ms += ms;
    view.now.ms += ms;
    return kit_rule_look(rule, &view);
}

static struct koa_rule *make(const struct koa_rule_ops *ops, const struct koa_settings *settings)
{
    struct koa_error error = {0};
    struct koa_rule *rule = kit_rule_make(ops, settings, &error);

    KIT_EXPECT_TEXT(ops->name, "", error.text);
    return rule;
}

/* ---- health_status ---- */

struct check {
    const char *name;
    enum koa_status status;
    bool has_run;
};

static struct koa_board *board_of(const struct check *checks, size_t count)
{
    struct koa_result_object *results[8] = {NULL};
    struct koa_board *board;

    for (size_t i = 0; i < count; i++) {
        struct koa_result result = {.name = checks[i].name,
                                    .status = checks[i].status,
                                    .message = "as told",
                                    .details = "{}",
                                    .time = view.now,
                                    .has_run = checks[i].has_run,
                                    .is_critical = true};

        results[i] = koa_result_create(&result, NULL);
        assert_non_null(results[i]);
    }
    board = koa_board_create(results, count, view.now);
    assert_non_null(board);
    for (size_t i = 0; i < count; i++)
        koa_object_unref(&results[i]->object);
    return board;
}

static const struct {
    const char *name;
    const struct koa_setting settings[2];
    struct check checks[2];
    size_t count;
    const char *seen;
} health_cases[] = {
    {"overall unhealthy",
     {{"status", "unhealthy"}},
     {{"db", KOA_STATUS_UNHEALTHY, true}, {"kafka", KOA_STATUS_HEALTHY, true}},
     2,
     "firing {} overall health is unhealthy: db unhealthy"},
    {"overall degraded is not unhealthy",
     {{"status", "unhealthy"}},
     {{"db", KOA_STATUS_DEGRADED, true}},
     1,
     ""},
    {"exactly degraded",
     {{"status", "degraded"}},
     {{"db", KOA_STATUS_DEGRADED, true}},
     1,
     "firing {} overall health is degraded: db degraded"},
    {"unhealthy is not degraded",
     {{"status", "degraded"}},
     {{"db", KOA_STATUS_UNHEALTHY, true}},
     1,
     ""},
    {"a list of statuses",
     {{"status", "[degraded, unhealthy]"}},
     {{"db", KOA_STATUS_UNHEALTHY, true}},
     1,
     "firing {} overall health is unhealthy: db unhealthy"},
    {"nothing has answered",
     {{"status", "unhealthy"}},
     {{"db", KOA_STATUS_UNKNOWN, false}},
     1,
     "missing: no health check has answered yet"},
    {"one check",
     {{"check", "db"}},
     {{"db", KOA_STATUS_UNHEALTHY, true}},
     1,
     "firing {check=db} check db is unhealthy: as told"},
    {"one check could not look",
     {{"check", "db"}},
     {{"db", KOA_STATUS_UNKNOWN, true}},
     1,
     "missing: check 'db' has no answer: as told"},
    {"unknown when it is asked for",
     {{"check", "db"}, {"status", "unknown"}},
     {{"db", KOA_STATUS_UNKNOWN, true}},
     1,
     "firing {check=db} check db is unknown: as told"},
    {"a misspelt check",
     {{"check", "dbb"}},
     {{"db", KOA_STATUS_UNHEALTHY, true}},
     1,
     "missing: there is no check named 'dbb'"},
};

static void health_statuses(void **state)
{
    (void) state;
    KIT_EACH (c, health_cases) {
        size_t settings = c->settings[1].key != NULL ? 2 : 1;
        struct koa_rule *rule =
            make(&koa_rule_health_status,
                 &(struct koa_settings){.rows = c->settings, .count = settings});
        struct koa_board *board = board_of(c->checks, c->count);

        view.board = board;
        KIT_EXPECT_TEXT(c->name, c->seen, look(rule, 0));
        koa_board_unref(board);
        koa_rule_destroy(rule);
    }
}

/* After a restart the first board may hold one answer of many. */
static void health_resolves_only_when_all_have_answered(void **state)
{
    static const struct check bad[] = {{"db", KOA_STATUS_UNHEALTHY, true},
                                       {"kafka", KOA_STATUS_HEALTHY, true}};
    static const struct check half[] = {{"db", KOA_STATUS_UNKNOWN, false},
                                        {"kafka", KOA_STATUS_HEALTHY, true}};
    static const struct check good[] = {{"db", KOA_STATUS_HEALTHY, true},
                                        {"kafka", KOA_STATUS_HEALTHY, true}};
    struct koa_rule *rule = make(&koa_rule_health_status, KOA_NO_SETTINGS);
    struct koa_board *boards[] = {board_of(bad, 2), board_of(half, 2), board_of(good, 2)};

    (void) state;
    view.board = boards[0];
    KIT_EXPECT_CONTAINS("fires", "firing", look(rule, 0));
    view.board = boards[1];
    KIT_EXPECT_CONTAINS("half an answer", "firing", look(rule, 1000));
    view.board = boards[2];
    KIT_EXPECT_TEXT("all well", "", look(rule, 1000));
    for (size_t i = 0; i < 3; i++)
        koa_board_unref(boards[i]);
    koa_rule_destroy(rule);
}

static void a_check_that_is_gone_resolves(void **state)
{
    static const struct check bad[] = {{"db", KOA_STATUS_UNHEALTHY, true}};
    struct koa_rule *rule = make(&koa_rule_health_status, KOA_SETTINGS({"check", "db"}));
    struct koa_board *with = board_of(bad, 1);
    struct koa_board *without = board_of(NULL, 0);

    (void) state;
    view.board = with;
    KIT_EXPECT_CONTAINS("fires", "firing", look(rule, 0));
    view.board = without;
    KIT_EXPECT_TEXT("gone", "", look(rule, 1000));
    koa_board_unref(with);
    koa_board_unref(without);
    koa_rule_destroy(rule);
}

/* ---- metric_threshold ---- */

static const struct {
    const char *name;
    const char *comparison;
    double value;
    const char *seen;
} operators[] = {
    {"above", "greater_than", 15, "firing {} load is 15.0, greater than 10.0"},
    {"equal is not above", ">", 10, ""},
    {"below", "less_than", 5, "firing {} load is 5.0, less than 10.0"},
    {"equal is not below", "<", 10, ""},
    {"equal", "equals", 10, "firing {} load is 10.0, equal to 10.0"},
    {"not equal", "==", 10.5, ""},
    {"different", "not_equals", 9.75, "firing {} load is 9.75, different from 10.0"},
    {"same", "!=", 10, ""},
    {"at least", ">=", 10, "firing {} load is 10.0, greater than or equal to 10.0"},
    {"at most", "<=", 10, "firing {} load is 10.0, less than or equal to 10.0"},
    {"not a number, above", ">", NAN, ""},
    {"not a number, different", "!=", NAN, ""},
    {"not a number, at most", "<=", NAN, ""},
    {"infinite", ">", INFINITY, "firing {} load is +Inf, greater than 10.0"},
};

static void operators_as_words_and_symbols(void **state)
{
    (void) state;
    KIT_EACH (c, operators) {
        struct koa_rule *rule =
            make(&koa_rule_metric_threshold, KOA_SETTINGS({"metric", "load"}, {"threshold", "10"},
                                                          {"operator", c->comparison}));

        koa_metrics_set(metrics, "load", c->value, KOA_NO_LABELS);
        KIT_EXPECT_TEXT(c->name, c->seen, look(rule, 0));
        koa_rule_destroy(rule);
    }
}

static void set_lag(const char *group, double lag)
{
    koa_metrics_set(metrics, "lag", lag, KOA_LABELS({"group", group}));
}

static const struct {
    const char *aggregate;
    const char *threshold;
    const char *seen;
} aggregates[] = {
    {"each", "15", "firing {group=pay-b} lag is 20.0, greater than 15.0"},
    {"sum", "29", "firing {} lag is 30.0, greater than 29.0"},
    {"min", "9", "firing {} lag is 10.0, greater than 9.0"},
    {"max", "19", "firing {} lag is 20.0, greater than 19.0"},
    {"avg", "14", "firing {} lag is 15.0, greater than 14.0"},
    {"count", "1", "firing {} lag is 2.0, greater than 1.0"},
};

static void aggregates_of_the_matched(void **state)
{
    (void) state;
    set_lag("pay-a", 10);
    set_lag("pay-b", 20);
    set_lag("other-pay-x", 1000);
    KIT_EACH (c, aggregates) {
        struct koa_rule *rule =
            make(&koa_rule_metric_threshold,
                 KOA_SETTINGS({"metric", "lag"}, {"match", "{group: \"pay-.*\"}"},
                              {"aggregate", c->aggregate}, {"threshold", c->threshold}));

        KIT_EXPECT_TEXT(c->aggregate, c->seen, look(rule, 0));
        koa_rule_destroy(rule);
    }
}

static void two_thresholds_make_hysteresis(void **state)
{
    struct koa_rule *rule =
        make(&koa_rule_metric_threshold,
             KOA_SETTINGS({"metric", "load"}, {"threshold", "10"}, {"clear_threshold", "5"}));

    (void) state;
    koa_metrics_set(metrics, "load", 11, KOA_NO_LABELS);
    KIT_EXPECT_CONTAINS("raised", "firing {} load is 11.0", look(rule, 0));
    koa_metrics_set(metrics, "load", 7, KOA_NO_LABELS);
    KIT_EXPECT_CONTAINS("between", "firing {} load is 7.0, not greater than 10.0",
                        look(rule, 1000));
    koa_metrics_set(metrics, "load", 5, KOA_NO_LABELS);
    KIT_EXPECT_TEXT("good again", "", look(rule, 1000));
    koa_metrics_set(metrics, "load", 7, KOA_NO_LABELS);
    KIT_EXPECT_TEXT("between does not raise", "", look(rule, 1000));
    koa_rule_destroy(rule);
}

static bool is_stale;

static bool tell_stale(void *context, const char *family, char *text, size_t size)
{
    (void) context;
    (void) snprintf(text, size, "%s: cluster c does not answer", family);
    return is_stale;
}

static void a_stale_source_keeps_the_alert(void **state)
{
    static const struct {
        const char *policy;
        const char *seen;
    } cases[] = {
        {"keep",
         "missing: load: cluster c does not answer; firing {} load is 11.0, greater than 10.0"},
        {"resolve", "missing: load: cluster c does not answer"},
    };

    (void) state;
    view.is_stale = tell_stale;
    koa_metrics_set(metrics, "load", 11, KOA_NO_LABELS);
    KIT_EACH (c, cases) {
        struct koa_rule *rule =
            make(&koa_rule_metric_threshold, KOA_SETTINGS({"metric", "load"}, {"threshold", "10"},
                                                          {"missing_data", c->policy}));

        is_stale = false;
        KIT_EXPECT_CONTAINS("raised", "firing", look(rule, 0));
        is_stale = true;
        KIT_EXPECT_TEXT(c->policy, c->seen, look(rule, 1000));
        koa_rule_destroy(rule);
    }
}

static void missing_data_may_fire(void **state)
{
    struct koa_rule *rule =
        make(&koa_rule_metric_threshold,
             KOA_SETTINGS({"metric", "load"}, {"threshold", "10"}, {"missing_data", "fire"}));

    (void) state;
    view.is_stale = tell_stale;
    is_stale = true;
    KIT_EXPECT_CONTAINS("no data", "firing {} no data: load: cluster c does not answer",
                        look(rule, 0));
    is_stale = false;
    koa_metrics_set(metrics, "load", 1, KOA_NO_LABELS);
    KIT_EXPECT_TEXT("data again", "", look(rule, 1000));
    koa_rule_destroy(rule);
}

static void rates_over_a_window(void **state)
{
    struct koa_rule *rule = make(&koa_rule_metric_threshold,
                                 KOA_SETTINGS({"metric", "hits_total"}, {"function", "rate"},
                                              {"window", "60s"}, {"threshold", "2"}));

    (void) state;
    koa_metrics_count(metrics, "hits_total", 1000, KOA_NO_LABELS);
    KIT_EXPECT_TEXT("first look", "", look(rule, 0));
    koa_metrics_count(metrics, "hits_total", 900, KOA_NO_LABELS);
    KIT_EXPECT_TEXT("half a window is no rate", "", look(rule, 30000));
    KIT_EXPECT_CONTAINS("15 a second", "hits_total is 15.0, greater than 2.0", look(rule, 30000));
    KIT_EXPECT_CONTAINS("named", "rate over 1m of hits_total", look(rule, 0));
    KIT_EXPECT_TEXT("it ends", "", look(rule, 60000));
    koa_rule_destroy(rule);
}

static void an_increase_that_is_too_large_already_counts(void **state)
{
    struct koa_rule *rule =
        make(&koa_rule_metric_threshold,
             KOA_SETTINGS({"metric", "hits_total"}, {"function", "increase"}, {"window", "60s"},
                          {"aggregate", "sum"}, {"threshold", "100"}));

    (void) state;
    koa_metrics_count(metrics, "hits_total", 1, KOA_NO_LABELS);
    KIT_EXPECT_TEXT("first look", "", look(rule, 0));
    koa_metrics_count(metrics, "hits_total", 101, KOA_LABELS({"path", "/"}));
    KIT_EXPECT_TEXT("after a second",
                    "firing {} increase over 1m of hits_total is 101.0, greater than 100.0",
                    look(rule, 1000));
    KIT_EXPECT_CONTAINS("not yet a whole window", "firing", look(rule, 30000));
    KIT_EXPECT_TEXT("over", "", look(rule, 60000));
    koa_rule_destroy(rule);
}

static const struct {
    const char *name;
    const struct koa_setting rows[3];
    const char *message;
} bad_settings[] = {
    {"no metric", {{"threshold", "1"}}, "metric"},
    {"no threshold", {{"metric", "x"}}, "threshold"},
    {"no number", {{"metric", "x"}, {"threshold", "much"}}, "threshold"},
    {"a clear threshold on the bad side",
     {{"metric", "x"}, {"threshold", "1"}, {"clear_threshold", "2"}},
     "good side"},
    {"a broken expression",
     {{"metric", "x"}, {"threshold", "1"}, {"match", "{topic: \"(\"}"}},
     "regular expression"},
};

static void bad_settings_are_named(void **state)
{
    (void) state;
    KIT_EACH (c, bad_settings) {
        struct koa_error error = {0};
        struct koa_settings settings = {.rows = c->rows};

        while (settings.count < 3 && c->rows[settings.count].key != NULL)
            settings.count++;
        KIT_EXPECT(c->name, kit_rule_make(&koa_rule_metric_threshold, &settings, &error) == NULL);
        KIT_EXPECT_CONTAINS(c->name, c->message, error.text);
    }
}

/* ---- error_rate ---- */

static void count(double requests, double errors)
{
    koa_metrics_count(metrics, "requests_total", requests, KOA_NO_LABELS);
    if (errors > 0)
        koa_metrics_count(metrics, "errors_total", errors, KOA_LABELS({"component", "http"}));
}

static struct koa_rule *make_error_rate(void)
{
    return make(&koa_rule_error_rate,
                KOA_SETTINGS({"errors", "errors_total"}, {"errors_match", "{component: http}"},
                             {"requests", "requests_total"}, {"window", "60s"},
                             {"threshold", "0.05"}, {"min_events", "20"}));
}

static void error_rates(void **state)
{
    struct koa_rule *rule = make_error_rate();

    (void) state;
    KIT_EXPECT_TEXT("no requests yet", "missing: no series of 'requests_total' has been seen yet",
                    look(rule, 0));
    koa_rule_destroy(rule);
    rule = make_error_rate();
    count(1000, 0);
    KIT_EXPECT_TEXT("first look", "", look(rule, 1000));
    count(19, 19);
    KIT_EXPECT_TEXT("too few", "", look(rule, 10000));
    count(171, 0);
    KIT_EXPECT_TEXT("ten percent", "firing {} error rate is 10.00% (19 of 190 in 1m), limit 5.00%",
                    look(rule, 10000));
    count(1000, 0);
    KIT_EXPECT_CONTAINS("a part of the window ends nothing", "firing", look(rule, 10000));
    KIT_EXPECT_TEXT("the whole does", "", look(rule, 60000));
    koa_rule_destroy(rule);
}

/* As the agent's counters are: there before the first event, at 0. */
static void errors_that_start_at_zero_change_no_verdict(void **state)
{
    static const double steps[][2] = {{1000, 0}, {19, 19}, {171, 0}, {1000, 0}, {3000, 0}};
    char late[KOA_ARRAY_COUNT(steps)][256];

    for (int is_started = 0; is_started < 2; is_started++) {
        struct koa_rule *rule = make_error_rate();

        if (is_started)
            koa_metrics_count(metrics, "errors_total", 0, KOA_LABELS({"component", "http"}));
        for (size_t i = 0; i < KOA_ARRAY_COUNT(steps); i++) {
            const char *verdict;

            count(steps[i][0], steps[i][1]);
            verdict = look(rule, i == 0 ? 1000 : 15000);
            if (is_started) {
                KIT_EXPECT_TEXT("the same", late[i], verdict);
            } else {
                (void) snprintf(late[i], sizeof(late[i]), "%s", verdict);
            }
        }
        KIT_EXPECT_CONTAINS("it fired", "firing", late[2]);
        koa_rule_destroy(rule);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

static void few_requests_with_errors_end_nothing(void **state)
{
    struct koa_rule *rule = make_error_rate();

    (void) state;
    count(1, 0);
    KIT_EXPECT_TEXT("first look", "", look(rule, 0));
    count(100, 50);
    KIT_EXPECT_CONTAINS("fires", "50.00%", look(rule, 10000));
    KIT_EXPECT_CONTAINS("still in the window", "firing", look(rule, 45000));
    count(2, 1);
    KIT_EXPECT_CONTAINS("two requests, one failed", "firing", look(rule, 20000));
    KIT_EXPECT_TEXT("no error any more", "", look(rule, 65000));
    koa_rule_destroy(rule);
}

/* ---- all ---- */

static void every_rule_keeps_the_contract(void **state)
{
    (void) state;
    kit_rule_contract(&koa_rule_health_status, KOA_NO_SETTINGS);
    kit_rule_contract(&koa_rule_metric_threshold,
                      KOA_SETTINGS({"metric", "x"}, {"threshold", "1"}));
    kit_rule_contract(&koa_rule_error_rate, KOA_SETTINGS({"errors", "e"}, {"requests", "r"}));
}

/* As agent/ does it: the default's settings, without its type. */
static void default_rules_can_be_made(void **state)
{
    size_t count;
    const struct koa_default_rule *rules = koa_default_rules(&count);

    (void) state;
    KIT_EXPECT_INT("four", 4, count);
    for (size_t i = 0; i < count; i++) {
        const struct koa_rule_ops *ops = koa_builtin_find_rule(rules[i].rows[0].value);
        struct koa_settings settings = {.rows = rules[i].rows, .count = rules[i].count};

        KIT_EXPECT_TEXT(rules[i].name, "type", rules[i].rows[0].key);
        KIT_EXPECT(rules[i].name, ops != NULL);
        if (ops != NULL)
            koa_rule_destroy(make(ops, &settings));
    }
}

#define RULE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULE_TEST(health_statuses),
        RULE_TEST(health_resolves_only_when_all_have_answered),
        RULE_TEST(a_check_that_is_gone_resolves),
        RULE_TEST(operators_as_words_and_symbols),
        RULE_TEST(aggregates_of_the_matched),
        RULE_TEST(two_thresholds_make_hysteresis),
        RULE_TEST(a_stale_source_keeps_the_alert),
        RULE_TEST(missing_data_may_fire),
        RULE_TEST(rates_over_a_window),
        RULE_TEST(an_increase_that_is_too_large_already_counts),
        RULE_TEST(bad_settings_are_named),
        RULE_TEST(error_rates),
        RULE_TEST(errors_that_start_at_zero_change_no_verdict),
        RULE_TEST(few_requests_with_errors_end_nothing),
        RULE_TEST(every_rule_keeps_the_contract),
        RULE_TEST(default_rules_can_be_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

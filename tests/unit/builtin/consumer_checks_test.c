/* The checks on consumer groups, over snapshots from tables. */
#include <koa/check.h>

#include <stdio.h>

#include "kit/check_kit.h"
#include "kit/kit.h"
#include "kit/snapshot_kit.h"

enum { OPEN = 1U << KOA_CONDITION_OPEN_TRANSACTION, MARKERS = 1U << KOA_CONDITION_MARKERS_ONLY };

static const struct kit_partition partitions[] = {
    {.topic = "orders", .id = 0, .end = 100000},
    {.topic = "orders", .id = 1, .end = 100000},
    {.topic = "pay", .id = 0, .end = 1000},
};

static const struct kit_group groups[] = {
    {.name = "fast", .members = 1},
    {.name = "slow", .members = 2},
    {.name = "empty", .state = "Empty"},
    {.name = "transactional", .members = 1},
    {.name = "old", .members = 1, .stale_for_ms = 60000},
};

static const struct kit_commit commits[] = {
    {"fast", "orders", 0, 99990, 0},
    {"slow", "orders", 0, 95000, 0},
    {"slow", "orders", 1, 99000, 0},
    {"slow", "pay", 0, 1000, 0},
    {"empty", "pay", 0, 300, 0},
    {"transactional", "orders", 0, 10, OPEN},
    {"transactional", "pay", 0, 998, MARKERS},
    {"old", "pay", 0, 990, 0},
};

static const struct kit_group_topic history[] = {
    {.group = "fast",
     .topic = "orders",
     .still_ms = 1,
     .lag_seconds = 0.5,
     .lag_quality = KOA_LAG_INTERPOLATED},
    {.group = "slow",
     .topic = "orders",
     .still_ms = 1000,
     .lag_seconds = 240,
     .lag_quality = KOA_LAG_AT_LEAST},
    {.group = "slow", .topic = "pay", .still_ms = 900000, .lag_quality = KOA_LAG_EXACT},
    {.group = "empty", .topic = "pay", .still_ms = 420000},
    {.group = "transactional",
     .topic = "orders",
     .still_ms = 900000,
     .lag_seconds = 9000,
     .lag_quality = KOA_LAG_INTERPOLATED},
    {.group = "transactional",
     .topic = "pay",
     .still_ms = 900000,
     .lag_seconds = 9000,
     .lag_quality = KOA_LAG_INTERPOLATED},
    {.group = "old", .topic = "pay", .still_ms = 100000},
};

static const struct kit_snapshot spec = {.partitions = partitions,
                                         .partition_count = KOA_ARRAY_COUNT(partitions),
                                         .groups = groups,
                                         .group_count = KOA_ARRAY_COUNT(groups),
                                         .group_topics = history,
                                         .group_topic_count = KOA_ARRAY_COUNT(history),
                                         .commits = commits,
                                         .commit_count = KOA_ARRAY_COUNT(commits)};

struct judgement {
    const char *name;
    struct koa_setting settings[4];
    enum koa_status expected;
    const char *text;
    const char *details; /* part of them; NULL: any */
};

static void expect_row(const struct koa_check_ops *ops, const struct judgement *row,
                       const struct koa_snapshot *snapshot, int64_t after_ms)
{
    struct koa_settings settings = {.rows = row->settings};
    struct koa_buf details = {.limit = 65536};
    struct koa_verdict verdict;

    while (settings.count < KOA_ARRAY_COUNT(row->settings) &&
           row->settings[settings.count].key != NULL)
        settings.count++;
    kit_check_judge(ops, &settings, snapshot,
                    (struct koa_wall){.ms = KIT_SNAPSHOT_WALL_MS + after_ms}, &verdict);
    KIT_EXPECT_TEXT(row->name, koa_status_name(row->expected), koa_status_name(verdict.status));
    KIT_EXPECT_CONTAINS(row->name, row->text, verdict.text);
    koa_verdict_print_details(&verdict, &details);
    if (row->details != NULL)
        KIT_EXPECT_CONTAINS(row->name, row->details, koa_buf_text(&details));
    koa_buf_deinit(&details);
    koa_verdict_deinit(&verdict);
}

static const struct judgement lags[] = {
    {"the worst is named with its limit",
     {{"critical", "5000"}},
     KOA_STATUS_UNHEALTHY,
     "High consumer lag: slow is 6000 messages behind (critical 5000)",
     "\"groups\":5,\"groups_critical\":1,\"groups_warning\":0,\"groups_stale\":1"},
    {"above, not at, the limit",
     {{"warning", "6000"}, {"exclude", "old"}},
     KOA_STATUS_HEALTHY,
     "Consumer lag OK: 4 groups, the largest lag is 6000 messages (slow)",
     NULL},
    {"what is critical comes first",
     {{"warning", "10"}, {"critical", "5000"}},
     KOA_STATUS_UNHEALTHY,
     "slow is 6000 messages behind (critical 5000); empty is 700 messages behind (warning 10)",
     "\"groups_critical\":1,\"groups_warning\":1"},
    {"only warnings degrade",
     {{"warning", "600"}},
     KOA_STATUS_DEGRADED,
     "slow is 6000 messages behind (warning 600); empty is 700",
     NULL},
    {"in time, with its quality",
     {{"critical_time", "3m"}},
     KOA_STATUS_UNHEALTHY,
     "slow is at least 240.0 s behind (critical 180.0 s)",
     "\"groups_without_time\":2"},
    {"groups are chosen",
     {{"critical", "1"}, {"include", "[fast, em.*]"}, {"exclude", "empt."}},
     KOA_STATUS_UNHEALTHY,
     "High consumer lag: fast is 10 messages behind (critical 1)",
     "\"groups\":1,"},
    {"the first override that matches counts",
     {{"critical", "5000"},
      {"overrides", "[{match: 'sl.*', critical: 10000}, {match: slow, critical: 1}, {match: fast, "
                    "warning: 5}]"}},
     KOA_STATUS_DEGRADED,
     "High consumer lag: fast is 10 messages behind (warning 5)",
     NULL},
    {"an override can switch a group off",
     {{"critical", "100"}, {"overrides", "[{match: [slow, empty, old]}]"}},
     KOA_STATUS_DEGRADED,
     "The lag of 1 of 5 consumer groups cannot be told: their commits are up to 60.0 s old",
     NULL},
    {"transactions are out",
     {{"critical", "1"}, {"include", "transactional"}},
     KOA_STATUS_HEALTHY,
     "Consumer lag OK: 1 groups",
     "\"partitions_left_out\":2"},
    {"in time, too",
     {{"critical_time", "1s"}, {"include", "transactional"}},
     KOA_STATUS_HEALTHY,
     "Consumer lag OK: 1 groups",
     NULL},
    {"stale data says so",
     {{"critical", "5"}, {"include", "old"}},
     KOA_STATUS_UNHEALTHY,
     "old is 10 messages behind (critical 5), as of 60.0 s ago",
     "\"is_stale\":true"},
    {"none is no trouble",
     {{"critical", "5"}, {"include", "nobody"}},
     KOA_STATUS_HEALTHY,
     "Consumer lag OK: 0 groups",
     NULL},
};

static void lag_is_compared_with_the_limits_of_its_group(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&spec);

    (void) state;
    KIT_EACH (row, lags)
        expect_row(&koa_check_consumer_lag, row, snapshot, 0);
    koa_snapshot_unref(snapshot);
}

static const struct judgement stalls[] = {
    {"five minutes by default",
     {{NULL, NULL}},
     KOA_STATUS_UNHEALTHY,
     "Consumers stand still: empty on pay for 7m, 700 messages behind, without members",
     "\"groups\":5,\"groups_stalled\":1,\"groups_stale\":1,\"groups_unknown\":0,"
     "\"partitions_left_out\":2"},
    {"a longer time",
     {{"for", "8m"}, {"exclude", "old"}},
     KOA_STATUS_HEALTHY,
     "Consumers move: 4 groups",
     NULL},
    {"only with members",
     {{"members_only", "true"}, {"exclude", "old"}},
     KOA_STATUS_HEALTHY,
     "Consumers move: 3 groups",
     NULL},
    {"a small lag may stay",
     {{"min_lag", "701"}, {"exclude", "old"}},
     KOA_STATUS_HEALTHY,
     "Consumers move",
     NULL},
    {"the longest comes first",
     {{"for", "1s"}, {"exclude", "old"}},
     KOA_STATUS_UNHEALTHY,
     "empty on pay for 7m, 700 messages behind, without members; slow on orders for 1s, 6000",
     "{\"group\":\"slow\",\"topic\":\"orders\",\"lag\":6000,\"still_seconds\":1,\"members\":2}"},
    {"time stands still for what is stale",
     {{"for", "41s"}, {"include", "old"}},
     KOA_STATUS_DEGRADED,
     "The progress of 1 of 1 consumer groups cannot be told",
     NULL},
    {"until when it was seen",
     {{"for", "40s"}, {"include", "old"}},
     KOA_STATUS_UNHEALTHY,
     "old on pay for 40s",
     NULL},
};

static void a_group_that_stands_while_it_lags_is_found(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&spec);

    (void) state;
    KIT_EACH (row, stalls)
        expect_row(&koa_check_consumer_stalled, row, snapshot, 0);
    koa_snapshot_unref(snapshot);
}

/* Beside what waits for a transaction there is a partition that may be read. */
static void what_waits_does_not_count_in_time(void **state)
{
    static const struct kit_group half_groups[] = {{.name = "half", .members = 1}};
    static const struct kit_commit half_commits[] = {{"half", "orders", 0, 10, OPEN},
                                                     {"half", "orders", 1, 99990, 0}};
    static const struct kit_group_topic half_history[] = {{.group = "half",
                                                           .topic = "orders",
                                                           .still_ms = 1,
                                                           .lag_seconds = 9000,
                                                           .readable_seconds = 3,
                                                           .lag_quality = KOA_LAG_INTERPOLATED}};
    static const struct judgement rows[] = {
        {"not what waits",
         {{"critical_time", "4s"}},
         KOA_STATUS_HEALTHY,
         "Consumer lag OK: 1 groups",
         "\"partitions_left_out\":1"},
        {"what can be read",
         {{"critical_time", "2s"}},
         KOA_STATUS_UNHEALTHY,
         "half is 3.0 s behind (critical 2.0 s)",
         NULL},
    };
    struct kit_snapshot half = spec;
    struct koa_snapshot *snapshot;

    (void) state;
    half.groups = half_groups;
    half.group_count = KOA_ARRAY_COUNT(half_groups);
    half.group_topics = half_history;
    half.group_topic_count = KOA_ARRAY_COUNT(half_history);
    half.commits = half_commits;
    half.commit_count = KOA_ARRAY_COUNT(half_commits);
    snapshot = kit_snapshot(&half);
    KIT_EACH (row, rows)
        expect_row(&koa_check_consumer_lag, row, snapshot, 0);
    koa_snapshot_unref(snapshot);
}

static void what_was_never_seen_to_move_is_not_said_to_stand(void **state)
{
    static const struct judgement row = {"no history",
                                         {{NULL, NULL}},
                                         KOA_STATUS_HEALTHY,
                                         "Consumers move: 5 groups",
                                         "\"groups_unknown\":4"};
    struct kit_snapshot young = spec;
    struct koa_snapshot *snapshot;

    (void) state;
    young.group_topic_count = 0;
    snapshot = kit_snapshot(&young);
    snapshot->interval_ms = 60000; /* "old" is not overdue */
    expect_row(&koa_check_consumer_stalled, &row, snapshot, 0);
    koa_snapshot_unref(snapshot);
}

static void without_fresh_data_there_is_no_verdict(void **state)
{
    static const struct judgement none = {
        "none", {{"critical", "5"}}, KOA_STATUS_UNKNOWN, "No Kafka cluster is watched yet", NULL};
    static const struct judgement failed = {"failed",
                                            {{"critical", "5"}},
                                            KOA_STATUS_UNKNOWN,
                                            "Kafka metadata cannot be read: refused; the data is "
                                            "5.0 s old",
                                            "\"data_age_seconds\":5"};
    static const struct judgement old = {
        "old", {{"critical", "5"}}, KOA_STATUS_UNKNOWN, "Kafka data is 45.1 s old", NULL};
    struct kit_snapshot broken = spec;
    struct koa_snapshot *snapshot;

    (void) state;
    broken.error = "refused";
    snapshot = kit_snapshot(&broken);
    expect_row(&koa_check_consumer_lag, &none, NULL, 0);
    expect_row(&koa_check_consumer_lag, &failed, snapshot, 5000);
    koa_snapshot_unref(snapshot);
    snapshot = kit_snapshot(&spec);
    expect_row(&koa_check_consumer_lag, &old, snapshot, 45100);
    koa_snapshot_unref(snapshot);
}

static const struct {
    const char *name;
    struct koa_setting settings[2];
    const char *error;
} refused[] = {
    {"no limit", {{"exclude", "a"}}, "a limit is missing: set warning, critical, warning_time"},
    {"limits in the wrong order",
     {{"warning", "10"}, {"critical", "5"}},
     "warning (10) must not be above critical (5)"},
    {"times in the wrong order",
     {{"warning_time", "10s"}, {"critical_time", "5s"}},
     "warning_time (10000 ms) must not be above critical_time (5000 ms)"},
    {"a bad expression", {{"warning", "1"}, {"include", "a("}}, "regular expression"},
    {"an override without names", {{"overrides", "[{warning: 5}]"}}, "is missing"},
    {"an override in the wrong order",
     {{"overrides", "[{match: a, warning: 5}, {match: b, warning: 9, critical: 8}]"}},
     "warning (9) must not be above critical (8)"},
};

static void wrong_limits_are_refused_by_name(void **state)
{
    (void) state;
    KIT_EACH (c, refused) {
        struct koa_settings settings = {.rows = c->settings,
                                        .count = c->settings[1].key != NULL ? 2 : 1};
        char errors[2048];
        struct koa_check_unit *unit =
            kit_check_load(&koa_check_consumer_lag, NULL, &settings, errors, sizeof(errors));

        KIT_EXPECT(c->name, unit == NULL);
        KIT_EXPECT_CONTAINS(c->name, c->error, errors);
    }
}

static void more_than_a_text_holds_is_counted(void **state)
{
    static struct kit_group many[60];
    static struct kit_commit behind[60];
    static char names[60][128];
    struct kit_snapshot crowd = {.partitions = partitions,
                                 .partition_count = KOA_ARRAY_COUNT(partitions),
                                 .groups = many,
                                 .group_count = KOA_ARRAY_COUNT(many),
                                 .commits = behind,
                                 .commit_count = KOA_ARRAY_COUNT(behind)};
    static const struct judgement row = {"many",
                                         {{"critical", "5"}},
                                         KOA_STATUS_UNHEALTHY,
                                         "; and 55 more",
                                         "\"groups_critical\":60"};
    struct koa_snapshot *snapshot;

    (void) state;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(many); i++) {
        (void) snprintf(names[i], sizeof(names[i]), "group-%02zu-%060d", i, 0);
        many[i] = (struct kit_group){.name = names[i], .members = 1};
        behind[i] = (struct kit_commit){names[i], "pay", 0, (int64_t) i, 0};
    }
    snapshot = kit_snapshot(&crowd);
    expect_row(&koa_check_consumer_lag, &row, snapshot, 0);
    koa_snapshot_unref(snapshot);
}

static void they_keep_the_contract_of_checks(void **state)
{
    (void) state;
    koa_check_contract_test(&koa_check_consumer_lag,
                            KOA_SETTINGS({"warning", "5"}, {"include", "[a.*, b]"},
                                         {"exclude", "c"}, {"overrides", "[{match: d}]"}));
    koa_check_contract_test(&koa_check_consumer_stalled, KOA_SETTINGS({"include", "a.*"}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lag_is_compared_with_the_limits_of_its_group),
        cmocka_unit_test(a_group_that_stands_while_it_lags_is_found),
        cmocka_unit_test(what_waits_does_not_count_in_time),
        cmocka_unit_test(what_was_never_seen_to_move_is_not_said_to_stand),
        cmocka_unit_test(without_fresh_data_there_is_no_verdict),
        cmocka_unit_test(wrong_limits_are_refused_by_name),
        cmocka_unit_test(more_than_a_text_holds_is_counted),
        cmocka_unit_test(they_keep_the_contract_of_checks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The kafka check over snapshots of a fake cluster. */
#include <koa/check.h>

#include <stdio.h>
#include <string.h>

#include "../cluster/fake_cluster.h"
#include "cluster/troubles.h"
#include "kit/check_kit.h"
#include "kit/kit.h"
#include "kit/snapshot_kit.h"

static void look(const struct koa_snapshot *snapshot, int64_t after_ms, struct koa_verdict *verdict)
{
    struct koa_wall now = {.ms = after_ms};

    if (snapshot != NULL)
        now.ms += koa_snapshot_time(snapshot).ms;
    kit_check_judge(&koa_check_kafka, KOA_NO_SETTINGS, snapshot, now, verdict);
}

static void expect(const char *name, struct koa_verdict *verdict, enum koa_status status,
                   const char *text)
{
    KIT_EXPECT_TEXT(name, koa_status_name(status), koa_status_name(verdict->status));
    KIT_EXPECT_CONTAINS(name, text, verdict->text);
    koa_verdict_deinit(verdict);
}

/* In order of enum koa_trouble. */
static const char *const words[] = {
    "missing_brokers", "leaderless",       "under_replicated", "offline_replicas",
    "no_controller",   "under_min_isr",    "at_min_isr",       "non_preferred_leaders",
    "reassigning",     "offline_log_dirs", "lagging_voters"};

static void no_snapshot_says_what_to_set(void **state)
{
    struct koa_verdict verdict;

    (void) state;
    look(NULL, 0, &verdict);
    assert_true(verdict.is_subjectless);
    expect("none", &verdict, KOA_STATUS_UNKNOWN, "KAFKA_BOOTSTRAP_SERVERS");
}

static void all_brokers_up_is_healthy_with_its_details(void **state)
{
    struct koa_buf details = {.limit = 4096};
    struct koa_verdict verdict;
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    look(fake.snapshot, 0, &verdict);
    koa_verdict_print_details(&verdict, &details);
    KIT_EXPECT_CONTAINS("details", "\"broker_count\":3", koa_buf_text(&details));
    KIT_EXPECT_CONTAINS("details", "\"topic_count\":2", koa_buf_text(&details));
    KIT_EXPECT_CONTAINS("details", "\"cluster_id\":\"id-1\"", koa_buf_text(&details));
    expect("up", &verdict, KOA_STATUS_HEALTHY, "Kafka cluster accessible with 3 brokers");
    koa_buf_deinit(&details);
    fake_tear_down(&fake);
}

static void a_broker_that_did_not_answer_degrades_for_an_hour(void **state)
{
    struct koa_verdict verdict;
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    fake.modes[3] = FAKE_REFUSES;
    (void) fake_cycle(&fake);
    look(fake.snapshot, 0, &verdict);
    expect("refuses", &verdict, KOA_STATUS_DEGRADED,
           "Kafka cluster accessible with 2 brokers; 1 did not answer, broker 3: Connection "
           "refused");
    fake.is_listed[3] = false;
    (void) fake_cycle(&fake);
    look(fake.snapshot, 0, &verdict);
    expect("not listed", &verdict, KOA_STATUS_DEGRADED, "with 2 brokers");
    fake.now.ms += 60 * 60 * 1000 + 1;
    (void) fake_cycle(&fake);
    look(fake.snapshot, 0, &verdict);
    expect("forgotten", &verdict, KOA_STATUS_HEALTHY, "with 2 brokers");
    fake_tear_down(&fake);
}

static void no_broker_is_unhealthy(void **state)
{
    struct koa_verdict verdict;
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    fake.modes[0] = FAKE_REFUSES;
    (void) fake_cycle(&fake);
    look(fake.snapshot, 0, &verdict);
    expect("from the start", &verdict, KOA_STATUS_UNHEALTHY,
           "No Kafka brokers available: Connection refused");
    fake_tear_down(&fake);
}

static void a_collector_that_fails_or_hangs_is_evidence(void **state)
{
    struct koa_verdict verdict;
    struct fake_cluster fake;

    (void) state;
    fake_set_up(&fake);
    (void) fake_cycle(&fake);
    look(fake.snapshot, 45000, &verdict);
    expect("three intervals", &verdict, KOA_STATUS_HEALTHY, "3 brokers");
    look(fake.snapshot, 45001, &verdict);
    expect("more", &verdict, KOA_STATUS_UNHEALTHY, "45.0 s old");
    fake.metadata_error = 31;
    fake.now.ms += 15000;
    (void) fake_cycle(&fake);
    look(fake.snapshot, 0, &verdict);
    expect("refused", &verdict, KOA_STATUS_UNHEALTHY, "15.0 s old");
    fake_tear_down(&fake);
}

static const struct kit_partition partitions[] = {
    {.topic = "a", .id = 0, .leader = -1, .replicas = 2, .out_of_sync = 1, .has_offline = 1},
    {.topic = "a", .id = 1, .replicas = 2, .out_of_sync = 1},
    {.topic = "b", .id = 0, .replicas = 2},
};

static const struct {
    const char *name;
    struct koa_setting setting;
    enum koa_status expected;
} choices[] = {
    {"by default", {"timeout", "5s"}, KOA_STATUS_DEGRADED},
    {"nothing degrades", {"degraded_when", "[]"}, KOA_STATUS_HEALTHY},
    {"what is there", {"degraded_when", "[offline_replicas]"}, KOA_STATUS_DEGRADED},
    {"what is not", {"degraded_when", "[missing_brokers, no_controller]"}, KOA_STATUS_HEALTHY},
    {"one is worse", {"unhealthy_when", "leaderless"}, KOA_STATUS_UNHEALTHY},
};

static void a_user_says_which_troubles_count(void **state)
{
    struct koa_snapshot *snapshot = kit_snapshot(&(struct kit_snapshot){
        .partitions = partitions, .partition_count = KOA_ARRAY_COUNT(partitions)});

    (void) state;
    KIT_EACH (c, choices) {
        struct koa_settings settings = {.rows = &c->setting, .count = 1};
        struct koa_buf details = {.limit = 4096};
        struct koa_verdict verdict;

        kit_check_judge(&koa_check_kafka, &settings, snapshot, koa_snapshot_time(snapshot),
                        &verdict);
        koa_verdict_print_details(&verdict, &details);
        KIT_EXPECT_CONTAINS(c->name,
                            "\"partition_count\":3,\"partitions_leaderless\":1,"
                            "\"partitions_under_replicated\":2,"
                            "\"partitions_with_offline_replicas\":1",
                            koa_buf_text(&details));
        koa_buf_deinit(&details);
        expect(c->name, &verdict, c->expected,
               "Kafka cluster accessible with 3 brokers; 1 partitions have no leader; 2 "
               "partitions are under-replicated; 1 partitions have offline replicas");
    }
    koa_snapshot_unref(snapshot);
}

static const struct kit_partition led_elsewhere[] = {
    {.topic = "a", .id = 0, .replicas = 3, .out_of_sync = 2},
    {.topic = "a", .id = 1, .replicas = 3, .out_of_sync = 1, .is_moved = 1},
    {.topic = "b", .id = 0, .replicas = 3},
};

static struct koa_log_dir_row log_dirs[] = {
    {.broker = 1, .path = "/data/0", .size = 10, .total = 100, .usable = 20},
    {.broker = 2, .path = "/data/1", .error = "Disk error", .total = -1, .usable = -1},
};

/* The second is heard of in time, the third is not, and an observer is not asked for that. */
static struct koa_voter_row voters[] = {
    {.id = 1, .is_voter = true, .log_end = 50, .last_fetch_ms = 100000},
    {.id = 2, .is_voter = true, .log_end = 49, .lag = 1, .last_fetch_ms = 90000},
    {.id = 3, .is_voter = true, .log_end = 30, .lag = 20, .last_fetch_ms = 89999},
    {.id = 4, .log_end = 0, .lag = 50, .last_fetch_ms = 1},
};

static const struct kit_state slow_state = {.min_isr = 2,
                                            .reassigning = 1,
                                            .log_dirs = log_dirs,
                                            .log_dir_count = 2,
                                            .voters = voters,
                                            .voter_count = KOA_ARRAY_COUNT(voters)};

static const struct {
    const char *name;
    struct koa_setting setting;
    enum koa_status expected;
    const char *text;
} state_choices[] = {
    {"by default",
     {"timeout", "5s"},
     KOA_STATUS_DEGRADED,
     "with 3 brokers; 2 partitions are under-replicated; 1 partitions are below "
     "min.insync.replicas; 1 log dirs are offline: /data/1 of broker 2; 1 voters of the quorum do "
     "not follow its leader: 3"},
    {"refused writes", {"unhealthy_when", "under_min_isr"}, KOA_STATUS_UNHEALTHY, "are below min"},
    {"at the edge",
     {"unhealthy_when", "at_min_isr"},
     KOA_STATUS_UNHEALTHY,
     "1 partitions are at min.insync.replicas"},
    {"leaders",
     {"unhealthy_when", "[non_preferred_leaders]"},
     KOA_STATUS_UNHEALTHY,
     "1 partitions are not led by their preferred replica"},
    {"moves", {"unhealthy_when", "reassigning"}, KOA_STATUS_UNHEALTHY, "1 partitions are being"},
    {"disks", {"unhealthy_when", "offline_log_dirs"}, KOA_STATUS_UNHEALTHY, "/data/1 of broker 2"},
    {"voters", {"unhealthy_when", "lagging_voters"}, KOA_STATUS_UNHEALTHY, "its leader: 3"},
    {"none", {"degraded_when", "[no_controller]"}, KOA_STATUS_HEALTHY, "with 3 brokers"},
};

static void what_slow_cycles_learn_counts_as_the_user_says(void **state)
{
    struct koa_snapshot *snapshot =
        kit_snapshot(&(struct kit_snapshot){.partitions = led_elsewhere,
                                            .partition_count = KOA_ARRAY_COUNT(led_elsewhere),
                                            .state = &slow_state});

    (void) state;
    KIT_EACH (c, state_choices) {
        struct koa_settings settings = {.rows = &c->setting, .count = 1};
        struct koa_buf details = {.limit = 4096};
        struct koa_verdict verdict;

        kit_check_judge(&koa_check_kafka, &settings, snapshot, koa_snapshot_time(snapshot),
                        &verdict);
        koa_verdict_print_details(&verdict, &details);
        KIT_EXPECT_CONTAINS(c->name,
                            "\"partitions_with_non_preferred_leader\":1,"
                            "\"partitions_under_min_isr\":1,\"partitions_at_min_isr\":1,"
                            "\"partitions_reassigning\":1,\"log_dirs_offline\":1,"
                            "\"log_dirs_max_usage_percent\":80,\"quorum_leader\":1,"
                            "\"quorum_max_lag\":20,\"quorum_lagging_voters\":1",
                            koa_buf_text(&details));
        koa_buf_deinit(&details);
        expect(c->name, &verdict, c->expected, c->text);
    }
    koa_snapshot_unref(snapshot);
}

/* The words and the bits of the default stand in two places. */
static void the_default_is_what_clusters_are_judged_by(void **state)
{
    (void) state;
    for (unsigned bit = 0; bit <= KOA_TROUBLE_LAGGING_VOTERS; bit++) {
        struct koa_troubles counts = {.has_controller = bit != KOA_TROUBLE_NO_CONTROLLER};
        bool is_named = strstr(KOA_TROUBLES_DEGRADED_WORDS, words[bit]) != NULL;

        counts.brokers_missing = bit == KOA_TROUBLE_MISSING_BROKERS;
        counts.leaderless = bit == KOA_TROUBLE_LEADERLESS;
        counts.under_replicated = bit == KOA_TROUBLE_UNDER_REPLICATED;
        counts.offline_replicas = bit == KOA_TROUBLE_OFFLINE_REPLICAS;
        counts.under_min_isr = bit == KOA_TROUBLE_UNDER_MIN_ISR;
        counts.at_min_isr = bit == KOA_TROUBLE_AT_MIN_ISR;
        counts.non_preferred = bit == KOA_TROUBLE_NON_PREFERRED_LEADERS;
        counts.reassigning = bit == KOA_TROUBLE_REASSIGNING;
        counts.offline_log_dirs = bit == KOA_TROUBLE_OFFLINE_LOG_DIRS;
        counts.lagging_voters = bit == KOA_TROUBLE_LAGGING_VOTERS;
        KIT_EXPECT_INT(words[bit], 1U << bit, koa_troubles_found(&counts));
        KIT_EXPECT_INT(words[bit], is_named, (KOA_TROUBLES_DEGRADED >> bit & 1) != 0);
    }
}

static void it_keeps_the_contract_of_checks(void **state)
{
    (void) state;
    koa_check_contract_test(&koa_check_kafka, KOA_NO_SETTINGS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_snapshot_says_what_to_set),
        cmocka_unit_test(all_brokers_up_is_healthy_with_its_details),
        cmocka_unit_test(a_broker_that_did_not_answer_degrades_for_an_hour),
        cmocka_unit_test(no_broker_is_unhealthy),
        cmocka_unit_test(a_collector_that_fails_or_hangs_is_evidence),
        cmocka_unit_test(a_user_says_which_troubles_count),
        cmocka_unit_test(what_slow_cycles_learn_counts_as_the_user_says),
        cmocka_unit_test(the_default_is_what_clusters_are_judged_by),
        cmocka_unit_test(it_keeps_the_contract_of_checks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

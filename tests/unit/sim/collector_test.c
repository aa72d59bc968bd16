/* The collector on the simulated cluster, bytes between them and virtual time: what lag means at
 * the edges where other tools are wrong, and what brokers that misbehave cost. */
#include "cluster/collector.h"

#include <stdio.h>

#include "kit/kit.h"
#include "watch_kit.h"

/* ---- lag at the edges */

/* A group that has read everything of a topic that nobody writes to any more. */
static void prepare_reader(struct watch *watch)
{
    sim_watch_set_up(watch, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&watch->kit,
               "scenario:\n"
               "  - {at: 0s, do: write, topic: orders, rate: 0}\n"
               "  - {at: 0s, do: create_group, group: reader, topic: orders, lag: 0s}\n");
    sim_kit_advance(&watch->kit, 20000);
}

static void every_group_is_there_with_its_lag(void **state)
{
    struct watch watch;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_watch_cycles(&watch, 2);
    KIT_EXPECT_INT("groups", 10, koa_snapshot_group_count(watch.snapshot));
    for (size_t i = 0; i < koa_snapshot_group_count(watch.snapshot); i++) {
        struct koa_snapshot_group row;

        koa_snapshot_group(watch.snapshot, i, &row);
        KIT_EXPECT(row.name, row.error == NULL && !row.is_stale);
        KIT_EXPECT(row.name, row.has_lag && row.lag >= 0);
        KIT_EXPECT(row.name, row.has_members);
    }
    KIT_EXPECT_INT("consumer members", 2, sim_watch_group(&watch, "search-indexer").members);
    KIT_EXPECT_INT("share members", 2, sim_watch_group(&watch, "notifications").members);
    KIT_EXPECT_INT("streams members", 2, sim_watch_group(&watch, "sessionizer").members);
    sim_watch_tear_down(&watch);
}

static void a_group_without_members_is_still_there(void **state)
{
    struct koa_snapshot_group row;
    struct watch watch;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_watch_cycle(&watch);
    row = sim_watch_group(&watch, "nightly-export");
    KIT_EXPECT_TEXT("state", "Empty", row.state);
    KIT_EXPECT("lags", row.has_lag && row.lag > 0);
    KIT_EXPECT("one that only commits too", sim_watch_group(&watch, "backup-tool").has_lag);
    sim_watch_tear_down(&watch);
}

static void a_partition_without_commit_is_a_condition_and_no_number(void **state)
{
    struct koa_snapshot_group row;
    struct watch watch;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_watch_cycle(&watch);
    row = sim_watch_group(&watch, "fraud-detection");
    KIT_EXPECT_INT("one", 1, row.conditions[KOA_CONDITION_NO_COMMIT]);
    KIT_EXPECT("the others count", row.has_lag && row.lag >= 0);
    sim_watch_tear_down(&watch);
}

static void a_commit_beyond_the_end_lags_nothing(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_reader(&watch);
    sim_kit_do(&watch.kit,
               "scenario:\n"
               "  - {at: 0s, do: delete_topic, topic: orders}\n"
               "  - {at: 1ms, do: create_topic, topic: orders, partitions: 4, rate: 0}\n");
    sim_kit_advance(&watch.kit, 1);
    sim_watch_cycle(&watch);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", sim_watch_holds(&row, KOA_CONDITION_ABOVE_END));
    KIT_EXPECT_INT("lag", 0, row.lag);
    sim_watch_tear_down(&watch);
}

static void a_commit_below_the_start_lags_what_was_written(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_reader(&watch);
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 0s, do: stall_group, group: reader}\n"
                           "  - {at: 1ms, do: write, topic: orders, messages: 1000}\n"
                           "  - {at: 2ms, do: delete_records, topic: orders, keep: 10}\n");
    sim_kit_advance(&watch.kit, 2);
    sim_watch_cycles(&watch, 2);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", sim_watch_holds(&row, KOA_CONDITION_BELOW_START));
    KIT_EXPECT_INT("end minus commit, as Kafka's tool counts", 1000, row.lag);
    KIT_EXPECT_INT("what is left", 10, row.end_offset - row.start_offset);
    sim_watch_tear_down(&watch);
}

static void commits_of_a_deleted_topic_have_no_lag(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_reader(&watch);
    sim_watch_cycle(&watch);
    sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: delete_topic, topic: orders}]");
    sim_watch_cycles(&watch, 2);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", sim_watch_holds(&row, KOA_CONDITION_TOPIC_GONE));
    KIT_EXPECT("no lag", !row.has_lag);
    KIT_EXPECT("nor has the group", !sim_watch_group(&watch, "reader").has_lag);
    sim_watch_tear_down(&watch);
}

static void an_open_transaction_is_a_condition_until_it_ends(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_reader(&watch);
    sim_kit_do(&watch.kit,
               "scenario: [{at: 0s, do: begin_transaction, topic: orders, partition: 0}]");
    sim_watch_cycles(&watch, 2);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT_INT("what may not be read yet", 1, row.lag);
    KIT_EXPECT("condition", sim_watch_holds(&row, KOA_CONDITION_OPEN_TRANSACTION));
    sim_kit_do(&watch.kit,
               "scenario: [{at: 0s, do: end_transaction, topic: orders, partition: 0}]");
    sim_watch_cycles(&watch, 8);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("over", !sim_watch_holds(&row, KOA_CONDITION_OPEN_TRANSACTION));
    KIT_EXPECT_INT("the marker", 1, row.lag);
    KIT_EXPECT("is known for one", sim_watch_holds(&row, KOA_CONDITION_MARKERS_ONLY));
    sim_watch_tear_down(&watch);
}

static void ends_are_never_older_than_commits(void **state)
{
    struct watch watch;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&watch.kit,
               "scenario:\n"
               "  - {at: 0s, do: slow_broker, latency: 700ms}\n"
               "  - {at: 0s, do: write, rate: 10000}\n"
               "  - {at: 0s, do: create_group, group: reader, topic: orders, lag: 0s}\n");
    for (int i = 0; i < 10; i++) {
        sim_watch_cycle(&watch);
        for (size_t g = 0; g < koa_snapshot_group_count(watch.snapshot); g++) {
            struct koa_snapshot_group row;

            koa_snapshot_group(watch.snapshot, g, &row);
            KIT_EXPECT_INT(row.name, 0, row.conditions[KOA_CONDITION_ABOVE_END]);
            KIT_EXPECT(row.name, row.lag >= 0);
        }
    }
    sim_watch_tear_down(&watch);
}

static void a_group_of_two_coordinators_is_one_group(void **state)
{
    struct watch watch;
    char events[200];

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_watch_cycle(&watch);
    (void) sim_kit_turn_to(&watch.kit, "billing");
    (void) snprintf(events, sizeof(events),
                    "scenario: [{at: 0s, do: move_coordinator, group: billing, to: %d, "
                    "listed_twice: 1m}]",
                    watch.kit.question.broker % SIM_KIT_BROKERS + 1);
    sim_kit_do(&watch.kit, events);
    for (int i = 0; i < 6; i++) {
        sim_watch_cycle(&watch);
        KIT_EXPECT("once, with lag", sim_watch_group(&watch, "billing").has_lag);
    }
    KIT_EXPECT("fresh in the end", !sim_watch_group(&watch, "billing").is_stale);
    sim_watch_tear_down(&watch);
}

static void a_partition_without_leader_keeps_what_was_known(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    prepare_reader(&watch);
    sim_watch_cycle(&watch);
    sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: lose_leader, topic: orders, partition: 0}]");
    sim_watch_cycle(&watch);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("condition", sim_watch_holds(&row, KOA_CONDITION_LEADERLESS));
    sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: elect_preferred}]");
    sim_watch_cycles(&watch, 2);
    row = sim_watch_commit(&watch, "reader", "orders");
    KIT_EXPECT("over", !sim_watch_holds(&row, KOA_CONDITION_LEADERLESS) && row.has_lag);
    sim_watch_tear_down(&watch);
}

/* ---- brokers that misbehave */

struct trouble {
    const char *name;
    const char *events; /* what happens to broker 2 */
    bool is_over;       /* by itself, within a minute: what it owed moves to the others */
};

/* Groups by whether broker 2 coordinates them. */
static void expect_groups(const struct watch *watch, const char *name, bool is_stale)
{
    size_t owed = 0;

    for (size_t i = 0; i < watch->kit.model->group_count; i++) {
        const struct koa_sim_group *it = &watch->kit.model->groups[i];
        struct koa_snapshot_group row = sim_watch_group(watch, it->plan.name.data);
        bool is_owed = koa_sim_slot_of(it->plan.name) % SIM_KIT_BROKERS + 1 == 2;

        owed += is_owed;
        if (is_owed && is_stale) {
            KIT_EXPECT(name, row.is_stale && row.age_ms > 0);
        } else {
            KIT_EXPECT(name, !row.is_stale);
        }
    }
    KIT_EXPECT("broker 2 has groups, and so have others",
               owed > 0 && owed < watch->kit.model->group_count);
}

static void one_broker_s_trouble_is_its_own(void **state)
{
    static const struct trouble troubles[] = {
        {"frozen", "{at: 0s, do: freeze_broker, broker: 2, failover: 1h}", false},
        {"dead", "{at: 0s, do: kill_broker, broker: 2, failover: 1h}", false},
        {"replaced", "{at: 0s, do: kill_broker, broker: 2, failover: 9s}", true},
        {"slow", "{at: 0s, do: slow_broker, broker: 2, latency: 20s}", false},
        {"garbage", "{at: 0s, do: answer_garbage, broker: 2}", false},
        {"silence", "{at: 0s, do: answer_nothing, broker: 2}", false},
        {"closing", "{at: 0s, do: answer_close, broker: 2}", false},
        {"error of listing",
         "{at: 0s, do: answer_error, api: list_groups, broker: 2, "
         "error: COORDINATOR_LOAD_IN_PROGRESS}",
         false},
        {"error of commits",
         "{at: 0s, do: answer_error, api: offset_fetch, broker: 2, "
         "error: COORDINATOR_LOAD_IN_PROGRESS}",
         false},
    };

    (void) state;
    KIT_EACH (trouble, troubles) {
        struct watch watch;
        char events[300];
        struct koa_snapshot_group before;

        sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
        sim_watch_cycles(&watch, 2);
        expect_groups(&watch, trouble->name, false);
        before = sim_watch_group(&watch, "billing");
        (void) snprintf(events, sizeof(events), "scenario: [%s]", trouble->events);
        sim_kit_do(&watch.kit, events);
        sim_watch_cycles(&watch, 5);
        KIT_EXPECT(trouble->name, koa_snapshot_error(watch.snapshot) == NULL);
        KIT_EXPECT(trouble->name, watch.cycle_ms <= 3 * WATCH_TIMEOUT_MS);
        KIT_EXPECT_INT(trouble->name, 10, koa_snapshot_group_count(watch.snapshot));
        if (trouble->is_over) {
            for (size_t i = 0; i < koa_snapshot_group_count(watch.snapshot); i++) {
                struct koa_snapshot_group row;

                koa_snapshot_group(watch.snapshot, i, &row);
                KIT_EXPECT(row.name, !row.is_stale);
            }
        } else {
            expect_groups(&watch, trouble->name, true);
        }
        KIT_EXPECT(trouble->name, sim_watch_group(&watch, "billing").topics == before.topics);
        sim_watch_tear_down(&watch);
    }
}

static void what_was_broken_is_fresh_again(void **state)
{
    struct watch watch;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    sim_watch_cycle(&watch);
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 0s, do: freeze_broker, broker: 2, failover: 9s}\n"
                           "  - {at: 60s, do: thaw_broker, broker: 2}\n"
                           "  - {at: 60s, do: elect_preferred}\n");
    sim_watch_cycles(&watch, 8);
    for (size_t i = 0; i < koa_snapshot_group_count(watch.snapshot); i++) {
        struct koa_snapshot_group row;

        koa_snapshot_group(watch.snapshot, i, &row);
        KIT_EXPECT(row.name, !row.is_stale);
        KIT_EXPECT_INT(row.name, 0, row.conditions[KOA_CONDITION_STALE]);
    }
    sim_watch_tear_down(&watch);
}

static void each_version_of_kafka_is_understood(void **state)
{
    (void) state;
    for (int version = 0; version < KOA_SIM_VERSION_COUNT; version++) {
        const char *name = koa_sim_version_name((enum koa_sim_version) version);
        struct watch watch;

        sim_watch_set_up(&watch, (enum koa_sim_version) version);
        sim_watch_cycles(&watch, 2);
        KIT_EXPECT_INT(name, 10, koa_snapshot_group_count(watch.snapshot));
        for (size_t i = 0; i < koa_snapshot_group_count(watch.snapshot); i++) {
            struct koa_snapshot_group row;

            koa_snapshot_group(watch.snapshot, i, &row);
            KIT_EXPECT(name, row.has_lag && row.has_members && row.error == NULL);
        }
        sim_watch_tear_down(&watch);
    }
}

/* ---- what a cycle asks */

static int parts(int count, int batch)
{
    return (count + batch - 1) / batch;
}

/* For each coordinator and type of group, as the model knows them. */
static int batches(const struct watch *watch, int batch)
{
    int sum = 0;

    for (int type = 0; type < KOA_GROUP_TYPE_COUNT; type++) {
        for (int broker = 1; broker <= SIM_KIT_BROKERS; broker++) {
            int count = 0;

            for (size_t i = 0; i < watch->kit.model->group_count; i++) {
                const struct koa_sim_group *it = &watch->kit.model->groups[i];

                count += (int) it->plan.type == type &&
                         koa_sim_slot_of(it->plan.name) % SIM_KIT_BROKERS + 1 == broker;
            }
            sum += parts(count, batch);
        }
    }
    return sum;
}

static int all_asked(const struct watch *watch)
{
    int sum = 0;

    for (int i = 0; i < WATCH_APIS; i++)
        sum += watch->asked[i];
    return sum;
}

/* Metadata and DescribeCluster once; of each broker its groups and its log ends; of each
 * coordinator the members and the commits of each type, in batches. Where a group lags since before
 * the agent's start, a leader may be asked once more, for the times of records. */
static void a_cycle_asks_no_more_than_it_must(void **state)
{
    static const int sizes[] = {1, 2, 3, 500};

    (void) state;
    for (size_t s = 0; s < KOA_ARRAY_COUNT(sizes); s++) {
        struct watch watch;
        char name[32];
        int limit;

        (void) snprintf(name, sizeof(name), "batches of %d", sizes[s]);
        sim_watch_set_up_quick(&watch, KOA_SIM_KAFKA_4_X, sizes[s]);
        limit = 2 + 2 * SIM_KIT_BROKERS + 2 * batches(&watch, sizes[s]);
        sim_watch_cycle(&watch);
        /* The slow one: starts, stable ends and folders of each; settings, moves, the quorum. */
        KIT_EXPECT(name, all_asked(&watch) - watch.asked_times <= limit + 3 * SIM_KIT_BROKERS + 3);
        for (int cycle = 0; cycle < 20; cycle++) {
            struct koa_snapshot_cycle told;

            sim_watch_cycle(&watch);
            koa_snapshot_cycle(watch.snapshot, &told);
            KIT_EXPECT_INT("told", all_asked(&watch), told.requests);
            KIT_EXPECT(name, all_asked(&watch) - watch.asked_times <= limit);
            KIT_EXPECT(name, watch.asked_times <= SIM_KIT_BROKERS);
            for (size_t i = 0; i < koa_snapshot_group_count(watch.snapshot); i++) {
                struct koa_snapshot_group row;

                koa_snapshot_group(watch.snapshot, i, &row);
                KIT_EXPECT(row.name, row.has_lag && row.has_members && !row.is_stale);
            }
        }
        sim_watch_tear_down(&watch);
    }
}

/* Nothing is unknown, so nothing is asked for twice. */
static void a_cycle_without_old_lag_asks_for_no_times(void **state)
{
    struct watch watch;

    (void) state;
    sim_watch_set_up_quick(&watch, KOA_SIM_KAFKA_4_X, 3);
    sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: write, rate: 0}]");
    sim_watch_cycles(&watch, 40);
    KIT_EXPECT_INT("times", 0, watch.asked_times);
    KIT_EXPECT("all", all_asked(&watch) <= 2 + 2 * SIM_KIT_BROKERS + 2 * batches(&watch, 3));
    sim_watch_tear_down(&watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_group_is_there_with_its_lag),
        cmocka_unit_test(a_group_without_members_is_still_there),
        cmocka_unit_test(a_partition_without_commit_is_a_condition_and_no_number),
        cmocka_unit_test(a_commit_beyond_the_end_lags_nothing),
        cmocka_unit_test(a_commit_below_the_start_lags_what_was_written),
        cmocka_unit_test(commits_of_a_deleted_topic_have_no_lag),
        cmocka_unit_test(an_open_transaction_is_a_condition_until_it_ends),
        cmocka_unit_test(ends_are_never_older_than_commits),
        cmocka_unit_test(a_group_of_two_coordinators_is_one_group),
        cmocka_unit_test(a_partition_without_leader_keeps_what_was_known),
        cmocka_unit_test(one_broker_s_trouble_is_its_own),
        cmocka_unit_test(what_was_broken_is_fresh_again),
        cmocka_unit_test(each_version_of_kafka_is_understood),
        cmocka_unit_test(a_cycle_asks_no_more_than_it_must),
        cmocka_unit_test(a_cycle_without_old_lag_asks_for_no_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

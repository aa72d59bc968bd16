/* The collector on the simulated cluster, bytes between them and virtual time: groups of each type,
 * coordinators that move, what brokers that misbehave cost. What lag means at its edges is
 * the matter of lag_edges_test.c and transactions_test.c. */
#include "cluster/collector.h"

#include <stdio.h>

#include "base/str.h"
#include "kafka/messages/consumer_group_describe.h"
#include "kafka/messages/describe_groups.h"
#include "kit/kit.h"
#include "watch_kit.h"

/* ---- groups, partitions and who knows them */

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

/* By which API each group was described. */
struct descriptions {
    int counts[KOA_SIM_GROUP_TYPE_COUNT];
    const struct koa_sim_model *model;
};

static void note_descriptions(struct descriptions *descriptions, const struct koa_str *names,
                              size_t count, enum koa_sim_group_type type)
{
    for (size_t i = 0; i < count; i++) {
        const struct koa_sim_group *group = koa_sim_model_find_group(descriptions->model, names[i]);

        KIT_EXPECT_INT(names[i].data, type, group->plan.type);
        descriptions->counts[type]++;
    }
}

static void see_description(void *context, int32_t broker, const struct koa_kafka_request *request)
{
    static const struct {
        int16_t key;
        enum koa_sim_group_type type;
    } apis[] = {
        {KOA_KAFKA_CONSUMER_GROUP_DESCRIBE, KOA_SIM_CONSUMER},
        {KOA_KAFKA_SHARE_GROUP_DESCRIBE, KOA_SIM_SHARE},
        {KOA_KAFKA_STREAMS_GROUP_DESCRIBE, KOA_SIM_STREAMS},
    };

    (void) broker;
    if (request->api_key == KOA_KAFKA_DESCRIBE_GROUPS) {
        const struct koa_kafka_describe_groups_request *body = request->body;

        note_descriptions(context, body->groups.rows, body->groups.count, KOA_SIM_CLASSIC);
    }
    KIT_EACH (api, apis) {
        /* The three requests begin alike. */
        const struct koa_kafka_consumer_group_describe_request *body = request->body;

        if (api->key == request->api_key)
            note_descriptions(context, body->group_ids.rows, body->group_ids.count, api->type);
    }
}

/* A classic DescribeGroups calls a living group of another type dead, without members. */
static void each_type_of_group_is_described_by_its_own_api(void **state)
{
    static const char *const names[] = {"search-indexer", "notifications", "sessionizer",
                                        "billing"};
    struct descriptions descriptions = {.counts = {0}};
    struct watch watch;

    (void) state;
    sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
    descriptions.model = watch.kit.model;
    watch.saw = see_description;
    watch.seer = &descriptions;
    sim_watch_cycles(&watch, 3);
    for (int type = 0; type < KOA_SIM_GROUP_TYPE_COUNT; type++) {
        KIT_EXPECT(koa_sim_group_type_name((enum koa_sim_group_type) type),
                   descriptions.counts[type] > 0);
    }
    KIT_EACH (name, names) {
        struct koa_snapshot_group row = sim_watch_group(&watch, *name);

        KIT_EXPECT_TEXT(*name, "Stable", row.state);
        KIT_EXPECT_INT(*name, 2, row.members);
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

struct move {
    const char *name;
    const char *at; /* since the cycle began; its questions take some 600 ms each */
};

/* Whenever it happens, the groups that move are there with what was known of them, and all others
 * with what is new. */
static void a_coordinator_that_moves_takes_its_groups_along(void **state)
{
    static const struct move moves[] = {
        {"between two cycles", "0s"},
        {"before the list", "300ms"},
        {"between list and answers", "900ms"},
        {"while they answer", "1500ms"},
        {"at the end", "2100ms"},
    };

    (void) state;
    KIT_EACH (move, moves) {
        struct watch watch;
        char events[200];
        int32_t slot;

        sim_watch_set_up(&watch, KOA_SIM_KAFKA_4_X);
        sim_kit_do(&watch.kit, "scenario: [{at: 0s, do: slow_broker, latency: 600ms}]");
        sim_watch_cycles(&watch, 2);
        slot = sim_kit_turn_to(&watch.kit, "billing")->slot;
        (void) snprintf(events, sizeof(events),
                        "scenario: [{at: %s, do: move_coordinator, group: billing, to: %d}]",
                        move->at, watch.kit.question.broker % SIM_KIT_BROKERS + 1);
        sim_kit_do(&watch.kit, events);
        sim_watch_cycle(&watch);
        KIT_EXPECT_INT(move->name, 10, koa_snapshot_group_count(watch.snapshot));
        for (size_t i = 0; i < watch.kit.model->group_count; i++) {
            const struct koa_sim_group *it = &watch.kit.model->groups[i];
            struct koa_snapshot_group row = sim_watch_group(&watch, it->plan.name.data);

            KIT_EXPECT(row.name, row.has_lag);
            if (it->slot != slot)
                KIT_EXPECT(row.name, !row.is_stale && row.error == NULL);
        }
        sim_watch_cycle(&watch);
        KIT_EXPECT(move->name, !sim_watch_group(&watch, "billing").is_stale);
        sim_watch_tear_down(&watch);
    }
}

static void a_partition_without_leader_keeps_what_was_known(void **state)
{
    struct koa_snapshot_commit row;
    struct watch watch;

    (void) state;
    sim_watch_set_up_reader(&watch);
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
        {"silence on listing", "{at: 0s, do: answer_nothing, api: list_groups, broker: 2}", false},
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
        KIT_EXPECT(trouble->name, watch.cycle_ms <= INT64_C(3) * WATCH_TIMEOUT_MS);
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

/* ---- the same seed, the same story */

/* What a watcher sees of a cluster with a seed while all kinds of things happen to it. */
static void record(uint64_t seed, struct koa_buf *text)
{
    struct watch watch;

    sim_watch_set_up_with_seed(&watch, KOA_SIM_KAFKA_4_X, seed);
    sim_kit_do(&watch.kit, "scenario:\n"
                           "  - {at: 5s, do: slow_broker, broker: 3, latency: 70ms}\n"
                           "  - {at: 10s, do: begin_transaction, topic: orders, partition: 0}\n"
                           "  - {at: 20s, do: stall_group, group: billing}\n"
                           "  - {at: 31s, do: kill_broker, broker: 2, failover: 9s}\n"
                           "  - {at: 50s, do: answer_garbage, broker: 1, times: 2}\n"
                           "  - {at: 61s, do: restart_broker, broker: 2}\n"
                           "  - {at: 70s, do: move_leader}\n"
                           "  - {at: 80s, do: end_transaction, topic: orders, partition: 0}\n"
                           "  - {at: 90s, do: delete_topic, topic: payments}\n");
    for (int i = 0; i < 8; i++) {
        sim_watch_cycle(&watch);
        sim_watch_print(&watch, text);
    }
    sim_watch_tear_down(&watch);
}

static void the_seed_decides_all_that_is_seen(void **state)
{
    struct koa_buf first = {.limit = 1 << 20};
    struct koa_buf again = {.limit = 1 << 20};
    struct koa_buf other = {.limit = 1 << 20};

    (void) state;
    record(7, &first);
    record(7, &again);
    record(8, &other);
    KIT_EXPECT("there is something to compare", first.size > 10000);
    KIT_EXPECT_TEXT("the same seed", koa_buf_text(&first), koa_buf_text(&again));
    KIT_EXPECT("another seed", !koa_text_equal(koa_buf_text(&first), koa_buf_text(&other)));
    koa_buf_deinit(&first);
    koa_buf_deinit(&again);
    koa_buf_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_group_is_there_with_its_lag),
        cmocka_unit_test(each_type_of_group_is_described_by_its_own_api),
        cmocka_unit_test(a_group_of_two_coordinators_is_one_group),
        cmocka_unit_test(a_coordinator_that_moves_takes_its_groups_along),
        cmocka_unit_test(a_partition_without_leader_keeps_what_was_known),
        cmocka_unit_test(one_broker_s_trouble_is_its_own),
        cmocka_unit_test(what_was_broken_is_fresh_again),
        cmocka_unit_test(each_version_of_kafka_is_understood),
        cmocka_unit_test(a_cycle_asks_no_more_than_it_must),
        cmocka_unit_test(a_cycle_without_old_lag_asks_for_no_times),
        cmocka_unit_test(the_seed_decides_all_that_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

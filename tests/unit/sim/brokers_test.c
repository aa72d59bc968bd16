/* Brokers that die, come back and lead, and replicas that move, played under virtual time. */
#include "sim/scenario.h"

#include "kafka/error_code.h"
#include "kafka/messages/list_partition_reassignments.h"
#include "kafka/messages/metadata.h"
#include "kit/kit.h"
#include "sim_kit.h"

static struct koa_kafka_metadata_response metadata(struct sim_kit *kit)
{
    struct koa_kafka_metadata_request request = {0};
    struct koa_kafka_metadata_response response;

    sim_kit_ask(kit, KOA_KAFKA_METADATA, 12, &request, &response);
    return response;
}

struct tally {
    int64_t led;     /* partitions that the broker leads */
    int64_t in_sync; /* replicas of it in sync */
    int64_t offline;
    int64_t leaderless;
};

static struct tally tally(const struct koa_kafka_metadata_response *told, int32_t broker)
{
    struct tally found = {0};

    for (size_t t = 0; t < told->topics.count; t++) {
        for (size_t p = 0; p < told->topics.rows[t].partitions.count; p++) {
            const struct koa_kafka_metadata_partition *row =
                &told->topics.rows[t].partitions.rows[p];

            found.led += row->leader_id == broker;
            found.leaderless += row->leader_id == -1;
            for (size_t i = 0; i < row->isr_nodes.count; i++)
                found.in_sync += row->isr_nodes.rows[i] == broker;
            for (size_t i = 0; i < row->offline_replicas.count; i++)
                found.offline += row->offline_replicas.rows[i] == broker;
        }
    }
    return found;
}

static void a_dead_broker_is_replaced_when_its_session_ends(void **state)
{
    struct koa_kafka_metadata_response told;
    struct tally found;
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    kit.question.broker = 1;
    sim_kit_do(&kit, "scenario: [{at: 0s, do: kill_broker, broker: 2}]");
    KIT_EXPECT("dead", kit.model->nodes[1].is_dead);
    told = metadata(&kit);
    KIT_EXPECT_INT("for now it is listed", 3, told.brokers.count);
    KIT_EXPECT("and leads", tally(&told, 2).led > 0);
    sim_kit_advance(&kit, 9000);
    told = metadata(&kit);
    found = tally(&told, 2);
    KIT_EXPECT_INT("then it is not", 2, told.brokers.count);
    KIT_EXPECT_INT("leads", 0, found.led);
    KIT_EXPECT_INT("in sync", 0, found.in_sync);
    KIT_EXPECT_INT("offline", 17, found.offline);
    KIT_EXPECT_INT("leaderless", 0, found.leaderless);
    for (size_t i = 0; i < KOA_SIM_SLOTS; i++)
        KIT_EXPECT("coordinators moved", kit.model->slots[i].coordinator != 2);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: restart_broker, broker: 2}]");
    told = metadata(&kit);
    found = tally(&told, 2);
    KIT_EXPECT_INT("in sync again", 17, found.in_sync);
    KIT_EXPECT_INT("leads nothing yet", 0, found.led);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: elect_preferred}]");
    told = metadata(&kit);
    KIT_EXPECT("leads again", tally(&told, 2).led > 0);
    sim_kit_tear_down(&kit);
}

static void a_broker_that_is_back_in_time_is_not_counted_out(void **state)
{
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario:\n"
                     "  - {at: 0s, do: freeze_broker, broker: 1}\n"
                     "  - {at: 6s, do: thaw_broker, broker: 1}\n"
                     "  - {at: 8s, do: freeze_broker, broker: 1}\n");
    sim_kit_advance(&kit, 9000);
    KIT_EXPECT("frozen for one second", kit.model->nodes[0].is_frozen);
    KIT_EXPECT("not counted out", !kit.model->nodes[0].is_fenced);
    sim_kit_advance(&kit, 8000);
    KIT_EXPECT("for nine", kit.model->nodes[0].is_fenced);
    KIT_EXPECT_INT("another controller", 2, kit.model->controller);
    sim_kit_tear_down(&kit);
}

static void without_replicas_there_is_no_leader_and_no_growth(void **state)
{
    struct koa_kafka_metadata_response told;
    struct sim_kit kit;
    int64_t before;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario:\n"
                     "  - {at: 0s, do: fence_broker, broker: 1}\n"
                     "  - {at: 0s, do: fence_broker, broker: 2}\n"
                     "  - {at: 0s, do: fence_broker, broker: 3}\n");
    told = metadata(&kit);
    KIT_EXPECT_INT("brokers", 0, told.brokers.count);
    KIT_EXPECT_INT("leaderless", 17, tally(&told, 1).leaderless);
    KIT_EXPECT_INT("error", KOA_KAFKA_LEADER_NOT_AVAILABLE,
                   told.topics.rows[0].partitions.rows[0].error_code);
    before = koa_sim_partition_end(&kit.model->partitions[0], koa_sim_question_ms(&kit.question));
    sim_kit_advance(&kit, 600000);
    KIT_EXPECT_INT(
        "nothing was written", before,
        koa_sim_partition_end(&kit.model->partitions[0], koa_sim_question_ms(&kit.question)));
    sim_kit_do(&kit, "scenario: [{at: 0s, do: restart_broker, broker: 3}]");
    sim_kit_advance(&kit, 600000);
    for (size_t p = 0; p < kit.model->partition_count; p++) {
        if (kit.model->partitions[p].leader == 3 && kit.model->partitions[p].rate > 1) {
            KIT_EXPECT("then it goes on", koa_sim_partition_rate(&kit.model->partitions[p]) > 1);
        }
    }
    sim_kit_tear_down(&kit);
}

static void leaders_and_replicas_move_as_told(void **state)
{
    struct koa_kafka_metadata_response told;
    struct sim_kit kit;
    int64_t led;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: move_leader, to: 3}]");
    told = metadata(&kit);
    KIT_EXPECT_INT("all led by 3", 17, tally(&told, 3).led);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: shrink_isr, broker: 1, topic: orders}]");
    told = metadata(&kit);
    led = tally(&told, 1).in_sync;
    KIT_EXPECT_INT("out of sync", 17 - kit.model->topics[0].partitions, led);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: expand_isr}]");
    told = metadata(&kit);
    KIT_EXPECT_INT("in sync", 17, tally(&told, 1).in_sync);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: lose_leader, topic: orders, partition: 1}]");
    told = metadata(&kit);
    KIT_EXPECT_INT("leaderless", 1, tally(&told, 1).leaderless);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: elect_preferred}]");
    told = metadata(&kit);
    KIT_EXPECT_INT("leaderless no more", 0, tally(&told, 1).leaderless);
    sim_kit_tear_down(&kit);
}

static void a_reassignment_is_seen_until_it_is_done(void **state)
{
    struct koa_kafka_list_partition_reassignments_request request = {0};
    struct koa_kafka_list_partition_reassignments_response response;
    struct koa_kafka_metadata_response told;
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    sim_kit_do(&kit, "scenario: [{at: 0s, do: reassign, topic: orders, partition: 0, brokers: [2], "
                     "lasts: 10s}]");
    sim_kit_ask(&kit, KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS, 0, &request, &response);
    KIT_EXPECT_INT("moves", 1, response.topics.count);
    KIT_EXPECT_INT("from", 2, response.topics.rows[0].partitions.rows[0].removing_replicas.count);
    sim_kit_advance(&kit, 10000);
    sim_kit_ask(&kit, KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS, 0, &request, &response);
    KIT_EXPECT_INT("done", 0, response.topics.count);
    told = metadata(&kit);
    KIT_EXPECT_INT("replicas", 1, told.topics.rows[0].partitions.rows[0].replica_nodes.count);
    KIT_EXPECT_INT("leader", 2, told.topics.rows[0].partitions.rows[0].leader_id);
    sim_kit_tear_down(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_broker_is_replaced_when_its_session_ends),
        cmocka_unit_test(a_broker_that_is_back_in_time_is_not_counted_out),
        cmocka_unit_test(without_replicas_there_is_no_leader_and_no_growth),
        cmocka_unit_test(leaders_and_replicas_move_as_told),
        cmocka_unit_test(a_reassignment_is_seen_until_it_is_done),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

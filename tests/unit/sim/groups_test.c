/* Groups as clients see them: only their coordinator knows them, each type by its own API, and
 * their commits follow the logs. */
#include <string.h>

#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/consumer_group_describe.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/find_coordinator.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/offset_fetch.h"
#include "kafka/messages/streams_group_describe.h"
#include "kit/kit.h"
#include "sim_kit.h"

static size_t list(struct sim_kit *kit, int32_t broker, const struct koa_str *type,
                   struct koa_kafka_list_groups_response *response)
{
    struct koa_kafka_list_groups_request request = {0};
    struct koa_str types[1];

    if (type != NULL) {
        types[0] = *type;
        request.types_filter.rows = types;
        request.types_filter.count = 1;
    }
    kit->question.broker = broker;
    sim_kit_ask(kit, KOA_KAFKA_LIST_GROUPS, 5, &request, response);
    return response->groups.count;
}

static void each_group_is_listed_by_its_coordinator_alone(void **state)
{
    struct koa_kafka_list_groups_response response;
    struct koa_str share = KOA_STR("Share");
    struct sim_kit kit;
    size_t count = 0;
    size_t shares = 0;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    for (int32_t broker = 1; broker <= SIM_KIT_BROKERS; broker++) {
        count += list(&kit, broker, NULL, &response);
        for (size_t i = 0; i < response.groups.count; i++) {
            KIT_EXPECT_INT(
                "coordinator", broker,
                kit.model->slots[koa_sim_slot_of(response.groups.rows[i].group_id)].coordinator);
        }
        shares += list(&kit, broker, &share, &response);
    }
    KIT_EXPECT_INT("all groups", 10, count);
    KIT_EXPECT_INT("one share group, in any case of letters", 1, shares);
    sim_kit_tear_down(&kit);
}

static void an_old_broker_has_classic_groups_only(void **state)
{
    struct koa_kafka_list_groups_request request = {0};
    struct koa_kafka_list_groups_response response;
    struct koa_str frame;
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_2_8);
    for (size_t i = 0; i < kit.model->group_count; i++)
        KIT_EXPECT_INT("type", KOA_SIM_CLASSIC, kit.model->groups[i].plan.type);
    sim_kit_ask(&kit, KOA_KAFKA_LIST_GROUPS, 4, &request, &response);
    KIT_EXPECT("version 5 came later",
               sim_kit_send(&kit, KOA_KAFKA_LIST_GROUPS, 5, &request, &frame) != KOA_OK);
    sim_kit_tear_down(&kit);
}

static void coordinators_are_found_one_by_one_and_together(void **state)
{
    struct koa_str keys[] = {KOA_STR("billing"), KOA_STR("nobody knows it")};
    struct koa_kafka_find_coordinator_request request = {.key = KOA_STR("billing")};
    struct koa_kafka_find_coordinator_response response;
    struct koa_sim_group *group;
    struct sim_kit kit;
    int32_t coordinator;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    group = sim_kit_turn_to(&kit, "billing");
    coordinator = kit.question.broker;
    sim_kit_ask(&kit, KOA_KAFKA_FIND_COORDINATOR, 3, &request, &response);
    KIT_EXPECT_INT("one", coordinator, response.node_id);
    KIT_EXPECT_INT("port", 9091 + coordinator, response.port);
    request.coordinator_keys.rows = keys;
    request.coordinator_keys.count = 2;
    sim_kit_ask(&kit, KOA_KAFKA_FIND_COORDINATOR, 4, &request, &response);
    KIT_EXPECT_INT("many", 2, response.coordinators.count);
    KIT_EXPECT_INT("the first", coordinator, response.coordinators.rows[0].node_id);
    KIT_EXPECT_INT("an unknown one has one too", 0, response.coordinators.rows[1].error_code);
    kit.model->slots[group->slot].coordinator = -1;
    sim_kit_ask(&kit, KOA_KAFKA_FIND_COORDINATOR, 6, &request, &response);
    KIT_EXPECT_INT("nobody", KOA_KAFKA_COORDINATOR_NOT_AVAILABLE,
                   response.coordinators.rows[0].error_code);
    sim_kit_tear_down(&kit);
}

static struct koa_kafka_describe_groups_group describe(struct sim_kit *kit, int16_t version,
                                                       const char *name)
{
    struct koa_kafka_describe_groups_request request = {0};
    struct koa_kafka_describe_groups_response response;
    struct koa_str group = koa_str_from(name);

    request.groups.rows = &group;
    request.groups.count = 1;
    sim_kit_ask(kit, KOA_KAFKA_DESCRIBE_GROUPS, version, &request, &response);
    KIT_EXPECT_INT("groups", 1, response.groups.count);
    return response.groups.rows[0];
}

static void a_classic_group_has_members_with_assignments(void **state)
{
    struct koa_kafka_describe_groups_group told;
    struct sim_kit kit;
    size_t assigned = 0;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    (void) sim_kit_turn_to(&kit, "billing");
    told = describe(&kit, 5, "billing");
    KIT_EXPECT("state", koa_str_equal_text(told.group_state, "Stable"));
    KIT_EXPECT_INT("members", 2, told.members.count);
    for (size_t i = 0; i < told.members.count; i++) {
        struct koa_str bytes = told.members.rows[i].member_assignment;

        /* Version 1; the last four bytes say that there is no user data. */
        KIT_EXPECT("begins", bytes.size > 10 && memcmp(bytes.data, "\0\1\0\0\0", 5) == 0);
        KIT_EXPECT("ends", memcmp(bytes.data + bytes.size - 4, "\xff\xff\xff\xff", 4) == 0);
        assigned += bytes.size;
    }
    KIT_EXPECT("partitions", assigned > 40);
    (void) sim_kit_turn_to(&kit, "nightly-export");
    told = describe(&kit, 0, "nightly-export");
    KIT_EXPECT("empty", koa_str_equal_text(told.group_state, "Empty"));
    KIT_EXPECT_INT("without members", 0, told.members.count);
    sim_kit_tear_down(&kit);
}

static void what_is_no_classic_group_is_dead_or_not_found(void **state)
{
    struct koa_kafka_describe_groups_group told;
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    (void) sim_kit_turn_to(&kit, "search-indexer");
    told = describe(&kit, 5, "search-indexer");
    KIT_EXPECT_INT("version 5", 0, told.error_code);
    KIT_EXPECT("dead", koa_str_equal_text(told.group_state, "Dead"));
    told = describe(&kit, 6, "search-indexer");
    KIT_EXPECT_INT("version 6", KOA_KAFKA_GROUP_ID_NOT_FOUND, told.error_code);
    kit.question.broker = kit.question.broker % SIM_KIT_BROKERS + 1;
    told = describe(&kit, 6, "search-indexer");
    KIT_EXPECT_INT("the wrong broker", KOA_KAFKA_NOT_COORDINATOR, told.error_code);
    sim_kit_tear_down(&kit);
}

static void a_consumer_group_has_its_own_description(void **state)
{
    struct koa_kafka_consumer_group_describe_request request = {0};
    struct koa_kafka_consumer_group_describe_response response;
    struct koa_str names[] = {KOA_STR("search-indexer"), KOA_STR("search-indexer")};
    const struct koa_kafka_consumer_group_describe_group *told;
    struct sim_kit kit;
    size_t assigned = 0;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    (void) sim_kit_turn_to(&kit, "search-indexer");
    request.group_ids.rows = names;
    request.group_ids.count = 2;
    sim_kit_ask(&kit, KOA_KAFKA_CONSUMER_GROUP_DESCRIBE, 1, &request, &response);
    KIT_EXPECT_INT("asked twice, answered twice", 2, response.groups.count);
    told = &response.groups.rows[0];
    KIT_EXPECT_INT("members", 2, told->members.count);
    for (size_t i = 0; i < told->members.count; i++) {
        const struct koa_kafka_group_assignment *assignment = told->members.rows[i].assignment;

        for (size_t t = 0; t < assignment->topic_partitions.count; t++)
            assigned += assignment->topic_partitions.rows[t].partitions.count;
    }
    KIT_EXPECT_INT("every partition has a member", 4, assigned);
    names[0] = KOA_STR("billing");
    request.group_ids.count = 1;
    (void) sim_kit_turn_to(&kit, "billing");
    sim_kit_ask(&kit, KOA_KAFKA_CONSUMER_GROUP_DESCRIBE, 0, &request, &response);
    KIT_EXPECT_INT("a classic group", KOA_KAFKA_GROUP_ID_NOT_FOUND,
                   response.groups.rows[0].error_code);
    sim_kit_tear_down(&kit);
}

/* The commits of one group, all topics. */
static struct koa_kafka_offset_fetch_group fetch(struct sim_kit *kit, int16_t version,
                                                 const char *name)
{
    struct koa_kafka_offset_fetch_request_group group = {.group_id = koa_str_from(name),
                                                         .member_epoch = -1};
    struct koa_kafka_offset_fetch_request request = {.group_id = koa_str_from(name)};
    struct koa_kafka_offset_fetch_response response;
    struct koa_kafka_offset_fetch_group told = {0};

    request.groups.rows = &group;
    request.groups.count = 1;
    sim_kit_ask(kit, KOA_KAFKA_OFFSET_FETCH, version, &request, &response);
    if (version >= 8)
        return response.groups.rows[0];
    told.topics.rows = response.topics.rows;
    told.topics.count = response.topics.count;
    told.error_code = response.error_code;
    return told;
}

static int64_t sum(const struct koa_kafka_offset_fetch_group *told, size_t *ret_rows)
{
    int64_t total = 0;

    *ret_rows = 0;
    for (size_t t = 0; t < told->topics.count; t++) {
        for (size_t p = 0; p < told->topics.rows[t].partitions.count; p++, ++*ret_rows)
            total += told->topics.rows[t].partitions.rows[p].committed_offset;
    }
    return total;
}

static int64_t end_of(const struct sim_kit *kit, const struct koa_sim_group *group)
{
    int64_t total = 0;

    for (size_t i = 0; i < group->plan.count; i++) {
        total += koa_sim_partition_end(&kit->model->partitions[group->plan.first + i],
                                       koa_sim_question_ms(&kit->question));
    }
    return total;
}

static void commits_are_the_same_in_every_version(void **state)
{
    struct sim_kit kit;
    struct koa_kafka_offset_fetch_group told;
    int64_t first = -1;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    (void) sim_kit_turn_to(&kit, "billing");
    for (int16_t version = 2; version <= 10; version++) {
        size_t rows;
        int64_t total;

        told = fetch(&kit, version, "billing");
        total = sum(&told, &rows);
        KIT_EXPECT_INT("error", 0, told.error_code);
        KIT_EXPECT_INT("rows", 4, rows);
        KIT_EXPECT("offsets", total > 0 && (first < 0 || total == first));
        first = total;
    }
    told = fetch(&kit, 9, "notifications");
    (void) sim_kit_turn_to(&kit, "notifications");
    told = fetch(&kit, 9, "notifications");
    KIT_EXPECT_INT("a share group has no error", 0, told.error_code);
    KIT_EXPECT_INT("and no commits", 0, told.topics.count);
    kit.question.broker = kit.question.broker % SIM_KIT_BROKERS + 1;
    for (int16_t version = 2; version <= 10; version++) {
        told = fetch(&kit, version, "notifications");
        KIT_EXPECT_INT("the wrong broker", KOA_KAFKA_NOT_COORDINATOR, told.error_code);
    }
    sim_kit_tear_down(&kit);
}

static void commits_asked_by_name_say_what_there_is_not(void **state)
{
    int32_t indexes[] = {0, 1, 2, 3, 99};
    struct koa_kafka_offset_fetch_request_topic topic = {.partition_indexes.rows = indexes,
                                                         .partition_indexes.count = 5};
    struct koa_kafka_offset_fetch_request_group group = {.group_id = KOA_STR("billing"),
                                                         .member_epoch = -1};
    struct koa_kafka_offset_fetch_request request = {0};
    struct koa_kafka_offset_fetch_response response;
    const struct koa_kafka_offset_fetch_partition *rows;
    struct koa_sim_span span;
    struct koa_sim_group *it;
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    it = sim_kit_turn_to(&kit, "billing");
    span = koa_sim_model_span(kit.model, it->plan.first, it->plan.count);
    topic.name = span.topic->name;
    group.topics.rows = &topic;
    group.topics.count = 1;
    request.groups.rows = &group;
    request.groups.count = 1;
    sim_kit_ask(&kit, KOA_KAFKA_OFFSET_FETCH, 8, &request, &response);
    rows = response.groups.rows[0].topics.rows[0].partitions.rows;
    KIT_EXPECT("there", rows[span.from].committed_offset >= 0);
    KIT_EXPECT_INT("not there", -1, rows[4].committed_offset);
    KIT_EXPECT_INT("which is no error", 0, rows[4].error_code);
    sim_kit_ask(&kit, KOA_KAFKA_OFFSET_FETCH, 10, &request, &response);
    KIT_EXPECT_INT("an id that nobody has", KOA_KAFKA_UNKNOWN_TOPIC_ID,
                   response.groups.rows[0].topics.rows[0].partitions.rows[0].error_code);
    sim_kit_tear_down(&kit);
}

struct pace {
    const char *group;
    bool keeps; /* its lag stays about what it was */
    bool moves;
};

static void each_group_reads_at_its_own_pace(void **state)
{
    static const struct pace paces[] = {
        {"billing", true, true},        {"reporting", false, true},
        {"email-sender", false, false}, {"nightly-export", false, false},
        {"backup-tool", true, true},    {"sessionizer", true, true},
    };
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    KIT_EACH (pace, paces) {
        struct koa_sim_group *group = sim_kit_turn_to(&kit, pace->group);
        struct koa_kafka_offset_fetch_group told = fetch(&kit, 9, pace->group);
        size_t rows;
        int64_t before = sum(&told, &rows);
        int64_t lag_before = end_of(&kit, group) - before;
        int64_t growth;

        sim_kit_advance(&kit, 600000);
        told = fetch(&kit, 9, pace->group);
        growth = end_of(&kit, group) - sum(&told, &rows) - lag_before;
        KIT_EXPECT_INT(pace->group, pace->moves, sum(&told, &rows) > before);
        KIT_EXPECT(pace->group, lag_before >= 0);
        /* Ten minutes of messages are far more than the step between two commits. */
        KIT_EXPECT_INT(pace->group, pace->keeps, growth < (sum(&told, &rows) - before) / 5);
    }
    sim_kit_tear_down(&kit);
}

static void a_streams_group_tells_its_topology(void **state)
{
    static const struct {
        const char *name;
        int16_t version;
        bool is_asked;
    } cases[] = {{"Kafka 4.1", 0, false}, {"not asked for", 1, false}, {"asked for", 1, true}};
    struct sim_kit kit;

    (void) state;
    sim_kit_set_up(&kit, KOA_SIM_KAFKA_4_X);
    (void) sim_kit_turn_to(&kit, "sessionizer");
    KIT_EACH (row, cases) {
        struct koa_str name = KOA_STR("sessionizer");
        struct koa_kafka_streams_group_describe_request request = {.include_topology_description =
                                                                       row->is_asked};
        struct koa_kafka_streams_group_describe_response response;
        const struct koa_kafka_streams_group_describe_group *told;
        const struct koa_kafka_streams_group_describe_node *source;

        request.group_ids.rows = &name;
        request.group_ids.count = 1;
        sim_kit_ask(&kit, KOA_KAFKA_STREAMS_GROUP_DESCRIBE, row->version, &request, &response);
        told = &response.groups.rows[0];
        KIT_EXPECT_INT(row->name, 0, told->error_code);
        KIT_EXPECT_INT(row->name, 2, told->members.count);
        KIT_EXPECT_INT(row->name, row->version >= 1,
                       koa_str_equal_text(told->assignor_name, "sticky"));
        KIT_EXPECT_INT(row->name, row->is_asked, told->topology_description != NULL);
        KIT_EXPECT_INT(row->name,
                       row->is_asked ? KOA_KAFKA_STREAMS_DESCRIPTION_AVAILABLE
                                     : KOA_KAFKA_STREAMS_DESCRIPTION_NOT_REQUESTED,
                       told->topology_description_status);
        if (!row->is_asked)
            continue;
        source = &told->topology_description->subtopologies.rows[0].nodes.rows[0];
        KIT_EXPECT_INT(row->name, KOA_KAFKA_STREAMS_NODE_SOURCE, source->node_type);
        KIT_EXPECT_INT(row->name, told->topology->subtopologies.rows[0].source_topics.count,
                       source->source_topics.count);
        KIT_EXPECT(row->name, source->sink_topic.data == NULL);
        KIT_EXPECT_INT(row->name, 1, source->successors.count);
    }
    sim_kit_tear_down(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_group_is_listed_by_its_coordinator_alone),
        cmocka_unit_test(an_old_broker_has_classic_groups_only),
        cmocka_unit_test(coordinators_are_found_one_by_one_and_together),
        cmocka_unit_test(a_classic_group_has_members_with_assignments),
        cmocka_unit_test(what_is_no_classic_group_is_dead_or_not_found),
        cmocka_unit_test(a_consumer_group_has_its_own_description),
        cmocka_unit_test(a_streams_group_tells_its_topology),
        cmocka_unit_test(commits_are_the_same_in_every_version),
        cmocka_unit_test(commits_asked_by_name_say_what_there_is_not),
        cmocka_unit_test(each_group_reads_at_its_own_pace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

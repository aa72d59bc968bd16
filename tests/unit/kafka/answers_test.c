/* What real brokers answered, read through the tables: the groups, records and topics that
 * tests/vectors/kafka/capture.py made. */
#include <stdio.h>
#include <string.h>

#include "kit/kit.h"
#include "kit/vectors.h"

#include "base/arena.h"
#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/consumer_group_describe.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/describe_configs.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/describe_share_group_offsets.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/find_coordinator.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/list_partition_reassignments.h"
#include "kafka/messages/offset_fetch.h"
#include "kafka/messages/produce.h"
#include "kafka/messages/sasl_authenticate.h"
#include "kafka/messages/sasl_handshake.h"
#include "kafka/messages/share_group_describe.h"
#include "kafka/messages/streams_group_describe.h"
#include "kafka/record_batch.h"

enum { ARENA = 1 << 20 };

/* One answer, read. */
struct answer {
    char name[256];
    int16_t version;
    struct koa_arena *arena;
    char *bytes;
    void *body;
};

static void answer_open(struct answer *answer, const char *name)
{
    struct kit_vector vector;
    struct koa_kafka_request_header asked;
    struct koa_error error = {.text = ""};

    kit_vector_read(name, &vector);
    asked = (struct koa_kafka_request_header){.api_key = vector.api->key,
                                              .api_version = vector.version};
    (void) snprintf(answer->name, sizeof(answer->name), "%s", name);
    answer->version = vector.version;
    answer->bytes = vector.bytes;
    answer->arena = koa_arena_create(ARENA);
    answer->body = koa_arena_alloc(answer->arena, 1, vector.api->response->size);
    KIT_EXPECT_INT(
        name, KOA_OK,
        koa_kafka_open_response(&asked, vector.frame, answer->arena, answer->body, &error));
}

static void answer_close(struct answer *answer)
{
    koa_arena_destroy(answer->arena);
    koa_free(answer->bytes);
}

/* Opens "<folder>/<api>-v<version><what>.response.bin" for each version from `first` to `last`. */
static void each_version(const char *pattern, int first, int last,
                         void (*look)(const struct answer *answer))
{
    int head = (int) strcspn(pattern, "#");

    for (int version = first; version <= last; version++) {
        struct answer answer;
        char name[256];

        (void) snprintf(name, sizeof(name), "%.*s%d%.40s.response.bin", head < 100 ? head : 100,
                        pattern, version, pattern + head + 1);
        answer_open(&answer, name);
        look(&answer);
        answer_close(&answer);
    }
}

static bool is(struct koa_str text, const char *expected)
{
    return koa_str_equal_text(text, expected);
}

static const struct koa_kafka_list_groups_group *
find_listed(const struct koa_kafka_list_groups_response *body, const char *name)
{
    for (size_t i = 0; i < body->groups.count; i++) {
        if (is(body->groups.rows[i].group_id, name))
            return &body->groups.rows[i];
    }
    fail_msg("no group '%s'", name);
    return NULL;
}

static void look_at_list(const struct answer *answer)
{
    static const char *const rows[][3] = {
        {"empty", "Empty", "classic"},    {"live", "Stable", "classic"},
        {"modern", "Stable", "consumer"}, {"modern-empty", "Empty", "classic"},
        {"shared", "Stable", "share"},    {"streaming", "Stable", "streams"},
    };
    const struct koa_kafka_list_groups_response *body = answer->body;

    KIT_EACH (row, rows) {
        const struct koa_kafka_list_groups_group *group = find_listed(body, (*row)[0]);

        if (answer->version >= 4)
            KIT_EXPECT((*row)[0], is(group->group_state, (*row)[1]));
        if (answer->version >= 5)
            KIT_EXPECT((*row)[0], is(group->group_type, (*row)[2]));
    }
}

static void look_at_filtered_list(const struct answer *answer)
{
    const struct koa_kafka_list_groups_response *body = answer->body;

    for (size_t i = 0; i < body->groups.count; i++)
        KIT_EXPECT(answer->name, is(body->groups.rows[i].group_state, "Empty"));
    KIT_EXPECT(answer->name, body->groups.count > 0);
}

static void groups_are_listed_with_state_and_type(void **state)
{
    (void) state;
    each_version("4.4.0/list_groups-v#", 0, 5, look_at_list);
    each_version("4.4.0/list_groups-v#-filtered", 4, 5, look_at_filtered_list);
    each_version("2.8.2/list_groups-v#-filtered", 4, 4, look_at_filtered_list);
}

static void look_at_described(const struct answer *answer)
{
    const struct koa_kafka_describe_groups_response *body = answer->body;

    KIT_EXPECT_INT(answer->name, 5, body->groups.count);
    for (size_t i = 0; i < body->groups.count; i++) {
        const struct koa_kafka_describe_groups_group *group = &body->groups.rows[i];

        if (is(group->group_id, "absent")) {
            KIT_EXPECT(answer->name, is(group->group_state, "Dead"));
            KIT_EXPECT_INT(answer->name, answer->version >= 6 ? KOA_KAFKA_GROUP_ID_NOT_FOUND : 0,
                           group->error_code);
        }
        if (!is(group->group_id, "live"))
            continue;
        KIT_EXPECT(answer->name, is(group->group_state, "Stable"));
        KIT_EXPECT(answer->name, is(group->protocol_data, "range"));
        KIT_EXPECT_INT(answer->name, 1, group->members.count);
        KIT_EXPECT(answer->name, is(group->members.rows[0].client_id, "vector"));
        KIT_EXPECT(answer->name, is(group->members.rows[0].client_host, "/127.0.0.1"));
        KIT_EXPECT(answer->name,
                   answer->version < 4 || is(group->members.rows[0].group_instance_id, "static-1"));
        /* Version, one topic, its name, three partitions, no user data. */
        KIT_EXPECT_INT(answer->name, 2 + 4 + 8 + 4 + 3 * 4 + 4,
                       group->members.rows[0].member_assignment.size);
    }
}

static void classic_groups_are_described(void **state)
{
    (void) state;
    each_version("2.8.2/describe_groups-v#", 0, 5, look_at_described);
    each_version("3.9.2/describe_groups-v#", 0, 5, look_at_described);
    each_version("4.4.0/describe_groups-v#", 0, 6, look_at_described);
}

static void look_at_coordinator(const struct answer *answer)
{
    const struct koa_kafka_find_coordinator_response *body = answer->body;

    if (answer->version <= 3) {
        KIT_EXPECT_INT(answer->name, 1, body->node_id);
        KIT_EXPECT(answer->name, is(body->host, "127.0.0.1") && body->port > 0);
        KIT_EXPECT_INT(answer->name, 0, body->error_code);
        return;
    }
    KIT_EXPECT_INT(answer->name, 2, body->coordinators.count);
    for (size_t i = 0; i < 2; i++) {
        KIT_EXPECT_INT(answer->name, 1, body->coordinators.rows[i].node_id);
        KIT_EXPECT_INT(answer->name, 0, body->coordinators.rows[i].error_code);
        KIT_EXPECT(answer->name, is(body->coordinators.rows[i].host, "127.0.0.1"));
    }
}

static void coordinators_are_found(void **state)
{
    (void) state;
    each_version("2.8.2/find_coordinator-v#", 0, 3, look_at_coordinator);
    each_version("4.4.0/find_coordinator-v#", 0, 6, look_at_coordinator);
}

/* Orders 0, 1, 2 at 3 with a note, 0 without, 7 with an empty one; payments 0 at 1. */
static void expect_commits(const struct answer *answer,
                           const struct koa_kafka_offset_fetch_topic *topics, size_t count)
{
    static const int64_t offsets[] = {3, 0, 7};

    KIT_EXPECT_INT(answer->name, 2, count);
    for (size_t i = 0; i < count; i++) {
        bool orders = topics[i].partitions.count == 3;

        if (answer->version < 10)
            KIT_EXPECT(answer->name, is(topics[i].name, orders ? "orders" : "payments"));
        for (size_t j = 0; j < topics[i].partitions.count; j++) {
            const struct koa_kafka_offset_fetch_partition *row = &topics[i].partitions.rows[j];

            KIT_EXPECT_INT(answer->name, 0, row->error_code);
            KIT_EXPECT_INT(answer->name, orders ? offsets[row->partition_index] : 1,
                           row->committed_offset);
            KIT_EXPECT_INT(answer->name, -1, row->committed_leader_epoch);
            KIT_EXPECT(answer->name, is(row->metadata, row->committed_offset == 3 ? "a note" : ""));
        }
    }
}

static void look_at_commits(const struct answer *answer)
{
    const struct koa_kafka_offset_fetch_response *body = answer->body;

    if (answer->version <= 7) {
        KIT_EXPECT_INT(answer->name, 0, body->error_code);
        expect_commits(answer, body->topics.rows, body->topics.count);
        return;
    }
    KIT_EXPECT_INT(answer->name, 3, body->groups.count);
    for (size_t i = 0; i < body->groups.count; i++) {
        const struct koa_kafka_offset_fetch_group *group = &body->groups.rows[i];

        KIT_EXPECT_INT(answer->name, 0, group->error_code);
        if (is(group->group_id, "empty"))
            expect_commits(answer, group->topics.rows, group->topics.count);
        if (is(group->group_id, "absent"))
            KIT_EXPECT_INT(answer->name, 0, group->topics.count);
    }
}

static void commits_are_the_same_in_every_version(void **state)
{
    (void) state;
    each_version("2.8.2/offset_fetch-v#", 2, 7, look_at_commits);
    each_version("3.9.2/offset_fetch-v#", 2, 9, look_at_commits);
    each_version("4.4.0/offset_fetch-v#", 2, 10, look_at_commits);
}

static void look_at_consumer_group(const struct answer *answer)
{
    const struct koa_kafka_consumer_group_describe_response *body = answer->body;
    const struct koa_kafka_consumer_group_describe_group *group = &body->groups.rows[0];
    const struct koa_kafka_consumer_group_describe_member *member = &group->members.rows[0];
    size_t partitions = 0;

    KIT_EXPECT_INT(answer->name, 4, body->groups.count);
    KIT_EXPECT(answer->name, is(group->group_id, "modern") && is(group->group_state, "Stable"));
    KIT_EXPECT_INT(answer->name, 1, group->members.count);
    KIT_EXPECT(answer->name, is(member->instance_id, "static-2") && is(member->rack_id, "rack-a"));
    KIT_EXPECT_INT(answer->name, 2, member->subscribed_topic_names.count);
    KIT_EXPECT_INT(answer->name, 2, member->assignment->topic_partitions.count);
    KIT_EXPECT_INT(answer->name, 2, member->target_assignment->topic_partitions.count);
    for (size_t i = 0; i < 2; i++)
        partitions += member->assignment->topic_partitions.rows[i].partitions.count;
    KIT_EXPECT_INT(answer->name, 4, partitions);
    KIT_EXPECT_INT(answer->name, answer->version >= 1 ? 1 : -1, member->member_type);
    KIT_EXPECT_INT(answer->name, KOA_KAFKA_GROUP_ID_NOT_FOUND, body->groups.rows[3].error_code);
}

static void look_at_share_group(const struct answer *answer)
{
    const struct koa_kafka_share_group_describe_response *body = answer->body;
    const struct koa_kafka_share_group_describe_group *group = &body->groups.rows[0];

    KIT_EXPECT(answer->name, is(group->group_id, "shared") && is(group->group_state, "Stable"));
    KIT_EXPECT_INT(answer->name, 1, group->members.count);
    KIT_EXPECT_INT(answer->name, 1, group->members.rows[0].assignment->topic_partitions.count);
    KIT_EXPECT_INT(answer->name, 3,
                   group->members.rows[0].assignment->topic_partitions.rows[0].partitions.count);
    KIT_EXPECT_INT(answer->name, KOA_KAFKA_GROUP_ID_NOT_FOUND, body->groups.rows[2].error_code);
}

/* Partition 1: five records accepted, three not yet read. The start does not move at once. */
static void look_at_share_offsets(const struct answer *answer)
{
    const struct koa_kafka_describe_share_group_offsets_response *body = answer->body;
    const struct koa_kafka_describe_share_group_offsets_topic *topic =
        &body->groups.rows[0].topics.rows[0];

    KIT_EXPECT(answer->name, is(topic->topic_name, "orders"));
    KIT_EXPECT_INT(answer->name, 3, topic->partitions.count);
    for (size_t i = 0; i < topic->partitions.count; i++) {
        bool started = topic->partitions.rows[i].partition_index == 1;

        KIT_EXPECT(answer->name, (topic->partitions.rows[i].start_offset >= 0) == started);
        KIT_EXPECT_INT(answer->name, answer->version >= 1 && started ? 3 : -1,
                       topic->partitions.rows[i].lag);
    }
}

static void look_at_streams_group(const struct answer *answer)
{
    const struct koa_kafka_streams_group_describe_response *body = answer->body;
    const struct koa_kafka_streams_group_describe_group *group = &body->groups.rows[0];
    const struct koa_kafka_streams_group_describe_member *member = &group->members.rows[0];

    KIT_EXPECT(answer->name, is(group->group_state, "Stable"));
    KIT_EXPECT_INT(answer->name, 1, group->topology->subtopologies.count);
    KIT_EXPECT(answer->name,
               is(group->topology->subtopologies.rows[0].source_topics.rows[0], "orders"));
    KIT_EXPECT_INT(answer->name, 40000, member->user_endpoint->port);
    KIT_EXPECT(answer->name, is(member->client_tags.rows[0].key, "zone"));
    KIT_EXPECT_INT(answer->name, 3, member->assignment->active_tasks.rows[0].partitions.count);
    KIT_EXPECT(answer->name, body->groups.rows[2].topology == NULL);
    KIT_EXPECT_INT(answer->name, answer->version, group->topology_description_status);
    KIT_EXPECT_INT(answer->name, answer->version >= 1, is(group->assignor_name, "sticky"));
}

static void groups_of_the_new_protocols_are_described(void **state)
{
    (void) state;
    each_version("3.9.2/consumer_group_describe-v#", 0, 0, look_at_consumer_group);
    each_version("4.4.0/consumer_group_describe-v#", 0, 1, look_at_consumer_group);
    each_version("4.4.0/share_group_describe-v#", 1, 1, look_at_share_group);
    each_version("4.4.0/describe_share_group_offsets-v#", 0, 1, look_at_share_offsets);
    each_version("4.4.0/streams_group_describe-v#", 0, 1, look_at_streams_group);
}

static void look_at_log_dirs(const struct answer *answer)
{
    const struct koa_kafka_describe_log_dirs_response *body = answer->body;
    size_t partitions = 0;

    KIT_EXPECT_INT(answer->name, 1, body->results.count);
    for (size_t i = 0; i < body->results.rows[0].topics.count; i++)
        partitions += body->results.rows[0].topics.rows[i].partitions.count;
    KIT_EXPECT(answer->name, partitions >= 4);
    KIT_EXPECT(answer->name, (body->results.rows[0].total_bytes > 0) == (answer->version >= 4));
    KIT_EXPECT_INT(answer->name, 0, body->results.rows[0].error_code);
}

static void look_at_quorum(const struct answer *answer)
{
    const struct koa_kafka_describe_quorum_response *body = answer->body;
    const struct koa_kafka_describe_quorum_partition *partition =
        &body->topics.rows[0].partitions.rows[0];
    bool is_three = strstr(answer->name, "three") != NULL;

    KIT_EXPECT_INT(answer->name, 0, partition->error_code);
    KIT_EXPECT_INT(answer->name, is_three ? 3 : 1, partition->current_voters.count);
    KIT_EXPECT(answer->name, partition->leader_id >= 1 && partition->high_watermark > 0);
    KIT_EXPECT(answer->name, partition->current_voters.rows[0].log_end_offset > 0);
}

static void look_at_reassignment(const struct answer *answer)
{
    const struct koa_kafka_list_partition_reassignments_response *body = answer->body;
    const struct koa_kafka_list_partition_reassignments_partition *moving;

    KIT_EXPECT_INT(answer->name, 1, body->topics.count);
    KIT_EXPECT(answer->name, is(body->topics.rows[0].name, "moving"));
    moving = &body->topics.rows[0].partitions.rows[0];
    KIT_EXPECT_INT(answer->name, 2, moving->replicas.count);
    KIT_EXPECT_INT(answer->name, 1, moving->adding_replicas.count);
    KIT_EXPECT_INT(answer->name, 1, moving->removing_replicas.count);
}

static void the_cluster_tells_its_folders_quorum_and_moves(void **state)
{
    (void) state;
    each_version("2.8.2/describe_log_dirs-v#", 1, 2, look_at_log_dirs);
    each_version("4.4.0/describe_log_dirs-v#", 1, 5, look_at_log_dirs);
    each_version("4.4.0/describe_quorum-v#", 0, 2, look_at_quorum);
    each_version("4.4.0/describe_quorum-v#-three", 2, 2, look_at_quorum);
    each_version("3.9.2/describe_quorum-v#-three", 2, 2, look_at_quorum);
    each_version("4.4.0/list_partition_reassignments-v#-moving", 0, 0, look_at_reassignment);
    each_version("3.9.2/list_partition_reassignments-v#-moving", 0, 0, look_at_reassignment);
}

static void look_at_created(const struct answer *answer)
{
    static const struct {
        const char *name;
        int error;
    } rows[] = {{"created", 0}, {"orders", KOA_KAFKA_TOPIC_ALREADY_EXISTS}, {"bad name", 17}};
    const struct koa_kafka_create_topics_response *body = answer->body;

    KIT_EXPECT_INT(answer->name, 4, body->topics.count);
    for (size_t i = 0; i < body->topics.count; i++) {
        const struct koa_kafka_create_topics_topic *topic = &body->topics.rows[i];

        KIT_EACH (row, rows) {
            if (is(topic->name, row->name))
                KIT_EXPECT_INT(answer->name, row->error, topic->error_code);
        }
        if (is(topic->name, "created"))
            KIT_EXPECT_INT(answer->name, answer->version >= 5 ? 2 : -1, topic->num_partitions);
    }
}

static void look_at_configs(const struct answer *answer)
{
    const struct koa_kafka_describe_configs_response *body = answer->body;
    const struct koa_kafka_describe_configs_result *orders = &body->results.rows[0];
    size_t found = 0;

    KIT_EXPECT_INT(answer->name, 3, body->results.count);
    for (size_t i = 0; i < body->results.count; i++) {
        if (is(body->results.rows[i].resource_name, "orders"))
            orders = &body->results.rows[i];
    }
    for (size_t i = 0; i < orders->configs.count; i++) {
        if (is(orders->configs.rows[i].name, "retention.ms"))
            found += is(orders->configs.rows[i].value, "604800000");
        if (is(orders->configs.rows[i].name, "min.insync.replicas"))
            found += is(orders->configs.rows[i].value, "1");
    }
    KIT_EXPECT_INT(answer->name, 2, found);
}

static void topics_are_created_and_their_settings_read(void **state)
{
    (void) state;
    each_version("2.8.2/create_topics-v#", 2, 7, look_at_created);
    each_version("4.4.0/create_topics-v#", 2, 7, look_at_created);
    each_version("2.8.2/describe_configs-v#", 1, 4, look_at_configs);
    each_version("4.4.0/describe_configs-v#", 1, 4, look_at_configs);
}

static void look_at_produced(const struct answer *answer)
{
    const struct koa_kafka_produce_response *body = answer->body;
    const struct koa_kafka_produce_partition *partition =
        &body->responses.rows[0].partition_responses.rows[0];

    KIT_EXPECT_INT(answer->name, 0, partition->error_code);
    KIT_EXPECT_INT(answer->name, 3 * (answer->version - 3), partition->base_offset);
    KIT_EXPECT_INT(answer->name, -1, partition->log_append_time_ms);
    KIT_EXPECT(answer->name, partition->current_leader == NULL);
}

static void look_at_moved_produce(const struct answer *answer)
{
    const struct koa_kafka_produce_response *body = answer->body;
    const struct koa_kafka_produce_partition *partition =
        &body->responses.rows[0].partition_responses.rows[0];

    KIT_EXPECT_INT(answer->name, KOA_KAFKA_NOT_LEADER_OR_FOLLOWER, partition->error_code);
    KIT_EXPECT_INT(answer->name, body->node_endpoints.rows[0].node_id,
                   partition->current_leader->leader_id);
    KIT_EXPECT(answer->name, is(body->node_endpoints.rows[0].host, "127.0.0.1"));
}

static void look_at_moved_fetch(const struct answer *answer)
{
    const struct koa_kafka_fetch_response *body = answer->body;
    const struct koa_kafka_fetch_partition *partition = &body->responses.rows[0].partitions.rows[0];

    KIT_EXPECT_INT(answer->name, KOA_KAFKA_NOT_LEADER_OR_FOLLOWER, partition->error_code);
    KIT_EXPECT_INT(answer->name, body->node_endpoints.rows[0].node_id,
                   partition->current_leader->leader_id);
    KIT_EXPECT(answer->name, partition->diverging_epoch == NULL && partition->snapshot_id == NULL);
}

static void records_are_taken_by_their_leader_alone(void **state)
{
    (void) state;
    each_version("2.8.2/produce-v#", 3, 9, look_at_produced);
    each_version("4.4.0/produce-v#", 3, 13, look_at_produced);
    each_version("4.4.0/produce-v#-moved", 13, 13, look_at_moved_produce);
    each_version("4.4.0/fetch-v#-moved", 18, 18, look_at_moved_fetch);
    each_version("3.9.2/fetch-v#-moved", 17, 17, look_at_moved_fetch);
}

/* The batches of payments: plain, gzip, a committed and an aborted transaction, an open one. */
static const struct {
    int64_t base, last;
    int count;
    bool is_packed, is_transactional, is_control;
} batches[] = {
    {0, 0, 1, false, false, false},  {1, 20, 20, true, false, false},
    {21, 22, 2, false, true, false}, {23, 23, 1, false, true, true},
    {24, 25, 2, false, true, false}, {26, 26, 1, false, true, true},
    {27, 27, 1, false, true, false},
};

static void expect_records(const struct answer *answer, struct koa_kafka_record_batch *batch)
{
    struct koa_kafka_record record;
    bool found = true;

    if (batch->compression != KOA_KAFKA_UNCOMPRESSED) {
        KIT_EXPECT_INT(answer->name, KOA_ERR_UNSUPPORTED,
                       koa_kafka_record_next(batch, &record, &found, NULL));
        return;
    }
    for (int32_t i = 0; i < batch->record_count; i++) {
        KIT_EXPECT_INT(answer->name, KOA_OK, koa_kafka_record_next(batch, &record, &found, NULL));
        KIT_EXPECT(answer->name, found && record.offset == batch->base_offset + i);
        KIT_EXPECT(answer->name, batch->is_control || record.key.data[0] == 'k');
        KIT_EXPECT(answer->name, record.timestamp_ms > INT64_C(1600000000000));
    }
    KIT_EXPECT_INT(answer->name, KOA_OK, koa_kafka_record_next(batch, &record, &found, NULL));
    KIT_EXPECT(answer->name, !found);
}

static void look_at_fetched(const struct answer *answer)
{
    const struct koa_kafka_fetch_response *body = answer->body;
    const struct koa_kafka_fetch_partition *payments = &body->responses.rows[0].partitions.rows[0];
    bool is_committed = strstr(answer->name, "committed") != NULL;
    /* read_committed ends where the open transaction begins. */
    size_t expected = KOA_ARRAY_COUNT(batches) - (is_committed ? 1 : 0);
    struct koa_str bytes = payments->records;
    struct koa_kafka_record_batch batch;
    bool found = true;

    KIT_EXPECT_INT(answer->name, 2, body->responses.count);
    KIT_EXPECT_INT(answer->name, 27, payments->last_stable_offset);
    KIT_EXPECT_INT(answer->name, 28, payments->high_watermark);
    KIT_EXPECT_INT(answer->name, is_committed ? 1 : 0, payments->aborted_transactions.count);
    for (size_t i = 0; i < expected; i++) {
        KIT_EXPECT_INT(answer->name, KOA_OK,
                       koa_kafka_record_batch_next(&bytes, &batch, &found, NULL));
        KIT_EXPECT(answer->name, found);
        KIT_EXPECT_INT(answer->name, batches[i].base, batch.base_offset);
        KIT_EXPECT_INT(answer->name, batches[i].last, batch.last_offset);
        KIT_EXPECT_INT(answer->name, batches[i].count, batch.record_count);
        KIT_EXPECT_INT(answer->name, batches[i].is_packed ? KOA_KAFKA_GZIP : 0, batch.compression);
        KIT_EXPECT(answer->name, batches[i].is_transactional == batch.is_transactional);
        KIT_EXPECT(answer->name, batches[i].is_control == batch.is_control);
        expect_records(answer, &batch);
    }
    KIT_EXPECT_INT(answer->name, KOA_OK, koa_kafka_record_batch_next(&bytes, &batch, &found, NULL));
    KIT_EXPECT(answer->name, !found && bytes.size == 0);
}

static void records_come_back_with_their_markers(void **state)
{
    (void) state;
    each_version("2.8.2/fetch-v#", 4, 12, look_at_fetched);
    each_version("2.8.2/fetch-v#-committed", 4, 12, look_at_fetched);
    each_version("3.9.2/fetch-v#", 4, 17, look_at_fetched);
    each_version("4.4.0/fetch-v#", 4, 18, look_at_fetched);
    each_version("4.4.0/fetch-v#-committed", 4, 18, look_at_fetched);
}

static void look_at_handshake(const struct answer *answer)
{
    const struct koa_kafka_sasl_handshake_response *body = answer->body;
    bool is_refused = strstr(answer->name, "errors") != NULL;

    KIT_EXPECT_INT(answer->name, is_refused ? KOA_KAFKA_UNSUPPORTED_SASL_MECHANISM : 0,
                   body->error_code);
    KIT_EXPECT_INT(answer->name, 3, body->mechanisms.count);
    KIT_EXPECT(answer->name, is(body->mechanisms.rows[2], "SCRAM-SHA-256"));
}

static void look_at_authentication(const struct answer *answer)
{
    const struct koa_kafka_sasl_authenticate_response *body = answer->body;
    bool is_refused = strstr(answer->name, "errors") != NULL;

    KIT_EXPECT_INT(answer->name, is_refused ? KOA_KAFKA_SASL_AUTHENTICATION_FAILED : 0,
                   body->error_code);
    KIT_EXPECT_INT(answer->name, answer->version >= 1 && !is_refused ? 3600000 : 0,
                   body->session_lifetime_ms);
    KIT_EXPECT(answer->name, (body->error_message.size > 0) == is_refused);
}

static void passwords_are_accepted_and_refused(void **state)
{
    (void) state;
    each_version("2.8.2/sasl_handshake-v#", 0, 1, look_at_handshake);
    each_version("4.4.0/sasl_handshake-v#-errors", 0, 1, look_at_handshake);
    each_version("2.8.2/sasl_authenticate-v#", 0, 2, look_at_authentication);
    each_version("4.4.0/sasl_authenticate-v#", 0, 2, look_at_authentication);
    each_version("4.4.0/sasl_authenticate-v#-errors", 0, 2, look_at_authentication);
    each_version("4.4.0/sasl_authenticate-v#-scram-512-last-errors", 0, 2, look_at_authentication);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_listed_with_state_and_type),
        cmocka_unit_test(classic_groups_are_described),
        cmocka_unit_test(coordinators_are_found),
        cmocka_unit_test(commits_are_the_same_in_every_version),
        cmocka_unit_test(groups_of_the_new_protocols_are_described),
        cmocka_unit_test(the_cluster_tells_its_folders_quorum_and_moves),
        cmocka_unit_test(topics_are_created_and_their_settings_read),
        cmocka_unit_test(records_are_taken_by_their_leader_alone),
        cmocka_unit_test(records_come_back_with_their_markers),
        cmocka_unit_test(passwords_are_accepted_and_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

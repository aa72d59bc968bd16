/* What real brokers answered about groups: lists, descriptions, coordinators, commits. Captured by
 * tests/vectors/kafka/capture.py. */
#include "answer_kit.h"
#include "kit/kit.h"

#include "kafka/error_code.h"
#include "kafka/messages/consumer_group_describe.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/describe_share_group_offsets.h"
#include "kafka/messages/find_coordinator.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/offset_fetch.h"
#include "kafka/messages/share_group_describe.h"
#include "kafka/messages/streams_group_describe.h"

static const struct koa_kafka_list_groups_group *
find_listed(const struct koa_kafka_list_groups_response *body, const char *name)
{
    for (size_t i = 0; i < body->groups.count; i++) {
        if (answer_is(body->groups.rows[i].group_id, name))
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
            KIT_EXPECT((*row)[0], answer_is(group->group_state, (*row)[1]));
        if (answer->version >= 5)
            KIT_EXPECT((*row)[0], answer_is(group->group_type, (*row)[2]));
    }
}

static void look_at_filtered_list(const struct answer *answer)
{
    const struct koa_kafka_list_groups_response *body = answer->body;

    for (size_t i = 0; i < body->groups.count; i++)
        KIT_EXPECT(answer->name, answer_is(body->groups.rows[i].group_state, "Empty"));
    KIT_EXPECT(answer->name, body->groups.count > 0);
}

static void groups_are_listed_with_state_and_type(void **state)
{
    (void) state;
    answer_each_version("4.4.0/list_groups-v#", 0, 5, look_at_list);
    answer_each_version("4.4.0/list_groups-v#-filtered", 4, 5, look_at_filtered_list);
    answer_each_version("2.8.2/list_groups-v#-filtered", 4, 4, look_at_filtered_list);
}

static void look_at_described(const struct answer *answer)
{
    const struct koa_kafka_describe_groups_response *body = answer->body;

    KIT_EXPECT_INT(answer->name, 5, body->groups.count);
    for (size_t i = 0; i < body->groups.count; i++) {
        const struct koa_kafka_describe_groups_group *group = &body->groups.rows[i];

        if (answer_is(group->group_id, "absent")) {
            KIT_EXPECT(answer->name, answer_is(group->group_state, "Dead"));
            KIT_EXPECT_INT(answer->name, answer->version >= 6 ? KOA_KAFKA_GROUP_ID_NOT_FOUND : 0,
                           group->error_code);
        }
        if (!answer_is(group->group_id, "live"))
            continue;
        KIT_EXPECT(answer->name, answer_is(group->group_state, "Stable"));
        KIT_EXPECT(answer->name, answer_is(group->protocol_data, "range"));
        KIT_EXPECT_INT(answer->name, 1, group->members.count);
        KIT_EXPECT(answer->name, answer_is(group->members.rows[0].client_id, "vector"));
        KIT_EXPECT(answer->name, answer_is(group->members.rows[0].client_host, "/127.0.0.1"));
        KIT_EXPECT(answer->name,
                   answer->version < 4 ||
                       answer_is(group->members.rows[0].group_instance_id, "static-1"));
        /* Version, one topic, its name, three partitions, no user data. */
        KIT_EXPECT_INT(answer->name, 2 + 4 + 8 + 4 + 3 * 4 + 4,
                       group->members.rows[0].member_assignment.size);
    }
}

static void classic_groups_are_described(void **state)
{
    (void) state;
    answer_each_version("2.8.2/describe_groups-v#", 0, 5, look_at_described);
    answer_each_version("3.9.2/describe_groups-v#", 0, 5, look_at_described);
    answer_each_version("4.4.0/describe_groups-v#", 0, 6, look_at_described);
}

static void look_at_coordinator(const struct answer *answer)
{
    const struct koa_kafka_find_coordinator_response *body = answer->body;

    if (answer->version <= 3) {
        KIT_EXPECT_INT(answer->name, 1, body->node_id);
        KIT_EXPECT(answer->name, answer_is(body->host, "127.0.0.1") && body->port > 0);
        KIT_EXPECT_INT(answer->name, 0, body->error_code);
        return;
    }
    KIT_EXPECT_INT(answer->name, 2, body->coordinators.count);
    for (size_t i = 0; i < 2; i++) {
        KIT_EXPECT_INT(answer->name, 1, body->coordinators.rows[i].node_id);
        KIT_EXPECT_INT(answer->name, 0, body->coordinators.rows[i].error_code);
        KIT_EXPECT(answer->name, answer_is(body->coordinators.rows[i].host, "127.0.0.1"));
    }
}

static void coordinators_are_found(void **state)
{
    (void) state;
    answer_each_version("2.8.2/find_coordinator-v#", 0, 3, look_at_coordinator);
    answer_each_version("4.4.0/find_coordinator-v#", 0, 6, look_at_coordinator);
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
            KIT_EXPECT(answer->name, answer_is(topics[i].name, orders ? "orders" : "payments"));
        for (size_t j = 0; j < topics[i].partitions.count; j++) {
            const struct koa_kafka_offset_fetch_partition *row = &topics[i].partitions.rows[j];

            KIT_EXPECT_INT(answer->name, 0, row->error_code);
            KIT_EXPECT_INT(answer->name, orders ? offsets[row->partition_index] : 1,
                           row->committed_offset);
            KIT_EXPECT_INT(answer->name, -1, row->committed_leader_epoch);
            KIT_EXPECT(answer->name,
                       answer_is(row->metadata, row->committed_offset == 3 ? "a note" : ""));
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
        if (answer_is(group->group_id, "empty"))
            expect_commits(answer, group->topics.rows, group->topics.count);
        if (answer_is(group->group_id, "absent"))
            KIT_EXPECT_INT(answer->name, 0, group->topics.count);
    }
}

static void commits_are_the_same_in_every_version(void **state)
{
    (void) state;
    answer_each_version("2.8.2/offset_fetch-v#", 2, 7, look_at_commits);
    answer_each_version("3.9.2/offset_fetch-v#", 2, 9, look_at_commits);
    answer_each_version("4.4.0/offset_fetch-v#", 2, 10, look_at_commits);
}

static void look_at_consumer_group(const struct answer *answer)
{
    const struct koa_kafka_consumer_group_describe_response *body = answer->body;
    const struct koa_kafka_consumer_group_describe_group *group = &body->groups.rows[0];
    const struct koa_kafka_consumer_group_describe_member *member = &group->members.rows[0];
    size_t partitions = 0;

    KIT_EXPECT_INT(answer->name, 4, body->groups.count);
    KIT_EXPECT(answer->name,
               answer_is(group->group_id, "modern") && answer_is(group->group_state, "Stable"));
    KIT_EXPECT_INT(answer->name, 1, group->members.count);
    KIT_EXPECT(answer->name,
               answer_is(member->instance_id, "static-2") && answer_is(member->rack_id, "rack-a"));
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

    KIT_EXPECT(answer->name,
               answer_is(group->group_id, "shared") && answer_is(group->group_state, "Stable"));
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

    KIT_EXPECT(answer->name, answer_is(topic->topic_name, "orders"));
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

    KIT_EXPECT(answer->name, answer_is(group->group_state, "Stable"));
    KIT_EXPECT_INT(answer->name, 1, group->topology->subtopologies.count);
    KIT_EXPECT(answer->name,
               answer_is(group->topology->subtopologies.rows[0].source_topics.rows[0], "orders"));
    KIT_EXPECT_INT(answer->name, 40000, member->user_endpoint->port);
    KIT_EXPECT(answer->name, answer_is(member->client_tags.rows[0].key, "zone"));
    KIT_EXPECT_INT(answer->name, 3, member->assignment->active_tasks.rows[0].partitions.count);
    KIT_EXPECT(answer->name, body->groups.rows[2].topology == NULL);
    KIT_EXPECT_INT(answer->name, answer->version, group->topology_description_status);
    KIT_EXPECT_INT(answer->name, answer->version >= 1, answer_is(group->assignor_name, "sticky"));
}

static void groups_of_the_new_protocols_are_described(void **state)
{
    (void) state;
    answer_each_version("3.9.2/consumer_group_describe-v#", 0, 0, look_at_consumer_group);
    answer_each_version("4.4.0/consumer_group_describe-v#", 0, 1, look_at_consumer_group);
    answer_each_version("4.4.0/share_group_describe-v#", 1, 1, look_at_share_group);
    answer_each_version("4.4.0/describe_share_group_offsets-v#", 0, 1, look_at_share_offsets);
    answer_each_version("4.4.0/streams_group_describe-v#", 0, 1, look_at_streams_group);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_listed_with_state_and_type),
        cmocka_unit_test(classic_groups_are_described),
        cmocka_unit_test(coordinators_are_found),
        cmocka_unit_test(commits_are_the_same_in_every_version),
        cmocka_unit_test(groups_of_the_new_protocols_are_described),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

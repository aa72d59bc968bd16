/* The fake cluster's coordinators. */
#include <string.h>

#include "kit/kit.h"

#include "base/str.h"
#include "fake_cluster.h"
#include "kafka/error_code.h"
#include "kafka/messages/consumer_group_describe.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/describe_share_group_offsets.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/offset_fetch.h"

enum { MEMBERS = 4 };

static void answer_list(struct fake_cluster *fake, struct koa_kafka_request *request,
                        int32_t broker)
{
    struct koa_kafka_list_groups_group rows[FAKE_GROUPS];
    struct koa_kafka_list_groups_response answer = {.error_code = fake->list_error[broker],
                                                    .groups = {.rows = rows}};

    for (size_t i = 0; i < FAKE_GROUPS && answer.error_code == 0; i++) {
        const struct fake_group *group = &fake->groups[i];
        int32_t lister = group->lister != 0 ? group->lister : group->coordinator;

        if (group->name != NULL && (lister == broker || group->other == broker)) {
            rows[answer.groups.count++] = (struct koa_kafka_list_groups_group){
                .group_id = koa_str_from(group->name),
                .protocol_type = KOA_STR("consumer"),
                .group_state = koa_str_from(group->state != NULL ? group->state : "Empty"),
                .group_type = koa_str_from(group->type != NULL ? group->type : "classic")};
        }
    }
    fake_end_with(request, &answer);
}

static const struct fake_group *find(const struct fake_cluster *fake, struct koa_str name)
{
    for (size_t i = 0; i < FAKE_GROUPS; i++) {
        if (fake->groups[i].name != NULL && koa_str_equal_text(name, fake->groups[i].name))
            return &fake->groups[i];
    }
    return NULL;
}

static const struct fake_group *find_known(const struct fake_cluster *fake, struct koa_str name)
{
    static const struct fake_group none = {.name = "none"};
    const struct fake_group *group = find(fake, name);

    return group != NULL ? group : &none;
}

static int16_t error_of(const struct fake_group *group, int32_t broker)
{
    if (group == NULL)
        return 0;
    if (group->coordinator != broker)
        return KOA_KAFKA_NOT_COORDINATOR;
    return group->error;
}

/* ConsumerProtocolAssignment 0 of one topic with two partitions. */
static struct koa_str assignment_of(const char *topic, char bytes[64])
{
    size_t size = strlen(topic);

    memset(bytes, 0, 64);
    bytes[5] = 1;
    bytes[7] = (char) size;
    for (size_t i = 0; i < size; i++)
        bytes[8 + i] = topic[i];
    bytes[8 + size + 3] = 2;
    return (struct koa_str){.data = bytes, .size = 8 + size + 4 + 8 + 4};
}

static void answer_describe(struct fake_cluster *fake, struct koa_kafka_request *request,
                            int32_t broker)
{
    const struct koa_kafka_describe_groups_request *asked = request->body;
    struct koa_kafka_describe_groups_member members[FAKE_GROUPS][MEMBERS];
    struct koa_kafka_describe_groups_group rows[FAKE_GROUPS];
    struct koa_kafka_describe_groups_response answer = {.groups = {.rows = rows}};
    static char bytes[FAKE_GROUPS][64];

    memset(members, 0, sizeof(members));
    for (size_t i = 0; i < asked->groups.count; i++) {
        const struct fake_group *group = find(fake, asked->groups.rows[i]);
        struct koa_kafka_describe_groups_group *row = &rows[answer.groups.count++];

        *row = (struct koa_kafka_describe_groups_group){.error_code = error_of(group, broker),
                                                        .group_id = asked->groups.rows[i],
                                                        .group_state = KOA_STR("Dead"),
                                                        .protocol_type = KOA_STR("consumer"),
                                                        .protocol_data = KOA_STR("range"),
                                                        .members = {.rows = members[i]}};
        if (group == NULL || row->error_code != 0)
            continue;
        row->group_state = koa_str_from(group->state != NULL ? group->state : "Empty");
        row->members.count = (size_t) group->members;
        if (group->assigned != NULL)
            members[i][0].member_assignment = assignment_of(group->assigned, bytes[i]);
    }
    fake_end_with(request, &answer);
}

static void answer_consumer(struct koa_kafka_request *request, struct fake_cluster *fake)
{
    const struct koa_kafka_consumer_group_describe_request *asked = request->body;
    struct koa_kafka_group_assignment_topic topic = {.partitions = {.count = 3}};
    struct koa_kafka_group_assignment some = {.topic_partitions = {.rows = &topic, .count = 1}};
    struct koa_kafka_consumer_group_describe_member members[MEMBERS] = {{.assignment = &some}};
    const struct fake_group *group = find_known(fake, asked->group_ids.rows[0]);
    struct koa_kafka_consumer_group_describe_group row = {
        .group_id = asked->group_ids.rows[0],
        .group_state = KOA_STR("Reconciling"),
        .assignor_name = KOA_STR("uniform"),
        .members = {.rows = members, .count = (size_t) group->members}};
    struct koa_kafka_consumer_group_describe_response answer = {
        .groups = {.rows = &row, .count = 1}};

    topic.topic_name = koa_str_from(group->assigned);
    fake_end_with(request, &answer);
}

struct fetch {
    struct koa_kafka_offset_fetch_group groups[FAKE_GROUPS];
    struct koa_kafka_offset_fetch_topic topics[FAKE_GROUPS][FAKE_COMMITS];
    struct koa_kafka_offset_fetch_partition partitions[FAKE_GROUPS][FAKE_COMMITS];
};

/* One topic a commit: equal topics are merged by nobody, as no broker sends them. */
static size_t fetch_one(const struct fake_group *group, struct koa_kafka_offset_fetch_topic *topics,
                        struct koa_kafka_offset_fetch_partition *partitions)
{
    size_t count = 0;

    for (size_t i = 0; group != NULL && i < FAKE_COMMITS && group->commits[i].topic != NULL; i++) {
        const struct fake_commit *commit = &group->commits[i];

        partitions[i] = (struct koa_kafka_offset_fetch_partition){
            .partition_index = commit->partition, .committed_offset = commit->offset};
        if (count > 0 && koa_str_equal_text(topics[count - 1].name, commit->topic)) {
            topics[count - 1].partitions.count++;
            continue;
        }
        topics[count].name = koa_str_from(commit->topic);
        topics[count].partitions.rows = &partitions[i];
        topics[count++].partitions.count = 1;
    }
    return count;
}

static void answer_fetch(struct fake_cluster *fake, struct koa_kafka_request *request,
                         int32_t broker)
{
    const struct koa_kafka_offset_fetch_request *asked = request->body;
    static struct fetch fetch;
    struct koa_kafka_offset_fetch_response answer = {.groups = {.rows = fetch.groups}};
    const struct fake_group *group;

    memset(&fetch, 0, sizeof(fetch));
    if (fake->offset_fetch_version < 8) {
        assert_int_equal(asked->groups.count, 0);
        group = find(fake, asked->group_id);
        answer.error_code = error_of(group, broker);
        answer.topics.rows = fetch.topics[0];
        answer.topics.count = fetch_one(group, fetch.topics[0], fetch.partitions[0]);
        answer.groups.rows = NULL;
    }
    if (asked->groups.count > fake->fetched_in_one)
        fake->fetched_in_one = asked->groups.count;
    for (size_t i = 0; i < asked->groups.count; i++) {
        /* Not in the order of the request. */
        struct koa_str name = asked->groups.rows[asked->groups.count - 1 - i].group_id;

        group = find(fake, name);
        fetch.groups[i].group_id = name;
        fetch.groups[i].error_code = error_of(group, broker);
        fetch.groups[i].topics.rows = fetch.topics[i];
        if (fetch.groups[i].error_code == 0)
            fetch.groups[i].topics.count = fetch_one(group, fetch.topics[i], fetch.partitions[i]);
        answer.groups.count++;
    }
    fake_end_with(request, &answer);
}

static void answer_share_offsets(struct fake_cluster *fake, struct koa_kafka_request *request)
{
    const struct koa_kafka_describe_share_group_offsets_request *asked = request->body;
    const struct fake_group *group = find_known(fake, asked->groups.rows[0].group_id);
    struct koa_kafka_describe_share_group_offsets_partition partitions[FAKE_COMMITS];
    struct koa_kafka_describe_share_group_offsets_topic topic = {
        .topic_name = koa_str_from(group->commits[0].topic), .partitions = {.rows = partitions}};
    struct koa_kafka_describe_share_group_offsets_group row = {
        .group_id = asked->groups.rows[0].group_id, .topics = {.rows = &topic, .count = 1}};
    struct koa_kafka_describe_share_group_offsets_response answer = {
        .groups = {.rows = &row, .count = 1}};

    for (size_t i = 0; i < FAKE_COMMITS && group->commits[i].topic != NULL; i++) {
        partitions[topic.partitions.count++] =
            (struct koa_kafka_describe_share_group_offsets_partition){
                .partition_index = group->commits[i].partition,
                .start_offset = group->commits[i].offset,
                .lag = group->commits[i].lag};
    }
    fake_end_with(request, &answer);
}

bool fake_answer_groups(struct fake_cluster *fake, struct koa_kafka_request *request,
                        int32_t broker)
{
    static const struct koa_kafka_describe_groups_response none = {.groups = {.rows = NULL}};

    switch (request->api_key) {
    case KOA_KAFKA_LIST_GROUPS:
        answer_list(fake, request, broker);
        return true;
    case KOA_KAFKA_DESCRIBE_GROUPS:
        answer_describe(fake, request, broker);
        return true;
    case KOA_KAFKA_CONSUMER_GROUP_DESCRIBE:
        answer_consumer(request, fake);
        return true;
    case KOA_KAFKA_OFFSET_FETCH:
        answer_fetch(fake, request, broker);
        return true;
    case KOA_KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS:
        answer_share_offsets(fake, request);
        return true;
    case KOA_KAFKA_SHARE_GROUP_DESCRIBE:
        fake_end_with(request, &none); /* the same shape: no groups */
        return true;
    default:
        return fake_answer_state(fake, request, broker);
    }
}

void fake_add_groups(struct fake_cluster *fake)
{
    fake->groups[0] = (struct fake_group){
        .name = "shop",
        .coordinator = 2,
        .state = "Stable",
        .members = 2,
        .assigned = "orders",
        .commits = {{"orders", 0, 90, 0}, {"orders", 1, 200, 0}, {"pay", 1, 10, 0}}};
    fake->groups[1] =
        (struct fake_group){.name = "audit", .coordinator = 3, .commits = {{"orders", 2, 250, 0}}};
}

static bool find_index(const struct fake_cluster *fake, const char *name, size_t *ret_index)
{
    for (size_t i = 0; i < koa_snapshot_group_count(fake->snapshot); i++) {
        struct koa_snapshot_group group;

        koa_snapshot_group(fake->snapshot, i, &group);
        if (koa_text_equal(group.name, name)) {
            *ret_index = i;
            return true;
        }
    }
    return false;
}

bool fake_has_group(const struct fake_cluster *fake, const char *name)
{
    size_t index;

    return find_index(fake, name, &index);
}

struct koa_snapshot_group fake_group(const struct fake_cluster *fake, const char *name)
{
    struct koa_snapshot_group group = {.name = NULL};
    size_t index = 0;

    if (!find_index(fake, name, &index))
        fail_msg("no group %s", name);
    koa_snapshot_group(fake->snapshot, index, &group);
    return group;
}

static size_t topic_index(const struct fake_cluster *fake, size_t group, const char *topic)
{
    struct koa_snapshot_group row;
    struct koa_snapshot_group_topic found;

    koa_snapshot_group(fake->snapshot, group, &row);
    for (size_t i = 0; i < row.topics; i++) {
        koa_snapshot_group_topic(fake->snapshot, group, i, &found);
        if (koa_text_equal(found.name, topic))
            return i;
    }
    fail_msg("group %s has no topic %s", row.name, topic);
    return 0;
}

struct koa_snapshot_group_topic fake_group_topic(const struct fake_cluster *fake, const char *name,
                                                 const char *topic)
{
    struct koa_snapshot_group_topic found;
    size_t index = 0;

    if (!find_index(fake, name, &index))
        fail_msg("no group %s", name);
    koa_snapshot_group_topic(fake->snapshot, index, topic_index(fake, index, topic), &found);
    return found;
}

struct koa_snapshot_commit fake_commit(const struct fake_cluster *fake, const char *name,
                                       const char *topic, int32_t partition)
{
    struct koa_snapshot_group_topic row = fake_group_topic(fake, name, topic);
    struct koa_snapshot_commit commit = {.partition = -1};
    size_t index = 0;

    (void) find_index(fake, name, &index);
    for (size_t i = 0; i < row.commits; i++) {
        koa_snapshot_commit(fake->snapshot, index, topic_index(fake, index, topic), i, &commit);
        if (commit.partition == partition)
            return commit;
    }
    fail_msg("group %s has no commit of %s %d", name, topic, partition);
    return commit;
}

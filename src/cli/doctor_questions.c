/* The questions: one struct to send and one to read for each. A question names one topic or group,
 * or a partition that cannot exist, so that it costs a broker nothing and changes nothing: Kafka
 * looks at the rights first, whether or not the thing is there. */
#include "cli/doctor_questions.h"

#include "kafka/error_code.h"
#include "kafka/messages/consumer_group_describe.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/describe_configs.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/describe_share_group_offsets.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/list_partition_reassignments.h"
#include "kafka/messages/metadata.h"
#include "kafka/messages/offset_fetch.h"
#include "kafka/messages/produce.h"
#include "kafka/messages/share_group_describe.h"
#include "kafka/messages/streams_group_describe.h"

enum {
    NO_PARTITION = INT32_MAX, /* topics do not have as many */
    SOME_TIME_MS = 1,         /* a time of day for ListOffsets: anything above 0 */
};

/* An array of one, of the arena's. */
#define ONE(row_pointer)                                                                           \
    {                                                                                              \
        .rows = (row_pointer), .count = 1                                                          \
    }

/* ---- topics */

static const void *ask_metadata(const struct cli_subject *subject, struct koa_arena *arena)
{
    struct {
        struct koa_kafka_metadata_request body;
        struct koa_kafka_metadata_request_topic topic;
    } *question = koa_arena_alloc(arena, 1, sizeof(*question));

    if (question == NULL)
        return NULL;
    question->topic.name = subject->topic;
    question->body = (struct koa_kafka_metadata_request){.topics = ONE(&question->topic)};
    return &question->body;
}

static void judge_metadata(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_metadata_response *answer = body;

    if (answer->topics.count > 0)
        reply->codes[0] = answer->topics.rows[0].error_code;
}

static const void *ask_offsets(const struct cli_subject *subject, struct koa_arena *arena,
                               int64_t timestamp, int8_t isolation)
{
    struct {
        struct koa_kafka_list_offsets_request body;
        struct koa_kafka_list_offsets_request_topic topic;
        struct koa_kafka_list_offsets_request_partition partition;
    } *question = koa_arena_alloc(arena, 1, sizeof(*question));

    if (question == NULL)
        return NULL;
    question->partition = (struct koa_kafka_list_offsets_request_partition){
        .partition_index = NO_PARTITION, .current_leader_epoch = -1, .timestamp = timestamp};
    question->topic = (struct koa_kafka_list_offsets_request_topic){
        .name = subject->topic, .partitions = ONE(&question->partition)};
    question->body = (struct koa_kafka_list_offsets_request){.replica_id = -1,
                                                             .isolation_level = isolation,
                                                             .topics = ONE(&question->topic),
                                                             .timeout_ms = subject->timeout_ms};
    return &question->body;
}

static const void *ask_end(const struct cli_subject *subject, struct koa_arena *arena)
{
    return ask_offsets(subject, arena, KOA_KAFKA_OFFSET_END, 0);
}

static const void *ask_start(const struct cli_subject *subject, struct koa_arena *arena)
{
    return ask_offsets(subject, arena, KOA_KAFKA_OFFSET_START, 0);
}

static const void *ask_stable(const struct cli_subject *subject, struct koa_arena *arena)
{
    return ask_offsets(subject, arena, KOA_KAFKA_OFFSET_END, 1);
}

static const void *ask_time(const struct cli_subject *subject, struct koa_arena *arena)
{
    return ask_offsets(subject, arena, SOME_TIME_MS, 0);
}

static void judge_offsets(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_list_offsets_response *answer = body;

    if (answer->topics.count > 0 && answer->topics.rows[0].partitions.count > 0)
        reply->codes[0] = answer->topics.rows[0].partitions.rows[0].error_code;
}

static const void *ask_configs(const struct cli_subject *subject, struct koa_arena *arena)
{
    struct {
        struct koa_kafka_describe_configs_request body;
        struct koa_kafka_describe_configs_resource resource;
        struct koa_str key;
    } *question = koa_arena_alloc(arena, 1, sizeof(*question));

    if (question == NULL)
        return NULL;
    question->key = KOA_STR("min.insync.replicas");
    question->resource =
        (struct koa_kafka_describe_configs_resource){.resource_type = KOA_KAFKA_RESOURCE_TOPIC,
                                                     .resource_name = subject->topic,
                                                     .configuration_keys = ONE(&question->key)};
    question->body =
        (struct koa_kafka_describe_configs_request){.resources = ONE(&question->resource)};
    return &question->body;
}

static void judge_configs(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_describe_configs_response *answer = body;

    if (answer->results.count > 0)
        reply->codes[0] = answer->results.rows[0].error_code;
}

static const void *ask_fetch(struct koa_str topic, struct koa_arena *arena)
{
    struct {
        struct koa_kafka_fetch_request body;
        struct koa_kafka_fetch_request_topic topic;
        struct koa_kafka_fetch_request_partition partition;
    } *question = koa_arena_alloc(arena, 1, sizeof(*question));

    if (question == NULL)
        return NULL;
    question->partition = (struct koa_kafka_fetch_request_partition){.partition = NO_PARTITION,
                                                                     .log_start_offset = -1,
                                                                     .high_watermark = INT64_MAX,
                                                                     .current_leader_epoch = -1,
                                                                     .last_fetched_epoch = -1,
                                                                     .partition_max_bytes = 1};
    question->topic = (struct koa_kafka_fetch_request_topic){
        .topic = topic, .partitions = ONE(&question->partition)};
    question->body = (struct koa_kafka_fetch_request){
        .replica_id = -1, .max_bytes = 1, .session_epoch = -1, .topics = ONE(&question->topic)};
    return &question->body;
}

static const void *ask_fetch_topic(const struct cli_subject *subject, struct koa_arena *arena)
{
    return ask_fetch(subject->topic, arena);
}

static const void *ask_fetch_probe(const struct cli_subject *subject, struct koa_arena *arena)
{
    return ask_fetch(subject->probe_topic, arena);
}

static void judge_fetch(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_fetch_response *answer = body;

    if (answer->error_code != KOA_KAFKA_NO_ERROR) {
        reply->codes[0] = answer->error_code;
    } else if (answer->responses.count > 0 && answer->responses.rows[0].partitions.count > 0) {
        reply->codes[0] = answer->responses.rows[0].partitions.rows[0].error_code;
    }
}

/* ---- groups */

static const void *ask_groups(const struct cli_subject *subject, struct koa_arena *arena)
{
    struct {
        struct koa_kafka_describe_groups_request body;
        struct koa_str group;
    } *question = koa_arena_alloc(arena, 1, sizeof(*question));

    if (question == NULL)
        return NULL;
    question->group = subject->group;
    question->body = (struct koa_kafka_describe_groups_request){.groups = ONE(&question->group)};
    return &question->body;
}

/* The three newer kinds of groups are asked for and answered alike, by structs of their own. */
#define DEFINE_GROUP_QUESTION(noun)                                                                \
    static const void *ask_##noun(const struct cli_subject *subject, struct koa_arena *arena)      \
    {                                                                                              \
        struct {                                                                                   \
            struct koa_kafka_##noun##_request body;                                                \
            struct koa_str group;                                                                  \
        } *question = koa_arena_alloc(arena, 1, sizeof(*question));                                \
                                                                                                   \
        if (question == NULL)                                                                      \
            return NULL;                                                                           \
        question->group = subject->group;                                                          \
        question->body = (struct koa_kafka_##noun##_request){.group_ids = ONE(&question->group)};  \
        return &question->body;                                                                    \
    }                                                                                              \
                                                                                                   \
    static void judge_##noun(const void *body, struct cli_reply *reply)                            \
    {                                                                                              \
        const struct koa_kafka_##noun##_response *answer = body;                                   \
                                                                                                   \
        if (answer->groups.count > 0)                                                              \
            reply->codes[0] = answer->groups.rows[0].error_code;                                   \
    }
DEFINE_GROUP_QUESTION(consumer_group_describe)
DEFINE_GROUP_QUESTION(share_group_describe)
DEFINE_GROUP_QUESTION(streams_group_describe)
#undef DEFINE_GROUP_QUESTION

static void judge_groups(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_describe_groups_response *answer = body;

    if (answer->groups.count > 0)
        reply->codes[0] = answer->groups.rows[0].error_code;
}

/* Versions up to 7 have the one group's topics in the body itself. */
static const void *ask_commits(const struct cli_subject *subject, struct koa_arena *arena)
{
    struct {
        struct koa_kafka_offset_fetch_request body;
        struct koa_kafka_offset_fetch_request_group group;
        struct koa_kafka_offset_fetch_request_topic topic;
        int32_t partition;
    } *question = koa_arena_alloc(arena, 1, sizeof(*question));

    if (question == NULL)
        return NULL;
    question->topic = (struct koa_kafka_offset_fetch_request_topic){
        .name = subject->topic, .partition_indexes = ONE(&question->partition)};
    question->group = (struct koa_kafka_offset_fetch_request_group){
        .group_id = subject->group, .member_epoch = -1, .topics = ONE(&question->topic)};
    question->body = (struct koa_kafka_offset_fetch_request){.group_id = subject->group,
                                                             .topics = ONE(&question->topic),
                                                             .groups = ONE(&question->group)};
    return &question->body;
}

static void judge_commits(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_offset_fetch_response *answer = body;
    const struct koa_kafka_offset_fetch_topic *topics = answer->topics.rows;
    size_t count = answer->topics.count;

    if (answer->error_code != KOA_KAFKA_NO_ERROR || count > 0)
        reply->codes[0] = answer->error_code;
    if (answer->groups.count > 0) {
        reply->codes[0] = answer->groups.rows[0].error_code;
        topics = answer->groups.rows[0].topics.rows;
        count = answer->groups.rows[0].topics.count;
    }
    /* A broker that is not the coordinator tells of the group alone. */
    if (reply->codes[0] == KOA_KAFKA_NO_ERROR && count > 0 && topics[0].partitions.count > 0)
        reply->codes[1] = topics[0].partitions.rows[0].error_code;
}

static const void *ask_share_offsets(const struct cli_subject *subject, struct koa_arena *arena)
{
    struct {
        struct koa_kafka_describe_share_group_offsets_request body;
        struct koa_kafka_describe_share_group_offsets_request_group group;
        struct koa_kafka_describe_share_group_offsets_request_topic topic;
        int32_t partition;
    } *question = koa_arena_alloc(arena, 1, sizeof(*question));

    if (question == NULL)
        return NULL;
    question->topic = (struct koa_kafka_describe_share_group_offsets_request_topic){
        .topic_name = subject->topic, .partitions = ONE(&question->partition)};
    question->group = (struct koa_kafka_describe_share_group_offsets_request_group){
        .group_id = subject->group, .topics = ONE(&question->topic)};
    question->body =
        (struct koa_kafka_describe_share_group_offsets_request){.groups = ONE(&question->group)};
    return &question->body;
}

static void judge_share_offsets(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_describe_share_group_offsets_response *answer = body;
    const struct koa_kafka_describe_share_group_offsets_group *group = answer->groups.rows;

    if (answer->groups.count == 0)
        return;
    reply->codes[0] = group->error_code;
    if (group->error_code == KOA_KAFKA_NO_ERROR && group->topics.count > 0 &&
        group->topics.rows[0].partitions.count > 0)
        reply->codes[1] = group->topics.rows[0].partitions.rows[0].error_code;
}

/* ---- the cluster */

/* Empty arrays, not null ones: those would ask for everything. */
static const void *ask_log_dirs(const struct cli_subject *subject, struct koa_arena *arena)
{
    static struct koa_kafka_describe_log_dirs_request_topic none;
    static const struct koa_kafka_describe_log_dirs_request body = {.topics = {.rows = &none}};

    (void) subject;
    (void) arena;
    return &body;
}

/* Before version 3 a refusal is an answer without any log dir, which no broker is. */
static void judge_log_dirs(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_describe_log_dirs_response *answer = body;

    reply->codes[0] = answer->error_code;
    if (answer->error_code == KOA_KAFKA_NO_ERROR && answer->results.count == 0)
        reply->codes[0] = KOA_KAFKA_CLUSTER_AUTHORIZATION_FAILED;
}

static const void *ask_reassignments(const struct cli_subject *subject, struct koa_arena *arena)
{
    static struct koa_kafka_list_partition_reassignments_request_topic none;
    struct koa_kafka_list_partition_reassignments_request *body =
        koa_arena_alloc(arena, 1, sizeof(*body));

    if (body == NULL)
        return NULL;
    body->timeout_ms = subject->timeout_ms;
    body->topics.rows = &none;
    return body;
}

static void judge_reassignments(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_list_partition_reassignments_response *answer = body;

    reply->codes[0] = answer->error_code;
}

static const void *ask_quorum(const struct cli_subject *subject, struct koa_arena *arena)
{
    static struct koa_kafka_describe_quorum_request_partition partition;
    static struct koa_kafka_describe_quorum_request_topic topic = {
        .topic_name = {.data = "__cluster_metadata", .size = 18}, .partitions = ONE(&partition)};
    static const struct koa_kafka_describe_quorum_request body = {.topics = ONE(&topic)};

    (void) subject;
    (void) arena;
    return &body;
}

static void judge_quorum(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_describe_quorum_response *answer = body;

    reply->codes[0] = answer->error_code;
}

/* ---- the probe's topic */

static const void *ask_creation(const struct cli_subject *subject, struct koa_arena *arena)
{
    struct {
        struct koa_kafka_create_topics_request body;
        struct koa_kafka_create_topics_request_topic topic;
    } *question = koa_arena_alloc(arena, 1, sizeof(*question));

    if (question == NULL)
        return NULL;
    question->topic = (struct koa_kafka_create_topics_request_topic){
        .name = subject->probe_topic, .num_partitions = 1, .replication_factor = 1};
    question->body = (struct koa_kafka_create_topics_request){
        .topics = ONE(&question->topic), .timeout_ms = subject->timeout_ms, .validate_only = true};
    return &question->body;
}

/* A topic that is there already needs no creation. */
static void judge_creation(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_create_topics_response *answer = body;

    if (answer->topics.count > 0)
        reply->codes[0] = answer->topics.rows[0].error_code;
}

static const void *ask_produce(const struct cli_subject *subject, struct koa_arena *arena)
{
    struct {
        struct koa_kafka_produce_request body;
        struct koa_kafka_produce_request_topic topic;
        struct koa_kafka_produce_request_partition partition;
    } *question = koa_arena_alloc(arena, 1, sizeof(*question));

    if (question == NULL)
        return NULL;
    question->partition = (struct koa_kafka_produce_request_partition){
        .index = NO_PARTITION, .records = {.data = "", .size = 0}};
    question->topic = (struct koa_kafka_produce_request_topic){
        .name = subject->probe_topic, .partition_data = ONE(&question->partition)};
    question->body = (struct koa_kafka_produce_request){
        .acks = -1, .timeout_ms = subject->timeout_ms, .topic_data = ONE(&question->topic)};
    return &question->body;
}

static void judge_produce(const void *body, struct cli_reply *reply)
{
    const struct koa_kafka_produce_response *answer = body;

    if (answer->responses.count > 0 && answer->responses.rows[0].partition_responses.count > 0)
        reply->codes[0] = answer->responses.rows[0].partition_responses.rows[0].error_code;
}

const struct cli_question cli_question_metadata = {KOA_KAFKA_METADATA, ask_metadata,
                                                   judge_metadata};
const struct cli_question cli_question_groups = {KOA_KAFKA_DESCRIBE_GROUPS, ask_groups,
                                                 judge_groups};
const struct cli_question cli_question_consumer_group_describe = {
    KOA_KAFKA_CONSUMER_GROUP_DESCRIBE, ask_consumer_group_describe, judge_consumer_group_describe};
const struct cli_question cli_question_share_group_describe = {
    KOA_KAFKA_SHARE_GROUP_DESCRIBE, ask_share_group_describe, judge_share_group_describe};
const struct cli_question cli_question_streams_group_describe = {
    KOA_KAFKA_STREAMS_GROUP_DESCRIBE, ask_streams_group_describe, judge_streams_group_describe};
const struct cli_question cli_question_commits = {KOA_KAFKA_OFFSET_FETCH, ask_commits,
                                                  judge_commits};
const struct cli_question cli_question_share_offsets = {KOA_KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS,
                                                        ask_share_offsets, judge_share_offsets};
const struct cli_question cli_question_end = {KOA_KAFKA_LIST_OFFSETS, ask_end, judge_offsets};
const struct cli_question cli_question_start = {KOA_KAFKA_LIST_OFFSETS, ask_start, judge_offsets};
const struct cli_question cli_question_stable = {KOA_KAFKA_LIST_OFFSETS, ask_stable, judge_offsets};
const struct cli_question cli_question_time = {KOA_KAFKA_LIST_OFFSETS, ask_time, judge_offsets};
const struct cli_question cli_question_fetch_topic = {KOA_KAFKA_FETCH, ask_fetch_topic,
                                                      judge_fetch};
const struct cli_question cli_question_configs = {KOA_KAFKA_DESCRIBE_CONFIGS, ask_configs,
                                                  judge_configs};
const struct cli_question cli_question_log_dirs = {KOA_KAFKA_DESCRIBE_LOG_DIRS, ask_log_dirs,
                                                   judge_log_dirs};
const struct cli_question cli_question_reassignments = {KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS,
                                                        ask_reassignments, judge_reassignments};
const struct cli_question cli_question_quorum = {KOA_KAFKA_DESCRIBE_QUORUM, ask_quorum,
                                                 judge_quorum};
const struct cli_question cli_question_creation = {KOA_KAFKA_CREATE_TOPICS, ask_creation,
                                                   judge_creation};
const struct cli_question cli_question_produce = {KOA_KAFKA_PRODUCE, ask_produce, judge_produce};
const struct cli_question cli_question_fetch_probe = {KOA_KAFKA_FETCH, ask_fetch_probe,
                                                      judge_fetch};

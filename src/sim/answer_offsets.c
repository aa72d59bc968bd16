/* Offsets at the end, the start or a time, from the model's rates. Only the leader answers. */
#include "sim/answer_offsets.h"

#include "base/str.h"
#include "kafka/error_code.h"

/* Special timestamps beyond end and start (KIP-734, KIP-405, KIP-1005). */
enum { MAX_TIMESTAMP = -3, EARLIEST_LOCAL = -4, LATEST_TIERED = -5 };

/* The first message at or after `timestamp`; -1 when there is none. Messages come evenly, so time
 * and offset are a straight line. */
static int64_t offset_at(const struct koa_sim_question *question,
                         const struct koa_sim_partition *partition, int64_t timestamp)
{
    const struct koa_sim_model *model = question->cluster->model;
    int64_t age_ms = question->wall.ms - timestamp;
    struct koa_mono then = koa_mono_add_ms(question->now, -age_ms);
    int64_t start = koa_sim_start_offset(model, partition, question->now);
    int64_t offset;

    if (age_ms < 0)
        return -1;
    offset = koa_sim_end_offset(model, partition, then);
    return offset > start ? offset : start;
}

static void fill_offset(const struct koa_sim_question *question,
                        const struct koa_sim_partition *partition, int64_t timestamp,
                        struct koa_kafka_list_offsets_partition *told)
{
    const struct koa_sim_model *model = question->cluster->model;
    int64_t end = koa_sim_end_offset(model, partition, question->now);

    told->timestamp = -1;
    told->leader_epoch = 0;
    if (timestamp == KOA_KAFKA_OFFSET_END) {
        told->offset = end;
    } else if (timestamp == KOA_KAFKA_OFFSET_START || timestamp == EARLIEST_LOCAL) {
        told->offset = koa_sim_start_offset(model, partition, question->now);
    } else if (timestamp == MAX_TIMESTAMP) {
        told->offset = end - 1;
        told->timestamp = question->wall.ms;
    } else if (timestamp >= 0) {
        told->offset = offset_at(question, partition, timestamp);
        told->timestamp = told->offset >= 0 ? timestamp : -1;
    } else {
        told->offset = -1;
        told->leader_epoch = -1;
        if (timestamp != LATEST_TIERED)
            told->error_code = KOA_KAFKA_INVALID_REQUEST;
    }
}

static void fill_partition(const struct koa_sim_question *question,
                           const struct koa_sim_topic *topic,
                           const struct koa_kafka_list_offsets_request_partition *wanted,
                           struct koa_kafka_list_offsets_partition *told)
{
    const struct koa_sim_partition *partition;

    told->partition_index = wanted->partition_index;
    told->offset = -1;
    told->timestamp = -1;
    told->leader_epoch = -1;
    if (topic == NULL || wanted->partition_index < 0 ||
        wanted->partition_index >= topic->partitions) {
        told->error_code = KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        return;
    }
    partition =
        &question->cluster->model->partitions[topic->first + (size_t) wanted->partition_index];
    if (partition->leader != question->broker) {
        told->error_code = KOA_KAFKA_NOT_LEADER_OR_FOLLOWER;
    } else {
        fill_offset(question, partition, wanted->timestamp, told);
    }
}

bool koa_sim_answer_list_offsets(const struct koa_sim_question *question, int16_t version,
                                 const void *request, void *response)
{
    const struct koa_kafka_list_offsets_request *asked = request;
    struct koa_kafka_list_offsets_response *body = response;

    (void) version;
    body->topics.rows =
        koa_arena_alloc(question->arena, asked->topics.count, sizeof(*body->topics.rows));
    if (body->topics.rows == NULL)
        return false;
    body->topics.count = asked->topics.count;
    for (size_t t = 0; t < asked->topics.count; t++) {
        const struct koa_kafka_list_offsets_request_topic *wanted = &asked->topics.rows[t];
        const struct koa_sim_topic *topic =
            koa_sim_model_find(question->cluster->model, wanted->name);
        struct koa_kafka_list_offsets_topic *told = &body->topics.rows[t];

        told->name = wanted->name;
        told->partitions.rows = koa_arena_alloc(question->arena, wanted->partitions.count,
                                                sizeof(*told->partitions.rows));
        if (told->partitions.rows == NULL)
            return false;
        told->partitions.count = wanted->partitions.count;
        for (size_t p = 0; p < wanted->partitions.count; p++)
            fill_partition(question, topic, &wanted->partitions.rows[p], &told->partitions.rows[p]);
    }
    return true;
}

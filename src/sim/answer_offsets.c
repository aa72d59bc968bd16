/* ListOffsets: the end, the start, the newest message, or the first one at a time. Only the leader
 * answers, and a partition that is named twice is an error both times. */
#include "sim/answer_offsets.h"

#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/list_offsets.h"

/* Special timestamps beyond end and start (KIP-734, KIP-405, KIP-1005), and the first version that
 * knows them. */
enum {
    MAX_TIMESTAMP = -3,
    EARLIEST_LOCAL = -4,
    LATEST_TIERED = -5,
    MAX_TIMESTAMP_SINCE = 7,
    EARLIEST_LOCAL_SINCE = 8,
    LATEST_TIERED_SINCE = 9,
    READ_COMMITTED = 1,
};

/* One request. */
struct look {
    const struct koa_sim_question *question;
    const struct koa_kafka_list_offsets_request *asked;
    int16_t version;
    int64_t now_ms;
    unsigned char *seen; /* two bits for each partition of the model: named, named again */
};

/* The first message at or after `timestamp`, as long as it is before `end`. */
static void find_time(const struct look *look, const struct koa_sim_partition *partition,
                      int64_t end, struct koa_kafka_list_offsets_partition *told)
{
    int64_t wall_began_ms = look->question->wall.ms - look->now_ms;
    int64_t start = koa_sim_partition_start(partition, look->now_ms);
    int64_t at_ms = told->timestamp - wall_began_ms;
    int64_t offset = at_ms > look->now_ms ? end : koa_sim_partition_end(partition, at_ms - 1);

    told->timestamp = -1;
    offset = koa_sim_partition_kept(partition, offset < start ? start : offset);
    if (offset >= end)
        return;
    told->offset = offset;
    told->timestamp = wall_began_ms + koa_sim_partition_written_at(partition, offset, look->now_ms);
}

static void find_newest(const struct look *look, const struct koa_sim_partition *partition,
                        int64_t end, struct koa_kafka_list_offsets_partition *told)
{
    if (end <= koa_sim_partition_start(partition, look->now_ms))
        return;
    told->offset = end - 1;
    told->timestamp = look->question->wall.ms - look->now_ms +
                      koa_sim_partition_written_at(partition, end - 1, look->now_ms);
}

static bool knows(int16_t version, int64_t timestamp)
{
    return timestamp >= KOA_KAFKA_OFFSET_START ||
           (timestamp == MAX_TIMESTAMP && version >= MAX_TIMESTAMP_SINCE) ||
           (timestamp == EARLIEST_LOCAL && version >= EARLIEST_LOCAL_SINCE) ||
           (timestamp == LATEST_TIERED && version >= LATEST_TIERED_SINCE);
}

static void fill_offset(const struct look *look, const struct koa_sim_partition *partition,
                        int64_t timestamp, struct koa_kafka_list_offsets_partition *told)
{
    int64_t end = look->asked->isolation_level == READ_COMMITTED
                      ? koa_sim_partition_stable_end(partition, look->now_ms)
                      : koa_sim_partition_end(partition, look->now_ms);

    told->leader_epoch = partition->leader_epoch;
    if (!knows(look->version, timestamp)) {
        told->leader_epoch = -1;
        told->error_code = KOA_KAFKA_UNSUPPORTED_VERSION;
    } else if (timestamp == KOA_KAFKA_OFFSET_END) {
        told->offset = end;
    } else if (timestamp == KOA_KAFKA_OFFSET_START || timestamp == EARLIEST_LOCAL) {
        told->offset = koa_sim_partition_start(partition, look->now_ms);
    } else if (timestamp == MAX_TIMESTAMP) {
        find_newest(look, partition, end, told);
    } else if (timestamp >= 0) {
        told->timestamp = timestamp;
        find_time(look, partition, end, told);
    } else {
        told->leader_epoch = -1; /* nothing is tiered */
    }
}

static int16_t epoch_error(const struct koa_sim_partition *partition, int32_t epoch)
{
    if (epoch < 0 || epoch == partition->leader_epoch)
        return 0;
    return epoch < partition->leader_epoch ? KOA_KAFKA_FENCED_LEADER_EPOCH
                                           : KOA_KAFKA_UNKNOWN_LEADER_EPOCH;
}

static bool fill_partition(const struct look *look, const struct koa_sim_topic *topic,
                           const struct koa_kafka_list_offsets_request_partition *wanted,
                           struct koa_kafka_list_offsets_partition *told)
{
    const struct koa_sim_partition *partition;
    size_t index;

    told->partition_index = wanted->partition_index;
    told->offset = told->timestamp = told->leader_epoch = -1;
    if (topic == NULL || wanted->partition_index < 0 ||
        wanted->partition_index >= topic->partitions) {
        told->error_code = KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        return true;
    }
    index = topic->first + (size_t) wanted->partition_index;
    partition = &look->question->cluster->model->partitions[index];
    if ((look->seen[index / 4] & 2U << (index % 4 * 2)) != 0) {
        told->error_code = KOA_KAFKA_INVALID_REQUEST;
    } else if (partition->leader != look->question->broker) {
        told->error_code = KOA_KAFKA_NOT_LEADER_OR_FOLLOWER;
    } else {
        told->error_code = epoch_error(partition, wanted->current_leader_epoch);
        if (told->error_code == 0)
            fill_offset(look, partition, wanted->timestamp, told);
    }
    if (look->version > 0)
        return true;
    if (!KOA_SIM_ROWS(look->question->arena, told->old_style_offsets, 1))
        return false;
    told->old_style_offsets.rows[0] = told->offset;
    told->old_style_offsets.count = told->error_code == 0 && wanted->max_num_offsets > 0 ? 1 : 0;
    return true;
}

static void mark(const struct look *look, const struct koa_sim_topic *topic,
                 const struct koa_kafka_list_offsets_request_topic *wanted)
{
    for (size_t p = 0; p < wanted->partitions.count; p++) {
        int32_t partition = wanted->partitions.rows[p].partition_index;
        size_t index;
        unsigned char *bits;
        unsigned first;

        if (partition < 0 || partition >= topic->partitions)
            continue;
        index = topic->first + (size_t) partition;
        bits = &look->seen[index / 4];
        first = 1U << (index % 4 * 2);
        *bits = (unsigned char) (*bits | ((*bits & first) != 0 ? first << 1 : first));
    }
}

bool koa_sim_answer_list_offsets(const struct koa_sim_question *question, int16_t version,
                                 const void *request, void *response)
{
    const struct koa_kafka_list_offsets_request *asked = request;
    struct koa_kafka_list_offsets_response *body = response;
    const struct koa_sim_model *model = question->cluster->model;
    struct look look = {.question = question,
                        .asked = asked,
                        .version = version,
                        .now_ms = koa_sim_question_ms(question),
                        .seen =
                            koa_arena_alloc(question->arena, model->partition_count / 4 + 1, 1)};
    bool fits =
        look.seen != NULL && KOA_SIM_ROWS(question->arena, body->topics, asked->topics.count);

    for (size_t t = 0; t < asked->topics.count && fits; t++) {
        const struct koa_sim_topic *topic = koa_sim_model_find(model, asked->topics.rows[t].name);

        if (topic != NULL)
            mark(&look, topic, &asked->topics.rows[t]);
    }
    for (size_t t = 0; t < asked->topics.count && fits; t++) {
        const struct koa_kafka_list_offsets_request_topic *wanted = &asked->topics.rows[t];
        const struct koa_sim_topic *topic = koa_sim_model_find(model, wanted->name);
        struct koa_kafka_list_offsets_topic *told = &body->topics.rows[t];

        told->name = wanted->name;
        fits = KOA_SIM_ROWS(question->arena, told->partitions, wanted->partitions.count);
        for (size_t p = 0; p < wanted->partitions.count && fits; p++) {
            fits = fill_partition(&look, topic, &wanted->partitions.rows[p],
                                  &told->partitions.rows[p]);
        }
    }
    return fits;
}

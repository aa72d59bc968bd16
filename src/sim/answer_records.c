/* Produce keeps the bytes that clients bring; Fetch gives them back, and makes up batches for the
 * messages that nobody wrote and for transaction markers. */
#include "sim/answer_records.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/produce.h"
#include "kafka/record_batch.h"
#include "sim/records.h"

enum {
    TOPIC_ID_SINCE = 13,
    FETCH_BYTES_MAX = 1 << 20,  /* of one partition, whatever is asked for */
    ANSWER_BYTES_MAX = 4 << 20, /* the last batch may be larger than what was left */
    MADE_UP_RECORDS = 100,      /* in one batch */
    READ_COMMITTED = 1,
};

static const struct koa_sim_topic *find_topic(const struct koa_sim_question *question,
                                              int16_t version, struct koa_str name,
                                              const struct koa_kafka_uuid *id)
{
    return version >= TOPIC_ID_SINCE ? koa_sim_model_find_id(question->cluster->model, id->bytes)
                                     : koa_sim_model_find(question->cluster->model, name);
}

/* NULL, and the error, when this broker does not lead the partition. */
static struct koa_sim_partition *find_partition(const struct koa_sim_question *question,
                                                int16_t version, const struct koa_sim_topic *topic,
                                                int32_t index, int16_t *ret_error)
{
    struct koa_sim_partition *partition;

    if (topic == NULL || index < 0 || index >= topic->partitions) {
        *ret_error = topic == NULL && version >= TOPIC_ID_SINCE
                         ? KOA_KAFKA_UNKNOWN_TOPIC_ID
                         : KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        return NULL;
    }
    partition = &question->cluster->model->partitions[topic->first + (size_t) index];
    *ret_error = partition->leader == question->broker ? 0 : KOA_KAFKA_NOT_LEADER_OR_FOLLOWER;
    return *ret_error == 0 ? partition : NULL;
}

/* ---- writing */

/* Keeps the bytes as long as there is room for one more partition with bytes. */
static bool keep(struct koa_sim_model *model, struct koa_sim_partition *partition,
                 const struct koa_sim_batch *batch)
{
    if (partition->history->records == NULL) {
        if (model->recorded_count == KOA_SIM_RECORDED_MAX)
            return true;
        model->recorded_count++;
    }
    return koa_sim_records_add(&partition->history->records, batch);
}

static bool append(const struct koa_sim_question *question, struct koa_sim_partition *partition,
                   struct koa_str bytes, struct koa_kafka_produce_partition *told)
{
    int64_t now_ms = koa_sim_question_ms(question);
    int64_t end = koa_sim_partition_end(partition, now_ms);
    struct koa_kafka_record_batch batch;
    struct koa_str rest = bytes;
    bool found;
    char *copy;

    if (koa_kafka_record_batch_next(&rest, &batch, &found, NULL) != KOA_OK || !found ||
        rest.size > 0 || batch.last_offset < batch.base_offset) {
        told->error_code = KOA_KAFKA_CORRUPT_MESSAGE;
        return true;
    }
    copy = koa_arena_strndup(question->arena, bytes.data, bytes.size);
    if (copy == NULL ||
        !koa_sim_partition_write(partition, now_ms, batch.last_offset - batch.base_offset + 1,
                                 koa_sim_partition_rate(partition)))
        return false;
    koa_kafka_record_batch_place(copy, bytes.size, end);
    told->base_offset = end;
    told->log_start_offset = koa_sim_partition_start(partition, now_ms);
    return keep(question->cluster->model, partition,
                &(struct koa_sim_batch){
                    .base_offset = end,
                    .last_offset = end + batch.last_offset - batch.base_offset,
                    .bytes = {.data = copy, .size = bytes.size},
                });
}

bool koa_sim_answer_produce(const struct koa_sim_question *question, int16_t version,
                            const void *request, void *response)
{
    const struct koa_kafka_produce_request *asked = request;
    struct koa_kafka_produce_response *body = response;
    bool fits = KOA_SIM_ROWS(question->arena, body->responses, asked->topic_data.count);

    for (size_t t = 0; t < asked->topic_data.count && fits; t++) {
        const struct koa_kafka_produce_request_topic *wanted = &asked->topic_data.rows[t];
        struct koa_kafka_produce_topic *told = &body->responses.rows[t];
        const struct koa_sim_topic *topic =
            find_topic(question, version, wanted->name, &wanted->topic_id);

        told->name = wanted->name;
        told->topic_id = wanted->topic_id;
        fits =
            KOA_SIM_ROWS(question->arena, told->partition_responses, wanted->partition_data.count);
        for (size_t p = 0; p < wanted->partition_data.count && fits; p++) {
            struct koa_kafka_produce_partition *row = &told->partition_responses.rows[p];
            struct koa_sim_partition *partition;

            row->index = wanted->partition_data.rows[p].index;
            row->base_offset = row->log_append_time_ms = row->log_start_offset = -1;
            partition = find_partition(question, version, topic, row->index, &row->error_code);
            if (partition != NULL)
                fits = append(question, partition, wanted->partition_data.rows[p].records, row);
        }
    }
    return fits;
}

/* ---- reading */

/* One partition of a request. */
struct look {
    const struct koa_sim_question *question;
    const struct koa_sim_partition *partition;
    int64_t now_ms;
    int64_t until; /* messages behind it are not told */
    struct koa_buf buf;
};

/* Version 0; commit, and the coordinator's epoch. */
static const struct koa_kafka_record marker = {
    .key = {.data = "\0\0\0\1", .size = 4},
    .value = {.data = "\0\0\0\0\0\0", .size = 6},
};

/* A run without holes of messages that were never written by anybody; returns the offset behind
 * it. */
static int64_t make_up(struct look *look, int64_t offset, int64_t until)
{
    struct koa_kafka_record records[MADE_UP_RECORDS] = {{0}};
    bool is_marker = koa_sim_partition_is_marker(look->partition, offset);
    size_t start = look->buf.size;
    size_t count = 0;

    for (; count < MADE_UP_RECORDS && offset + (int64_t) count < until; count++) {
        int64_t at = offset + (int64_t) count;

        if (count > 0 && (is_marker || koa_sim_partition_is_marker(look->partition, at) ||
                          koa_sim_partition_kept(look->partition, at) != at))
            break;
        records[count].value = KOA_STR("simulated");
    }
    if (is_marker)
        records[0] = marker;
    /* All of a batch at the time of its first message: an exact one for each costs too much. */
    for (size_t i = 0; i < count; i++) {
        records[i].timestamp_ms =
            look->question->wall.ms - look->now_ms +
            koa_sim_partition_written_at(look->partition, offset, look->now_ms);
    }
    if (koa_kafka_record_batch_encode(records, count, &look->buf, NULL) != KOA_OK)
        return look->until;
    if (is_marker)
        koa_kafka_record_batch_mark_control(look->buf.data + start, look->buf.size - start);
    koa_kafka_record_batch_place(look->buf.data + start, look->buf.size - start, offset);
    return offset + (int64_t) count;
}

static bool read_from(struct look *look, int64_t offset, int32_t bytes_max,
                      struct koa_kafka_fetch_partition *told)
{
    const struct koa_sim_history *history = look->partition->history;
    const struct koa_sim_records *records = history != NULL ? history->records : NULL;
    bool fits;

    while (offset < look->until && (int64_t) look->buf.size < bytes_max && !look->buf.failed) {
        const struct koa_sim_batch *batch = koa_sim_records_find(records, offset);

        if (batch != NULL && batch->base_offset <= offset) {
            koa_buf_append(&look->buf, batch->bytes.data, batch->bytes.size);
            offset = batch->last_offset + 1;
        } else {
            int64_t until = batch != NULL && batch->base_offset < look->until ? batch->base_offset
                                                                              : look->until;
            int64_t kept = koa_sim_partition_kept(look->partition, offset);

            offset = kept < until ? make_up(look, kept, until) : until;
        }
    }
    told->records.data =
        koa_arena_strndup(look->question->arena, koa_buf_text(&look->buf), look->buf.size);
    told->records.size = look->buf.size;
    fits = told->records.data != NULL && !look->buf.failed;
    koa_buf_deinit(&look->buf);
    return fits;
}

static bool fetch(const struct koa_sim_question *question,
                  const struct koa_kafka_fetch_request *asked,
                  const struct koa_kafka_fetch_request_partition *wanted,
                  const struct koa_sim_partition *partition, struct koa_kafka_fetch_partition *told)
{
    struct look look = {.question = question,
                        .partition = partition,
                        .now_ms = koa_sim_question_ms(question),
                        .buf = {.limit = ANSWER_BYTES_MAX}};
    int64_t start = koa_sim_partition_start(partition, look.now_ms);

    told->high_watermark = koa_sim_partition_end(partition, look.now_ms);
    told->last_stable_offset = koa_sim_partition_stable_end(partition, look.now_ms);
    told->log_start_offset = start;
    look.until =
        asked->isolation_level == READ_COMMITTED ? told->last_stable_offset : told->high_watermark;
    if (wanted->fetch_offset < start || wanted->fetch_offset > told->high_watermark) {
        told->error_code = KOA_KAFKA_OFFSET_OUT_OF_RANGE;
        return true;
    }
    return read_from(&look, wanted->fetch_offset,
                     wanted->partition_max_bytes < FETCH_BYTES_MAX ? wanted->partition_max_bytes
                                                                   : FETCH_BYTES_MAX,
                     told);
}

static bool fill_topic(const struct koa_sim_question *question, int16_t version,
                       const struct koa_kafka_fetch_request *asked, size_t index,
                       struct koa_kafka_fetch_topic *told)
{
    const struct koa_kafka_fetch_request_topic *wanted = &asked->topics.rows[index];
    const struct koa_sim_topic *topic =
        find_topic(question, version, wanted->topic, &wanted->topic_id);
    bool fits = KOA_SIM_ROWS(question->arena, told->partitions, wanted->partitions.count);

    told->topic = wanted->topic;
    told->topic_id = wanted->topic_id;
    for (size_t p = 0; p < wanted->partitions.count && fits; p++) {
        struct koa_kafka_fetch_partition *row = &told->partitions.rows[p];
        const struct koa_sim_partition *partition;

        row->partition_index = wanted->partitions.rows[p].partition;
        row->high_watermark = row->last_stable_offset = row->log_start_offset = -1;
        row->preferred_read_replica = -1;
        row->records = KOA_STR("");
        partition =
            find_partition(question, version, topic, row->partition_index, &row->error_code);
        if (partition != NULL)
            fits = fetch(question, asked, &wanted->partitions.rows[p], partition, row);
    }
    return fits;
}

/* Nothing new, and nothing wrong that the client should know at once. */
static bool is_empty(const struct koa_kafka_fetch_response *body)
{
    for (size_t t = 0; t < body->responses.count; t++) {
        for (size_t p = 0; p < body->responses.rows[t].partitions.count; p++) {
            const struct koa_kafka_fetch_partition *row =
                &body->responses.rows[t].partitions.rows[p];

            if (row->error_code != 0 || row->records.size > 0)
                return false;
        }
    }
    return true;
}

bool koa_sim_answer_fetch(const struct koa_sim_question *question, int16_t version,
                          const void *request, void *response)
{
    const struct koa_kafka_fetch_request *asked = request;
    struct koa_kafka_fetch_response *body = response;
    bool fits = KOA_SIM_ROWS(question->arena, body->responses, asked->topics.count);

    for (size_t t = 0; t < asked->topics.count && fits; t++)
        fits = fill_topic(question, version, asked, t, &body->responses.rows[t]);
    if (fits && question->ret_waits != NULL && asked->min_bytes > 0 &&
        question->waited_ms < asked->max_wait_ms)
        *question->ret_waits = is_empty(body);
    return fits;
}

/* DescribeLogDirs: a broker tells of its own disks, and of the replicas that lie on them. */
#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_log_dirs.h"
#include "sim/answer_storage.h"
#include "sim/storage.h"

enum { LAG_MS = 30000 /* how far replicas that are not in sync are behind */ };

/* One disk of a request. */
struct look {
    const struct koa_sim_question *question;
    const struct koa_kafka_describe_log_dirs_request *asked;
    int dir;
    int64_t now_ms;
};

static bool is_asked(const struct koa_kafka_describe_log_dirs_request_topic *wanted,
                     int32_t partition)
{
    for (size_t i = 0; wanted != NULL && i < wanted->partitions.count; i++) {
        if (wanted->partitions.rows[i] == partition)
            return true;
    }
    return wanted == NULL;
}

/* `wanted` is NULL when every partition is. */
static bool fill_topic(struct look *look, const struct koa_sim_topic *topic,
                       const struct koa_kafka_describe_log_dirs_request_topic *wanted,
                       struct koa_kafka_describe_log_dirs_topic *told)
{
    const struct koa_sim_question *question = look->question;

    told->name = topic->name;
    if (!KOA_SIM_ROWS(question->arena, told->partitions, (size_t) topic->partitions))
        return false;
    told->partitions.count = 0;
    for (int32_t i = 0; i < topic->partitions; i++) {
        size_t index = topic->first + (size_t) i;
        const struct koa_sim_partition *partition = &question->cluster->model->partitions[index];
        int replica = koa_sim_partition_replica(partition, question->broker);

        if (replica < 0 || koa_sim_storage_dir_of(index) != look->dir || !is_asked(wanted, i))
            continue;
        told->partitions.rows[told->partitions.count++] =
            (struct koa_kafka_describe_log_dirs_partition){
                .partition_index = i,
                .partition_size = koa_sim_storage_partition_bytes(partition, look->now_ms),
                .offset_lag = (partition->in_sync & 1U << (unsigned) replica) != 0
                                  ? 0
                                  : koa_sim_partition_end(partition, look->now_ms) -
                                        koa_sim_partition_end(partition, look->now_ms - LAG_MS),
            };
    }
    return true;
}

/* The row of a topic in the request; `ret_is_left_out` when it has none and the others have. */
static const struct koa_kafka_describe_log_dirs_request_topic *
find_asked(const struct look *look, const struct koa_sim_topic *topic, bool *ret_is_left_out)
{
    *ret_is_left_out = look->asked->topics.rows != NULL;
    if (look->asked->topics.rows == NULL)
        return NULL;
    for (size_t i = 0; i < look->asked->topics.count; i++) {
        if (koa_str_equal(look->asked->topics.rows[i].topic, topic->name)) {
            *ret_is_left_out = false;
            return &look->asked->topics.rows[i];
        }
    }
    return NULL;
}

static bool fill_dir(struct look *look, struct koa_kafka_describe_log_dirs_result *told)
{
    const struct koa_sim_model *model = look->question->cluster->model;
    const struct koa_sim_dir *dir = &model->nodes[look->question->broker - 1].dirs[look->dir];
    struct koa_sim_space space;

    told->log_dir =
        koa_str_from(koa_arena_printf(look->question->arena, "/var/lib/kafka/data-%d", look->dir));
    told->total_bytes = told->usable_bytes = -1;
    if (dir->is_failed) {
        told->error_code = KOA_KAFKA_STORAGE_ERROR;
        return true;
    }
    if (!KOA_SIM_ROWS(look->question->arena, told->topics, model->topic_count))
        return false;
    told->topics.count = 0;
    for (size_t t = 0; t < model->topic_count; t++) {
        struct koa_kafka_describe_log_dirs_topic *row = &told->topics.rows[told->topics.count];
        bool is_left_out;
        const struct koa_kafka_describe_log_dirs_request_topic *wanted =
            find_asked(look, &model->topics[t], &is_left_out);

        if (model->topics[t].is_deleted || is_left_out)
            continue;
        if (!fill_topic(look, &model->topics[t], wanted, row))
            return false;
        if (row->partitions.count > 0)
            told->topics.count++;
    }
    space = koa_sim_storage_space(
        dir, koa_sim_storage_log_bytes(model, look->question->broker, look->dir, look->now_ms),
        look->now_ms);
    told->total_bytes = space.total_bytes;
    told->usable_bytes = space.usable_bytes;
    return true;
}

bool koa_sim_answer_describe_log_dirs(const struct koa_sim_question *question, int16_t version,
                                      const void *request, void *response)
{
    struct koa_kafka_describe_log_dirs_response *body = response;
    bool fits = KOA_SIM_ROWS(question->arena, body->results, KOA_SIM_DIRS);

    (void) version;
    for (int d = 0; d < KOA_SIM_DIRS && fits; d++) {
        struct look look = {.question = question,
                            .asked = request,
                            .dir = d,
                            .now_ms = koa_sim_question_ms(question)};

        fits = fill_dir(&look, &body->results.rows[d]);
    }
    return fits;
}

/* OffsetFetch: commits of one group up to version 7, of many from 8 on. A group that does not
 * exist, and a share group, has no error and no commits. */
#include <string.h>

#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/offset_fetch.h"
#include "sim/answer_groups.h"

enum { WHOLE_ERROR_SINCE = 2, MANY_GROUPS_SINCE = 8, TOPIC_ID_SINCE = 10 };

/* One group's part of a request. */
struct look {
    const struct koa_sim_question *question;
    const struct koa_sim_group *group; /* NULL: it has no commits */
    int64_t now_ms;
    int16_t version;
    int16_t error;
};

static void look_up(struct look *look, struct koa_str name)
{
    const struct koa_sim_model *model = look->question->cluster->model;

    look->now_ms = koa_sim_question_ms(look->question);
    look->group = NULL;
    look->error = 0;
    if (model->slots[koa_sim_slot_of(name)].coordinator != look->question->broker) {
        look->error = KOA_KAFKA_NOT_COORDINATOR;
        return;
    }
    look->group = koa_sim_model_find_group(model, name);
    if (look->group != NULL && look->group->plan.type == KOA_SIM_SHARE)
        look->group = NULL;
}

static void fill_row(const struct look *look, int32_t partition, int64_t offset,
                     struct koa_kafka_offset_fetch_partition *row)
{
    row->partition_index = partition;
    row->committed_offset = offset;
    row->committed_leader_epoch = offset >= 0 ? 0 : -1;
    row->metadata = KOA_STR("");
    row->error_code = look->error;
}

/* Every commit of a span; partitions without one are left out. */
static bool fill_span(const struct look *look, const struct koa_sim_span *span, size_t index,
                      struct koa_kafka_offset_fetch_topic *told)
{
    told->name = span->topic->name;
    memcpy(told->topic_id.bytes, span->topic->id, sizeof(told->topic_id.bytes));
    if (!KOA_SIM_ROWS(look->question->arena, told->partitions, span->count))
        return false;
    told->partitions.count = 0;
    for (size_t i = 0; i < span->count; i++) {
        int64_t offset = koa_sim_group_commit(look->question->cluster->model, look->group,
                                              index + i, look->now_ms);

        if (offset >= 0) {
            fill_row(look, span->from + (int32_t) i, offset,
                     &told->partitions.rows[told->partitions.count++]);
        }
    }
    return true;
}

/* A deleted topic has commits under its name, but none under its id. */
static bool fill_all(const struct look *look, struct koa_kafka_offset_fetch_group *told)
{
    const struct koa_sim_model *model = look->question->cluster->model;
    size_t first = look->group != NULL ? look->group->plan.first : 0;
    size_t count = look->group != NULL ? look->group->plan.count : 0;
    size_t topics = 0;
    struct koa_sim_span span;

    for (size_t at = 0; at < count; at += span.count, topics++)
        span = koa_sim_model_span(model, first + at, count - at);
    if (!KOA_SIM_ROWS(look->question->arena, told->topics, topics))
        return false;
    told->topics.count = 0;
    for (size_t at = 0; at < count; at += span.count) {
        span = koa_sim_model_span(model, first + at, count - at);
        if (look->version >= TOPIC_ID_SINCE && span.topic->is_deleted)
            continue;
        if (!fill_span(look, &span, at, &told->topics.rows[told->topics.count++]))
            return false;
        if (told->topics.rows[told->topics.count - 1].partitions.count == 0)
            told->topics.count--;
    }
    return true;
}

/* The commit for a topic that was asked by name or id; -1: none. */
static int64_t commit_of(const struct look *look,
                         const struct koa_kafka_offset_fetch_request_topic *wanted,
                         int32_t partition)
{
    const struct koa_sim_model *model = look->question->cluster->model;
    size_t count = look->group != NULL ? look->group->plan.count : 0;
    struct koa_sim_span span;

    for (size_t at = 0; at < count; at += span.count) {
        bool is_it;

        span = koa_sim_model_span(model, look->group->plan.first + at, count - at);
        is_it = look->version >= TOPIC_ID_SINCE
                    ? memcmp(wanted->topic_id.bytes, span.topic->id, sizeof(span.topic->id)) == 0
                    : koa_str_equal(wanted->name, span.topic->name);
        if (is_it && partition >= span.from && partition < span.from + (int32_t) span.count) {
            return koa_sim_group_commit(model, look->group, at + (size_t) (partition - span.from),
                                        look->now_ms);
        }
    }
    return -1;
}

static bool fill_asked(const struct look *look,
                       const struct koa_kafka_offset_fetch_request_group *asked,
                       struct koa_kafka_offset_fetch_group *told)
{
    bool fits = KOA_SIM_ROWS(look->question->arena, told->topics, asked->topics.count);

    for (size_t t = 0; t < asked->topics.count && fits; t++) {
        const struct koa_kafka_offset_fetch_request_topic *wanted = &asked->topics.rows[t];
        struct koa_kafka_offset_fetch_topic *row = &told->topics.rows[t];
        bool is_unknown =
            look->version >= TOPIC_ID_SINCE &&
            koa_sim_model_find_id(look->question->cluster->model, wanted->topic_id.bytes) == NULL;

        row->name = wanted->name;
        row->topic_id = wanted->topic_id;
        fits =
            KOA_SIM_ROWS(look->question->arena, row->partitions, wanted->partition_indexes.count);
        for (size_t p = 0; p < wanted->partition_indexes.count && fits; p++) {
            int32_t partition = wanted->partition_indexes.rows[p];

            fill_row(look, partition, is_unknown ? -1 : commit_of(look, wanted, partition),
                     &row->partitions.rows[p]);
            if (is_unknown)
                row->partitions.rows[p].error_code = KOA_KAFKA_UNKNOWN_TOPIC_ID;
        }
    }
    return fits;
}

static bool answer_group(struct look *look,
                         const struct koa_kafka_offset_fetch_request_group *asked,
                         struct koa_kafka_offset_fetch_group *told)
{
    look_up(look, asked->group_id);
    told->group_id = asked->group_id;
    told->error_code = look->error;
    /* Before there was a place for a group's error, each partition had it. */
    if (look->error != 0 && look->version >= WHOLE_ERROR_SINCE)
        return true;
    return asked->topics.rows == NULL ? fill_all(look, told) : fill_asked(look, asked, told);
}

bool koa_sim_answer_offset_fetch(const struct koa_sim_question *question, int16_t version,
                                 const void *request, void *response)
{
    const struct koa_kafka_offset_fetch_request *asked = request;
    struct koa_kafka_offset_fetch_response *body = response;
    struct look look = {.question = question, .version = version};
    bool fits;

    if (version < MANY_GROUPS_SINCE) {
        struct koa_kafka_offset_fetch_request_group one = {.group_id = asked->group_id};
        struct koa_kafka_offset_fetch_group told = {0};

        one.topics.rows = asked->topics.rows;
        one.topics.count = asked->topics.count;
        fits = answer_group(&look, &one, &told);
        body->error_code = told.error_code;
        body->topics.rows = told.topics.rows;
        body->topics.count = told.topics.count;
        return fits;
    }
    fits = KOA_SIM_ROWS(question->arena, body->groups, asked->groups.count);
    for (size_t i = 0; i < asked->groups.count && fits; i++)
        fits = answer_group(&look, &asked->groups.rows[i], &body->groups.rows[i]);
    return fits;
}

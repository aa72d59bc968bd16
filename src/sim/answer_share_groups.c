/* ShareGroupDescribe and DescribeShareGroupOffsets. */
#include <string.h>

#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_share_group_offsets.h"
#include "kafka/messages/share_group_describe.h"
#include "sim/answer_groups.h"
#include "sim/member.h"

static struct koa_str not_a_share_group(const struct koa_sim_question *question,
                                        struct koa_str name)
{
    return koa_str_from(koa_arena_printf(question->arena, "Group %.*s is not a share group.",
                                         (int) name.size, name.data));
}

/* ---- members */

static bool fill_member(const struct koa_sim_question *question, const struct koa_sim_group *group,
                        int32_t index, struct koa_kafka_share_group_describe_member *row)
{
    struct koa_sim_member member;

    if (!koa_sim_member_fill(question, group, index, &member) ||
        !koa_sim_group_topics(question, group, &row->subscribed_topic_names.rows,
                              &row->subscribed_topic_names.count) ||
        !koa_sim_member_assignment(question, group, index, &row->assignment))
        return false;
    row->member_id = member.member_id;
    row->client_id = member.client_id;
    row->client_host = member.client_host;
    row->member_epoch = group->epoch;
    return true;
}

static bool describe(const struct koa_sim_question *question, struct koa_str name,
                     struct koa_kafka_share_group_describe_group *told)
{
    const struct koa_sim_group *group =
        koa_sim_coordinated_group(question, name, KOA_SIM_SHARE, &told->error_code);
    bool fits;

    told->group_id = name;
    told->authorized_operations = INT32_MIN;
    if (group == NULL) {
        if (told->error_code == KOA_KAFKA_GROUP_ID_NOT_FOUND)
            told->error_message = not_a_share_group(question, name);
        return true;
    }
    told->group_state = koa_str_from(koa_sim_group_state(group, koa_sim_question_ms(question)));
    told->group_epoch = told->assignment_epoch = group->epoch;
    told->assignor_name = KOA_STR("simple");
    fits = KOA_SIM_ROWS(question->arena, told->members, (size_t) group->plan.members);
    for (int32_t i = 0; i < group->plan.members && fits; i++)
        fits = fill_member(question, group, i, &told->members.rows[i]);
    return fits;
}

bool koa_sim_answer_share_group_describe(const struct koa_sim_question *question, int16_t version,
                                         const void *request, void *response)
{
    const struct koa_kafka_share_group_describe_request *asked = request;
    struct koa_kafka_share_group_describe_response *body = response;
    bool fits = KOA_SIM_ROWS(question->arena, body->groups, asked->group_ids.count);

    (void) version;
    for (size_t i = 0; i < asked->group_ids.count && fits; i++)
        fits = describe(question, asked->group_ids.rows[i], &body->groups.rows[i]);
    return fits;
}

/* ---- offsets */

static void fill_offset(const struct koa_sim_question *question, const struct koa_sim_group *group,
                        size_t index, int32_t number,
                        struct koa_kafka_describe_share_group_offsets_partition *row)
{
    const struct koa_sim_model *model = question->cluster->model;
    int64_t now_ms = koa_sim_question_ms(question);

    row->partition_index = number;
    row->start_offset = koa_sim_group_commit(model, group, index, now_ms);
    row->lag = row->start_offset < 0
                   ? -1
                   : koa_sim_partition_end(&model->partitions[group->plan.first + index], now_ms) -
                         row->start_offset;
}

static bool fill_all(const struct koa_sim_question *question, const struct koa_sim_group *group,
                     struct koa_kafka_describe_share_group_offsets_group *told)
{
    const struct koa_sim_model *model = question->cluster->model;
    struct koa_sim_span span;

    if (!KOA_SIM_ROWS(question->arena, told->topics, group->plan.count))
        return false;
    told->topics.count = 0;
    for (size_t at = 0; at < group->plan.count; at += span.count) {
        struct koa_kafka_describe_share_group_offsets_topic *row;

        span = koa_sim_model_span(model, group->plan.first + at, group->plan.count - at);
        if (span.topic->is_deleted)
            continue;
        row = &told->topics.rows[told->topics.count++];
        row->topic_name = span.topic->name;
        memcpy(row->topic_id.bytes, span.topic->id, sizeof(row->topic_id.bytes));
        if (!KOA_SIM_ROWS(question->arena, row->partitions, span.count))
            return false;
        for (size_t i = 0; i < span.count; i++) {
            fill_offset(question, group, at + i, span.from + (int32_t) i, &row->partitions.rows[i]);
        }
    }
    return true;
}

static void fill_asked_partition(const struct koa_sim_question *question,
                                 const struct koa_sim_group *group,
                                 const struct koa_sim_topic *topic, int32_t number,
                                 struct koa_kafka_describe_share_group_offsets_partition *row)
{
    size_t index = topic != NULL ? topic->first + (size_t) number - group->plan.first : 0;

    row->partition_index = number;
    row->start_offset = row->lag = -1;
    if (topic == NULL || number < 0 || number >= topic->partitions) {
        row->error_code = KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    } else if (index < group->plan.count) {
        fill_offset(question, group, index, number, row);
    }
}

static bool fill_asked(const struct koa_sim_question *question, const struct koa_sim_group *group,
                       const struct koa_kafka_describe_share_group_offsets_request_group *asked,
                       struct koa_kafka_describe_share_group_offsets_group *told)
{
    bool fits = KOA_SIM_ROWS(question->arena, told->topics, asked->topics.count);

    for (size_t t = 0; t < asked->topics.count && fits; t++) {
        const struct koa_kafka_describe_share_group_offsets_request_topic *wanted =
            &asked->topics.rows[t];
        struct koa_kafka_describe_share_group_offsets_topic *row = &told->topics.rows[t];
        const struct koa_sim_topic *topic =
            koa_sim_model_find(question->cluster->model, wanted->topic_name);

        row->topic_name = wanted->topic_name;
        if (topic != NULL)
            memcpy(row->topic_id.bytes, topic->id, sizeof(row->topic_id.bytes));
        fits = KOA_SIM_ROWS(question->arena, row->partitions, wanted->partitions.count);
        for (size_t p = 0; p < wanted->partitions.count && fits; p++) {
            fill_asked_partition(question, group, topic, wanted->partitions.rows[p],
                                 &row->partitions.rows[p]);
        }
    }
    return fits;
}

bool koa_sim_answer_describe_share_group_offsets(const struct koa_sim_question *question,
                                                 int16_t version, const void *request,
                                                 void *response)
{
    const struct koa_kafka_describe_share_group_offsets_request *asked = request;
    struct koa_kafka_describe_share_group_offsets_response *body = response;
    bool fits = KOA_SIM_ROWS(question->arena, body->groups, asked->groups.count);

    (void) version;
    for (size_t i = 0; i < asked->groups.count && fits; i++) {
        const struct koa_kafka_describe_share_group_offsets_request_group *wanted =
            &asked->groups.rows[i];
        struct koa_kafka_describe_share_group_offsets_group *told = &body->groups.rows[i];
        const struct koa_sim_group *group =
            koa_sim_coordinated_group(question, wanted->group_id, KOA_SIM_SHARE, &told->error_code);

        told->group_id = wanted->group_id;
        if (group == NULL) {
            if (told->error_code == KOA_KAFKA_GROUP_ID_NOT_FOUND)
                told->error_message = not_a_share_group(question, wanted->group_id);
        } else if (wanted->topics.rows == NULL) {
            fits = fill_all(question, group, told);
        } else {
            fits = fill_asked(question, group, wanted, told);
        }
    }
    return fits;
}

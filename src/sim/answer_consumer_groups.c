/* ConsumerGroupDescribe: groups of the consumer protocol, and no others. */
#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/consumer_group_describe.h"
#include "sim/answer_groups.h"
#include "sim/member.h"

enum { MEMBER_TYPE_CONSUMER = 1 };

static bool fill_member(const struct koa_sim_question *question, const struct koa_sim_group *group,
                        int32_t index, struct koa_kafka_consumer_group_describe_member *row)
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
    row->target_assignment = row->assignment;
    row->member_epoch = group->epoch;
    row->member_type = MEMBER_TYPE_CONSUMER;
    return true;
}

static bool describe(const struct koa_sim_question *question, struct koa_str name,
                     struct koa_kafka_consumer_group_describe_group *told)
{
    const struct koa_sim_group *group =
        koa_sim_coordinated_group(question, name, KOA_SIM_CONSUMER, &told->error_code);
    bool fits;

    told->group_id = name;
    told->authorized_operations = INT32_MIN;
    if (group == NULL) {
        if (told->error_code == KOA_KAFKA_GROUP_ID_NOT_FOUND) {
            told->error_message = koa_str_from(
                koa_arena_printf(question->arena, "Group %.*s is not a consumer group.",
                                 (int) name.size, name.data));
        }
        return true;
    }
    told->group_state = koa_str_from(koa_sim_group_state(group, koa_sim_question_ms(question)));
    told->group_epoch = told->assignment_epoch = group->epoch;
    told->assignor_name = KOA_STR("uniform");
    fits = KOA_SIM_ROWS(question->arena, told->members, (size_t) group->plan.members);
    for (int32_t i = 0; i < group->plan.members && fits; i++)
        fits = fill_member(question, group, i, &told->members.rows[i]);
    return fits;
}

bool koa_sim_answer_consumer_group_describe(const struct koa_sim_question *question,
                                            int16_t version, const void *request, void *response)
{
    const struct koa_kafka_consumer_group_describe_request *asked = request;
    struct koa_kafka_consumer_group_describe_response *body = response;
    bool fits = KOA_SIM_ROWS(question->arena, body->groups, asked->group_ids.count);

    (void) version;
    for (size_t i = 0; i < asked->group_ids.count && fits; i++)
        fits = describe(question, asked->group_ids.rows[i], &body->groups.rows[i]);
    return fits;
}

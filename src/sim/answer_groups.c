/* FindCoordinator, ListGroups, DescribeGroups. Only the coordinator knows a group; the others say
 * that they are not. */
#include "sim/answer_groups.h"

#include <stdio.h>

#include "base/memory.h"
#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/find_coordinator.h"
#include "kafka/messages/list_groups.h"
#include "sim/member.h"

enum { MANY_KEYS_SINCE = 4, NOT_FOUND_SINCE = 6 };

static void find_one(const struct koa_sim_question *question, struct koa_str key,
                     struct koa_kafka_find_coordinator_coordinator *told)
{
    const struct koa_sim_cluster *cluster = question->cluster;
    int32_t broker = cluster->model->slots[koa_sim_slot_of(key)].coordinator;

    told->key = key;
    told->host = KOA_STR("");
    told->node_id = told->port = -1;
    if (broker < 0) {
        told->error_code = KOA_KAFKA_COORDINATOR_NOT_AVAILABLE;
        told->error_message = KOA_STR("The coordinator is not available.");
        return;
    }
    told->node_id = broker;
    told->host = koa_str_from(cluster->host);
    told->port = cluster->ports[broker - 1];
}

bool koa_sim_answer_find_coordinator(const struct koa_sim_question *question, int16_t version,
                                     const void *request, void *response)
{
    const struct koa_kafka_find_coordinator_request *asked = request;
    struct koa_kafka_find_coordinator_response *body = response;
    struct koa_kafka_find_coordinator_coordinator one = {0};

    if (version < MANY_KEYS_SINCE) {
        find_one(question, asked->key, &one);
        body->error_code = one.error_code;
        body->error_message = one.error_message;
        body->node_id = one.node_id;
        body->host = one.host;
        body->port = one.port;
        return true;
    }
    if (!KOA_SIM_ROWS(question->arena, body->coordinators, asked->coordinator_keys.count))
        return false;
    for (size_t i = 0; i < asked->coordinator_keys.count; i++)
        find_one(question, asked->coordinator_keys.rows[i], &body->coordinators.rows[i]);
    return true;
}

/* Filters are words in any case; an empty one lets everything pass. */
static bool passes(const struct koa_str *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        char text[32];

        (void) koa_str_copy(text, sizeof(text), words[i]);
        if (koa_text_equal_nocase(text, word))
            return true;
    }
    return count == 0;
}

bool koa_sim_answer_list_groups(const struct koa_sim_question *question, int16_t version,
                                const void *request, void *response)
{
    const struct koa_kafka_list_groups_request *asked = request;
    struct koa_kafka_list_groups_response *body = response;
    const struct koa_sim_model *model = question->cluster->model;
    int64_t now_ms = koa_sim_question_ms(question);

    (void) version;
    if (!KOA_SIM_ROWS(question->arena, body->groups, model->group_count))
        return false;
    body->groups.count = 0;
    for (size_t i = 0; i < model->group_count; i++) {
        const struct koa_sim_group *group = &model->groups[i];
        const char *state = koa_sim_group_state(group, now_ms);
        const char *type = koa_sim_group_type_name(group->plan.type);

        if (group->is_deleted ||
            !koa_sim_model_lists(model, group->slot, question->broker, now_ms) ||
            !passes(asked->states_filter.rows, asked->states_filter.count, state) ||
            !passes(asked->types_filter.rows, asked->types_filter.count, type))
            continue;
        body->groups.rows[body->groups.count++] = (struct koa_kafka_list_groups_group){
            .group_id = group->plan.name,
            .protocol_type = koa_str_from(koa_sim_group_protocol_type(group)),
            .group_state = koa_str_from(state),
            .group_type = koa_str_from(type),
        };
    }
    return true;
}

const struct koa_sim_group *koa_sim_coordinated_group(const struct koa_sim_question *question,
                                                      struct koa_str name,
                                                      enum koa_sim_group_type type,
                                                      int16_t *ret_error)
{
    const struct koa_sim_model *model = question->cluster->model;
    const struct koa_sim_group *group;

    if (model->slots[koa_sim_slot_of(name)].coordinator != question->broker) {
        *ret_error = KOA_KAFKA_NOT_COORDINATOR;
        return NULL;
    }
    group = koa_sim_model_find_group(model, name);
    if (group == NULL || group->plan.type != type) {
        *ret_error = KOA_KAFKA_GROUP_ID_NOT_FOUND;
        return NULL;
    }
    *ret_error = 0;
    return group;
}

/* Subscription and assignment are told of a stable group only. */
static bool fill_members(const struct koa_sim_question *question, const struct koa_sim_group *group,
                         bool is_stable, struct koa_kafka_describe_groups_group *told)
{
    struct koa_str subscription = KOA_STR("");
    bool fits = KOA_SIM_ROWS(question->arena, told->members, (size_t) group->plan.members) &&
                (!is_stable || koa_sim_group_subscription(question, group, &subscription));

    for (int32_t i = 0; i < group->plan.members && fits; i++) {
        struct koa_kafka_describe_groups_member *row = &told->members.rows[i];
        struct koa_sim_member member;

        fits = koa_sim_member_fill(question, group, i, &member);
        if (!fits)
            break;
        row->member_id = member.member_id;
        row->client_id = member.client_id;
        row->client_host = member.client_host;
        row->member_metadata = subscription;
        row->member_assignment = KOA_STR("");
        if (is_stable)
            fits = koa_sim_member_assignment_bytes(question, group, i, &row->member_assignment);
    }
    return fits;
}

static bool describe(const struct koa_sim_question *question, int16_t version, struct koa_str name,
                     struct koa_kafka_describe_groups_group *told)
{
    int64_t now_ms = koa_sim_question_ms(question);
    const struct koa_sim_group *group =
        koa_sim_coordinated_group(question, name, KOA_SIM_CLASSIC, &told->error_code);
    bool is_stable;

    told->group_id = name;
    told->authorized_operations = INT32_MIN;
    if (group == NULL && told->error_code == KOA_KAFKA_GROUP_ID_NOT_FOUND) {
        told->group_state = KOA_STR("Dead");
        if (version < NOT_FOUND_SINCE) {
            told->error_code = 0;
        } else {
            told->error_message = koa_str_from(koa_arena_printf(
                question->arena, "Group %.*s not found.", (int) name.size, name.data));
        }
        return true;
    }
    if (group == NULL)
        return true;
    is_stable = koa_text_equal(koa_sim_group_state(group, now_ms), "Stable");
    told->group_state = koa_str_from(koa_sim_group_state(group, now_ms));
    told->protocol_type = koa_str_from(koa_sim_group_protocol_type(group));
    told->protocol_data = is_stable ? KOA_STR("range") : KOA_STR("");
    return fill_members(question, group, is_stable, told);
}

bool koa_sim_answer_describe_groups(const struct koa_sim_question *question, int16_t version,
                                    const void *request, void *response)
{
    const struct koa_kafka_describe_groups_request *asked = request;
    struct koa_kafka_describe_groups_response *body = response;
    bool fits = KOA_SIM_ROWS(question->arena, body->groups, asked->groups.count);

    for (size_t i = 0; i < asked->groups.count && fits; i++)
        fits = describe(question, version, asked->groups.rows[i], &body->groups.rows[i]);
    return fits;
}

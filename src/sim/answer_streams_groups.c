/* StreamsGroupDescribe: one subtopology that reads all topics of the group, and a task for each
 * partition number. */
#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/streams_group_describe.h"
#include "sim/answer_groups.h"
#include "sim/member.h"

static int32_t task_count(const struct koa_sim_question *question,
                          const struct koa_sim_group *group)
{
    size_t end = group->plan.first + group->plan.count;
    int32_t count = 0;
    struct koa_sim_span span;

    for (size_t at = group->plan.first; at < end; at += span.count) {
        int32_t last;

        span = koa_sim_model_span(question->cluster->model, at, end - at);
        last = span.from + (int32_t) span.count;
        if (!span.topic->is_deleted && koa_sim_group_left(group, at) == NULL && last > count)
            count = last;
    }
    return count;
}

static bool fill_topology(const struct koa_sim_question *question,
                          const struct koa_sim_group *group,
                          struct koa_kafka_streams_group_describe_group *told)
{
    struct koa_kafka_streams_group_describe_topology *topology =
        koa_arena_alloc(question->arena, 1, sizeof(*topology));
    struct koa_kafka_streams_group_describe_subtopology *sub;

    if (topology == NULL || !KOA_SIM_ROWS(question->arena, topology->subtopologies, 1))
        return false;
    sub = &topology->subtopologies.rows[0];
    sub->subtopology_id = KOA_STR("0");
    told->topology = topology;
    return koa_sim_group_topics(question, group, &sub->source_topics.rows,
                                &sub->source_topics.count);
}

/* As its client would have told (KIP-1331): the topics, and what works on them. */
static bool fill_description(const struct koa_sim_question *question,
                             const struct koa_sim_group *group,
                             struct koa_kafka_streams_group_describe_group *told)
{
    static struct koa_str successors[] = {{.data = "KSTREAM-PROCESSOR-0000000001", .size = 28}};
    struct koa_kafka_streams_group_describe_description *description =
        koa_arena_alloc(question->arena, 1, sizeof(*description));
    struct koa_kafka_streams_group_describe_described_subtopology *sub;

    if (description == NULL || !KOA_SIM_ROWS(question->arena, description->subtopologies, 1))
        return false;
    sub = &description->subtopologies.rows[0];
    sub->subtopology_id = KOA_STR("0");
    if (!KOA_SIM_ROWS(question->arena, sub->nodes, 2))
        return false;
    sub->nodes.rows[0].name = KOA_STR("KSTREAM-SOURCE-0000000000");
    sub->nodes.rows[0].node_type = KOA_KAFKA_STREAMS_NODE_SOURCE;
    sub->nodes.rows[0].successors.rows = successors;
    sub->nodes.rows[0].successors.count = KOA_ARRAY_COUNT(successors);
    sub->nodes.rows[1].name = successors[0];
    sub->nodes.rows[1].node_type = KOA_KAFKA_STREAMS_NODE_PROCESSOR;
    told->topology_description = description;
    told->topology_description_status = KOA_KAFKA_STREAMS_DESCRIPTION_AVAILABLE;
    return koa_sim_group_topics(question, group, &sub->nodes.rows[0].source_topics.rows,
                                &sub->nodes.rows[0].source_topics.count);
}

static bool fill_member(const struct koa_sim_question *question, const struct koa_sim_group *group,
                        int32_t index, struct koa_kafka_streams_group_describe_member *row)
{
    struct koa_kafka_streams_group_describe_assignment *assignment =
        koa_arena_alloc(question->arena, 1, sizeof(*assignment));
    struct koa_kafka_streams_group_describe_tasks *tasks;
    int32_t count = task_count(question, group);
    struct koa_sim_member member;

    if (assignment == NULL || !koa_sim_member_fill(question, group, index, &member) ||
        !KOA_SIM_ROWS(question->arena, assignment->active_tasks, 1))
        return false;
    tasks = &assignment->active_tasks.rows[0];
    tasks->subtopology_id = KOA_STR("0");
    if (!KOA_SIM_ROWS(question->arena, tasks->partitions, (size_t) count))
        return false;
    tasks->partitions.count = 0;
    for (int32_t task = index; task < count; task += group->plan.members)
        tasks->partitions.rows[tasks->partitions.count++] = task;
    row->member_id = member.member_id;
    row->client_id = row->process_id = member.client_id;
    row->client_host = member.client_host;
    row->member_epoch = group->epoch;
    row->assignment = row->target_assignment = assignment;
    return true;
}

static bool describe(const struct koa_sim_question *question, struct koa_str name,
                     bool with_description, struct koa_kafka_streams_group_describe_group *told)
{
    const struct koa_sim_group *group =
        koa_sim_coordinated_group(question, name, KOA_SIM_STREAMS, &told->error_code);
    bool fits;

    told->group_id = name;
    told->authorized_operations = INT32_MIN;
    if (group == NULL) {
        if (told->error_code == KOA_KAFKA_GROUP_ID_NOT_FOUND) {
            told->error_message = koa_str_from(koa_arena_printf(
                question->arena, "Group %.*s is not a streams group.", (int) name.size, name.data));
        }
        return true;
    }
    told->group_state = koa_str_from(koa_sim_group_state(group, koa_sim_question_ms(question)));
    told->group_epoch = told->assignment_epoch = group->epoch;
    told->assignor_name = KOA_STR("sticky");
    fits = fill_topology(question, group, told) &&
           (!with_description || fill_description(question, group, told)) &&
           KOA_SIM_ROWS(question->arena, told->members, (size_t) group->plan.members);
    for (int32_t i = 0; i < group->plan.members && fits; i++)
        fits = fill_member(question, group, i, &told->members.rows[i]);
    return fits;
}

bool koa_sim_answer_streams_group_describe(const struct koa_sim_question *question, int16_t version,
                                           const void *request, void *response)
{
    const struct koa_kafka_streams_group_describe_request *asked = request;
    struct koa_kafka_streams_group_describe_response *body = response;
    bool fits = KOA_SIM_ROWS(question->arena, body->groups, asked->group_ids.count);

    (void) version;
    for (size_t i = 0; i < asked->group_ids.count && fits; i++) {
        fits = describe(question, asked->group_ids.rows[i], asked->include_topology_description,
                        &body->groups.rows[i]);
    }
    return fits;
}

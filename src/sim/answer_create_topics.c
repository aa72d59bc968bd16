/* CreateTopics: a new topic is empty and stays so until somebody writes to it. */
#include <string.h>

#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/create_topics.h"
#include "sim/answer_records.h"

enum { NAME_MAX_LENGTH = 249, PARTITIONS_MAX = 10000 };

static bool is_name(struct koa_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-'))
            return false;
    }
    return name.size > 0 && name.size <= NAME_MAX_LENGTH;
}

/* Numbers where -1 leaves the choice to the broker, and assignments decide instead of both. */
static void plan_topic(const struct koa_sim_model *model,
                       const struct koa_kafka_create_topics_request_topic *wanted,
                       struct koa_sim_topic_plan *plan)
{
    *plan = (struct koa_sim_topic_plan){.name = wanted->name,
                                        .partitions = wanted->num_partitions,
                                        .replicas = wanted->replication_factor};
    if (wanted->assignments.count > 0) {
        plan->partitions = (int32_t) wanted->assignments.count;
        plan->replicas = (int32_t) wanted->assignments.rows[0].broker_ids.count;
    }
    if (plan->partitions == -1)
        plan->partitions = 1;
    if (plan->replicas == -1) {
        plan->replicas =
            model->broker_count < KOA_SIM_REPLICAS_MAX ? model->broker_count : KOA_SIM_REPLICAS_MAX;
    }
}

static int16_t check(const struct koa_sim_model *model, const struct koa_sim_topic_plan *plan)
{
    if (!is_name(plan->name))
        return KOA_KAFKA_INVALID_TOPIC_EXCEPTION;
    if (koa_sim_model_find(model, plan->name) != NULL)
        return KOA_KAFKA_TOPIC_ALREADY_EXISTS;
    if (plan->partitions < 1 || plan->partitions > PARTITIONS_MAX)
        return KOA_KAFKA_INVALID_PARTITIONS;
    if (plan->replicas < 1 || plan->replicas > model->broker_count ||
        plan->replicas > KOA_SIM_REPLICAS_MAX)
        return KOA_KAFKA_INVALID_REPLICATION_FACTOR;
    return 0;
}

/* Replicas as the client wants them. */
static void assign(struct koa_sim_model *model, const struct koa_sim_topic *topic,
                   const struct koa_kafka_create_topics_request_topic *wanted)
{
    for (size_t i = 0; i < wanted->assignments.count; i++) {
        const struct koa_kafka_create_topics_assignment *row = &wanted->assignments.rows[i];
        struct koa_sim_partition *partition;

        if (row->partition_index < 0 || row->partition_index >= topic->partitions)
            continue;
        partition = &model->partitions[topic->first + (size_t) row->partition_index];
        for (int32_t r = 0; r < partition->replica_count && (size_t) r < row->broker_ids.count;
             r++) {
            if (koa_sim_model_node(model, row->broker_ids.rows[r]) != NULL)
                partition->replicas[r] = row->broker_ids.rows[r];
        }
        partition->leader = partition->replicas[0];
    }
}

static bool create(const struct koa_sim_question *question,
                   const struct koa_kafka_create_topics_request_topic *wanted, bool is_only_checked,
                   struct koa_kafka_create_topics_topic *told)
{
    struct koa_sim_model *model = question->cluster->model;
    struct koa_sim_topic_plan plan;
    const struct koa_sim_topic *topic;
    struct koa_error error;

    plan_topic(model, wanted, &plan);
    told->name = wanted->name;
    told->num_partitions = -1;
    told->replication_factor = -1;
    /* A cluster without KRaft has one broker that makes topics. */
    told->error_code = check(model, &plan);
    if (model->version == KOA_SIM_KAFKA_2_8 && question->broker != model->controller)
        told->error_code = KOA_KAFKA_NOT_CONTROLLER;
    if (told->error_code == 0 && !is_only_checked &&
        koa_sim_model_add_topic(model, &plan, koa_sim_question_ms(question), &error) != KOA_OK) {
        told->error_code = KOA_KAFKA_POLICY_VIOLATION;
        told->error_message = koa_str_from(koa_arena_strdup(question->arena, error.text));
    }
    if (told->error_code != 0)
        return true;
    told->num_partitions = plan.partitions;
    told->replication_factor = (int16_t) plan.replicas;
    topic = koa_sim_model_find(model, plan.name);
    if (topic != NULL) {
        memcpy(told->topic_id.bytes, topic->id, sizeof(topic->id));
        assign(model, topic, wanted);
    }
    return KOA_SIM_ROWS(question->arena, told->configs, 0);
}

bool koa_sim_answer_create_topics(const struct koa_sim_question *question, int16_t version,
                                  const void *request, void *response)
{
    const struct koa_kafka_create_topics_request *asked = request;
    struct koa_kafka_create_topics_response *body = response;
    bool fits = KOA_SIM_ROWS(question->arena, body->topics, asked->topics.count);

    (void) version;
    for (size_t i = 0; i < asked->topics.count && fits; i++) {
        fits =
            create(question, &asked->topics.rows[i], asked->validate_only, &body->topics.rows[i]);
    }
    return fits;
}

/* Brokers, topics and partitions of the model as Kafka tells them. Broker 1 is the controller. */
#include "sim/answer_metadata.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_cluster.h"

enum { CONTROLLER = 1, RACKS = 3 };

static const char *const racks[RACKS] = {"rack-a", "rack-b", "rack-c"};

static struct koa_str rack_of(int32_t broker)
{
    return koa_str_from(racks[(broker - 1) % RACKS]);
}

static bool fill_brokers(const struct koa_sim_question *question,
                         struct koa_kafka_metadata_response *body)
{
    const struct koa_sim_cluster *cluster = question->cluster;
    size_t count = (size_t) cluster->model->broker_count;

    body->brokers.rows = koa_arena_alloc(question->arena, count, sizeof(*body->brokers.rows));
    body->brokers.count = body->brokers.rows != NULL ? count : 0;
    for (size_t i = 0; i < body->brokers.count; i++) {
        body->brokers.rows[i] = (struct koa_kafka_metadata_broker){
            .node_id = (int32_t) i + 1,
            .host = koa_str_from(cluster->host),
            .port = cluster->ports[i],
            .rack = rack_of((int32_t) i + 1),
        };
    }
    return body->brokers.rows != NULL;
}

static bool fill_partitions(const struct koa_sim_question *question,
                            const struct koa_sim_topic *topic,
                            struct koa_kafka_metadata_topic *told)
{
    size_t count = (size_t) topic->partitions;

    told->partitions.rows = koa_arena_alloc(question->arena, count, sizeof(*told->partitions.rows));
    told->partitions.count = told->partitions.rows != NULL ? count : 0;
    for (size_t i = 0; i < told->partitions.count; i++) {
        struct koa_sim_partition *partition =
            &question->cluster->model->partitions[topic->first + i];
        struct koa_kafka_metadata_partition *row = &told->partitions.rows[i];

        row->partition_index = (int32_t) i;
        row->leader_id = partition->leader;
        row->replica_nodes.rows = partition->replicas;
        row->replica_nodes.count = (size_t) partition->replica_count;
        row->isr_nodes.rows = partition->replicas;
        row->isr_nodes.count = (size_t) partition->replica_count;
    }
    return told->partitions.rows != NULL;
}

static bool fill_topic(const struct koa_sim_question *question, const struct koa_sim_topic *topic,
                       struct koa_kafka_metadata_topic *told)
{
    told->name = koa_str_from(topic->name);
    memcpy(told->topic_id.bytes, topic->id, sizeof(topic->id));
    told->is_internal = topic->is_internal;
    told->topic_authorized_operations = INT32_MIN; /* not asked for */
    return fill_partitions(question, topic, told);
}

static bool fill_all_topics(const struct koa_sim_question *question,
                            struct koa_kafka_metadata_response *body)
{
    const struct koa_sim_model *model = question->cluster->model;
    bool fits;

    body->topics.rows =
        koa_arena_alloc(question->arena, model->topic_count, sizeof(*body->topics.rows));
    fits = body->topics.rows != NULL;
    body->topics.count = fits ? model->topic_count : 0;
    for (size_t i = 0; i < body->topics.count && fits; i++)
        fits = fill_topic(question, &model->topics[i], &body->topics.rows[i]);
    return fits;
}

/* A topic is named, or from version 10 on given by its id. */
static bool fill_asked_topics(const struct koa_sim_question *question,
                              const struct koa_kafka_metadata_request *asked,
                              struct koa_kafka_metadata_response *body)
{
    const struct koa_sim_model *model = question->cluster->model;
    bool fits;

    body->topics.rows =
        koa_arena_alloc(question->arena, asked->topics.count, sizeof(*body->topics.rows));
    fits = body->topics.rows != NULL;
    body->topics.count = fits ? asked->topics.count : 0;
    for (size_t i = 0; i < body->topics.count && fits; i++) {
        const struct koa_kafka_metadata_request_topic *wanted = &asked->topics.rows[i];
        bool is_named = wanted->name.data != NULL;
        const struct koa_sim_topic *topic =
            is_named ? koa_sim_model_find(model, wanted->name)
                     : koa_sim_model_find_id(model, wanted->topic_id.bytes);

        if (topic != NULL) {
            fits = fill_topic(question, topic, &body->topics.rows[i]);
        } else {
            body->topics.rows[i].name = wanted->name;
            body->topics.rows[i].topic_id = wanted->topic_id;
            body->topics.rows[i].topic_authorized_operations = INT32_MIN;
            body->topics.rows[i].error_code =
                is_named ? KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KOA_KAFKA_UNKNOWN_TOPIC_ID;
        }
    }
    return fits;
}

bool koa_sim_answer_metadata(const struct koa_sim_question *question, int16_t version,
                             const void *request, void *response)
{
    const struct koa_kafka_metadata_request *asked = request;
    struct koa_kafka_metadata_response *body = response;
    bool wants_all = version == 0 ? asked->topics.count == 0 : asked->topics.rows == NULL;

    body->cluster_id = koa_str_from(question->cluster->model->cluster_id);
    body->controller_id = CONTROLLER;
    body->cluster_authorized_operations = INT32_MIN;
    return fill_brokers(question, body) &&
           (wants_all ? fill_all_topics(question, body) : fill_asked_topics(question, asked, body));
}

bool koa_sim_answer_describe_cluster(const struct koa_sim_question *question, int16_t version,
                                     const void *request, void *response)
{
    const struct koa_sim_cluster *cluster = question->cluster;
    struct koa_kafka_describe_cluster_response *body = response;
    size_t count = (size_t) cluster->model->broker_count;

    (void) version, (void) request;
    body->endpoint_type = KOA_KAFKA_ENDPOINT_BROKERS;
    body->cluster_id = koa_str_from(cluster->model->cluster_id);
    body->controller_id = CONTROLLER;
    body->cluster_authorized_operations = INT32_MIN;
    body->brokers.rows = koa_arena_alloc(question->arena, count, sizeof(*body->brokers.rows));
    body->brokers.count = body->brokers.rows != NULL ? count : 0;
    for (size_t i = 0; i < body->brokers.count; i++) {
        body->brokers.rows[i] = (struct koa_kafka_describe_cluster_broker){
            .broker_id = (int32_t) i + 1,
            .host = koa_str_from(cluster->host),
            .port = cluster->ports[i],
            .rack = rack_of((int32_t) i + 1),
        };
    }
    return body->brokers.rows != NULL;
}

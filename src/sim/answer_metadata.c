/* Brokers, topics and partitions of the model as Kafka tells them: brokers that the cluster counts
 * out are not listed, and their replicas are offline. */
#include "sim/answer_metadata.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/metadata.h"
#include "sim/reassignment.h"

enum { RACKS = 3 };

static const char *const racks[RACKS] = {"rack-a", "rack-b", "rack-c"};

struct koa_str koa_sim_rack_of(int32_t broker)
{
    return koa_str_from(racks[(broker - 1) % RACKS]);
}

static bool fill_brokers(const struct koa_sim_question *question,
                         struct koa_kafka_metadata_response *body)
{
    const struct koa_sim_cluster *cluster = question->cluster;
    int32_t count = cluster->model->broker_count;

    if (!KOA_SIM_ROWS(question->arena, body->brokers, (size_t) count))
        return false;
    body->brokers.count = 0;
    for (int32_t id = 1; id <= count; id++) {
        if (!koa_sim_model_is_alive(cluster->model, id))
            continue;
        body->brokers.rows[body->brokers.count++] = (struct koa_kafka_metadata_broker){
            .node_id = id,
            .host = koa_str_from(cluster->host),
            .port = cluster->ports[id - 1],
            .rack = koa_sim_rack_of(id),
        };
    }
    return true;
}

/* Which of a partition's replicas: all in sync and none offline is the usual case, and needs no
 * memory. */
static bool fill_replicas(const struct koa_sim_question *question,
                          struct koa_sim_partition *partition,
                          struct koa_kafka_metadata_partition *row)
{
    const struct koa_sim_model *model = question->cluster->model;
    unsigned all = (1U << (unsigned) partition->replica_count) - 1;
    unsigned offline = 0;

    row->replica_nodes.rows = row->isr_nodes.rows = partition->replicas;
    row->replica_nodes.count = row->isr_nodes.count = (size_t) partition->replica_count;
    for (int32_t i = 0; i < partition->replica_count; i++)
        offline |= koa_sim_model_is_alive(model, partition->replicas[i]) ? 0 : 1U << (unsigned) i;
    if (offline == 0 && partition->in_sync == all)
        return true;
    if (!KOA_SIM_ROWS(question->arena, row->isr_nodes, KOA_SIM_REPLICAS_MAX) ||
        !KOA_SIM_ROWS(question->arena, row->offline_replicas, KOA_SIM_REPLICAS_MAX))
        return false;
    row->isr_nodes.count = row->offline_replicas.count = 0;
    for (int32_t i = 0; i < partition->replica_count; i++) {
        if ((partition->in_sync & 1U << (unsigned) i) != 0)
            row->isr_nodes.rows[row->isr_nodes.count++] = partition->replicas[i];
        if ((offline & 1U << (unsigned) i) != 0)
            row->offline_replicas.rows[row->offline_replicas.count++] = partition->replicas[i];
    }
    return true;
}

static bool fill_partition(const struct koa_sim_question *question, size_t index,
                           struct koa_kafka_metadata_partition *row)
{
    struct koa_sim_model *model = question->cluster->model;
    struct koa_sim_partition *partition = &model->partitions[index];
    const struct koa_sim_reassignment *move = koa_sim_reassignment_find(model, index);

    row->leader_id = partition->leader;
    row->leader_epoch = partition->leader_epoch;
    row->error_code = partition->leader < 0 ? KOA_KAFKA_LEADER_NOT_AVAILABLE : 0;
    if (!fill_replicas(question, partition, row))
        return false;
    if (move == NULL)
        return true;
    /* While it moves, its replicas are the old and the new ones. */
    if (!KOA_SIM_ROWS(question->arena, row->replica_nodes, KOA_SIM_UNION_MAX))
        return false;
    row->replica_nodes.count = koa_sim_reassignment_union(model, move, row->replica_nodes.rows);
    return true;
}

static bool fill_topic(const struct koa_sim_question *question, const struct koa_sim_topic *topic,
                       struct koa_kafka_metadata_topic *told)
{
    bool fits;

    told->name = topic->name;
    memcpy(told->topic_id.bytes, topic->id, sizeof(topic->id));
    told->is_internal = topic->is_internal;
    told->topic_authorized_operations = INT32_MIN; /* not asked for */
    fits = KOA_SIM_ROWS(question->arena, told->partitions, (size_t) topic->partitions);
    for (int32_t i = 0; i < topic->partitions && fits; i++) {
        told->partitions.rows[i].partition_index = i;
        fits = fill_partition(question, topic->first + (size_t) i, &told->partitions.rows[i]);
    }
    return fits;
}

static bool fill_all_topics(const struct koa_sim_question *question,
                            struct koa_kafka_metadata_response *body)
{
    const struct koa_sim_model *model = question->cluster->model;
    bool fits = KOA_SIM_ROWS(question->arena, body->topics, model->topic_count);

    body->topics.count = 0;
    for (size_t i = 0; i < model->topic_count && fits; i++) {
        if (!model->topics[i].is_deleted) {
            fits =
                fill_topic(question, &model->topics[i], &body->topics.rows[body->topics.count++]);
        }
    }
    return fits;
}

/* A topic is named, or from version 10 on given by its id. */
static bool fill_asked_topics(const struct koa_sim_question *question,
                              const struct koa_kafka_metadata_request *asked,
                              struct koa_kafka_metadata_response *body)
{
    const struct koa_sim_model *model = question->cluster->model;
    bool fits = KOA_SIM_ROWS(question->arena, body->topics, asked->topics.count);

    for (size_t i = 0; i < asked->topics.count && fits; i++) {
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
    body->controller_id = question->cluster->model->controller;
    body->cluster_authorized_operations = INT32_MIN;
    return fill_brokers(question, body) &&
           (wants_all ? fill_all_topics(question, body) : fill_asked_topics(question, asked, body));
}

bool koa_sim_answer_describe_cluster(const struct koa_sim_question *question, int16_t version,
                                     const void *request, void *response)
{
    const struct koa_kafka_describe_cluster_request *asked = request;
    const struct koa_sim_cluster *cluster = question->cluster;
    struct koa_kafka_describe_cluster_response *body = response;
    int32_t count = cluster->model->broker_count;

    (void) version;
    body->endpoint_type = KOA_KAFKA_ENDPOINT_BROKERS;
    body->cluster_id = koa_str_from(cluster->model->cluster_id);
    body->controller_id = cluster->model->controller;
    body->cluster_authorized_operations = INT32_MIN;
    if (!KOA_SIM_ROWS(question->arena, body->brokers, (size_t) count))
        return false;
    body->brokers.count = 0;
    for (int32_t id = 1; id <= count; id++) {
        bool is_alive = koa_sim_model_is_alive(cluster->model, id);

        if (!is_alive && !asked->include_fenced_brokers)
            continue;
        body->brokers.rows[body->brokers.count++] = (struct koa_kafka_describe_cluster_broker){
            .broker_id = id,
            .host = koa_str_from(cluster->host),
            .port = cluster->ports[id - 1],
            .rack = koa_sim_rack_of(id),
            .is_fenced = !is_alive,
        };
    }
    return true;
}

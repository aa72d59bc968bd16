/* DescribeQuorum and ListPartitionReassignments: what only controllers know, and any broker passes
 * on. The first three brokers are the voters. */
#include <string.h>

#include "base/str.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/list_partition_reassignments.h"
#include "sim/answer_storage.h"
#include "sim/draw.h"
#include "sim/reassignment.h"

enum { VOTERS = 3, RECORD_EVERY_MS = 500, FIRST_OFFSET = 20000, FETCH_AGE_MS = 120 };

/* ---- the quorum */

static int64_t metadata_end(int64_t at_ms)
{
    return FIRST_OFFSET + at_ms / RECORD_EVERY_MS;
}

static void fill_replica(const struct koa_sim_question *question, int32_t broker,
                         struct koa_kafka_describe_quorum_replica *row)
{
    const struct koa_sim_model *model = question->cluster->model;
    const struct koa_sim_node *node = &model->nodes[broker - 1];
    int64_t now_ms = koa_sim_question_ms(question);
    int64_t seen_ms = node->is_dead || node->is_frozen ? node->silent_since_ms : now_ms;
    uint64_t state = (uint64_t) broker;
    uint64_t id[2];

    id[0] = koa_sim_draw(&state);
    id[1] = koa_sim_draw(&state);
    memcpy(row->replica_directory_id.bytes, id, sizeof(id));
    row->replica_id = broker;
    row->log_end_offset = metadata_end(seen_ms);
    row->last_fetch_timestamp = row->last_caught_up_timestamp =
        question->wall.ms - (now_ms - seen_ms) - (broker == model->controller ? 0 : FETCH_AGE_MS);
}

static bool fill_quorum(const struct koa_sim_question *question,
                        struct koa_kafka_describe_quorum_partition *told)
{
    const struct koa_sim_model *model = question->cluster->model;
    int32_t voters = model->broker_count < VOTERS ? model->broker_count : VOTERS;

    told->leader_id = model->controller;
    told->leader_epoch = model->controller_epoch;
    told->high_watermark = metadata_end(koa_sim_question_ms(question));
    if (!KOA_SIM_ROWS(question->arena, told->current_voters, (size_t) voters) ||
        !KOA_SIM_ROWS(question->arena, told->observers, (size_t) (model->broker_count - voters)))
        return false;
    for (int32_t i = 0; i < voters; i++)
        fill_replica(question, i + 1, &told->current_voters.rows[i]);
    for (int32_t i = voters; i < model->broker_count; i++)
        fill_replica(question, i + 1, &told->observers.rows[i - voters]);
    return true;
}

static bool fill_nodes(const struct koa_sim_question *question,
                       struct koa_kafka_describe_quorum_response *body)
{
    const struct koa_sim_cluster *cluster = question->cluster;
    size_t count =
        cluster->model->broker_count < VOTERS ? (size_t) cluster->model->broker_count : VOTERS;
    bool fits = KOA_SIM_ROWS(question->arena, body->nodes, count);

    for (size_t i = 0; i < count && fits; i++) {
        struct koa_kafka_describe_quorum_node *node = &body->nodes.rows[i];

        node->node_id = (int32_t) i + 1;
        fits = KOA_SIM_ROWS(question->arena, node->listeners, 1);
        if (!fits)
            break;
        node->listeners.rows[0] =
            (struct koa_kafka_describe_quorum_listener){.name = KOA_STR("CONTROLLER"),
                                                        .host = koa_str_from(cluster->host),
                                                        .port = (uint16_t) cluster->ports[i]};
    }
    return fits;
}

bool koa_sim_answer_describe_quorum(const struct koa_sim_question *question, int16_t version,
                                    const void *request, void *response)
{
    const struct koa_kafka_describe_quorum_request *asked = request;
    struct koa_kafka_describe_quorum_response *body = response;
    bool fits = KOA_SIM_ROWS(question->arena, body->topics, asked->topics.count) &&
                fill_nodes(question, body);

    (void) version;
    for (size_t t = 0; t < asked->topics.count && fits; t++) {
        const struct koa_kafka_describe_quorum_request_topic *wanted = &asked->topics.rows[t];
        struct koa_kafka_describe_quorum_topic *told = &body->topics.rows[t];

        told->topic_name = wanted->topic_name;
        fits = KOA_SIM_ROWS(question->arena, told->partitions, wanted->partitions.count);
        for (size_t p = 0; p < wanted->partitions.count && fits; p++) {
            struct koa_kafka_describe_quorum_partition *row = &told->partitions.rows[p];

            row->partition_index = wanted->partitions.rows[p].partition_index;
            if (koa_str_equal_text(wanted->topic_name, "__cluster_metadata") &&
                row->partition_index == 0) {
                fits = fill_quorum(question, row);
            } else {
                row->error_code = KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
            }
        }
    }
    return fits;
}

/* ---- partitions that move */

static bool is_asked(const struct koa_kafka_list_partition_reassignments_request *asked,
                     struct koa_str topic, int32_t partition)
{
    for (size_t t = 0; t < asked->topics.count; t++) {
        if (!koa_str_equal(asked->topics.rows[t].name, topic))
            continue;
        for (size_t p = 0; p < asked->topics.rows[t].partition_indexes.count; p++) {
            if (asked->topics.rows[t].partition_indexes.rows[p] == partition)
                return true;
        }
    }
    return asked->topics.rows == NULL;
}

static bool fill_move(const struct koa_sim_question *question,
                      const struct koa_sim_reassignment *move,
                      struct koa_kafka_list_partition_reassignments_partition *row)
{
    const struct koa_sim_model *model = question->cluster->model;
    const struct koa_sim_partition *partition = &model->partitions[move->partition];

    if (!KOA_SIM_ROWS(question->arena, row->replicas, KOA_SIM_UNION_MAX) ||
        !KOA_SIM_ROWS(question->arena, row->adding_replicas, KOA_SIM_REPLICAS_MAX) ||
        !KOA_SIM_ROWS(question->arena, row->removing_replicas, KOA_SIM_REPLICAS_MAX))
        return false;
    row->replicas.count = koa_sim_reassignment_union(model, move, row->replicas.rows);
    row->adding_replicas.count = row->removing_replicas.count = 0;
    for (size_t i = 0; i < row->replicas.count; i++) {
        int32_t broker = row->replicas.rows[i];
        bool is_wanted = false;

        for (int32_t r = 0; r < move->replica_count; r++)
            is_wanted |= move->replicas[r] == broker;
        if (koa_sim_partition_replica(partition, broker) < 0) {
            row->adding_replicas.rows[row->adding_replicas.count++] = broker;
        } else if (!is_wanted) {
            row->removing_replicas.rows[row->removing_replicas.count++] = broker;
        }
    }
    return true;
}

/* A row for each move: Kafka's client does not mind that a topic comes twice. */
bool koa_sim_answer_list_partition_reassignments(const struct koa_sim_question *question,
                                                 int16_t version, const void *request,
                                                 void *response)
{
    struct koa_kafka_list_partition_reassignments_response *body = response;
    const struct koa_sim_model *model = question->cluster->model;
    bool fits = KOA_SIM_ROWS(question->arena, body->topics, model->move_count);

    (void) version;
    body->topics.count = 0;
    for (size_t i = 0; i < model->move_count && fits; i++) {
        struct koa_kafka_list_partition_reassignments_topic *told =
            &body->topics.rows[body->topics.count];
        struct koa_sim_span span = koa_sim_model_span(model, model->moves[i].partition, 1);

        if (span.topic->is_deleted || !is_asked(request, span.topic->name, span.from))
            continue;
        told->name = span.topic->name;
        fits = KOA_SIM_ROWS(question->arena, told->partitions, 1) &&
               fill_move(question, &model->moves[i], &told->partitions.rows[0]);
        told->partitions.rows[0].partition_index = span.from;
        body->topics.count++;
    }
    return fits;
}

/* Decodes a request, finds the function of its API, encodes what it says. */
#include "sim/answers.h"

#include "kafka/codec.h"
#include "kafka/error_code.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/produce.h"
#include "sim/answer_configs.h"
#include "sim/answer_groups.h"
#include "sim/answer_metadata.h"
#include "sim/answer_offsets.h"
#include "sim/answer_records.h"
#include "sim/answer_storage.h"

static koa_sim_answer_fn answer_api_versions;

/* Where an answer goes. */
struct reply {
    struct koa_buf *buf;
    struct koa_error *reterr;
};

static const struct {
    int16_t key;
    koa_sim_answer_fn *answer;
} answers[] = {
    {KOA_KAFKA_PRODUCE, koa_sim_answer_produce},
    {KOA_KAFKA_FETCH, koa_sim_answer_fetch},
    {KOA_KAFKA_LIST_OFFSETS, koa_sim_answer_list_offsets},
    {KOA_KAFKA_METADATA, koa_sim_answer_metadata},
    {KOA_KAFKA_OFFSET_FETCH, koa_sim_answer_offset_fetch},
    {KOA_KAFKA_FIND_COORDINATOR, koa_sim_answer_find_coordinator},
    {KOA_KAFKA_DESCRIBE_GROUPS, koa_sim_answer_describe_groups},
    {KOA_KAFKA_LIST_GROUPS, koa_sim_answer_list_groups},
    {KOA_KAFKA_API_VERSIONS, answer_api_versions},
    {KOA_KAFKA_CREATE_TOPICS, koa_sim_answer_create_topics},
    {KOA_KAFKA_DESCRIBE_CONFIGS, koa_sim_answer_describe_configs},
    {KOA_KAFKA_DESCRIBE_LOG_DIRS, koa_sim_answer_describe_log_dirs},
    {KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS, koa_sim_answer_list_partition_reassignments},
    {KOA_KAFKA_DESCRIBE_QUORUM, koa_sim_answer_describe_quorum},
    {KOA_KAFKA_DESCRIBE_CLUSTER, koa_sim_answer_describe_cluster},
    {KOA_KAFKA_CONSUMER_GROUP_DESCRIBE, koa_sim_answer_consumer_group_describe},
    {KOA_KAFKA_SHARE_GROUP_DESCRIBE, koa_sim_answer_share_group_describe},
    {KOA_KAFKA_STREAMS_GROUP_DESCRIBE, koa_sim_answer_streams_group_describe},
    {KOA_KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS, koa_sim_answer_describe_share_group_offsets},
};

static koa_sim_answer_fn *find_answer(int16_t key)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(answers); i++) {
        if (answers[i].key == key)
            return answers[i].answer;
    }
    return NULL;
}

static bool answer_api_versions(const struct koa_sim_question *question, int16_t version,
                                const void *request, void *response)
{
    struct koa_kafka_api_versions_response *body = response;

    (void) version, (void) request;
    if (!KOA_SIM_ROWS(question->arena, body->api_keys, KOA_ARRAY_COUNT(answers)))
        return false;
    body->api_keys.count = 0;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(answers); i++) {
        struct koa_kafka_api_range *row = &body->api_keys.rows[body->api_keys.count];

        row->api_key = answers[i].key;
        if (koa_sim_version_range(question->cluster->model->version, answers[i].key,
                                  &row->min_version, &row->max_version))
            body->api_keys.count++;
    }
    return true;
}

/* A client newer than we are asks first in its newest version: the answer is in version 0 and tells
 * which ones there are (KIP-511). */
static enum koa_err refuse_version(const struct koa_sim_question *question,
                                   const struct koa_kafka_request_header *header,
                                   struct koa_buf *buf, struct koa_error *reterr)
{
    const struct koa_kafka_request_header oldest = {.api_key = KOA_KAFKA_API_VERSIONS,
                                                    .correlation_id = header->correlation_id};
    struct koa_kafka_api_versions_response body;

    koa_kafka_defaults(&koa_kafka_api_versions_response, &body);
    body.error_code = KOA_KAFKA_UNSUPPORTED_VERSION;
    if (!answer_api_versions(question, 0, NULL, &body))
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for an answer");
    return koa_kafka_frame_response(&oldest, &body, buf, reterr);
}

/* KOA_ERR_UNSUPPORTED: such a broker does not have it, or not in this version. */
static enum koa_err check_version(const struct koa_sim_question *question,
                                  const struct koa_kafka_request_header *header,
                                  struct koa_error *reterr)
{
    int16_t minimum;
    int16_t maximum;

    if (find_answer(header->api_key) == NULL ||
        !koa_sim_version_range(question->cluster->model->version, header->api_key, &minimum,
                               &maximum)) {
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "API key %d is not simulated",
                        header->api_key);
    }
    if (header->api_version < minimum || header->api_version > maximum) {
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "API key %d, version %d is not simulated",
                        header->api_key, header->api_version);
    }
    return KOA_OK;
}

/* No answer goes out while a request waits, and never to who asked for none. */
static bool is_wanted(const struct koa_sim_question *question,
                      const struct koa_kafka_request_header *header, const void *request)
{
    if (question->ret_waits != NULL && *question->ret_waits)
        return false;
    return header->api_key != KOA_KAFKA_PRODUCE ||
           ((const struct koa_kafka_produce_request *) request)->acks != 0;
}

/* Fills and frames an answer; `error_code` is put into it when it is not 0. */
static enum koa_err answer(const struct koa_sim_question *question,
                           const struct koa_kafka_request_header *header, struct koa_str bytes,
                           int16_t error_code, struct reply *reply)
{
    const struct koa_kafka_api *api = koa_kafka_api_find(header->api_key);
    void *request = koa_arena_alloc(question->arena, 1, api->request->size);
    void *response = koa_arena_alloc(question->arena, 1, api->response->size);
    enum koa_err err;

    if (request == NULL || response == NULL)
        return koa_fail(reply->reterr, KOA_ERR_NOMEM, "no memory for an answer to %s", api->name);
    err = koa_kafka_decode(
        (struct koa_kafka_layout){.table = api->request, .version = header->api_version}, bytes,
        question->arena, request, reply->reterr);
    if (err != KOA_OK)
        return err;
    koa_kafka_defaults(api->response, response);
    if (!find_answer(header->api_key)(question, header->api_version, request, response))
        return koa_fail(reply->reterr, KOA_ERR_NOMEM, "no memory for an answer to %s", api->name);
    if (error_code != 0)
        koa_sim_fault_set_error(api->response, header->api_version, response, error_code);
    return is_wanted(question, header, request)
               ? koa_kafka_frame_response(header, response, reply->buf, reply->reterr)
               : KOA_OK;
}

enum koa_err koa_sim_answer(const struct koa_sim_question *question, struct koa_str frame,
                            struct koa_buf *buf, struct koa_error *reterr)
{
    struct reply reply = {.buf = buf, .reterr = reterr};
    const struct koa_sim_fault *fault;
    struct koa_kafka_request_header header;
    const struct koa_kafka_api *api;
    struct koa_str bytes;
    enum koa_err err = koa_kafka_open_request(frame, &header, &api, &bytes, reterr);

    if (question->ret_waits != NULL)
        *question->ret_waits = false;
    if (err != KOA_OK)
        return err;
    err = check_version(question, &header, reterr);
    if (err != KOA_OK) {
        return header.api_key == KOA_KAFKA_API_VERSIONS
                   ? refuse_version(question, &header, buf, reterr)
                   : err;
    }
    /* One that waits has met its fault when it came. */
    fault = question->waited_ms == 0
                ? koa_sim_fault_take(question->cluster->model, question->broker, header.api_key)
                : NULL;
    if (fault == NULL)
        return answer(question, &header, bytes, 0, &reply);
    if (fault->kind == KOA_SIM_FAULT_ERROR)
        return answer(question, &header, bytes, fault->error_code, &reply);
    if (fault->kind == KOA_SIM_FAULT_CLOSE)
        return koa_fail(reterr, KOA_ERR_CLOSED, "told to close the connection");
    if (fault->kind != KOA_SIM_FAULT_SILENCE)
        koa_sim_fault_write(fault, header.correlation_id, buf);
    return koa_buf_status(buf, "an answer", reterr);
}

/* Decodes a request, finds the function of its API, encodes what it says. */
#include "sim/answers.h"

#include "kafka/codec.h"
#include "kafka/error_code.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/describe_configs.h"
#include "sim/answer_metadata.h"
#include "sim/answer_offsets.h"

/* Fills `response` (zeroed, of the API's response struct). False: the arena is full. */
typedef bool answer_fn(const struct koa_sim_question *question, int16_t version,
                       const void *request, void *response);

/* What the simulated broker has: versions that brokers from 2.8 to 4.x share, and newer ones. */
struct answer {
    int16_t key, minimum, maximum;
    answer_fn *answer;
};

static answer_fn answer_api_versions;
static answer_fn answer_describe_configs;

static const struct answer answers[] = {
    {KOA_KAFKA_LIST_OFFSETS, 1, 10, koa_sim_answer_list_offsets},
    {KOA_KAFKA_METADATA, 0, 13, koa_sim_answer_metadata},
    {KOA_KAFKA_API_VERSIONS, 0, 4, answer_api_versions},
    {KOA_KAFKA_DESCRIBE_CONFIGS, 1, 4, answer_describe_configs},
    {KOA_KAFKA_DESCRIBE_CLUSTER, 0, 1, koa_sim_answer_describe_cluster},
};

union request_body {
    struct koa_kafka_api_versions_request api_versions;
    struct koa_kafka_describe_cluster_request describe_cluster;
    struct koa_kafka_describe_configs_request describe_configs;
    struct koa_kafka_list_offsets_request list_offsets;
    struct koa_kafka_metadata_request metadata;
};

union response_body {
    struct koa_kafka_api_versions_response api_versions;
    struct koa_kafka_describe_cluster_response describe_cluster;
    struct koa_kafka_describe_configs_response describe_configs;
    struct koa_kafka_list_offsets_response list_offsets;
    struct koa_kafka_metadata_response metadata;
};

static const struct answer *find_answer(int16_t key)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(answers); i++) {
        if (answers[i].key == key)
            return &answers[i];
    }
    return NULL;
}

static bool answer_api_versions(const struct koa_sim_question *question, int16_t version,
                                const void *request, void *response)
{
    struct koa_kafka_api_versions_response *body = response;

    (void) version, (void) request;
    body->api_keys.rows =
        koa_arena_alloc(question->arena, KOA_ARRAY_COUNT(answers), sizeof(*body->api_keys.rows));
    if (body->api_keys.rows == NULL)
        return false;
    body->api_keys.count = KOA_ARRAY_COUNT(answers);
    for (size_t i = 0; i < KOA_ARRAY_COUNT(answers); i++) {
        body->api_keys.rows[i] = (struct koa_kafka_api_range){.api_key = answers[i].key,
                                                              .min_version = answers[i].minimum,
                                                              .max_version = answers[i].maximum};
    }
    return true;
}

/* Every resource has its defaults only, so there is nothing to list. */
static bool answer_describe_configs(const struct koa_sim_question *question, int16_t version,
                                    const void *request, void *response)
{
    const struct koa_kafka_describe_configs_request *asked = request;
    struct koa_kafka_describe_configs_response *body = response;
    size_t count = asked->resources.count;

    (void) version;
    body->results.rows = koa_arena_alloc(question->arena, count, sizeof(*body->results.rows));
    if (body->results.rows == NULL)
        return false;
    body->results.count = count;
    for (size_t i = 0; i < count; i++) {
        const struct koa_kafka_describe_configs_resource *resource = &asked->resources.rows[i];
        struct koa_kafka_describe_configs_result *result = &body->results.rows[i];

        result->resource_type = resource->resource_type;
        result->resource_name = resource->resource_name;
        if (resource->resource_type == KOA_KAFKA_RESOURCE_TOPIC &&
            koa_sim_model_find(question->cluster->model, resource->resource_name) == NULL)
            result->error_code = KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
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

enum koa_err koa_sim_answer(const struct koa_sim_question *question, struct koa_str frame,
                            struct koa_buf *buf, struct koa_error *reterr)
{
    struct koa_kafka_request_header header;
    const struct koa_kafka_api *api;
    const struct answer *answer;
    struct koa_str bytes;
    union request_body request;
    union response_body response;
    enum koa_err err = koa_kafka_open_request(frame, &header, &api, &bytes, reterr);

    if (err != KOA_OK)
        return err;
    answer = find_answer(header.api_key);
    if (api == NULL || answer == NULL)
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "API key %d is not simulated", header.api_key);
    if (header.api_version < answer->minimum || header.api_version > answer->maximum) {
        if (header.api_key == KOA_KAFKA_API_VERSIONS)
            return refuse_version(question, &header, buf, reterr);
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "%s version %d is not simulated", api->name,
                        header.api_version);
    }
    err = koa_kafka_decode(
        (struct koa_kafka_layout){.table = api->request, .version = header.api_version}, bytes,
        question->arena, &request, reterr);
    if (err != KOA_OK)
        return err;
    koa_kafka_defaults(api->response, &response);
    if (!answer->answer(question, header.api_version, &request, &response))
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for an answer to %s", api->name);
    return koa_kafka_frame_response(&header, &response, buf, reterr);
}

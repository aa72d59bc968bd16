/* The list of APIs that we speak, and how a frame is put together and taken apart. */
#include "kafka/api.h"

#include <inttypes.h>

#include "kafka/codec.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/consumer_group_describe.h"
#include "kafka/messages/create_topics.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/describe_configs.h"
#include "kafka/messages/describe_groups.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/describe_share_group_offsets.h"
#include "kafka/messages/fetch.h"
#include "kafka/messages/find_coordinator.h"
#include "kafka/messages/list_groups.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/list_partition_reassignments.h"
#include "kafka/messages/metadata.h"
#include "kafka/messages/offset_fetch.h"
#include "kafka/messages/produce.h"
#include "kafka/messages/sasl_authenticate.h"
#include "kafka/messages/sasl_handshake.h"
#include "kafka/messages/share_group_describe.h"
#include "kafka/messages/streams_group_describe.h"

const struct koa_kafka_api koa_kafka_apis[] = {
    {KOA_KAFKA_PRODUCE, "produce", &koa_kafka_produce_request, &koa_kafka_produce_response, 12},
    {KOA_KAFKA_FETCH, "fetch", &koa_kafka_fetch_request, &koa_kafka_fetch_response, 12},
    {KOA_KAFKA_LIST_OFFSETS, "list_offsets", &koa_kafka_list_offsets_request,
     &koa_kafka_list_offsets_response},
    {KOA_KAFKA_METADATA, "metadata", &koa_kafka_metadata_request, &koa_kafka_metadata_response},
    {KOA_KAFKA_OFFSET_FETCH, "offset_fetch", &koa_kafka_offset_fetch_request,
     &koa_kafka_offset_fetch_response, 9},
    {KOA_KAFKA_FIND_COORDINATOR, "find_coordinator", &koa_kafka_find_coordinator_request,
     &koa_kafka_find_coordinator_response},
    {KOA_KAFKA_DESCRIBE_GROUPS, "describe_groups", &koa_kafka_describe_groups_request,
     &koa_kafka_describe_groups_response},
    {KOA_KAFKA_LIST_GROUPS, "list_groups", &koa_kafka_list_groups_request,
     &koa_kafka_list_groups_response},
    {KOA_KAFKA_SASL_HANDSHAKE, "sasl_handshake", &koa_kafka_sasl_handshake_request,
     &koa_kafka_sasl_handshake_response},
    {KOA_KAFKA_API_VERSIONS, "api_versions", &koa_kafka_api_versions_request,
     &koa_kafka_api_versions_response},
    {KOA_KAFKA_CREATE_TOPICS, "create_topics", &koa_kafka_create_topics_request,
     &koa_kafka_create_topics_response},
    {KOA_KAFKA_DESCRIBE_CONFIGS, "describe_configs", &koa_kafka_describe_configs_request,
     &koa_kafka_describe_configs_response},
    {KOA_KAFKA_DESCRIBE_LOG_DIRS, "describe_log_dirs", &koa_kafka_describe_log_dirs_request,
     &koa_kafka_describe_log_dirs_response},
    {KOA_KAFKA_SASL_AUTHENTICATE, "sasl_authenticate", &koa_kafka_sasl_authenticate_request,
     &koa_kafka_sasl_authenticate_response},
    {KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS, "list_partition_reassignments",
     &koa_kafka_list_partition_reassignments_request,
     &koa_kafka_list_partition_reassignments_response},
    {KOA_KAFKA_DESCRIBE_QUORUM, "describe_quorum", &koa_kafka_describe_quorum_request,
     &koa_kafka_describe_quorum_response},
    {KOA_KAFKA_DESCRIBE_CLUSTER, "describe_cluster", &koa_kafka_describe_cluster_request,
     &koa_kafka_describe_cluster_response},
    {KOA_KAFKA_CONSUMER_GROUP_DESCRIBE, "consumer_group_describe",
     &koa_kafka_consumer_group_describe_request, &koa_kafka_consumer_group_describe_response},
    {KOA_KAFKA_SHARE_GROUP_DESCRIBE, "share_group_describe",
     &koa_kafka_share_group_describe_request, &koa_kafka_share_group_describe_response},
    {KOA_KAFKA_STREAMS_GROUP_DESCRIBE, "streams_group_describe",
     &koa_kafka_streams_group_describe_request, &koa_kafka_streams_group_describe_response},
    {KOA_KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS, "describe_share_group_offsets",
     &koa_kafka_describe_share_group_offsets_request,
     &koa_kafka_describe_share_group_offsets_response},
};
const size_t koa_kafka_api_count = KOA_ARRAY_COUNT(koa_kafka_apis);

enum { LENGTH_SIZE = 4 };

const struct koa_kafka_api *koa_kafka_api_find(int16_t key)
{
    for (size_t i = 0; i < koa_kafka_api_count; i++) {
        if (koa_kafka_apis[i].key == key)
            return &koa_kafka_apis[i];
    }
    return NULL;
}

int16_t koa_kafka_request_header_version(const struct koa_kafka_api *api, int16_t version)
{
    return version >= api->request->flexible_since ? 2 : 1;
}

int16_t koa_kafka_response_header_version(const struct koa_kafka_api *api, int16_t version)
{
    return api->key != KOA_KAFKA_API_VERSIONS && version >= api->response->flexible_since ? 1 : 0;
}

/* Writes the length of what was appended behind `start`, or takes it all back. */
static enum koa_err close_frame(struct koa_buf *buf, size_t start, enum koa_err err,
                                struct koa_error *reterr)
{
    size_t size = buf->size - start - LENGTH_SIZE;

    if (err == KOA_OK && size > INT32_MAX)
        err = koa_fail(reterr, KOA_ERR_RANGE, "a frame of %zu bytes is too long for Kafka", size);
    if (err != KOA_OK) {
        buf->size = start;
        if (buf->data != NULL)
            buf->data[start] = '\0';
        return err;
    }
    for (unsigned i = 0; i < LENGTH_SIZE; i++)
        buf->data[start + i] = (char) (unsigned char) (size >> (8 * (LENGTH_SIZE - 1 - i)));
    return KOA_OK;
}

static enum koa_err open_frame(struct koa_buf *buf, struct koa_error *reterr)
{
    static const char room[LENGTH_SIZE];

    koa_buf_append(buf, room, sizeof(room));
    return koa_buf_status(buf, "Kafka frames", reterr);
}

/* NULL, with the error set, when we do not speak it. */
static const struct koa_kafka_api *require_api(int16_t key, struct koa_error *reterr)
{
    const struct koa_kafka_api *api = koa_kafka_api_find(key);

    if (api == NULL)
        (void) koa_fail(reterr, KOA_ERR_UNSUPPORTED, "API key %d is not one we speak", key);
    return api;
}

enum koa_err koa_kafka_frame_request(const struct koa_kafka_request_header *header,
                                     const void *body, struct koa_buf *buf,
                                     struct koa_error *reterr)
{
    size_t start = buf->size;
    const struct koa_kafka_api *api = require_api(header->api_key, reterr);
    enum koa_err err = api != NULL ? open_frame(buf, reterr) : KOA_ERR_UNSUPPORTED;

    if (err != KOA_OK)
        return err;
    err = koa_kafka_encode(&koa_kafka_request_header,
                           koa_kafka_request_header_version(api, header->api_version), header, buf,
                           reterr);
    if (err == KOA_OK)
        err = koa_kafka_encode(api->request, header->api_version, body, buf, reterr);
    return close_frame(buf, start, err, reterr);
}

enum koa_err koa_kafka_frame_response(const struct koa_kafka_request_header *header,
                                      const void *body, struct koa_buf *buf,
                                      struct koa_error *reterr)
{
    struct koa_kafka_response_header response = {.correlation_id = header->correlation_id};
    size_t start = buf->size;
    const struct koa_kafka_api *api = require_api(header->api_key, reterr);
    enum koa_err err = api != NULL ? open_frame(buf, reterr) : KOA_ERR_UNSUPPORTED;

    if (err != KOA_OK)
        return err;
    err = koa_kafka_encode(&koa_kafka_response_header,
                           koa_kafka_response_header_version(api, header->api_version), &response,
                           buf, reterr);
    if (err == KOA_OK)
        err = koa_kafka_encode(api->response, header->api_version, body, buf, reterr);
    return close_frame(buf, start, err, reterr);
}

enum koa_err koa_kafka_open_request(struct koa_str frame,
                                    struct koa_kafka_request_header *ret_header,
                                    const struct koa_kafka_api **ret_api, struct koa_str *ret_body,
                                    struct koa_error *reterr)
{
    struct koa_kafka_layout layout = {.table = &koa_kafka_request_header, .version = 1};
    const struct koa_kafka_api *api;
    int16_t key;
    int16_t version;
    enum koa_err err;

    if (frame.size < 4) {
        return koa_fail(reterr, KOA_ERR_PROTOCOL, "a request of %zu bytes has no header",
                        frame.size);
    }
    key = (int16_t) ((unsigned char) frame.data[0] << 8 | (unsigned char) frame.data[1]);
    version = (int16_t) ((unsigned char) frame.data[2] << 8 | (unsigned char) frame.data[3]);
    api = koa_kafka_api_find(key);
    if (api != NULL)
        layout.version = koa_kafka_request_header_version(api, version);
    err = koa_kafka_decode_part(layout, &frame, NULL, ret_header, reterr);
    if (err != KOA_OK)
        return err;
    *ret_api = api;
    *ret_body = frame;
    return KOA_OK;
}

enum koa_err koa_kafka_peek_correlation(struct koa_str frame, int32_t *ret_id,
                                        struct koa_error *reterr)
{
    struct koa_kafka_response_header header;
    const struct koa_kafka_layout layout = {.table = &koa_kafka_response_header, .version = 0};
    enum koa_err err = koa_kafka_decode_part(layout, &frame, NULL, &header, reterr);

    if (err == KOA_OK)
        *ret_id = header.correlation_id;
    return err;
}

enum koa_err koa_kafka_open_response(const struct koa_kafka_request_header *header,
                                     struct koa_str frame, struct koa_arena *arena, void *ret_body,
                                     struct koa_error *reterr)
{
    struct koa_kafka_layout layout = {.table = &koa_kafka_response_header};
    struct koa_kafka_response_header response;
    const struct koa_kafka_api *api = require_api(header->api_key, reterr);
    enum koa_err err;

    if (api == NULL)
        return KOA_ERR_UNSUPPORTED;
    layout.version = koa_kafka_response_header_version(api, header->api_version);
    err = koa_kafka_decode_part(layout, &frame, NULL, &response, reterr);
    if (err != KOA_OK)
        return err;
    layout = (struct koa_kafka_layout){.table = api->response, .version = header->api_version};
    return koa_kafka_decode(layout, frame, arena, ret_body, reterr);
}

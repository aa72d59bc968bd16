/* The APIs that we speak, and their frames: length, header, body. */
#ifndef KAFKA_API_H
#define KAFKA_API_H

#include <koa/error.h>

#include "base/arena.h"
#include "base/buf.h"
#include "kafka/field.h"
#include "kafka/messages/header.h"

enum koa_kafka_api_key {
    KOA_KAFKA_PRODUCE = 0,
    KOA_KAFKA_FETCH = 1,
    KOA_KAFKA_LIST_OFFSETS = 2,
    KOA_KAFKA_METADATA = 3,
    KOA_KAFKA_OFFSET_FETCH = 9,
    KOA_KAFKA_FIND_COORDINATOR = 10,
    KOA_KAFKA_DESCRIBE_GROUPS = 15,
    KOA_KAFKA_LIST_GROUPS = 16,
    KOA_KAFKA_SASL_HANDSHAKE = 17,
    KOA_KAFKA_API_VERSIONS = 18,
    KOA_KAFKA_CREATE_TOPICS = 19,
    KOA_KAFKA_DESCRIBE_CONFIGS = 32,
    KOA_KAFKA_DESCRIBE_LOG_DIRS = 35,
    KOA_KAFKA_SASL_AUTHENTICATE = 36,
    KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS = 46,
    KOA_KAFKA_DESCRIBE_QUORUM = 55,
    KOA_KAFKA_DESCRIBE_CLUSTER = 60,
    KOA_KAFKA_CONSUMER_GROUP_DESCRIBE = 69,
    KOA_KAFKA_SHARE_GROUP_DESCRIBE = 77,
    KOA_KAFKA_STREAMS_GROUP_DESCRIBE = 89,
    KOA_KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS = 90
};

struct koa_kafka_api {
    int16_t key;
    const char *name; /* "metadata": value of the label `api` */
    const struct koa_kafka_message *request;
    const struct koa_kafka_message *response;
    /* 0, or the highest version we ask in: the next one knows topics by their ids alone. */
    int16_t highest_asked;
};

/* All of them, in order of key. */
extern const struct koa_kafka_api koa_kafka_apis[];
extern const size_t koa_kafka_api_count;
/* NULL when we do not speak it. */
const struct koa_kafka_api *koa_kafka_api_find(int16_t key);

int16_t koa_kafka_request_header_version(const struct koa_kafka_api *api, int16_t version);
/* Always 0 for ApiVersions: its asker does not know yet what we understand. */
int16_t koa_kafka_response_header_version(const struct koa_kafka_api *api, int16_t version);

/* Append a whole frame, its 4 bytes of length included. `header` says API and version; a response's
 * is that of the request it answers. On failure `buf` is as long as it was, but for a limit of its
 * own, which koa_buf keeps as failed. Errors as koa_kafka_encode(). */
KOA_MUST_USE enum koa_err koa_kafka_frame_request(const struct koa_kafka_request_header *header,
                                                  const void *body, struct koa_buf *buf,
                                                  struct koa_error *reterr);
KOA_MUST_USE enum koa_err koa_kafka_frame_response(const struct koa_kafka_request_header *header,
                                                   const void *body, struct koa_buf *buf,
                                                   struct koa_error *reterr);

/* Splits a frame (without its length) of a peer that asks. `ret_api` is NULL when we do not speak
 * the API; the header is then read as version 1. KOA_ERR_PROTOCOL when it is no request. */
KOA_MUST_USE enum koa_err koa_kafka_open_request(struct koa_str frame,
                                                 struct koa_kafka_request_header *ret_header,
                                                 const struct koa_kafka_api **ret_api,
                                                 struct koa_str *ret_body,
                                                 struct koa_error *reterr);
/* Reads the correlation id alone: the first four bytes of every response. */
KOA_MUST_USE enum koa_err koa_kafka_peek_correlation(struct koa_str frame, int32_t *ret_id,
                                                     struct koa_error *reterr);
/* Strips the response header and decodes the body of the answer to `header`. */
KOA_MUST_USE enum koa_err koa_kafka_open_response(const struct koa_kafka_request_header *header,
                                                  struct koa_str frame, struct koa_arena *arena,
                                                  void *ret_body, struct koa_error *reterr);

#endif

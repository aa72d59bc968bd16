/* The headers in front of every request and response body. */
#ifndef KAFKA_MESSAGES_HEADER_H
#define KAFKA_MESSAGES_HEADER_H

#include "kafka/field.h"

struct koa_kafka_request_header {
    int16_t api_key;
    int16_t api_version;
    int32_t correlation_id;
    struct koa_str client_id; /* may be null */
};

struct koa_kafka_response_header {
    int32_t correlation_id;
};

/* Versions 1 and 2; 2 is the flexible one. (0, without client id, is ControlledShutdown's alone.)
 */
extern const struct koa_kafka_message koa_kafka_request_header;
/* Versions 0 and 1; 1 is the flexible one. */
extern const struct koa_kafka_message koa_kafka_response_header;

#endif

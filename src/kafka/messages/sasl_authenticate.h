/* SaslAuthenticate (36): one step of a SASL exchange. */
#ifndef KAFKA_MESSAGES_SASL_AUTHENTICATE_H
#define KAFKA_MESSAGES_SASL_AUTHENTICATE_H

#include "kafka/field.h"

struct koa_kafka_sasl_authenticate_request {
    struct koa_str auth_bytes; /* secret */
};

struct koa_kafka_sasl_authenticate_response {
    int16_t error_code;
    struct koa_str error_message; /* may be null */
    struct koa_str auth_bytes;
    int64_t session_lifetime_ms; /* 1+; 0: no end; else authenticate again before (KIP-368) */
};

extern const struct koa_kafka_message koa_kafka_sasl_authenticate_request;
extern const struct koa_kafka_message koa_kafka_sasl_authenticate_response;

#endif

/* SaslHandshake (17): names the mechanism of the SASL exchange that follows. After version 1 each
 * step of the exchange is a SaslAuthenticate; after version 0 it would be bare bytes. */
#ifndef KAFKA_MESSAGES_SASL_HANDSHAKE_H
#define KAFKA_MESSAGES_SASL_HANDSHAKE_H

#include "kafka/field.h"

struct koa_kafka_sasl_handshake_request {
    struct koa_str mechanism;
};

struct koa_kafka_sasl_handshake_response {
    int16_t error_code;                         /* 33: a mechanism that the broker does not have */
    KOA_KAFKA_ARRAY(struct koa_str) mechanisms; /* those it has */
};

extern const struct koa_kafka_message koa_kafka_sasl_handshake_request;
extern const struct koa_kafka_message koa_kafka_sasl_handshake_response;

#endif

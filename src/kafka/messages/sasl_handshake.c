/* Tables of SaslHandshake (17), versions 0 and 1. It never becomes flexible (KAFKA-9577). */
#include "kafka/messages/sasl_handshake.h"

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_sasl_handshake_request, mechanism)},
    {0},
};

const struct koa_kafka_message koa_kafka_sasl_handshake_request = {
    .name = "SaslHandshakeRequest",
    .size = sizeof(struct koa_kafka_sasl_handshake_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 1,
    .flexible_since = INT16_MAX,
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_sasl_handshake_response, error_code)},
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_sasl_handshake_response, mechanisms)},
    {0},
};

const struct koa_kafka_message koa_kafka_sasl_handshake_response = {
    .name = "SaslHandshakeResponse",
    .size = sizeof(struct koa_kafka_sasl_handshake_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 1,
    .flexible_since = INT16_MAX,
};

/* Tables of SaslAuthenticate (36), versions 0 to 2. */
#include "kafka/messages/sasl_authenticate.h"

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_BYTES(struct koa_kafka_sasl_authenticate_request, auth_bytes)},
    {0},
};

const struct koa_kafka_message koa_kafka_sasl_authenticate_request = {
    .name = "SaslAuthenticateRequest",
    .size = sizeof(struct koa_kafka_sasl_authenticate_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 2,
    .flexible_since = 2,
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_sasl_authenticate_response, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_sasl_authenticate_response, error_message),
     .nullable = true},
    {KOA_KAFKA_FIELD_BYTES(struct koa_kafka_sasl_authenticate_response, auth_bytes)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_sasl_authenticate_response, session_lifetime_ms),
     .since = 1},
    {0},
};

const struct koa_kafka_message koa_kafka_sasl_authenticate_response = {
    .name = "SaslAuthenticateResponse",
    .size = sizeof(struct koa_kafka_sasl_authenticate_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 2,
    .flexible_since = 2,
};

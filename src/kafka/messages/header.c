/* Tables of the request header (versions 1, 2) and the response header (0, 1). */
#include "kafka/messages/header.h"

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_request_header, api_key)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_request_header, api_version)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_request_header, correlation_id)},
    {KOA_KAFKA_FIELD_LEGACY_STRING(struct koa_kafka_request_header, client_id), .nullable = true},
    {0},
};

const struct koa_kafka_message koa_kafka_request_header = {
    .name = "RequestHeader",
    .size = sizeof(struct koa_kafka_request_header),
    .fields = request_fields,
    .minimum = 1,
    .maximum = 2,
    .flexible_since = 2,
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_response_header, correlation_id)},
    {0},
};

const struct koa_kafka_message koa_kafka_response_header = {
    .name = "ResponseHeader",
    .size = sizeof(struct koa_kafka_response_header),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 1,
    .flexible_since = 1,
};

/* Tables of FindCoordinator (10), versions 0 to 6. */
#include "kafka/messages/find_coordinator.h"

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_find_coordinator_request, key), .until = 4},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_find_coordinator_request, key_type), .since = 1},
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_find_coordinator_request, coordinator_keys),
     .since = 4},
    {0},
};

const struct koa_kafka_message koa_kafka_find_coordinator_request = {
    .name = "FindCoordinatorRequest",
    .size = sizeof(struct koa_kafka_find_coordinator_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 6,
    .flexible_since = 3,
};

static const struct koa_kafka_field coordinator_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_find_coordinator_coordinator, key)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_find_coordinator_coordinator, node_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_find_coordinator_coordinator, host)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_find_coordinator_coordinator, port)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_find_coordinator_coordinator, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_find_coordinator_coordinator, error_message),
     .nullable = true},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_find_coordinator_response, throttle_time_ms),
     .since = 1},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_find_coordinator_response, error_code), .until = 4},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_find_coordinator_response, error_message), .since = 1,
     .until = 4, .nullable = true, .nullable_since = 1},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_find_coordinator_response, node_id), .until = 4},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_find_coordinator_response, host), .until = 4},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_find_coordinator_response, port), .until = 4},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_find_coordinator_response, coordinators,
                             struct koa_kafka_find_coordinator_coordinator, coordinator_fields),
     .since = 4},
    {0},
};

const struct koa_kafka_message koa_kafka_find_coordinator_response = {
    .name = "FindCoordinatorResponse",
    .size = sizeof(struct koa_kafka_find_coordinator_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 6,
    .flexible_since = 3,
};

/* Tables of Produce (0), versions 3 to 13: those with batches of format 2. */
#include "kafka/messages/produce.h"

static const struct koa_kafka_field request_partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_produce_request_partition, index)},
    {KOA_KAFKA_FIELD_BYTES(struct koa_kafka_produce_request_partition, records), .nullable = true},
    {0},
};

static const struct koa_kafka_field request_topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_produce_request_topic, name), .until = 13},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_produce_request_topic, topic_id), .since = 13},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_produce_request_topic, partition_data,
                             struct koa_kafka_produce_request_partition, request_partition_fields)},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_produce_request, transactional_id), .nullable = true},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_produce_request, acks)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_produce_request, timeout_ms)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_produce_request, topic_data,
                             struct koa_kafka_produce_request_topic, request_topic_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_produce_request = {
    .name = "ProduceRequest",
    .size = sizeof(struct koa_kafka_produce_request),
    .fields = request_fields,
    .minimum = 3,
    .maximum = 13,
    .flexible_since = 9,
};

static const struct koa_kafka_field record_error_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_produce_record_error, batch_index)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_produce_record_error, batch_index_error_message),
     .nullable = true},
    {0},
};

static const struct koa_kafka_field partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_produce_partition, index)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_produce_partition, error_code)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_produce_partition, base_offset)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_produce_partition, log_append_time_ms), .fallback = -1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_produce_partition, log_start_offset), .since = 5,
     .fallback = -1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_produce_partition, record_errors,
                             struct koa_kafka_produce_record_error, record_error_fields),
     .since = 8},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_produce_partition, error_message), .since = 8,
     .nullable = true, .nullable_since = 8},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_produce_partition, current_leader,
                            struct koa_kafka_leader_hint, koa_kafka_leader_hint_fields),
     .since = 10, .tagged = true, .tag = 0},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_produce_topic, name), .until = 13},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_produce_topic, topic_id), .since = 13},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_produce_topic, partition_responses,
                             struct koa_kafka_produce_partition, partition_fields)},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_produce_response, responses,
                             struct koa_kafka_produce_topic, topic_fields)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_produce_response, throttle_time_ms)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_produce_response, node_endpoints,
                             struct koa_kafka_leader_endpoint, koa_kafka_leader_endpoint_fields),
     .since = 10, .tagged = true, .tag = 0},
    {0},
};

const struct koa_kafka_message koa_kafka_produce_response = {
    .name = "ProduceResponse",
    .size = sizeof(struct koa_kafka_produce_response),
    .fields = response_fields,
    .minimum = 3,
    .maximum = 13,
    .flexible_since = 9,
};

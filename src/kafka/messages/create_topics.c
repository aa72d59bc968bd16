/* Tables of CreateTopics (19), versions 2 to 7; older ones left with Kafka 4.0 (KIP-896). */
#include "kafka/messages/create_topics.h"

static const struct koa_kafka_field assignment_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_create_topics_assignment, partition_index)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_create_topics_assignment, broker_ids)},
    {0},
};

static const struct koa_kafka_field request_config_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_create_topics_request_config, name)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_create_topics_request_config, value),
     .nullable = true},
    {0},
};

static const struct koa_kafka_field request_topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_create_topics_request_topic, name)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_create_topics_request_topic, num_partitions)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_create_topics_request_topic, replication_factor)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_create_topics_request_topic, assignments,
                             struct koa_kafka_create_topics_assignment, assignment_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_create_topics_request_topic, configs,
                             struct koa_kafka_create_topics_request_config, request_config_fields)},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_create_topics_request, topics,
                             struct koa_kafka_create_topics_request_topic, request_topic_fields)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_create_topics_request, timeout_ms), .fallback = 60000},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_create_topics_request, validate_only)},
    {0},
};

const struct koa_kafka_message koa_kafka_create_topics_request = {
    .name = "CreateTopicsRequest",
    .size = sizeof(struct koa_kafka_create_topics_request),
    .fields = request_fields,
    .minimum = 2,
    .maximum = 7,
    .flexible_since = 5,
};

static const struct koa_kafka_field config_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_create_topics_config, name)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_create_topics_config, value), .nullable = true},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_create_topics_config, read_only)},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_create_topics_config, config_source), .fallback = -1},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_create_topics_config, is_sensitive)},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_create_topics_topic, name)},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_create_topics_topic, topic_id), .since = 7},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_create_topics_topic, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_create_topics_topic, error_message), .nullable = true},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_create_topics_topic, num_partitions), .since = 5,
     .fallback = -1},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_create_topics_topic, replication_factor), .since = 5,
     .fallback = -1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_create_topics_topic, configs,
                             struct koa_kafka_create_topics_config, config_fields),
     .since = 5, .nullable = true, .nullable_since = 5},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_create_topics_topic, topic_config_error_code),
     .since = 5, .tagged = true, .tag = 0},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_create_topics_response, throttle_time_ms)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_create_topics_response, topics,
                             struct koa_kafka_create_topics_topic, topic_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_create_topics_response = {
    .name = "CreateTopicsResponse",
    .size = sizeof(struct koa_kafka_create_topics_response),
    .fields = response_fields,
    .minimum = 2,
    .maximum = 7,
    .flexible_since = 5,
};

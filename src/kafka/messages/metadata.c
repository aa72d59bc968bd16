/* Tables of Metadata (3), versions 0 to 13. */
#include "kafka/messages/metadata.h"

static const struct koa_kafka_field request_topic_fields[] = {
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_metadata_request_topic, topic_id), .since = 10},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_metadata_request_topic, name), .nullable = true,
     .nullable_since = 10},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_metadata_request, topics,
                             struct koa_kafka_metadata_request_topic, request_topic_fields),
     .nullable = true, .nullable_since = 1},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_metadata_request, allow_auto_topic_creation), .since = 4,
     .fallback = 1},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_metadata_request, include_cluster_authorized_operations),
     .since = 8, .until = 11},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_metadata_request, include_topic_authorized_operations),
     .since = 8},
    {0},
};

const struct koa_kafka_message koa_kafka_metadata_request = {
    .name = "MetadataRequest",
    .size = sizeof(struct koa_kafka_metadata_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 13,
    .flexible_since = 9,
};

static const struct koa_kafka_field broker_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_metadata_broker, node_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_metadata_broker, host)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_metadata_broker, port)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_metadata_broker, rack), .since = 1, .nullable = true,
     .nullable_since = 1},
    {0},
};

static const struct koa_kafka_field partition_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_metadata_partition, error_code)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_metadata_partition, partition_index)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_metadata_partition, leader_id)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_metadata_partition, leader_epoch), .since = 7,
     .fallback = -1},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_metadata_partition, replica_nodes)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_metadata_partition, isr_nodes)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_metadata_partition, offline_replicas), .since = 5},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_metadata_topic, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_metadata_topic, name), .nullable = true,
     .nullable_since = 12},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_metadata_topic, topic_id), .since = 10},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_metadata_topic, is_internal), .since = 1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_metadata_topic, partitions,
                             struct koa_kafka_metadata_partition, partition_fields)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_metadata_topic, topic_authorized_operations),
     .since = 8, .fallback = INT32_MIN},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_metadata_response, throttle_time_ms), .since = 3},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_metadata_response, brokers,
                             struct koa_kafka_metadata_broker, broker_fields)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_metadata_response, cluster_id), .since = 2,
     .nullable = true, .nullable_since = 2},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_metadata_response, controller_id), .since = 1,
     .fallback = -1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_metadata_response, topics,
                             struct koa_kafka_metadata_topic, topic_fields)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_metadata_response, cluster_authorized_operations),
     .since = 8, .until = 11, .fallback = INT32_MIN},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_metadata_response, error_code), .since = 13},
    {0},
};

const struct koa_kafka_message koa_kafka_metadata_response = {
    .name = "MetadataResponse",
    .size = sizeof(struct koa_kafka_metadata_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 13,
    .flexible_since = 9,
};

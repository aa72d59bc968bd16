/* Tables of DescribeQuorum (55), versions 0 to 2. */
#include "kafka/messages/describe_quorum.h"

static const struct koa_kafka_field request_partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_quorum_request_partition, partition_index)},
    {0},
};

static const struct koa_kafka_field request_topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_quorum_request_topic, topic_name)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_quorum_request_topic, partitions,
                             struct koa_kafka_describe_quorum_request_partition,
                             request_partition_fields)},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_quorum_request, topics,
                             struct koa_kafka_describe_quorum_request_topic, request_topic_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_quorum_request = {
    .name = "DescribeQuorumRequest",
    .size = sizeof(struct koa_kafka_describe_quorum_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 2,
    .flexible_since = 0,
};

static const struct koa_kafka_field replica_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_quorum_replica, replica_id)},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_describe_quorum_replica, replica_directory_id),
     .since = 2},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_describe_quorum_replica, log_end_offset)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_describe_quorum_replica, last_fetch_timestamp),
     .since = 1, .fallback = -1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_describe_quorum_replica, last_caught_up_timestamp),
     .since = 1, .fallback = -1},
    {0},
};

static const struct koa_kafka_field partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_quorum_partition, partition_index)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_describe_quorum_partition, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_quorum_partition, error_message), .since = 2,
     .nullable = true, .nullable_since = 2},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_quorum_partition, leader_id)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_quorum_partition, leader_epoch)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_describe_quorum_partition, high_watermark)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_quorum_partition, current_voters,
                             struct koa_kafka_describe_quorum_replica, replica_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_quorum_partition, observers,
                             struct koa_kafka_describe_quorum_replica, replica_fields)},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_quorum_topic, topic_name)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_quorum_topic, partitions,
                             struct koa_kafka_describe_quorum_partition, partition_fields)},
    {0},
};

static const struct koa_kafka_field listener_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_quorum_listener, name)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_quorum_listener, host)},
    {KOA_KAFKA_FIELD_UINT16(struct koa_kafka_describe_quorum_listener, port)},
    {0},
};

static const struct koa_kafka_field node_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_quorum_node, node_id)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_quorum_node, listeners,
                             struct koa_kafka_describe_quorum_listener, listener_fields)},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_describe_quorum_response, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_quorum_response, error_message), .since = 2,
     .nullable = true, .nullable_since = 2},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_quorum_response, topics,
                             struct koa_kafka_describe_quorum_topic, topic_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_quorum_response, nodes,
                             struct koa_kafka_describe_quorum_node, node_fields),
     .since = 2},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_quorum_response = {
    .name = "DescribeQuorumResponse",
    .size = sizeof(struct koa_kafka_describe_quorum_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 2,
    .flexible_since = 0,
};

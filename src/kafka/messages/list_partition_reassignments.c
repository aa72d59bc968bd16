/* Tables of ListPartitionReassignments (46), version 0. */
#include "kafka/messages/list_partition_reassignments.h"

static const struct koa_kafka_field request_topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_list_partition_reassignments_request_topic, name)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_list_partition_reassignments_request_topic,
                            partition_indexes)},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_partition_reassignments_request, timeout_ms),
     .fallback = 60000},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_list_partition_reassignments_request, topics,
                             struct koa_kafka_list_partition_reassignments_request_topic,
                             request_topic_fields),
     .nullable = true},
    {0},
};

const struct koa_kafka_message koa_kafka_list_partition_reassignments_request = {
    .name = "ListPartitionReassignmentsRequest",
    .size = sizeof(struct koa_kafka_list_partition_reassignments_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 0,
    .flexible_since = 0,
};

static const struct koa_kafka_field partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_partition_reassignments_partition,
                           partition_index)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_list_partition_reassignments_partition, replicas)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_list_partition_reassignments_partition,
                            adding_replicas)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_list_partition_reassignments_partition,
                            removing_replicas)},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_list_partition_reassignments_topic, name)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_list_partition_reassignments_topic, partitions,
                             struct koa_kafka_list_partition_reassignments_partition,
                             partition_fields)},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_partition_reassignments_response,
                           throttle_time_ms)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_list_partition_reassignments_response, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_list_partition_reassignments_response, error_message),
     .nullable = true},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_list_partition_reassignments_response, topics,
                             struct koa_kafka_list_partition_reassignments_topic, topic_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_list_partition_reassignments_response = {
    .name = "ListPartitionReassignmentsResponse",
    .size = sizeof(struct koa_kafka_list_partition_reassignments_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 0,
    .flexible_since = 0,
};

/* Tables of ListOffsets (2), versions 0 to 11. */
#include "kafka/messages/list_offsets.h"

static const struct koa_kafka_field request_partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_offsets_request_partition, partition_index)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_offsets_request_partition, current_leader_epoch),
     .since = 4, .fallback = -1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_list_offsets_request_partition, timestamp)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_offsets_request_partition, max_num_offsets),
     .until = 1, .fallback = 1},
    {0},
};

static const struct koa_kafka_field request_topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_list_offsets_request_topic, name)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_list_offsets_request_topic, partitions,
                             struct koa_kafka_list_offsets_request_partition,
                             request_partition_fields)},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_offsets_request, replica_id), .fallback = -1},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_list_offsets_request, isolation_level), .since = 2},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_list_offsets_request, topics,
                             struct koa_kafka_list_offsets_request_topic, request_topic_fields)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_offsets_request, timeout_ms), .since = 10},
    {0},
};

const struct koa_kafka_message koa_kafka_list_offsets_request = {
    .name = "ListOffsetsRequest",
    .size = sizeof(struct koa_kafka_list_offsets_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 11,
    .flexible_since = 6,
};

static const struct koa_kafka_field partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_offsets_partition, partition_index)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_list_offsets_partition, error_code)},
    {KOA_KAFKA_FIELD_INT64S(struct koa_kafka_list_offsets_partition, old_style_offsets),
     .until = 1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_list_offsets_partition, timestamp), .since = 1,
     .fallback = -1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_list_offsets_partition, offset), .since = 1,
     .fallback = -1},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_offsets_partition, leader_epoch), .since = 4,
     .fallback = -1},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_list_offsets_topic, name)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_list_offsets_topic, partitions,
                             struct koa_kafka_list_offsets_partition, partition_fields)},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_offsets_response, throttle_time_ms), .since = 2},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_list_offsets_response, topics,
                             struct koa_kafka_list_offsets_topic, topic_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_list_offsets_response = {
    .name = "ListOffsetsResponse",
    .size = sizeof(struct koa_kafka_list_offsets_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 11,
    .flexible_since = 6,
};

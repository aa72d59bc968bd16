/* Tables of DescribeShareGroupOffsets (90), versions 0 and 1. */
#include "kafka/messages/describe_share_group_offsets.h"

static const struct koa_kafka_field request_topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_share_group_offsets_request_topic,
                            topic_name)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_describe_share_group_offsets_request_topic,
                            partitions)},
    {0},
};

static const struct koa_kafka_field request_group_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_share_group_offsets_request_group, group_id)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_share_group_offsets_request_group, topics,
                             struct koa_kafka_describe_share_group_offsets_request_topic,
                             request_topic_fields),
     .nullable = true},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_share_group_offsets_request, groups,
                             struct koa_kafka_describe_share_group_offsets_request_group,
                             request_group_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_share_group_offsets_request = {
    .name = "DescribeShareGroupOffsetsRequest",
    .size = sizeof(struct koa_kafka_describe_share_group_offsets_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 1,
    .flexible_since = 0,
};

static const struct koa_kafka_field partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_share_group_offsets_partition,
                           partition_index)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_describe_share_group_offsets_partition, start_offset)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_share_group_offsets_partition, leader_epoch)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_describe_share_group_offsets_partition, lag),
     .since = 1, .fallback = -1},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_describe_share_group_offsets_partition, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_share_group_offsets_partition, error_message),
     .nullable = true},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_share_group_offsets_topic, topic_name)},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_describe_share_group_offsets_topic, topic_id)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_share_group_offsets_topic, partitions,
                             struct koa_kafka_describe_share_group_offsets_partition,
                             partition_fields)},
    {0},
};

static const struct koa_kafka_field group_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_share_group_offsets_group, group_id)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_share_group_offsets_group, topics,
                             struct koa_kafka_describe_share_group_offsets_topic, topic_fields)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_describe_share_group_offsets_group, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_share_group_offsets_group, error_message),
     .nullable = true},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_share_group_offsets_response,
                           throttle_time_ms)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_share_group_offsets_response, groups,
                             struct koa_kafka_describe_share_group_offsets_group, group_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_share_group_offsets_response = {
    .name = "DescribeShareGroupOffsetsResponse",
    .size = sizeof(struct koa_kafka_describe_share_group_offsets_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 1,
    .flexible_since = 0,
};

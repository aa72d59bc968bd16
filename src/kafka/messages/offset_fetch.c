/* Tables of OffsetFetch (9), versions 1 to 10. Version 0 read from ZooKeeper. The single group of
 * versions up to 7 and the groups of 8 on have topics of the same form. */
#include "kafka/messages/offset_fetch.h"

static const struct koa_kafka_field request_topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_offset_fetch_request_topic, name), .until = 10},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_offset_fetch_request_topic, topic_id), .since = 10},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_offset_fetch_request_topic, partition_indexes)},
    {0},
};

static const struct koa_kafka_field request_group_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_offset_fetch_request_group, group_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_offset_fetch_request_group, member_id), .since = 9,
     .nullable = true, .nullable_since = 9},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_offset_fetch_request_group, member_epoch), .since = 9,
     .fallback = -1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_offset_fetch_request_group, topics,
                             struct koa_kafka_offset_fetch_request_topic, request_topic_fields),
     .nullable = true},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_offset_fetch_request, group_id), .until = 8},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_offset_fetch_request, topics,
                             struct koa_kafka_offset_fetch_request_topic, request_topic_fields),
     .until = 8, .nullable = true, .nullable_since = 2},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_offset_fetch_request, groups,
                             struct koa_kafka_offset_fetch_request_group, request_group_fields),
     .since = 8},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_offset_fetch_request, require_stable), .since = 7},
    {0},
};

const struct koa_kafka_message koa_kafka_offset_fetch_request = {
    .name = "OffsetFetchRequest",
    .size = sizeof(struct koa_kafka_offset_fetch_request),
    .fields = request_fields,
    .minimum = 1,
    .maximum = 10,
    .flexible_since = 6,
};

static const struct koa_kafka_field partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_offset_fetch_partition, partition_index)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_offset_fetch_partition, committed_offset)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_offset_fetch_partition, committed_leader_epoch),
     .since = 5, .fallback = -1},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_offset_fetch_partition, metadata), .nullable = true},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_offset_fetch_partition, error_code)},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_offset_fetch_topic, name), .until = 10},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_offset_fetch_topic, topic_id), .since = 10},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_offset_fetch_topic, partitions,
                             struct koa_kafka_offset_fetch_partition, partition_fields)},
    {0},
};

static const struct koa_kafka_field group_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_offset_fetch_group, group_id)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_offset_fetch_group, topics,
                             struct koa_kafka_offset_fetch_topic, topic_fields)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_offset_fetch_group, error_code)},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_offset_fetch_response, throttle_time_ms), .since = 3},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_offset_fetch_response, topics,
                             struct koa_kafka_offset_fetch_topic, topic_fields),
     .until = 8},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_offset_fetch_response, error_code), .since = 2,
     .until = 8},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_offset_fetch_response, groups,
                             struct koa_kafka_offset_fetch_group, group_fields),
     .since = 8},
    {0},
};

const struct koa_kafka_message koa_kafka_offset_fetch_response = {
    .name = "OffsetFetchResponse",
    .size = sizeof(struct koa_kafka_offset_fetch_response),
    .fields = response_fields,
    .minimum = 1,
    .maximum = 10,
    .flexible_since = 6,
};

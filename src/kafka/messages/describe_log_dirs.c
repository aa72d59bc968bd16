/* Tables of DescribeLogDirs (35), versions 1 to 5; version 0 left with Kafka 4.0 (KIP-896). */
#include "kafka/messages/describe_log_dirs.h"

static const struct koa_kafka_field request_topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_log_dirs_request_topic, topic)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_describe_log_dirs_request_topic, partitions)},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_log_dirs_request, topics,
                             struct koa_kafka_describe_log_dirs_request_topic,
                             request_topic_fields),
     .nullable = true},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_log_dirs_request = {
    .name = "DescribeLogDirsRequest",
    .size = sizeof(struct koa_kafka_describe_log_dirs_request),
    .fields = request_fields,
    .minimum = 1,
    .maximum = 5,
    .flexible_since = 2,
};

static const struct koa_kafka_field partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_log_dirs_partition, partition_index)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_describe_log_dirs_partition, partition_size)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_describe_log_dirs_partition, offset_lag)},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_describe_log_dirs_partition, is_future_key)},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_log_dirs_topic, name)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_log_dirs_topic, partitions,
                             struct koa_kafka_describe_log_dirs_partition, partition_fields)},
    {0},
};

static const struct koa_kafka_field result_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_describe_log_dirs_result, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_log_dirs_result, log_dir)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_log_dirs_result, topics,
                             struct koa_kafka_describe_log_dirs_topic, topic_fields)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_describe_log_dirs_result, total_bytes), .since = 4,
     .fallback = -1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_describe_log_dirs_result, usable_bytes), .since = 4,
     .fallback = -1},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_describe_log_dirs_result, is_cordoned), .since = 5},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_log_dirs_response, throttle_time_ms)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_describe_log_dirs_response, error_code), .since = 3},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_log_dirs_response, results,
                             struct koa_kafka_describe_log_dirs_result, result_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_log_dirs_response = {
    .name = "DescribeLogDirsResponse",
    .size = sizeof(struct koa_kafka_describe_log_dirs_response),
    .fields = response_fields,
    .minimum = 1,
    .maximum = 5,
    .flexible_since = 2,
};

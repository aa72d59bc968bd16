/* Tables of Fetch (1), versions 4 to 18: those that carry batches of format 2. */
#include "kafka/messages/fetch.h"

static const struct koa_kafka_field request_partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_request_partition, partition)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_request_partition, current_leader_epoch),
     .since = 9, .fallback = -1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_request_partition, fetch_offset)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_request_partition, last_fetched_epoch),
     .since = 12, .fallback = -1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_request_partition, log_start_offset), .since = 5,
     .fallback = -1},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_request_partition, partition_max_bytes)},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_fetch_request_partition, replica_directory_id),
     .since = 17, .tagged = true, .tag = 0},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_request_partition, high_watermark), .since = 18,
     .tagged = true, .tag = 1, .fallback = INT64_MAX},
    {0},
};

static const struct koa_kafka_field request_topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_fetch_request_topic, topic), .until = 13},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_fetch_request_topic, topic_id), .since = 13},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_fetch_request_topic, partitions,
                             struct koa_kafka_fetch_request_partition, request_partition_fields)},
    {0},
};

static const struct koa_kafka_field forgotten_topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_fetch_forgotten_topic, topic), .until = 13},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_fetch_forgotten_topic, topic_id), .since = 13},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_fetch_forgotten_topic, partitions)},
    {0},
};

static const struct koa_kafka_field replica_state_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_replica_state, replica_id), .fallback = -1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_replica_state, replica_epoch), .fallback = -1},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_request, replica_id), .until = 15,
     .fallback = -1},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_request, max_wait_ms)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_request, min_bytes)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_request, max_bytes), .fallback = INT32_MAX},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_fetch_request, isolation_level)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_request, session_id), .since = 7},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_request, session_epoch), .since = 7,
     .fallback = -1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_fetch_request, topics,
                             struct koa_kafka_fetch_request_topic, request_topic_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_fetch_request, forgotten_topics_data,
                             struct koa_kafka_fetch_forgotten_topic, forgotten_topic_fields),
     .since = 7},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_fetch_request, rack_id), .since = 11},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_fetch_request, cluster_id), .since = 12,
     .nullable = true, .nullable_since = 12, .tagged = true, .tag = 0},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_fetch_request, replica_state,
                            struct koa_kafka_fetch_replica_state, replica_state_fields),
     .since = 15, .tagged = true, .tag = 1},
    {0},
};

const struct koa_kafka_message koa_kafka_fetch_request = {
    .name = "FetchRequest",
    .size = sizeof(struct koa_kafka_fetch_request),
    .fields = request_fields,
    .minimum = 4,
    .maximum = 18,
    .flexible_since = 12,
};

static const struct koa_kafka_field aborted_transaction_fields[] = {
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_aborted_transaction, producer_id)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_aborted_transaction, first_offset)},
    {0},
};

static const struct koa_kafka_field epoch_end_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_epoch_end, epoch), .fallback = -1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_epoch_end, end_offset), .fallback = -1},
    {0},
};

static const struct koa_kafka_field snapshot_fields[] = {
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_snapshot, end_offset), .fallback = -1},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_snapshot, epoch), .fallback = -1},
    {0},
};

static const struct koa_kafka_field partition_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_partition, partition_index)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_fetch_partition, error_code)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_partition, high_watermark)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_partition, last_stable_offset), .fallback = -1},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_fetch_partition, log_start_offset), .since = 5,
     .fallback = -1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_fetch_partition, aborted_transactions,
                             struct koa_kafka_fetch_aborted_transaction,
                             aborted_transaction_fields),
     .nullable = true},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_partition, preferred_read_replica), .since = 11,
     .fallback = -1},
    {KOA_KAFKA_FIELD_BYTES(struct koa_kafka_fetch_partition, records), .nullable = true},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_fetch_partition, diverging_epoch,
                            struct koa_kafka_fetch_epoch_end, epoch_end_fields),
     .since = 12, .tagged = true, .tag = 0},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_fetch_partition, current_leader,
                            struct koa_kafka_leader_hint, koa_kafka_leader_hint_fields),
     .since = 12, .tagged = true, .tag = 1},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_fetch_partition, snapshot_id,
                            struct koa_kafka_fetch_snapshot, snapshot_fields),
     .since = 12, .tagged = true, .tag = 2},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_fetch_topic, topic), .until = 13},
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_fetch_topic, topic_id), .since = 13},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_fetch_topic, partitions,
                             struct koa_kafka_fetch_partition, partition_fields)},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_response, throttle_time_ms)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_fetch_response, error_code), .since = 7},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_fetch_response, session_id), .since = 7},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_fetch_response, responses,
                             struct koa_kafka_fetch_topic, topic_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_fetch_response, node_endpoints,
                             struct koa_kafka_leader_endpoint, koa_kafka_leader_endpoint_fields),
     .since = 16, .tagged = true, .tag = 0},
    {0},
};

const struct koa_kafka_message koa_kafka_fetch_response = {
    .name = "FetchResponse",
    .size = sizeof(struct koa_kafka_fetch_response),
    .fields = response_fields,
    .minimum = 4,
    .maximum = 18,
    .flexible_since = 12,
};

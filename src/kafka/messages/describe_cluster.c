/* Tables of DescribeCluster (60), versions 0 to 2. */
#include "kafka/messages/describe_cluster.h"

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_describe_cluster_request,
                          include_cluster_authorized_operations)},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_describe_cluster_request, endpoint_type), .since = 1,
     .fallback = KOA_KAFKA_ENDPOINT_BROKERS},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_describe_cluster_request, include_fenced_brokers),
     .since = 2},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_cluster_request = {
    .name = "DescribeClusterRequest",
    .size = sizeof(struct koa_kafka_describe_cluster_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 2,
    .flexible_since = 0,
};

static const struct koa_kafka_field broker_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_cluster_broker, broker_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_cluster_broker, host)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_cluster_broker, port)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_cluster_broker, rack), .nullable = true},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_describe_cluster_broker, is_fenced), .since = 2},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_cluster_response, throttle_time_ms)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_describe_cluster_response, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_cluster_response, error_message),
     .nullable = true},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_describe_cluster_response, endpoint_type), .since = 1,
     .fallback = KOA_KAFKA_ENDPOINT_BROKERS},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_cluster_response, cluster_id)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_cluster_response, controller_id),
     .fallback = -1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_cluster_response, brokers,
                             struct koa_kafka_describe_cluster_broker, broker_fields)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_cluster_response,
                           cluster_authorized_operations),
     .fallback = INT32_MIN},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_cluster_response = {
    .name = "DescribeClusterResponse",
    .size = sizeof(struct koa_kafka_describe_cluster_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 2,
    .flexible_since = 0,
};

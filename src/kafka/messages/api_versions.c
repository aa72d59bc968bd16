/* Tables of ApiVersions (18), versions 0 to 5. */
#include "kafka/messages/api_versions.h"

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_api_versions_request, client_software_name),
     .since = 3},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_api_versions_request, client_software_version),
     .since = 3},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_api_versions_request, cluster_id), .since = 5,
     .nullable = true, .nullable_since = 5},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_api_versions_request, node_id), .since = 5,
     .fallback = -1},
    {0},
};

const struct koa_kafka_message koa_kafka_api_versions_request = {
    .name = "ApiVersionsRequest",
    .size = sizeof(struct koa_kafka_api_versions_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 5,
    .flexible_since = 3,
};

static const struct koa_kafka_field range_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_api_range, api_key)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_api_range, min_version)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_api_range, max_version)},
    {0},
};

static const struct koa_kafka_field feature_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_feature, name)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_feature, min_version)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_feature, max_version)},
    {0},
};

static const struct koa_kafka_field finalized_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_finalized_feature, name)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_finalized_feature, max_version_level)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_finalized_feature, min_version_level)},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_api_versions_response, error_code)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_api_versions_response, api_keys,
                             struct koa_kafka_api_range, range_fields)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_api_versions_response, throttle_time_ms), .since = 1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_api_versions_response, supported_features,
                             struct koa_kafka_feature, feature_fields),
     .since = 3, .tagged = true, .tag = 0},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_api_versions_response, finalized_features_epoch),
     .since = 3, .tagged = true, .tag = 1, .fallback = -1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_api_versions_response, finalized_features,
                             struct koa_kafka_finalized_feature, finalized_fields),
     .since = 3, .tagged = true, .tag = 2},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_api_versions_response, zk_migration_ready), .since = 3,
     .tagged = true, .tag = 3},
    {0},
};

const struct koa_kafka_message koa_kafka_api_versions_response = {
    .name = "ApiVersionsResponse",
    .size = sizeof(struct koa_kafka_api_versions_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 5,
    .flexible_since = 3,
};

/* Tables of DescribeConfigs (32), versions 1 to 4; version 0 left with Kafka 4.0 (KIP-896). */
#include "kafka/messages/describe_configs.h"

static const struct koa_kafka_field resource_fields[] = {
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_describe_configs_resource, resource_type)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_configs_resource, resource_name)},
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_describe_configs_resource, configuration_keys),
     .nullable = true},
    {0},
};

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_configs_request, resources,
                             struct koa_kafka_describe_configs_resource, resource_fields)},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_describe_configs_request, include_synonyms), .since = 1},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_describe_configs_request, include_documentation),
     .since = 3},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_configs_request = {
    .name = "DescribeConfigsRequest",
    .size = sizeof(struct koa_kafka_describe_configs_request),
    .fields = request_fields,
    .minimum = 1,
    .maximum = 4,
    .flexible_since = 4,
};

static const struct koa_kafka_field synonym_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_configs_synonym, name)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_configs_synonym, value), .nullable = true},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_describe_configs_synonym, source)},
    {0},
};

static const struct koa_kafka_field entry_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_configs_entry, name)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_configs_entry, value), .nullable = true},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_describe_configs_entry, read_only)},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_describe_configs_entry, config_source), .since = 1,
     .fallback = -1},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_describe_configs_entry, is_sensitive)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_configs_entry, synonyms,
                             struct koa_kafka_describe_configs_synonym, synonym_fields),
     .since = 1},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_describe_configs_entry, config_type), .since = 3},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_configs_entry, documentation), .since = 3,
     .nullable = true},
    {0},
};

static const struct koa_kafka_field result_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_describe_configs_result, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_configs_result, error_message),
     .nullable = true},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_describe_configs_result, resource_type)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_configs_result, resource_name)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_configs_result, configs,
                             struct koa_kafka_describe_configs_entry, entry_fields)},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_configs_response, throttle_time_ms)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_configs_response, results,
                             struct koa_kafka_describe_configs_result, result_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_configs_response = {
    .name = "DescribeConfigsResponse",
    .size = sizeof(struct koa_kafka_describe_configs_response),
    .fields = response_fields,
    .minimum = 1,
    .maximum = 4,
    .flexible_since = 4,
};

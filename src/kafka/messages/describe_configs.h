/* DescribeConfigs (32): the configuration of topics and brokers. */
#ifndef KAFKA_MESSAGES_DESCRIBE_CONFIGS_H
#define KAFKA_MESSAGES_DESCRIBE_CONFIGS_H

#include "kafka/field.h"

enum { KOA_KAFKA_RESOURCE_TOPIC = 2, KOA_KAFKA_RESOURCE_BROKER = 4 };

struct koa_kafka_describe_configs_resource {
    int8_t resource_type;
    struct koa_str resource_name;
    KOA_KAFKA_ARRAY(struct koa_str) configuration_keys; /* null: all */
};

struct koa_kafka_describe_configs_request {
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_configs_resource) resources;
    bool include_synonyms;      /* 1+ */
    bool include_documentation; /* 3+ */
};

struct koa_kafka_describe_configs_synonym {
    struct koa_str name;
    struct koa_str value; /* null: sensitive or not set */
    int8_t source;
};

struct koa_kafka_describe_configs_entry {
    struct koa_str name;
    struct koa_str value; /* null: sensitive or not set */
    bool read_only;
    int8_t config_source; /* 1+ */
    bool is_sensitive;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_configs_synonym) synonyms; /* 1+ */
    int8_t config_type;                                                  /* 3+ */
    struct koa_str documentation; /* 3+; null: not asked for */
};

struct koa_kafka_describe_configs_result {
    int16_t error_code;
    int8_t resource_type;
    struct koa_str error_message; /* may be null */
    struct koa_str resource_name;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_configs_entry) configs;
};

struct koa_kafka_describe_configs_response {
    int32_t throttle_time_ms;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_configs_result) results;
};

extern const struct koa_kafka_message koa_kafka_describe_configs_request;
extern const struct koa_kafka_message koa_kafka_describe_configs_response;

#endif

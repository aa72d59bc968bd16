/* DescribeCluster (60): identity, controller and brokers (KIP-700). */
#ifndef KAFKA_MESSAGES_DESCRIBE_CLUSTER_H
#define KAFKA_MESSAGES_DESCRIBE_CLUSTER_H

#include "kafka/field.h"

enum { KOA_KAFKA_ENDPOINT_BROKERS = 1, KOA_KAFKA_ENDPOINT_CONTROLLERS = 2 };

struct koa_kafka_describe_cluster_request {
    bool include_cluster_authorized_operations;
    int8_t endpoint_type;        /* 1+ */
    bool include_fenced_brokers; /* 2+ */
};

struct koa_kafka_describe_cluster_broker {
    int32_t broker_id;
    struct koa_str host;
    int32_t port;
    struct koa_str rack; /* null: none */
    bool is_fenced;      /* 2+ */
};

struct koa_kafka_describe_cluster_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct koa_str error_message; /* may be null */
    int8_t endpoint_type;         /* 1+ */
    struct koa_str cluster_id;
    int32_t controller_id; /* -1: unknown */
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_cluster_broker) brokers;
    int32_t cluster_authorized_operations;
};

extern const struct koa_kafka_message koa_kafka_describe_cluster_request;
extern const struct koa_kafka_message koa_kafka_describe_cluster_response;

#endif

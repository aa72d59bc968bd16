/* Metadata (3): brokers, topics, partitions with leader and replicas. */
#ifndef KAFKA_MESSAGES_METADATA_H
#define KAFKA_MESSAGES_METADATA_H

#include "kafka/field.h"

struct koa_kafka_metadata_request_topic {
    struct koa_kafka_uuid topic_id; /* 10+ */
    struct koa_str name;            /* may be null from 10 on */
};

struct koa_kafka_metadata_request {
    /* Null asks for all topics; in version 0 an empty array does. */
    KOA_KAFKA_ARRAY(struct koa_kafka_metadata_request_topic) topics;
    bool allow_auto_topic_creation;             /* 4+; before, the broker may create topics */
    bool include_cluster_authorized_operations; /* 8-10 */
    bool include_topic_authorized_operations;   /* 8+ */
};

struct koa_kafka_metadata_broker {
    int32_t node_id;
    int32_t port;
    struct koa_str host;
    struct koa_str rack; /* 1+; null: none */
};

struct koa_kafka_metadata_partition {
    int16_t error_code;
    int32_t partition_index;
    int32_t leader_id;    /* -1: none */
    int32_t leader_epoch; /* 7+; -1: not told */
    KOA_KAFKA_ARRAY(int32_t) replica_nodes;
    KOA_KAFKA_ARRAY(int32_t) isr_nodes;
    KOA_KAFKA_ARRAY(int32_t) offline_replicas; /* 5+ */
};

struct koa_kafka_metadata_topic {
    int16_t error_code;
    bool is_internal;                    /* 1+ */
    int32_t topic_authorized_operations; /* 8+ */
    struct koa_str name;                 /* may be null from 12 on */
    struct koa_kafka_uuid topic_id;      /* 10+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_metadata_partition) partitions;
};

struct koa_kafka_metadata_response {
    int32_t throttle_time_ms; /* 3+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_metadata_broker) brokers;
    struct koa_str cluster_id; /* 2+; may be null */
    int32_t controller_id;     /* 1+; -1: unknown. With KRaft any broker, not the quorum's leader */
    KOA_KAFKA_ARRAY(struct koa_kafka_metadata_topic) topics;
    int32_t cluster_authorized_operations; /* 8-10 */
    int16_t error_code;                    /* 13+ */
};

extern const struct koa_kafka_message koa_kafka_metadata_request;
extern const struct koa_kafka_message koa_kafka_metadata_response;

#endif

/* DescribeQuorum (55): the controllers' log: leader, voters, observers (KIP-595). Any KRaft broker
 * answers, by asking the leader. */
#ifndef KAFKA_MESSAGES_DESCRIBE_QUORUM_H
#define KAFKA_MESSAGES_DESCRIBE_QUORUM_H

#include "kafka/field.h"

struct koa_kafka_describe_quorum_request_partition {
    int32_t partition_index;
};

struct koa_kafka_describe_quorum_request_topic {
    struct koa_str topic_name; /* "__cluster_metadata" */
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_quorum_request_partition) partitions;
};

struct koa_kafka_describe_quorum_request {
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_quorum_request_topic) topics;
};

struct koa_kafka_describe_quorum_replica {
    int64_t log_end_offset;           /* -1: unknown */
    int64_t last_fetch_timestamp;     /* 1+; -1: unknown, or the leader */
    int64_t last_caught_up_timestamp; /* 1+; -1: unknown */
    int32_t replica_id;
    struct koa_kafka_uuid replica_directory_id; /* 2+ */
};

struct koa_kafka_describe_quorum_partition {
    int32_t partition_index;
    int32_t leader_id; /* -1: unknown */
    int32_t leader_epoch;
    int16_t error_code;
    struct koa_str error_message; /* 2+; may be null */
    int64_t high_watermark;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_quorum_replica) current_voters;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_quorum_replica) observers;
};

struct koa_kafka_describe_quorum_topic {
    struct koa_str topic_name;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_quorum_partition) partitions;
};

struct koa_kafka_describe_quorum_listener {
    struct koa_str name;
    struct koa_str host;
    uint16_t port;
};

struct koa_kafka_describe_quorum_node {
    int32_t node_id;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_quorum_listener) listeners;
};

struct koa_kafka_describe_quorum_response {
    int16_t error_code;
    struct koa_str error_message; /* 2+; may be null */
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_quorum_topic) topics;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_quorum_node) nodes; /* 2+ */
};

extern const struct koa_kafka_message koa_kafka_describe_quorum_request;
extern const struct koa_kafka_message koa_kafka_describe_quorum_response;

#endif

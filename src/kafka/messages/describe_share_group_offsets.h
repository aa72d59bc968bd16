/* DescribeShareGroupOffsets (90): where share groups start to read (KIP-932). Only the coordinator
 * answers. */
#ifndef KAFKA_MESSAGES_DESCRIBE_SHARE_GROUP_OFFSETS_H
#define KAFKA_MESSAGES_DESCRIBE_SHARE_GROUP_OFFSETS_H

#include "kafka/field.h"

struct koa_kafka_describe_share_group_offsets_request_topic {
    struct koa_str topic_name;
    KOA_KAFKA_ARRAY(int32_t) partitions;
};

struct koa_kafka_describe_share_group_offsets_request_group {
    struct koa_str group_id;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_share_group_offsets_request_topic)
    topics; /* null: all */
};

struct koa_kafka_describe_share_group_offsets_request {
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_share_group_offsets_request_group) groups;
};

struct koa_kafka_describe_share_group_offsets_partition {
    int64_t start_offset;         /* -1: none yet */
    int64_t lag;                  /* 1+; -1: not told */
    struct koa_str error_message; /* may be null */
    int32_t partition_index;
    int32_t leader_epoch;
    int16_t error_code;
};

struct koa_kafka_describe_share_group_offsets_topic {
    struct koa_str topic_name;
    struct koa_kafka_uuid topic_id;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_share_group_offsets_partition) partitions;
};

struct koa_kafka_describe_share_group_offsets_group {
    struct koa_str group_id;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_share_group_offsets_topic) topics;
    int16_t error_code;
    struct koa_str error_message; /* may be null */
};

struct koa_kafka_describe_share_group_offsets_response {
    int32_t throttle_time_ms;
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_share_group_offsets_group) groups;
};

extern const struct koa_kafka_message koa_kafka_describe_share_group_offsets_request;
extern const struct koa_kafka_message koa_kafka_describe_share_group_offsets_response;

#endif

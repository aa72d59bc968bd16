/* OffsetFetch (9): what groups have committed. Only the coordinator answers. One group a request up
 * to version 7, many from 8 on (KIP-709); topics are named up to version 9 and known by id in 10.
 * Null topics ask for all that have a commit, an empty array for none. An unknown group has no
 * error and no topics. */
#ifndef KAFKA_MESSAGES_OFFSET_FETCH_H
#define KAFKA_MESSAGES_OFFSET_FETCH_H

#include "kafka/field.h"

struct koa_kafka_offset_fetch_request_topic {
    struct koa_str name;            /* up to 9 */
    struct koa_kafka_uuid topic_id; /* 10+ */
    KOA_KAFKA_ARRAY(int32_t) partition_indexes;
};

struct koa_kafka_offset_fetch_request_group {
    struct koa_str group_id;
    struct koa_str member_id; /* 9+; null: not a member */
    int32_t member_epoch;     /* 9+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_offset_fetch_request_topic) topics; /* null: all */
};

struct koa_kafka_offset_fetch_request {
    struct koa_str group_id; /* up to 7 */
    KOA_KAFKA_ARRAY(struct koa_kafka_offset_fetch_request_topic)
    topics; /* up to 7; null, from 2 on: all */
    KOA_KAFKA_ARRAY(struct koa_kafka_offset_fetch_request_group) groups; /* 8+ */
    bool require_stable; /* 7+; fail partitions with commits in an open transaction */
};

struct koa_kafka_offset_fetch_partition {
    int64_t committed_offset; /* -1: none */
    struct koa_str metadata;  /* may be null */
    int32_t partition_index;
    int32_t committed_leader_epoch; /* 5+; -1: not told */
    int16_t error_code;
};

struct koa_kafka_offset_fetch_topic {
    struct koa_str name;            /* up to 9 */
    struct koa_kafka_uuid topic_id; /* 10+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_offset_fetch_partition) partitions;
};

struct koa_kafka_offset_fetch_group {
    struct koa_str group_id;
    KOA_KAFKA_ARRAY(struct koa_kafka_offset_fetch_topic) topics;
    int16_t error_code;
};

struct koa_kafka_offset_fetch_response {
    int32_t throttle_time_ms;                                    /* 3+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_offset_fetch_topic) topics; /* up to 7 */
    int16_t error_code;                                          /* 2-7 */
    KOA_KAFKA_ARRAY(struct koa_kafka_offset_fetch_group) groups; /* 8+ */
};

extern const struct koa_kafka_message koa_kafka_offset_fetch_request;
extern const struct koa_kafka_message koa_kafka_offset_fetch_response;

#endif

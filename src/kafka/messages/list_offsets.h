/* ListOffsets (2): the offset of a partition at its end, its start, or a time. Only the leader
 * answers. A partition named twice in one request is an error, and the answer's order is the
 * broker's own (seen on 4.3.1): match by name and index. */
#ifndef KAFKA_MESSAGES_LIST_OFFSETS_H
#define KAFKA_MESSAGES_LIST_OFFSETS_H

#include "kafka/field.h"

/* Special values of `timestamp`. */
enum { KOA_KAFKA_OFFSET_END = -1, KOA_KAFKA_OFFSET_START = -2 };

struct koa_kafka_list_offsets_request_partition {
    int32_t partition_index;
    int32_t current_leader_epoch; /* 4+; -1: do not check */
    int64_t timestamp;
    int32_t max_num_offsets; /* 0 only */
};

struct koa_kafka_list_offsets_request_topic {
    struct koa_str name;
    KOA_KAFKA_ARRAY(struct koa_kafka_list_offsets_request_partition) partitions;
};

struct koa_kafka_list_offsets_request {
    int32_t replica_id;     /* -1: a client */
    int8_t isolation_level; /* 2+; 0: read_uncommitted, 1: read_committed */
    KOA_KAFKA_ARRAY(struct koa_kafka_list_offsets_request_topic) topics;
    int32_t timeout_ms; /* 10+ */
};

struct koa_kafka_list_offsets_partition {
    int32_t partition_index;
    int16_t error_code;
    KOA_KAFKA_ARRAY(int64_t) old_style_offsets; /* 0 only */
    int64_t timestamp;                          /* 1+ */
    int64_t offset;                             /* 1+; -1: none */
    int32_t leader_epoch;                       /* 4+ */
};

struct koa_kafka_list_offsets_topic {
    struct koa_str name;
    KOA_KAFKA_ARRAY(struct koa_kafka_list_offsets_partition) partitions;
};

struct koa_kafka_list_offsets_response {
    int32_t throttle_time_ms; /* 2+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_list_offsets_topic) topics;
};

extern const struct koa_kafka_message koa_kafka_list_offsets_request;
extern const struct koa_kafka_message koa_kafka_list_offsets_response;

#endif

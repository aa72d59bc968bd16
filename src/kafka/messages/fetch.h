/* Fetch (1): record batches (record_batch.h) from an offset on. Only the leader answers, or a
 * replica it names. Topics are named up to version 12 and known by id from 13 on. */
#ifndef KAFKA_MESSAGES_FETCH_H
#define KAFKA_MESSAGES_FETCH_H

#include "kafka/messages/leader_hint.h"

struct koa_kafka_fetch_request_partition {
    int64_t fetch_offset;
    int64_t log_start_offset; /* 5+; -1: a client */
    int64_t high_watermark;   /* 18+, tag 1; a replica's; INT64_MAX: a client */
    int32_t partition;
    int32_t current_leader_epoch; /* 9+; -1: do not check */
    int32_t last_fetched_epoch;   /* 12+; -1: do not check */
    int32_t partition_max_bytes;  /* the first batch comes whole even if it is larger */
    struct koa_kafka_uuid replica_directory_id; /* 17+, tag 0 */
};

struct koa_kafka_fetch_request_topic {
    struct koa_str topic;           /* up to 12 */
    struct koa_kafka_uuid topic_id; /* 13+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_fetch_request_partition) partitions;
};

struct koa_kafka_fetch_forgotten_topic {
    struct koa_str topic;           /* up to 12 */
    struct koa_kafka_uuid topic_id; /* 13+ */
    KOA_KAFKA_ARRAY(int32_t) partitions;
};

struct koa_kafka_fetch_replica_state {
    int32_t replica_id;
    int64_t replica_epoch;
};

struct koa_kafka_fetch_request {
    int32_t replica_id; /* up to 14; -1: a client */
    int32_t max_wait_ms;
    int32_t min_bytes; /* wait for as many, up to `max_wait_ms` */
    int32_t max_bytes;
    int8_t isolation_level; /* 0: read_uncommitted, 1: read_committed */
    int32_t session_id;     /* 7+; 0: none */
    int32_t session_epoch;  /* 7+; -1: no session wanted */
    KOA_KAFKA_ARRAY(struct koa_kafka_fetch_request_topic) topics;
    KOA_KAFKA_ARRAY(struct koa_kafka_fetch_forgotten_topic) forgotten_topics_data; /* 7+ */
    struct koa_str rack_id;                                                        /* 11+ */
    struct koa_str cluster_id;                           /* 12+, tag 0; null: not checked */
    struct koa_kafka_fetch_replica_state *replica_state; /* 15+, tag 1; null: a client */
};

struct koa_kafka_fetch_aborted_transaction {
    int64_t producer_id;
    int64_t first_offset;
};

struct koa_kafka_fetch_epoch_end {
    int32_t epoch;
    int64_t end_offset;
};

struct koa_kafka_fetch_snapshot {
    int64_t end_offset;
    int32_t epoch;
};

struct koa_kafka_fetch_partition {
    int32_t partition_index;
    int16_t error_code;
    int64_t high_watermark;
    int64_t last_stable_offset; /* -1: unknown */
    int64_t log_start_offset;   /* 5+; -1: unknown */
    KOA_KAFKA_ARRAY(struct koa_kafka_fetch_aborted_transaction)
    aborted_transactions;                              /* null when not read_committed */
    struct koa_str records;                            /* batches, the last one possibly cut */
    int32_t preferred_read_replica;                    /* 11+; -1: the leader itself */
    struct koa_kafka_fetch_epoch_end *diverging_epoch; /* 12+, tag 0; may be null */
    struct koa_kafka_leader_hint *current_leader;      /* 12+, tag 1; may be null */
    struct koa_kafka_fetch_snapshot *snapshot_id;      /* 12+, tag 2; may be null */
};

struct koa_kafka_fetch_topic {
    struct koa_str topic;           /* up to 12 */
    struct koa_kafka_uuid topic_id; /* 13+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_fetch_partition) partitions;
};

struct koa_kafka_fetch_response {
    int32_t throttle_time_ms;
    int16_t error_code; /* 7+ */
    int32_t session_id; /* 7+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_fetch_topic) responses;
    KOA_KAFKA_ARRAY(struct koa_kafka_leader_endpoint)
    node_endpoints; /* 16+, tag 0; of the leaders hinted at */
};

extern const struct koa_kafka_message koa_kafka_fetch_request;
extern const struct koa_kafka_message koa_kafka_fetch_response;

#endif

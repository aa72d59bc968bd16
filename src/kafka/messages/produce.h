/* Produce (0): adds record batches (record_batch.h) to partitions. Only the leader takes them.
 * Topics are named up to version 12 and known by id in 13. With `acks` 0 there is no answer at all.
 */
#ifndef KAFKA_MESSAGES_PRODUCE_H
#define KAFKA_MESSAGES_PRODUCE_H

#include "kafka/messages/leader_hint.h"

struct koa_kafka_produce_request_partition {
    int32_t index;
    struct koa_str records; /* one batch */
};

struct koa_kafka_produce_request_topic {
    struct koa_str name;            /* up to 12 */
    struct koa_kafka_uuid topic_id; /* 13+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_produce_request_partition) partition_data;
};

struct koa_kafka_produce_request {
    struct koa_str transactional_id; /* null: none */
    int16_t acks;                    /* 1: the leader's word is enough, -1: all in-sync replicas */
    int32_t timeout_ms;
    KOA_KAFKA_ARRAY(struct koa_kafka_produce_request_topic) topic_data;
};

struct koa_kafka_produce_record_error {
    int32_t batch_index;
    struct koa_str batch_index_error_message; /* may be null */
};

struct koa_kafka_produce_partition {
    int32_t index;
    int16_t error_code;
    int64_t base_offset;
    int64_t log_append_time_ms; /* -1: the record's own time stands */
    int64_t log_start_offset;   /* 5+; -1: not told */
    KOA_KAFKA_ARRAY(struct koa_kafka_produce_record_error) record_errors; /* 8+ */
    struct koa_str error_message;                                         /* 8+; may be null */
    struct koa_kafka_leader_hint *current_leader; /* 10+, tag 0; may be null */
};

struct koa_kafka_produce_topic {
    struct koa_str name;            /* up to 12 */
    struct koa_kafka_uuid topic_id; /* 13+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_produce_partition) partition_responses;
};

struct koa_kafka_produce_response {
    KOA_KAFKA_ARRAY(struct koa_kafka_produce_topic) responses;
    int32_t throttle_time_ms;
    KOA_KAFKA_ARRAY(struct koa_kafka_leader_endpoint)
    node_endpoints; /* 10+, tag 0; of the leaders hinted at */
};

extern const struct koa_kafka_message koa_kafka_produce_request;
extern const struct koa_kafka_message koa_kafka_produce_response;

#endif

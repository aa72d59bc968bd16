/* CreateTopics (19). Kafka decides the number of partitions and replicas where they are -1 (from
 * version 4 on), and ignores both where `assignments` are given, which then must be -1 too. Any
 * KRaft broker passes it on; with ZooKeeper only the controller answers. */
#ifndef KAFKA_MESSAGES_CREATE_TOPICS_H
#define KAFKA_MESSAGES_CREATE_TOPICS_H

#include "kafka/field.h"

struct koa_kafka_create_topics_assignment {
    int32_t partition_index;
    KOA_KAFKA_ARRAY(int32_t) broker_ids;
};

struct koa_kafka_create_topics_request_config {
    struct koa_str name;
    struct koa_str value; /* null: the default */
};

struct koa_kafka_create_topics_request_topic {
    struct koa_str name;
    int32_t num_partitions;
    int16_t replication_factor;
    KOA_KAFKA_ARRAY(struct koa_kafka_create_topics_assignment) assignments;
    KOA_KAFKA_ARRAY(struct koa_kafka_create_topics_request_config) configs;
};

struct koa_kafka_create_topics_request {
    KOA_KAFKA_ARRAY(struct koa_kafka_create_topics_request_topic) topics;
    int32_t timeout_ms;
    bool validate_only; /* check, but create nothing */
};

struct koa_kafka_create_topics_config {
    struct koa_str name;
    struct koa_str value; /* null: sensitive or not set */
    bool read_only;
    int8_t config_source;
    bool is_sensitive;
};

struct koa_kafka_create_topics_topic {
    struct koa_str name;
    struct koa_kafka_uuid topic_id; /* 7+ */
    int16_t error_code;
    int16_t topic_config_error_code; /* 5+, tag 0; why there are no configs */
    int16_t replication_factor;      /* 5+; likewise */
    int32_t num_partitions;          /* 5+; -1: not told */
    struct koa_str error_message;    /* may be null */
    KOA_KAFKA_ARRAY(struct koa_kafka_create_topics_config) configs; /* 5+; null: not told */
};

struct koa_kafka_create_topics_response {
    int32_t throttle_time_ms;
    KOA_KAFKA_ARRAY(struct koa_kafka_create_topics_topic) topics;
};

extern const struct koa_kafka_message koa_kafka_create_topics_request;
extern const struct koa_kafka_message koa_kafka_create_topics_response;

#endif

/* Where the leader is, as Produce and Fetch add it to the errors 6 and 74 (KIP-951). */
#ifndef KAFKA_MESSAGES_LEADER_HINT_H
#define KAFKA_MESSAGES_LEADER_HINT_H

#include "kafka/field.h"

struct koa_kafka_leader_hint {
    int32_t leader_id;    /* -1: unknown */
    int32_t leader_epoch; /* -1: unknown */
};

struct koa_kafka_leader_endpoint {
    int32_t node_id;
    int32_t port;
    struct koa_str host;
    struct koa_str rack; /* null: none */
};

extern const struct koa_kafka_field koa_kafka_leader_hint_fields[];
extern const struct koa_kafka_field koa_kafka_leader_endpoint_fields[];

#endif

/* FindCoordinator (10): which broker owns a group. One key a request up to version 3, many from 4
 * on (KIP-699). */
#ifndef KAFKA_MESSAGES_FIND_COORDINATOR_H
#define KAFKA_MESSAGES_FIND_COORDINATOR_H

#include "kafka/field.h"

/* Values of `key_type`. A share group's key is "group:topic-id:partition", and finds its state, not
 * the group. */
enum { KOA_KAFKA_KEY_GROUP = 0, KOA_KAFKA_KEY_TRANSACTION = 1, KOA_KAFKA_KEY_SHARE = 2 };

struct koa_kafka_find_coordinator_request {
    struct koa_str key;                               /* up to 3 */
    int8_t key_type;                                  /* 1+ */
    KOA_KAFKA_ARRAY(struct koa_str) coordinator_keys; /* 4+ */
};

struct koa_kafka_find_coordinator_coordinator {
    struct koa_str key;
    int32_t node_id;
    int32_t port;
    struct koa_str host;
    int16_t error_code;
    struct koa_str error_message; /* may be null */
};

struct koa_kafka_find_coordinator_response {
    int32_t throttle_time_ms;     /* 1+ */
    int16_t error_code;           /* up to 3 */
    struct koa_str error_message; /* 1-3; may be null */
    int32_t node_id;              /* up to 3 */
    struct koa_str host;          /* up to 3 */
    int32_t port;                 /* up to 3 */
    KOA_KAFKA_ARRAY(struct koa_kafka_find_coordinator_coordinator) coordinators; /* 4+ */
};

extern const struct koa_kafka_message koa_kafka_find_coordinator_request;
extern const struct koa_kafka_message koa_kafka_find_coordinator_response;

#endif

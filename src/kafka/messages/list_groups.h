/* ListGroups (16): the groups that a broker coordinates. Every broker has to be asked; while
 * coordinators move, two may list the same group. */
#ifndef KAFKA_MESSAGES_LIST_GROUPS_H
#define KAFKA_MESSAGES_LIST_GROUPS_H

#include "kafka/field.h"

struct koa_kafka_list_groups_request {
    KOA_KAFKA_ARRAY(struct koa_str) states_filter; /* 4+; empty: every state */
    KOA_KAFKA_ARRAY(struct koa_str) types_filter;  /* 5+; empty: every type */
};

struct koa_kafka_list_groups_group {
    struct koa_str group_id;
    struct koa_str protocol_type; /* "consumer", "connect", "share", or empty */
    struct koa_str group_state;   /* 4+ */
    struct koa_str group_type;    /* 5+; "classic", "consumer", "share", "streams" */
};

struct koa_kafka_list_groups_response {
    int32_t throttle_time_ms; /* 1+ */
    int16_t error_code;
    KOA_KAFKA_ARRAY(struct koa_kafka_list_groups_group) groups;
};

extern const struct koa_kafka_message koa_kafka_list_groups_request;
extern const struct koa_kafka_message koa_kafka_list_groups_response;

#endif

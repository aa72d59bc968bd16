/* DescribeGroups (15): state and members of classic groups. Only the coordinator answers. An
 * unknown group, and one of another type, is "Dead" without error before version 6, and error 69
 * (GROUP_ID_NOT_FOUND) from it on. */
#ifndef KAFKA_MESSAGES_DESCRIBE_GROUPS_H
#define KAFKA_MESSAGES_DESCRIBE_GROUPS_H

#include "kafka/field.h"

struct koa_kafka_describe_groups_request {
    KOA_KAFKA_ARRAY(struct koa_str) groups;
    bool include_authorized_operations; /* 3+ */
};

struct koa_kafka_describe_groups_member {
    struct koa_str member_id;
    struct koa_str group_instance_id; /* 4+; null: not a static member */
    struct koa_str client_id;
    struct koa_str client_host;
    struct koa_str member_metadata;   /* the subscription, in the group's own protocol */
    struct koa_str member_assignment; /* likewise; both are empty unless the group is Stable */
};

struct koa_kafka_describe_groups_group {
    int16_t error_code;
    int32_t authorized_operations; /* 3+ */
    struct koa_str error_message;  /* 6+; may be null */
    struct koa_str group_id;
    struct koa_str group_state;
    struct koa_str protocol_type;
    struct koa_str protocol_data; /* the assignor's name */
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_groups_member) members;
};

struct koa_kafka_describe_groups_response {
    int32_t throttle_time_ms; /* 1+ */
    KOA_KAFKA_ARRAY(struct koa_kafka_describe_groups_group) groups;
};

extern const struct koa_kafka_message koa_kafka_describe_groups_request;
extern const struct koa_kafka_message koa_kafka_describe_groups_response;

#endif

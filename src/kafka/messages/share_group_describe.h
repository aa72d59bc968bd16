/* ShareGroupDescribe (77): state and members of share groups (KIP-932). Only the coordinator
 * answers; for a group of another type with error 69 (GROUP_ID_NOT_FOUND). */
#ifndef KAFKA_MESSAGES_SHARE_GROUP_DESCRIBE_H
#define KAFKA_MESSAGES_SHARE_GROUP_DESCRIBE_H

#include "kafka/messages/group_assignment.h"

struct koa_kafka_share_group_describe_request {
    KOA_KAFKA_ARRAY(struct koa_str) group_ids;
    bool include_authorized_operations;
};

struct koa_kafka_share_group_describe_member {
    struct koa_str member_id;
    struct koa_str rack_id; /* null: none */
    struct koa_str client_id;
    struct koa_str client_host;
    KOA_KAFKA_ARRAY(struct koa_str) subscribed_topic_names;
    struct koa_kafka_group_assignment *assignment;
    int32_t member_epoch;
};

struct koa_kafka_share_group_describe_group {
    int16_t error_code;
    int32_t group_epoch;
    int32_t assignment_epoch;
    int32_t authorized_operations;
    struct koa_str error_message; /* may be null */
    struct koa_str group_id;
    struct koa_str group_state;
    struct koa_str assignor_name;
    KOA_KAFKA_ARRAY(struct koa_kafka_share_group_describe_member) members;
};

struct koa_kafka_share_group_describe_response {
    int32_t throttle_time_ms;
    KOA_KAFKA_ARRAY(struct koa_kafka_share_group_describe_group) groups;
};

extern const struct koa_kafka_message koa_kafka_share_group_describe_request;
extern const struct koa_kafka_message koa_kafka_share_group_describe_response;

#endif

/* Tables of ShareGroupDescribe (77), versions 0 (early access in 4.0) and 1, which are alike. */
#include "kafka/messages/share_group_describe.h"

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_share_group_describe_request, group_ids)},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_share_group_describe_request,
                          include_authorized_operations)},
    {0},
};

const struct koa_kafka_message koa_kafka_share_group_describe_request = {
    .name = "ShareGroupDescribeRequest",
    .size = sizeof(struct koa_kafka_share_group_describe_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 1,
    .flexible_since = 0,
};

static const struct koa_kafka_field member_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_share_group_describe_member, member_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_share_group_describe_member, rack_id),
     .nullable = true},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_share_group_describe_member, member_epoch)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_share_group_describe_member, client_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_share_group_describe_member, client_host)},
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_share_group_describe_member, subscribed_topic_names)},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_share_group_describe_member, assignment,
                            struct koa_kafka_group_assignment, koa_kafka_group_assignment_fields)},
    {0},
};

static const struct koa_kafka_field group_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_share_group_describe_group, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_share_group_describe_group, error_message),
     .nullable = true},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_share_group_describe_group, group_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_share_group_describe_group, group_state)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_share_group_describe_group, group_epoch)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_share_group_describe_group, assignment_epoch)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_share_group_describe_group, assignor_name)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_share_group_describe_group, members,
                             struct koa_kafka_share_group_describe_member, member_fields)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_share_group_describe_group, authorized_operations),
     .fallback = INT32_MIN},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_share_group_describe_response, throttle_time_ms)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_share_group_describe_response, groups,
                             struct koa_kafka_share_group_describe_group, group_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_share_group_describe_response = {
    .name = "ShareGroupDescribeResponse",
    .size = sizeof(struct koa_kafka_share_group_describe_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 1,
    .flexible_since = 0,
};

/* Tables of DescribeGroups (15), versions 0 to 6. */
#include "kafka/messages/describe_groups.h"

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_describe_groups_request, groups)},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_describe_groups_request, include_authorized_operations),
     .since = 3},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_groups_request = {
    .name = "DescribeGroupsRequest",
    .size = sizeof(struct koa_kafka_describe_groups_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 6,
    .flexible_since = 5,
};

static const struct koa_kafka_field member_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_groups_member, member_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_groups_member, group_instance_id), .since = 4,
     .nullable = true, .nullable_since = 4},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_groups_member, client_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_groups_member, client_host)},
    {KOA_KAFKA_FIELD_BYTES(struct koa_kafka_describe_groups_member, member_metadata)},
    {KOA_KAFKA_FIELD_BYTES(struct koa_kafka_describe_groups_member, member_assignment)},
    {0},
};

static const struct koa_kafka_field group_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_describe_groups_group, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_groups_group, error_message), .since = 6,
     .nullable = true, .nullable_since = 6},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_groups_group, group_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_groups_group, group_state)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_groups_group, protocol_type)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_describe_groups_group, protocol_data)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_groups_group, members,
                             struct koa_kafka_describe_groups_member, member_fields)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_groups_group, authorized_operations),
     .since = 3, .fallback = INT32_MIN},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_describe_groups_response, throttle_time_ms),
     .since = 1},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_describe_groups_response, groups,
                             struct koa_kafka_describe_groups_group, group_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_describe_groups_response = {
    .name = "DescribeGroupsResponse",
    .size = sizeof(struct koa_kafka_describe_groups_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 6,
    .flexible_since = 5,
};

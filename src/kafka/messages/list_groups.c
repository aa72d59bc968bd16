/* Tables of ListGroups (16), versions 0 to 5. */
#include "kafka/messages/list_groups.h"

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_list_groups_request, states_filter), .since = 4},
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_list_groups_request, types_filter), .since = 5},
    {0},
};

const struct koa_kafka_message koa_kafka_list_groups_request = {
    .name = "ListGroupsRequest",
    .size = sizeof(struct koa_kafka_list_groups_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 5,
    .flexible_since = 3,
};

static const struct koa_kafka_field group_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_list_groups_group, group_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_list_groups_group, protocol_type)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_list_groups_group, group_state), .since = 4},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_list_groups_group, group_type), .since = 5},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_list_groups_response, throttle_time_ms), .since = 1},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_list_groups_response, error_code)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_list_groups_response, groups,
                             struct koa_kafka_list_groups_group, group_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_list_groups_response = {
    .name = "ListGroupsResponse",
    .size = sizeof(struct koa_kafka_list_groups_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 5,
    .flexible_since = 3,
};

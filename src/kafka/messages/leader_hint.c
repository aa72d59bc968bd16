/* Tables that Produce and Fetch share. */
#include "kafka/messages/leader_hint.h"

const struct koa_kafka_field koa_kafka_leader_hint_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_leader_hint, leader_id), .fallback = -1},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_leader_hint, leader_epoch), .fallback = -1},
    {0},
};

const struct koa_kafka_field koa_kafka_leader_endpoint_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_leader_endpoint, node_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_leader_endpoint, host)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_leader_endpoint, port)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_leader_endpoint, rack), .nullable = true},
    {0},
};

/* Tables that ConsumerGroupDescribe and ShareGroupDescribe share. */
#include "kafka/messages/group_assignment.h"

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_UUID(struct koa_kafka_group_assignment_topic, topic_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_group_assignment_topic, topic_name)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_group_assignment_topic, partitions)},
    {0},
};

const struct koa_kafka_field koa_kafka_group_assignment_fields[] = {
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_group_assignment, topic_partitions,
                             struct koa_kafka_group_assignment_topic, topic_fields)},
    {0},
};

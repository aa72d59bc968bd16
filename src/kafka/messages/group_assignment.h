/* What a member of a consumer or share group is assigned, as both describe APIs tell it. */
#ifndef KAFKA_MESSAGES_GROUP_ASSIGNMENT_H
#define KAFKA_MESSAGES_GROUP_ASSIGNMENT_H

#include "kafka/field.h"

struct koa_kafka_group_assignment_topic {
    struct koa_kafka_uuid topic_id;
    struct koa_str topic_name;
    KOA_KAFKA_ARRAY(int32_t) partitions;
};

struct koa_kafka_group_assignment {
    KOA_KAFKA_ARRAY(struct koa_kafka_group_assignment_topic) topic_partitions;
};

extern const struct koa_kafka_field koa_kafka_group_assignment_fields[];

#endif

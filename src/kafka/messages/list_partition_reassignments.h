/* ListPartitionReassignments (46): replicas that move between brokers (KIP-455). Any KRaft broker
 * answers; with ZooKeeper only the controller. */
#ifndef KAFKA_MESSAGES_LIST_PARTITION_REASSIGNMENTS_H
#define KAFKA_MESSAGES_LIST_PARTITION_REASSIGNMENTS_H

#include "kafka/field.h"

struct koa_kafka_list_partition_reassignments_request_topic {
    struct koa_str name;
    KOA_KAFKA_ARRAY(int32_t) partition_indexes;
};

struct koa_kafka_list_partition_reassignments_request {
    int32_t timeout_ms;
    KOA_KAFKA_ARRAY(struct koa_kafka_list_partition_reassignments_request_topic)
    topics; /* null: all */
};

struct koa_kafka_list_partition_reassignments_partition {
    int32_t partition_index;
    KOA_KAFKA_ARRAY(int32_t) replicas; /* those there are, old and new */
    KOA_KAFKA_ARRAY(int32_t) adding_replicas;
    KOA_KAFKA_ARRAY(int32_t) removing_replicas;
};

struct koa_kafka_list_partition_reassignments_topic {
    struct koa_str name;
    KOA_KAFKA_ARRAY(struct koa_kafka_list_partition_reassignments_partition) partitions;
};

struct koa_kafka_list_partition_reassignments_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct koa_str error_message; /* may be null */
    KOA_KAFKA_ARRAY(struct koa_kafka_list_partition_reassignments_topic) topics;
};

extern const struct koa_kafka_message koa_kafka_list_partition_reassignments_request;
extern const struct koa_kafka_message koa_kafka_list_partition_reassignments_response;

#endif

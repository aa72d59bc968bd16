/* StreamsGroupDescribe (89): state, topology and members of streams groups (KIP-1071). Only the
 * coordinator answers; for a group of another type with error 69 (GROUP_ID_NOT_FOUND). */
#ifndef KAFKA_MESSAGES_STREAMS_GROUP_DESCRIBE_H
#define KAFKA_MESSAGES_STREAMS_GROUP_DESCRIBE_H

#include "kafka/field.h"

struct koa_kafka_streams_group_describe_request {
    KOA_KAFKA_ARRAY(struct koa_str) group_ids;
    bool include_authorized_operations;
    bool include_topology_description; /* since 1 */
};

struct koa_kafka_streams_group_describe_pair {
    struct koa_str key;
    struct koa_str value;
};

struct koa_kafka_streams_group_describe_topic {
    struct koa_str name;
    int32_t partitions;
    int16_t replication_factor;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_pair) topic_configs;
};

struct koa_kafka_streams_group_describe_subtopology {
    struct koa_str subtopology_id;
    KOA_KAFKA_ARRAY(struct koa_str) source_topics;
    KOA_KAFKA_ARRAY(struct koa_str) repartition_sink_topics;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_topic) state_changelog_topics;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_topic) repartition_source_topics;
};

struct koa_kafka_streams_group_describe_topology {
    int32_t epoch;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_subtopology)
    subtopologies; /* null: not known yet */
};

struct koa_kafka_streams_group_describe_endpoint {
    struct koa_str host;
    uint16_t port;
};

struct koa_kafka_streams_group_describe_task_offset {
    struct koa_str subtopology_id;
    int32_t partition;
    int64_t offset;
};

struct koa_kafka_streams_group_describe_tasks {
    struct koa_str subtopology_id;
    KOA_KAFKA_ARRAY(int32_t) partitions;
};

struct koa_kafka_streams_group_describe_assignment {
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_tasks) active_tasks;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_tasks) standby_tasks;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_tasks) warmup_tasks;
};

struct koa_kafka_streams_group_describe_member {
    struct koa_str member_id;
    struct koa_str instance_id; /* null: not a static member */
    struct koa_str rack_id;     /* null: none */
    struct koa_str client_id;
    struct koa_str client_host;
    struct koa_str process_id;
    int32_t member_epoch;
    int32_t topology_epoch;
    struct koa_kafka_streams_group_describe_endpoint *user_endpoint; /* null: none */
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_pair) client_tags;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_task_offset) task_offsets;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_task_offset) task_end_offsets;
    struct koa_kafka_streams_group_describe_assignment *assignment;
    struct koa_kafka_streams_group_describe_assignment *target_assignment;
    bool is_classic;
};

enum koa_kafka_streams_node_type {
    KOA_KAFKA_STREAMS_NODE_SOURCE = 1,
    KOA_KAFKA_STREAMS_NODE_PROCESSOR = 2,
    KOA_KAFKA_STREAMS_NODE_SINK = 3,
};

struct koa_kafka_streams_group_describe_node {
    struct koa_str name;
    KOA_KAFKA_ARRAY(struct koa_str) source_topics; /* of a source */
    struct koa_str sink_topic;                     /* of a sink; null: chosen while it runs */
    KOA_KAFKA_ARRAY(struct koa_str) stores;        /* of a processor */
    KOA_KAFKA_ARRAY(struct koa_str) successors;
    int8_t node_type;
};

struct koa_kafka_streams_group_describe_described_subtopology {
    struct koa_str subtopology_id;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_node) nodes;
};

struct koa_kafka_streams_group_describe_global_store {
    struct koa_kafka_streams_group_describe_node *source;
    struct koa_kafka_streams_group_describe_node *processor;
};

struct koa_kafka_streams_group_describe_description {
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_described_subtopology) subtopologies;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_global_store) global_stores;
};

enum koa_kafka_streams_description_status {
    KOA_KAFKA_STREAMS_DESCRIPTION_NOT_REQUESTED = 0,
    KOA_KAFKA_STREAMS_DESCRIPTION_NOT_STORED = 1,
    KOA_KAFKA_STREAMS_DESCRIPTION_ERROR = 2,
    KOA_KAFKA_STREAMS_DESCRIPTION_AVAILABLE = 3,
};

struct koa_kafka_streams_group_describe_group {
    int16_t error_code;
    int32_t group_epoch;
    int32_t assignment_epoch;
    int32_t authorized_operations;
    struct koa_str error_message; /* may be null */
    struct koa_str group_id;
    struct koa_str group_state;
    struct koa_kafka_streams_group_describe_topology *topology; /* null: none yet */
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_member) members;
    struct koa_kafka_streams_group_describe_description
        *topology_description;          /* since 1; null unless it is available */
    struct koa_str assignor_name;       /* since 1; null: not told */
    int8_t topology_description_status; /* since 1 */
};

struct koa_kafka_streams_group_describe_response {
    int32_t throttle_time_ms;
    KOA_KAFKA_ARRAY(struct koa_kafka_streams_group_describe_group) groups;
};

extern const struct koa_kafka_message koa_kafka_streams_group_describe_request;
extern const struct koa_kafka_message koa_kafka_streams_group_describe_response;

#endif

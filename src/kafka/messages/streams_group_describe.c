/* Tables of StreamsGroupDescribe (89), versions 0 and 1 (Kafka 4.4: the topology as the client
 * described it, KIP-1331, and the assignor, KIP-1357). */
#include "kafka/messages/streams_group_describe.h"

static const struct koa_kafka_field request_fields[] = {
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_streams_group_describe_request, group_ids)},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_streams_group_describe_request,
                          include_authorized_operations)},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_streams_group_describe_request,
                          include_topology_description),
     .since = 1},
    {0},
};

const struct koa_kafka_message koa_kafka_streams_group_describe_request = {
    .name = "StreamsGroupDescribeRequest",
    .size = sizeof(struct koa_kafka_streams_group_describe_request),
    .fields = request_fields,
    .minimum = 0,
    .maximum = 1,
    .flexible_since = 0,
};

static const struct koa_kafka_field pair_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_pair, key)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_pair, value)},
    {0},
};

static const struct koa_kafka_field topic_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_topic, name)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_streams_group_describe_topic, partitions)},
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_streams_group_describe_topic, replication_factor)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_topic, topic_configs,
                             struct koa_kafka_streams_group_describe_pair, pair_fields)},
    {0},
};

static const struct koa_kafka_field subtopology_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_subtopology, subtopology_id)},
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_streams_group_describe_subtopology, source_topics)},
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_streams_group_describe_subtopology,
                             repartition_sink_topics)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_subtopology,
                             state_changelog_topics, struct koa_kafka_streams_group_describe_topic,
                             topic_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_subtopology,
                             repartition_source_topics,
                             struct koa_kafka_streams_group_describe_topic, topic_fields)},
    {0},
};

static const struct koa_kafka_field topology_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_streams_group_describe_topology, epoch)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_topology, subtopologies,
                             struct koa_kafka_streams_group_describe_subtopology,
                             subtopology_fields),
     .nullable = true},
    {0},
};

static const struct koa_kafka_field endpoint_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_endpoint, host)},
    {KOA_KAFKA_FIELD_UINT16(struct koa_kafka_streams_group_describe_endpoint, port)},
    {0},
};

static const struct koa_kafka_field task_offset_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_task_offset, subtopology_id)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_streams_group_describe_task_offset, partition)},
    {KOA_KAFKA_FIELD_INT64(struct koa_kafka_streams_group_describe_task_offset, offset)},
    {0},
};

static const struct koa_kafka_field tasks_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_tasks, subtopology_id)},
    {KOA_KAFKA_FIELD_INT32S(struct koa_kafka_streams_group_describe_tasks, partitions)},
    {0},
};

static const struct koa_kafka_field assignment_fields[] = {
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_assignment, active_tasks,
                             struct koa_kafka_streams_group_describe_tasks, tasks_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_assignment, standby_tasks,
                             struct koa_kafka_streams_group_describe_tasks, tasks_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_assignment, warmup_tasks,
                             struct koa_kafka_streams_group_describe_tasks, tasks_fields)},
    {0},
};

static const struct koa_kafka_field member_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_member, member_id)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_streams_group_describe_member, member_epoch)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_member, instance_id),
     .nullable = true},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_member, rack_id),
     .nullable = true},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_member, client_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_member, client_host)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_streams_group_describe_member, topology_epoch)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_member, process_id)},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_streams_group_describe_member, user_endpoint,
                            struct koa_kafka_streams_group_describe_endpoint, endpoint_fields),
     .nullable = true},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_member, client_tags,
                             struct koa_kafka_streams_group_describe_pair, pair_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_member, task_offsets,
                             struct koa_kafka_streams_group_describe_task_offset,
                             task_offset_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_member, task_end_offsets,
                             struct koa_kafka_streams_group_describe_task_offset,
                             task_offset_fields)},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_streams_group_describe_member, assignment,
                            struct koa_kafka_streams_group_describe_assignment, assignment_fields)},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_streams_group_describe_member, target_assignment,
                            struct koa_kafka_streams_group_describe_assignment, assignment_fields)},
    {KOA_KAFKA_FIELD_BOOL(struct koa_kafka_streams_group_describe_member, is_classic)},
    {0},
};

static const struct koa_kafka_field node_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_node, name)},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_streams_group_describe_node, node_type)},
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_streams_group_describe_node, source_topics)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_node, sink_topic),
     .nullable = true},
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_streams_group_describe_node, stores)},
    {KOA_KAFKA_FIELD_STRINGS(struct koa_kafka_streams_group_describe_node, successors)},
    {0},
};

static const struct koa_kafka_field described_subtopology_fields[] = {
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_described_subtopology,
                            subtopology_id)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_described_subtopology, nodes,
                             struct koa_kafka_streams_group_describe_node, node_fields)},
    {0},
};

static const struct koa_kafka_field global_store_fields[] = {
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_streams_group_describe_global_store, source,
                            struct koa_kafka_streams_group_describe_node, node_fields)},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_streams_group_describe_global_store, processor,
                            struct koa_kafka_streams_group_describe_node, node_fields)},
    {0},
};

static const struct koa_kafka_field description_fields[] = {
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_description, subtopologies,
                             struct koa_kafka_streams_group_describe_described_subtopology,
                             described_subtopology_fields)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_description, global_stores,
                             struct koa_kafka_streams_group_describe_global_store,
                             global_store_fields)},
    {0},
};

static const struct koa_kafka_field group_fields[] = {
    {KOA_KAFKA_FIELD_INT16(struct koa_kafka_streams_group_describe_group, error_code)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_group, error_message),
     .nullable = true},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_group, group_id)},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_group, group_state)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_streams_group_describe_group, group_epoch)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_streams_group_describe_group, assignment_epoch)},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_streams_group_describe_group, topology,
                            struct koa_kafka_streams_group_describe_topology, topology_fields),
     .nullable = true},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_group, members,
                             struct koa_kafka_streams_group_describe_member, member_fields)},
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_streams_group_describe_group, authorized_operations),
     .fallback = INT32_MIN},
    {KOA_KAFKA_FIELD_STRUCT(struct koa_kafka_streams_group_describe_group, topology_description,
                            struct koa_kafka_streams_group_describe_description,
                            description_fields),
     .nullable = true, .since = 1},
    {KOA_KAFKA_FIELD_INT8(struct koa_kafka_streams_group_describe_group,
                          topology_description_status),
     .since = 1},
    {KOA_KAFKA_FIELD_STRING(struct koa_kafka_streams_group_describe_group, assignor_name),
     .nullable = true, .since = 1},
    {0},
};

static const struct koa_kafka_field response_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct koa_kafka_streams_group_describe_response, throttle_time_ms)},
    {KOA_KAFKA_FIELD_STRUCTS(struct koa_kafka_streams_group_describe_response, groups,
                             struct koa_kafka_streams_group_describe_group, group_fields)},
    {0},
};

const struct koa_kafka_message koa_kafka_streams_group_describe_response = {
    .name = "StreamsGroupDescribeResponse",
    .size = sizeof(struct koa_kafka_streams_group_describe_response),
    .fields = response_fields,
    .minimum = 0,
    .maximum = 1,
    .flexible_since = 0,
};

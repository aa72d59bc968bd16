/* Reads values straight from the snapshot's columns. */
#include "cluster/snapshot_families.h"

#include <stdio.h>

#include "base/str.h"

static bool brokers_up(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    size_t up = 0;

    (void) index;
    for (size_t i = 0; i < snapshot->broker_count; i++)
        up += snapshot->brokers[i].is_up ? 1 : 0;
    *ret_value = (double) up;
    return true;
}

static bool one(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) snapshot, (void) index;
    *ret_value = 1;
    return true;
}

static bool one_when_named(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    *ret_value = 1;
    return snapshot->cluster_id[0] != '\0';
}

static bool topics(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    *ret_value = (double) snapshot->topic_count;
    return snapshot->good_time.ms != 0;
}

static bool broker_is_up(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->brokers[index].is_up ? 1 : 0;
    return true;
}

static bool broker_is_controller(const struct koa_snapshot *snapshot, size_t index,
                                 double *ret_value)
{
    *ret_value = snapshot->brokers[index].is_controller ? 1 : 0;
    return snapshot->controller_id >= 0;
}

static bool topic_partitions(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->topics[index].count;
    return true;
}

static bool topic_leaderless(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->topics[index].leaderless;
    return true;
}

static bool topic_under_replicated(const struct koa_snapshot *snapshot, size_t index,
                                   double *ret_value)
{
    *ret_value = snapshot->topics[index].under_replicated;
    return true;
}

static bool topic_offline(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->topics[index].with_offline_replicas;
    return true;
}

static const struct koa_topic_state *state_of(const struct koa_snapshot *snapshot, size_t index)
{
    return snapshot->topics[index].state;
}

static bool topic_under_min_isr(const struct koa_snapshot *snapshot, size_t index,
                                double *ret_value)
{
    *ret_value = snapshot->topics[index].under_min_isr;
    return state_of(snapshot, index) != NULL && state_of(snapshot, index)->min_isr > 0;
}

static bool topic_at_min_isr(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->topics[index].at_min_isr;
    return state_of(snapshot, index) != NULL && state_of(snapshot, index)->min_isr > 0;
}

static bool topic_reassigning(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    const struct koa_topic_state *state = state_of(snapshot, index);

    *ret_value = state != NULL ? state->reassigning : 0;
    return state != NULL && snapshot->state->has_reassignments;
}

static bool topic_log_bytes(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    const struct koa_topic_state *state = state_of(snapshot, index);

    *ret_value = state != NULL ? (double) state->bytes : 0;
    return state != NULL && state->has_bytes;
}

/* The sum over topics of one of the above; absent when it is known of none. */
static bool sum(const struct koa_snapshot *snapshot, koa_family_read_fn *read, double *ret_value)
{
    bool is_known = snapshot->topic_count == 0;

    *ret_value = 0;
    for (size_t i = 0; i < snapshot->topic_count; i++) {
        double value = 0;

        if (read(snapshot, i, &value)) {
            is_known = true;
            *ret_value += value;
        }
    }
    return is_known && snapshot->good_time.ms != 0;
}

static bool all_leaderless(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    return sum(snapshot, topic_leaderless, ret_value);
}

static bool all_under_replicated(const struct koa_snapshot *snapshot, size_t index,
                                 double *ret_value)
{
    (void) index;
    return sum(snapshot, topic_under_replicated, ret_value);
}

static bool all_offline(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    return sum(snapshot, topic_offline, ret_value);
}

static bool all_under_min_isr(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    return sum(snapshot, topic_under_min_isr, ret_value);
}

static bool all_at_min_isr(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    return sum(snapshot, topic_at_min_isr, ret_value);
}

static bool all_reassigning(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    return sum(snapshot, topic_reassigning, ret_value);
}

static bool log_dir_size(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->state->log_dirs[index].size;
    return snapshot->state->log_dirs[index].error == NULL;
}

static bool has_space(const struct koa_log_dir_row *row)
{
    return row->total > 0 && row->usable >= 0;
}

static bool log_dir_usable(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->state->log_dirs[index].usable;
    return has_space(&snapshot->state->log_dirs[index]);
}

static bool log_dir_used(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    const struct koa_log_dir_row *row = &snapshot->state->log_dirs[index];

    *ret_value = (double) (row->total - row->usable);
    return has_space(row) && row->total >= row->usable;
}

static bool log_dir_offline(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->state->log_dirs[index].error != NULL ? 1 : 0;
    return true;
}

static bool has_quorum(const struct koa_snapshot *snapshot)
{
    return snapshot->state != NULL && snapshot->state->has_quorum;
}

static bool quorum_leader(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    *ret_value = has_quorum(snapshot) ? snapshot->state->quorum_leader : 0;
    return has_quorum(snapshot) && snapshot->state->quorum_leader >= 0;
}

static bool quorum_epoch(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    *ret_value = has_quorum(snapshot) ? snapshot->state->quorum_epoch : 0;
    return has_quorum(snapshot) && snapshot->state->quorum_epoch >= 0;
}

static bool voter_lag(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->state->voters[index].lag;
    return snapshot->state->voters[index].is_voter && snapshot->state->voters[index].log_end >= 0;
}

static bool voter_last_fetch(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->state->voters[index].last_fetch_ms / 1000.0;
    return snapshot->state->voters[index].is_voter &&
           snapshot->state->voters[index].last_fetch_ms > 0;
}

static bool stable_offset(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->partitions.stable[index];
    return (snapshot->partitions.flags[index] & KOA_PARTITION_HAS_STABLE) != 0;
}

static bool end_offset(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->partitions.end[index];
    return (snapshot->partitions.flags[index] & KOA_PARTITION_HAS_END) != 0;
}

static bool start_offset(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->partitions.start[index];
    return (snapshot->partitions.flags[index] & KOA_PARTITION_HAS_START) != 0;
}

static bool leader(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->partitions.leader[index];
    return snapshot->partitions.leader[index] >= 0;
}

static bool replicas(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->partitions.replicas[index];
    return true;
}

static bool in_sync(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->partitions.in_sync[index];
    return true;
}

/* Without a leader there is nothing that could be preferred. */
static bool is_preferred(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (snapshot->partitions.flags[index] & KOA_PARTITION_PREFERRED) != 0 ? 1 : 0;
    return snapshot->partitions.leader[index] >= 0;
}

static bool is_under_replicated(const struct koa_snapshot *snapshot, size_t index,
                                double *ret_value)
{
    *ret_value = snapshot->partitions.in_sync[index] < snapshot->partitions.replicas[index] ? 1 : 0;
    return true;
}

static void label_broker_info(const struct koa_snapshot *snapshot, size_t index,
                              struct koa_family_labels *labels)
{
    const struct koa_snapshot_broker *broker = &snapshot->brokers[index];

    (void) snprintf(labels->text, KOA_FAMILY_TEXT, "%s:%d", broker->host, broker->port);
    koa_family_label(labels, KOA_STR("address"), koa_str_from(labels->text));
    koa_family_label(labels, KOA_STR("cluster"), koa_str_from(snapshot->cluster));
    koa_family_label(labels, KOA_STR("id"), koa_family_number(labels, broker->id));
    koa_family_label(labels, KOA_STR("rack"), koa_str_from(broker->rack));
}

static void label_cluster_info(const struct koa_snapshot *snapshot, size_t index,
                               struct koa_family_labels *labels)
{
    (void) index;
    koa_family_label(labels, KOA_STR("cluster"), koa_str_from(snapshot->cluster));
    koa_family_label(labels, KOA_STR("cluster_id"), koa_str_from(snapshot->cluster_id));
    if (snapshot->controller_id >= 0) {
        koa_family_label(labels, KOA_STR("controller"),
                         koa_family_number(labels, snapshot->controller_id));
    } else {
        koa_family_label(labels, KOA_STR("controller"), KOA_STR(""));
    }
    koa_family_label(labels, KOA_STR("kafka_version_guess"),
                     koa_str_from(koa_snapshot_version_guess(snapshot)));
    koa_family_label(labels, KOA_STR("mode"), koa_str_from(koa_snapshot_mode(snapshot)));
}

const struct koa_snapshot_family koa_snapshot_families[KOA_SNAPSHOT_FAMILIES] = {
    {"kafka_brokers", KOA_OF_CLUSTER, brokers_up, NULL},
    {"kafka_broker_info", KOA_OF_BROKER, one, label_broker_info},
    {"kafka_topic_partitions", KOA_OF_TOPIC, topic_partitions, NULL},
    {"kafka_topic_partition_current_offset", KOA_OF_PARTITION, end_offset, NULL},
    {"kafka_topic_partition_oldest_offset", KOA_OF_PARTITION, start_offset, NULL},
    {"kafka_topic_partition_leader", KOA_OF_PARTITION, leader, NULL},
    {"kafka_topic_partition_replicas", KOA_OF_PARTITION, replicas, NULL},
    {"kafka_topic_partition_in_sync_replica", KOA_OF_PARTITION, in_sync, NULL},
    {"kafka_topic_partition_leader_is_preferred", KOA_OF_PARTITION, is_preferred, NULL},
    {"kafka_topic_partition_under_replicated_partition", KOA_OF_PARTITION, is_under_replicated,
     NULL},
    {"kafka_ops_cluster_topics", KOA_OF_CLUSTER, topics, NULL},
    {"kafka_ops_cluster_info", KOA_OF_CLUSTER, one_when_named, label_cluster_info},
    {"kafka_ops_broker_up", KOA_OF_BROKER, broker_is_up, NULL},
    {"kafka_ops_broker_is_controller", KOA_OF_BROKER, broker_is_controller, NULL},
    {"kafka_ops_topic_partitions_leaderless", KOA_OF_TOPIC, topic_leaderless, NULL},
    {"kafka_ops_topic_partitions_under_replicated", KOA_OF_TOPIC, topic_under_replicated, NULL},
    {"kafka_ops_topic_partitions_offline_replicas", KOA_OF_TOPIC, topic_offline, NULL},
    {"kafka_ops_cluster_partitions_leaderless", KOA_OF_CLUSTER, all_leaderless, NULL},
    {"kafka_ops_cluster_partitions_under_replicated", KOA_OF_CLUSTER, all_under_replicated, NULL},
    {"kafka_ops_cluster_partitions_offline_replicas", KOA_OF_CLUSTER, all_offline, NULL},
    {"kafka_ops_topic_partitions_under_min_isr", KOA_OF_TOPIC, topic_under_min_isr, NULL},
    {"kafka_ops_topic_partitions_at_min_isr", KOA_OF_TOPIC, topic_at_min_isr, NULL},
    {"kafka_ops_topic_partitions_reassigning", KOA_OF_TOPIC, topic_reassigning, NULL},
    {"kafka_ops_topic_log_bytes", KOA_OF_TOPIC, topic_log_bytes, NULL},
    {"kafka_ops_topic_partition_last_stable_offset", KOA_OF_PARTITION, stable_offset, NULL},
    {"kafka_ops_cluster_partitions_under_min_isr", KOA_OF_CLUSTER, all_under_min_isr, NULL},
    {"kafka_ops_cluster_partitions_at_min_isr", KOA_OF_CLUSTER, all_at_min_isr, NULL},
    {"kafka_ops_cluster_partitions_reassigning", KOA_OF_CLUSTER, all_reassigning, NULL},
    {"kafka_ops_broker_log_dir_size_bytes", KOA_OF_LOG_DIR, log_dir_size, NULL},
    {"kafka_ops_broker_log_dir_usable_bytes", KOA_OF_LOG_DIR, log_dir_usable, NULL},
    {"kafka_ops_broker_log_dir_used_bytes", KOA_OF_LOG_DIR, log_dir_used, NULL},
    {"kafka_ops_broker_log_dir_offline", KOA_OF_LOG_DIR, log_dir_offline, NULL},
    {"kafka_ops_quorum_leader", KOA_OF_CLUSTER, quorum_leader, NULL},
    {"kafka_ops_quorum_epoch", KOA_OF_CLUSTER, quorum_epoch, NULL},
    {"kafka_ops_quorum_voter_lag", KOA_OF_VOTER, voter_lag, NULL},
    {"kafka_ops_quorum_voter_last_fetch_timestamp_seconds", KOA_OF_VOTER, voter_last_fetch, NULL},
};

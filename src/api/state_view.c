/* Writes what a snapshot knows of brokers, topics and the quorum. What is not known is null. */
#include "api/state_view.h"

#include "api/answer.h"

/* Each kind of trouble takes so many bits of a weight: counts beyond weigh the same. */
enum { WEIGHT_BITS = 10 };

static const char *text_or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

int64_t koa_state_view_weigh(const struct koa_snapshot_topic *topic)
{
    const int64_t counts[] = {
        topic->leaderless,       (int64_t) topic->under_min_isr + topic->with_offline_replicas,
        topic->under_replicated, topic->at_min_isr,
        topic->reassigning,      topic->non_preferred,
    };
    const int64_t most = ((int64_t) 1 << WEIGHT_BITS) - 1;
    int64_t weight = 0;

    for (size_t i = 0; i < KOA_ARRAY_COUNT(counts); i++)
        weight = weight * (most + 1) + (counts[i] < most ? counts[i] : most);
    return weight;
}

void koa_state_view_write_topic(struct koa_json *json, const struct koa_snapshot_topic *topic)
{
    koa_json_text(json, "name", topic->name);
    koa_json_bool(json, "is_internal", topic->is_internal);
    koa_json_int(json, "partitions", topic->partitions);
    koa_json_int(json, "leaderless", topic->leaderless);
    koa_json_int(json, "under_replicated", topic->under_replicated);
    koa_json_int(json, "offline_replicas", topic->with_offline_replicas);
    koa_api_number(json, "min_isr", topic->has_min_isr, topic->min_isr);
    koa_api_number(json, "under_min_isr", topic->has_min_isr, topic->under_min_isr);
    koa_api_number(json, "at_min_isr", topic->has_min_isr, topic->at_min_isr);
    koa_api_number(json, "reassigning", topic->has_reassigning, topic->reassigning);
    koa_json_int(json, "non_preferred_leaders", topic->non_preferred);
    koa_api_number(json, "log_bytes", topic->has_log_bytes, topic->log_bytes);
}

static void write_ids(struct koa_json *json, const char *name, const int32_t *ids, int32_t count)
{
    koa_json_list(json, name);
    for (int32_t i = 0; i < count; i++)
        koa_json_int(json, NULL, ids[i]);
    koa_json_list_end(json);
}

static void write_partition(struct koa_json *json, const struct koa_snapshot *snapshot,
                            size_t topic, size_t index)
{
    struct koa_snapshot_partition partition;

    koa_snapshot_partition(snapshot, topic, index, &partition);
    koa_json_object(json, NULL);
    koa_json_int(json, "id", partition.id);
    koa_api_number(json, "leader", partition.leader >= 0, partition.leader);
    koa_json_int(json, "replicas", partition.replicas);
    write_ids(json, "replica_ids", koa_snapshot_replica_ids(snapshot, topic, index),
              partition.replicas);
    koa_json_int(json, "in_sync", partition.in_sync);
    write_ids(json, "in_sync_ids", koa_snapshot_in_sync_ids(snapshot, topic, index),
              partition.in_sync);
    koa_json_bool(json, "is_leader_preferred", partition.is_leader_preferred);
    koa_api_number(json, "start_offset", partition.has_start_offset, partition.start_offset);
    koa_api_number(json, "end_offset", partition.has_end_offset, partition.end_offset);
    koa_api_number(json, "last_stable_offset", partition.has_stable_offset,
                   partition.stable_offset);
    koa_json_bool(json, "has_open_transaction", partition.has_open_transaction);
    koa_json_bool(json, "is_stale", partition.is_stale);
    koa_api_real(json, "offset_age_seconds", partition.has_end_offset,
                 (double) partition.offset_age_ms / 1000.0);
    koa_json_object_end(json);
}

void koa_state_view_write_partitions(struct koa_json *json, const struct koa_snapshot *snapshot,
                                     size_t index, int32_t count)
{
    koa_json_list(json, "partition_list");
    for (int32_t i = 0; i < count; i++)
        write_partition(json, snapshot, index, (size_t) i);
    koa_json_list_end(json);
}

/* Those of one broker stand together, and brokers are in the same order: `dir` goes on from the
 * last broker's. */
static void write_log_dirs(struct koa_json *json, const struct koa_snapshot *snapshot,
                           int32_t broker, size_t *dir)
{
    koa_json_list(json, "log_dirs");
    for (; *dir < koa_snapshot_log_dir_count(snapshot); (*dir)++) {
        struct koa_snapshot_log_dir row;

        koa_snapshot_log_dir(snapshot, *dir, &row);
        if (row.broker > broker)
            break;
        if (row.broker < broker)
            continue;
        koa_json_object(json, NULL);
        koa_json_text(json, "path", row.path);
        koa_json_text(json, "error", row.error);
        koa_json_int(json, "size_bytes", row.size);
        koa_api_number(json, "total_bytes", row.has_space, row.total);
        koa_api_number(json, "usable_bytes", row.has_space, row.usable);
        koa_json_double(json, "age_seconds", (double) row.age_ms / 1000.0);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
}

int64_t koa_state_view_write_brokers(struct koa_json *json, const struct koa_snapshot *snapshot)
{
    size_t dir = 0;
    int64_t count = 0;

    koa_json_list(json, "brokers");
    for (size_t i = 0; snapshot != NULL && i < koa_snapshot_broker_count(snapshot); i++) {
        struct koa_snapshot_broker broker;

        koa_snapshot_broker(snapshot, i, &broker);
        if (!broker.is_known)
            continue;
        koa_json_object(json, NULL);
        koa_json_int(json, "id", broker.id);
        koa_json_text(json, "host", broker.host);
        koa_json_int(json, "port", broker.port);
        koa_json_text(json, "rack", text_or_null(broker.rack));
        koa_json_bool(json, "is_controller", broker.is_controller);
        koa_json_bool(json, "up", broker.is_up);
        koa_json_double(json, "age_seconds", (double) broker.age_ms / 1000.0);
        koa_json_int(json, "leaders", broker.leaders);
        koa_json_int(json, "replicas", broker.replicas);
        koa_json_text(json, "error", broker.error);
        write_log_dirs(json, snapshot, broker.id, &dir);
        koa_json_object_end(json);
        count++;
    }
    koa_json_list_end(json);
    return count;
}

void koa_state_view_write_troubles(struct koa_json *json, const struct koa_troubles *counts)
{
    koa_json_int(json, "partitions_leaderless", counts->leaderless);
    koa_json_int(json, "partitions_under_replicated", counts->under_replicated);
    koa_json_int(json, "partitions_with_offline_replicas", counts->offline_replicas);
    koa_json_int(json, "partitions_with_non_preferred_leader", counts->non_preferred);
    koa_api_number(json, "partitions_under_min_isr", counts->has_min_isr, counts->under_min_isr);
    koa_api_number(json, "partitions_at_min_isr", counts->has_min_isr, counts->at_min_isr);
    koa_api_number(json, "partitions_reassigning", counts->has_reassigning, counts->reassigning);
    koa_api_number(json, "log_dirs_offline", counts->log_dirs > 0, counts->offline_log_dirs);
    /* To one decimal, as the check has it. */
    koa_api_real(json, "log_dirs_max_usage_percent", counts->has_usage,
                 (double) (int64_t) (counts->max_usage * 1000 + 0.5) / 10);
}

static void write_voters(struct koa_json *json, const struct koa_snapshot *snapshot, size_t count)
{
    struct koa_snapshot_voter leader;
    bool has_leader = koa_quorum_leader(snapshot, &leader);

    koa_json_list(json, "voters");
    for (size_t i = 0; i < count; i++) {
        struct koa_snapshot_voter voter;

        koa_snapshot_voter(snapshot, i, &voter);
        if (!voter.is_voter)
            continue;
        koa_json_object(json, NULL);
        koa_json_int(json, "id", voter.id);
        koa_api_number(json, "lag", voter.has_lag, voter.lag);
        koa_json_time(json, "last_fetch",
                      voter.has_fetch_time ? voter.fetch_time : (struct koa_wall){.ms = 0});
        koa_json_bool(json, "is_lagging", has_leader && koa_voter_lags(&voter, &leader));
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
}

void koa_state_view_write_quorum(struct koa_json *json, const struct koa_snapshot *snapshot)
{
    struct koa_snapshot_quorum quorum;

    koa_json_text(json, "mode",
                  snapshot != NULL ? text_or_null(koa_snapshot_mode(snapshot)) : NULL);
    koa_json_text(json, "version_guess",
                  snapshot != NULL ? text_or_null(koa_snapshot_version_guess(snapshot)) : NULL);
    if (snapshot == NULL || !koa_snapshot_quorum(snapshot, &quorum)) {
        koa_json_null(json, "quorum");
        return;
    }
    koa_json_object(json, "quorum");
    koa_api_number(json, "leader", quorum.leader >= 0, quorum.leader);
    koa_api_number(json, "epoch", quorum.epoch >= 0, quorum.epoch);
    write_voters(json, snapshot, quorum.replicas);
    koa_json_object_end(json);
}

/* The public functions that read what changes slowly. */
#include "cluster/snapshot.h"

size_t koa_snapshot_log_dir_count(const struct koa_snapshot *snapshot)
{
    return snapshot->state != NULL ? snapshot->state->log_dir_count : 0;
}

void koa_snapshot_log_dir(const struct koa_snapshot *snapshot, size_t index,
                          struct koa_snapshot_log_dir *ret_log_dir)
{
    const struct koa_log_dir_row *row = &snapshot->state->log_dirs[index];

    *ret_log_dir = (struct koa_snapshot_log_dir){.broker = row->broker,
                                                 .path = row->path,
                                                 .error = row->error,
                                                 .size = row->size,
                                                 .has_space = row->total > 0 && row->usable >= 0,
                                                 .total = row->total,
                                                 .usable = row->usable,
                                                 .age_ms = snapshot->made.ms - row->learned_ms};
}

bool koa_snapshot_quorum(const struct koa_snapshot *snapshot,
                         struct koa_snapshot_quorum *ret_quorum)
{
    const struct koa_state *state = snapshot->state;

    if (state == NULL || !state->has_quorum)
        return false;
    *ret_quorum = (struct koa_snapshot_quorum){.leader = state->quorum_leader,
                                               .epoch = state->quorum_epoch,
                                               .replicas = state->voter_count};
    return true;
}

void koa_snapshot_voter(const struct koa_snapshot *snapshot, size_t index,
                        struct koa_snapshot_voter *ret_voter)
{
    const struct koa_voter_row *row = &snapshot->state->voters[index];

    *ret_voter = (struct koa_snapshot_voter){.id = row->id,
                                             .is_voter = row->is_voter,
                                             .has_lag = row->log_end >= 0,
                                             .has_fetch_time = row->last_fetch_ms > 0,
                                             .lag = row->lag,
                                             .fetch_time = {.ms = row->last_fetch_ms}};
}

const char *koa_snapshot_mode(const struct koa_snapshot *snapshot)
{
    if (snapshot->state == NULL)
        return "";
    if (snapshot->state->is_zookeeper)
        return "zookeeper";
    return snapshot->state->has_quorum ? "kraft" : "";
}

const char *koa_snapshot_version_guess(const struct koa_snapshot *snapshot)
{
    return snapshot->version_guess != NULL ? snapshot->version_guess : "";
}

bool koa_snapshot_has_probe(const struct koa_snapshot *snapshot)
{
    return snapshot->has_probe;
}

const char *koa_snapshot_probe_error(const struct koa_snapshot *snapshot)
{
    return snapshot->probe_error;
}

size_t koa_snapshot_probe_count(const struct koa_snapshot *snapshot)
{
    return snapshot->probe_count;
}

void koa_snapshot_probe(const struct koa_snapshot *snapshot, size_t index,
                        struct koa_snapshot_probe *ret_probe)
{
    *ret_probe = snapshot->probes[index];
}

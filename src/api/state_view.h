/* Brokers, topics and the quorum as JSON, and how much a topic hurts. Pure: reads a snapshot only,
 * which may be NULL: before the first cycle nothing is known. */
#ifndef API_STATE_VIEW_H
#define API_STATE_VIEW_H

#include <koa/snapshot.h>

#include "base/json_write.h"
#include "cluster/troubles.h"

/* What hurts most is largest: partitions without a leader; then those that refuse writes or have
 * offline replicas, are under-replicated, one loss away from refusing, being moved, or led by
 * another replica than the preferred one. */
int64_t koa_state_view_weigh(const struct koa_snapshot_topic *topic);

/* Members of the object that is open. */
void koa_state_view_write_topic(struct koa_json *json, const struct koa_snapshot_topic *topic);
/* `partition_list` of the topic at `index`. */
void koa_state_view_write_partitions(struct koa_json *json, const struct koa_snapshot *snapshot,
                                     size_t index, int32_t count);
/* `brokers`, those that are known; returns how many. */
int64_t koa_state_view_write_brokers(struct koa_json *json, const struct koa_snapshot *snapshot);
/* The partitions and log dirs in trouble. */
void koa_state_view_write_troubles(struct koa_json *json, const struct koa_troubles *counts);
/* `mode`, `version_guess` and `quorum`. */
void koa_state_view_write_quorum(struct koa_json *json, const struct koa_snapshot *snapshot);

#endif

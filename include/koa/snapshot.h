/* What one collector cycle learned of one cluster: immutable, read from any thread.
 *
 * What a dead broker owed keeps its last value, marked stale with its age. Nothing is ever -1 or
 * NaN: a value that is not known is absent, and the functions say so. */
#ifndef KOA_SNAPSHOT_H
#define KOA_SNAPSHOT_H

#include <koa/base.h>
#include <koa/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct koa_snapshot;

struct koa_snapshot_broker {
    int32_t id;
    const char *host;
    int32_t port;
    const char *rack;  /* "" when it has none */
    const char *error; /* why it did not answer in this cycle; NULL when it did */
    bool is_up;        /* answered in this cycle */
    bool is_controller;
    bool is_known;    /* the cluster still lists it, or did within the last hour */
    int64_t age_ms;   /* since its last answer, when the snapshot was made */
    int64_t leaders;  /* partitions it leads */
    int64_t replicas; /* partitions it holds */
};

/* Summary of one topic's partitions. */
struct koa_snapshot_topic {
    const char *name;
    bool is_internal;
    int32_t partitions;
    int32_t leaderless;
    int32_t under_replicated;
};

struct koa_snapshot_partition {
    int32_t id;
    int32_t leader; /* broker id; -1: none (the protocol's own word) */
    int32_t replicas;
    int32_t in_sync;
    bool is_leader_preferred;
    bool has_end_offset;
    bool has_start_offset;
    bool is_stale; /* offsets are from an earlier cycle */
    int64_t end_offset;
    int64_t start_offset;
    int64_t offset_age_ms;
};

KOA_API const char *koa_snapshot_cluster(const struct koa_snapshot *snapshot); /* configured name */
KOA_API const char *
koa_snapshot_cluster_id(const struct koa_snapshot *snapshot); /* "" when unknown */
KOA_API struct koa_wall koa_snapshot_time(const struct koa_snapshot *snapshot);
/* Why the whole cycle failed, or NULL. The data is then that of the last good cycle. */
KOA_API const char *koa_snapshot_error(const struct koa_snapshot *snapshot);
/* Time of the last cycle that got the cluster's metadata; 0 when none did. */
KOA_API struct koa_wall koa_snapshot_good_time(const struct koa_snapshot *snapshot);

KOA_API size_t koa_snapshot_broker_count(const struct koa_snapshot *snapshot);
KOA_API void koa_snapshot_broker(const struct koa_snapshot *snapshot, size_t index,
                                 struct koa_snapshot_broker *ret_broker);
KOA_API size_t koa_snapshot_topic_count(const struct koa_snapshot *snapshot);
KOA_API void koa_snapshot_topic(const struct koa_snapshot *snapshot, size_t index,
                                struct koa_snapshot_topic *ret_topic);
KOA_API void koa_snapshot_partition(const struct koa_snapshot *snapshot, size_t topic, size_t index,
                                    struct koa_snapshot_partition *ret_partition);

#ifdef __cplusplus
}
#endif

#endif

/* The snapshot's memory: columns in one arena. Written by the draft while a cycle runs, never again
 * once published. */
#ifndef CLUSTER_SNAPSHOT_H
#define CLUSTER_SNAPSHOT_H

#include <koa/snapshot.h>

#include "base/arena.h"
#include "base/published.h"
#include "cluster/cluster.h"
#include "cluster/group.h"
#include "cluster/state.h"
#include "kafka/field.h"

/* Partitions of a topic stand in a row in the columns, from `first`, in order of their ids. */
struct koa_topic_row {
    const char *name;
    size_t name_size;
    struct koa_kafka_uuid id; /* zero: not told (Kafka before 2.8) */
    bool is_internal;
    size_t first;
    size_t count;
    int32_t leaderless;
    int32_t under_replicated;
    int32_t with_offline_replicas;
    int32_t non_preferred;               /* leaders that are not the first replica */
    int32_t under_min_isr, at_min_isr;   /* 0 also where the setting is unknown */
    const struct koa_topic_state *state; /* NULL: not asked yet */
};

enum koa_partition_flag {
    KOA_PARTITION_PREFERRED = 1, /* the leader is the first replica */
    KOA_PARTITION_HAS_END = 2,
    KOA_PARTITION_HAS_START = 4,
    KOA_PARTITION_END_FRESH = 8, /* from this cycle */
    KOA_PARTITION_HAS_STABLE = 16,
    KOA_PARTITION_IS_OPEN = 32,      /* its last stable offset was below its end, seen together */
    KOA_PARTITION_STABLE_FRESH = 64, /* from this cycle */
};

struct koa_partition_columns {
    int32_t *id;
    int32_t *leader; /* -1: none */
    int32_t *replicas;
    int32_t *in_sync;
    size_t *first_replica; /* into `replica_ids`; as many as `replicas` says */
    size_t *first_in_sync; /* the same; where all are in sync it is that of the replicas */
    int64_t *end, *start;
    int64_t *stable;            /* last stable offset */
    int64_t *end_ms, *start_ms; /* when they were learned, monotonic */
    uint32_t *history;          /* slot of its offset history; KOA_NO_INDEX: no group reads it */
    uint8_t *flags;
};

struct koa_snapshot {
    struct koa_object object; /* first: it is published */
    struct koa_arena *arena;
    const char *cluster;
    const char *cluster_id;
    const char *error; /* NULL: the cycle got the cluster's metadata */
    struct koa_wall time, good_time;
    struct koa_mono made;
    int64_t interval_ms; /* between cycles, as configured */
    enum koa_granularity granularity;
    int32_t controller_id;
    const char *version_guess; /* a constant, or NULL */
    struct koa_snapshot_cycle cycle;

    struct koa_snapshot_broker *brokers; /* in order of id */
    size_t broker_count;
    struct koa_topic_row *topics; /* in order of name */
    size_t topic_count;
    struct koa_partition_columns partitions;
    size_t partition_count;
    int32_t *replica_ids;
    struct koa_group_row *groups; /* in order of name */
    size_t group_count;
    struct koa_state *state; /* shared; NULL before the first slow cycle */
    struct koa_snapshot_probe *probes;
    size_t probe_count;
    const char *probe_error;
    bool has_probe;

    /* The snapshot that owns topics, columns and groups, when a cycle learned nothing new; else
     * NULL. */
    struct koa_snapshot *base;
};

/* Bytes one snapshot may take: about 5 million partitions. */
enum { KOA_SNAPSHOT_LIMIT = 512 * 1024 * 1024 };

/* Empty, with one reference; NULL when memory is out. */
KOA_MUST_USE struct koa_snapshot *koa_snapshot_create(const char *cluster);
/* False when memory is out. */
KOA_MUST_USE bool koa_snapshot_alloc_partitions(struct koa_snapshot *snapshot, size_t count);
/* NULL when absent. */
struct koa_topic_row *koa_snapshot_find_topic(const struct koa_snapshot *snapshot,
                                              struct koa_str name);
/* False for one that was deleted and made anew under its name, where ids tell. */
bool koa_topic_is_same(const struct koa_topic_row *a, const struct koa_topic_row *b);
/* Index into the columns; false when absent. */
bool koa_snapshot_find_partition(const struct koa_snapshot *snapshot,
                                 const struct koa_topic_row *topic, int32_t id, size_t *ret_index);
/* By the name as Kafka has it. False when absent. */
bool koa_snapshot_find_group(const struct koa_snapshot *snapshot, struct koa_str name,
                             size_t *ret_index);
/* Messages between a commit and the log end; 0 when the commit is beyond it. False: not known. */
bool koa_commit_lag(const struct koa_snapshot *snapshot, const struct koa_group_topic_row *topic,
                    size_t index, int64_t *ret_lag);
/* To three decimals, six below 1: what was worked out as a float shows no digits that mean nothing.
 */
double koa_decimal(float value);
int32_t koa_commit_partition(const struct koa_snapshot *snapshot,
                             const struct koa_commit_row *commit);

#endif

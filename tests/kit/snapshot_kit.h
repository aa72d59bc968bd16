/* Snapshots from tables: what a collector would have published of a cluster, for tests of those who
 * only read. Rows may stand in any order; topics and groups exist because a row names them. */
#ifndef KIT_SNAPSHOT_KIT_H
#define KIT_SNAPSHOT_KIT_H

#include "cluster/snapshot.h"

/* The snapshot's own time, and its monotonic one. */
enum { KIT_SNAPSHOT_WALL_MS = 1000000000, KIT_SNAPSHOT_MONO_MS = 10000000 };

struct kit_partition {
    const char *topic;
    int32_t id;
    int32_t leader;       /* 0: broker 1; -1: none */
    int32_t replicas;     /* 0: one */
    int32_t out_of_sync;  /* of them */
    int32_t has_offline;  /* a replica is offline */
    int32_t is_moved;     /* the leader is not its first replica */
    int64_t start, end;   /* an `end` of -1: both unknown */
    int64_t stale_for_ms; /* how old they are; 0: of this cycle */
};

struct kit_group {
    const char *name;  /* any bytes but NUL; shown as it is */
    const char *state; /* NULL: "Stable" */
    const char *error; /* NULL: none */
    enum koa_group_type type;
    int32_t coordinator;  /* 0: broker 1; -1: unknown */
    int64_t members;      /* -1: unknown */
    int64_t stale_for_ms; /* how old its commits are; 0: of this cycle */
};

/* What the lag history would know of a group's topic. A row is not needed. */
struct kit_group_topic {
    const char *group, *topic;
    int64_t still_ms; /* since the last progress; 0: not known */
    double consumption_rate, lag_velocity, catch_up_seconds, retention_ratio, lag_seconds;
    double readable_seconds; /* 0: as the lag */
    enum koa_lag_quality lag_quality;
    unsigned flags; /* enum koa_group_topic_flag */
    uint32_t assigned;
};

struct kit_commit {
    const char *group, *topic;
    int64_t partition; /* one that no row names is gone */
    int64_t offset;
    unsigned conditions; /* beside what offsets tell: 1 << enum koa_condition */
};

/* What a slow cycle learned. */
struct kit_state {
    int32_t min_isr;                  /* of every topic */
    int32_t reassigning;              /* partitions of the first topic */
    int64_t bytes;                    /* of every topic */
    struct koa_log_dir_row *log_dirs; /* in order of broker and path */
    size_t log_dir_count;
    struct koa_voter_row *voters; /* the first leads */
    size_t voter_count;
};

struct kit_snapshot {
    const char *cluster; /* NULL: "prod" */
    const char *error;   /* the cycle failed */
    int32_t brokers;     /* 0: three, with ids from 1 */
    int32_t brokers_down;
    const struct kit_partition *partitions;
    size_t partition_count;
    const struct kit_group *groups;
    size_t group_count;
    const struct kit_group_topic *group_topics;
    size_t group_topic_count;
    const struct kit_commit *commits;
    size_t commit_count;
    const struct kit_state *state; /* NULL: nothing is known */
};
/* For the members `rows` and `rows_count` of a table. */
#define KIT_ROWS(table) (table), KOA_ARRAY_COUNT(table)

/* One reference; koa_snapshot_unref(). Fails the test when memory is out. */
struct koa_snapshot *kit_snapshot(const struct kit_snapshot *spec);

#endif

/* A consumer group's rows in a snapshot: group, topics, commits. Each level is an array in the
 * snapshot's arena, in order of name or partition. */
#ifndef CLUSTER_GROUP_H
#define CLUSTER_GROUP_H

#include <koa/snapshot.h>

/* In place of an index: nothing is there. */
#define KOA_NO_INDEX UINT32_MAX

/* One commit: 16 bytes, because a cluster has a million of them. */
struct koa_commit_row {
    int64_t offset;
    uint32_t place;       /* index into the partition columns; of what is gone: the partition */
    uint8_t conditions;   /* bits: 1 << enum koa_condition */
    uint8_t still_cycles; /* cycles in which neither commit nor log end moved; stops at 255 */
};

enum koa_group_topic_flag {
    KOA_GROUP_TOPIC_HAS_ASSIGNED = 1,
    KOA_GROUP_TOPIC_HAS_RATES = 2,
    KOA_GROUP_TOPIC_HAS_CATCH_UP = 4,
    KOA_GROUP_TOPIC_HAS_RETENTION = 8,
};

struct koa_group_topic_row {
    const char *name;
    uint32_t name_size;
    uint32_t topic; /* index of the topic; KOA_NO_INDEX: the cluster has none of that name */
    struct koa_commit_row *commits;
    const int64_t *lags; /* as the broker counts them (share groups), one a commit; else NULL */
    uint32_t commit_count;
    uint32_t assigned;

    /* What follows is worked out when the cycle ends. */
    uint32_t with_lag; /* commits that have a lag */
    uint32_t progress; /* slot of the lag history; KOA_NO_INDEX: none */
    int64_t lag, lag_max, committed;
    int64_t progress_ms; /* wall time; 0: unknown */
    float consumption_rate, lag_velocity, catch_up_seconds, retention_ratio;
    float lag_seconds, readable_seconds;
    uint8_t lag_quality, readable_quality; /* enum koa_lag_quality */
    uint8_t flags;
    uint32_t conditions[KOA_CONDITION_COUNT];
};

enum koa_group_flag {
    KOA_GROUP_HAS_MEMBERS = 1,
    KOA_GROUP_HAS_COMMITS = 2, /* `commits_ms` is set; without topics when it has none */
    KOA_GROUP_STALE = 4,       /* commits are from an earlier cycle */
    KOA_GROUP_OWED = 8,        /* not listed, by a coordinator that did not answer */
    KOA_GROUP_DEAD = 16,       /* ended between being listed and being asked: not published */
};

struct koa_group_row {
    const char *name; /* as Kafka has it: any bytes */
    size_t name_size;
    const char *display; /* the same where it is plain text; else a text that no other group has */
    const char *state, *protocol;
    const char *error;
    int64_t commits_ms; /* when its commits were learned, monotonic */
    int64_t members, idle_members;
    struct koa_group_topic_row *topics;
    uint32_t topic_count;
    int32_t coordinator;
    int32_t other_coordinator; /* a second broker that lists it; -1: none */
    uint8_t type;              /* enum koa_group_type */
    uint8_t flags;

    uint32_t with_lag;
    int64_t lag, lag_max;
    uint32_t conditions[KOA_CONDITION_COUNT];
};

#endif

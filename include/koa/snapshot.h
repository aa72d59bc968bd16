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
    int32_t with_offline_replicas;
    bool has_min_isr; /* min.insync.replicas is known, and with it the next three */
    int32_t min_isr;
    int32_t under_min_isr; /* writes with acks=all are refused */
    int32_t at_min_isr;    /* one more loss, and they are */
    bool has_reassigning;
    int32_t reassigning; /* partitions whose replicas move */
    bool has_log_bytes;
    int64_t log_bytes;     /* of all replicas */
    int32_t non_preferred; /* partitions whose leader is not their first replica */
};

/* A folder of a broker. */
struct koa_snapshot_log_dir {
    int32_t broker;
    const char *path;
    const char *error; /* why it is offline; NULL: it is not */
    int64_t size;      /* bytes of the replicas in it */
    bool has_space;    /* its file system's space is known (Kafka 3.3 and later) */
    int64_t total;     /* bytes */
    int64_t usable;    /* bytes */
    int64_t age_ms;    /* since its broker told, when the snapshot was made */
};

/* Of KRaft's controllers (KIP-595). */
struct koa_snapshot_quorum {
    int32_t leader; /* -1: none */
    int32_t epoch;
    size_t replicas; /* voters first, then observers */
};

struct koa_snapshot_voter {
    int32_t id;
    bool is_voter; /* else an observer */
    bool has_lag;
    bool has_fetch_time;
    int64_t lag;                /* records behind the leader */
    struct koa_wall fetch_time; /* its last one */
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
    bool has_stable_offset;
    bool has_open_transaction; /* the last stable offset was below the end */
    int64_t stable_offset;     /* the last stable one, as of the last slow cycle at least */
    int64_t end_offset;
    int64_t start_offset;
    int64_t offset_age_ms;
};

/* The end-to-end probe's view of one partition of its topic. */
struct koa_snapshot_probe {
    int32_t partition;
    int32_t leader;               /* broker id; -1: none */
    const char *error;            /* of the last attempt; NULL: it came back */
    struct koa_wall success_time; /* when a message last came back; 0: never */
    double round_trip_seconds;    /* of that message */
    int64_t failures;             /* since then */
    int64_t lost;                 /* acknowledged messages that were not there, since the start */
};

/* How a group reads, in the words of ListGroups (KIP-848, KIP-932, KIP-1071). */
enum koa_group_type {
    KOA_GROUP_CLASSIC,
    KOA_GROUP_CONSUMER,
    KOA_GROUP_SHARE,
    KOA_GROUP_STREAMS,
    KOA_GROUP_TYPE_COUNT
};

/* "classic", "consumer", "share", "streams". */
KOA_API const char *koa_group_type_name(enum koa_group_type type);

/* What is to be known of a commit beside its lag; several may hold at once. */
enum koa_condition {
    KOA_CONDITION_NO_COMMIT,   /* the topic has commits of the group, this partition has none */
    KOA_CONDITION_BELOW_START, /* what would be read next was deleted already */
    KOA_CONDITION_ABOVE_END,   /* lag is 0, not negative */
    KOA_CONDITION_TOPIC_GONE,  /* the topic or the partition; there is no lag */
    KOA_CONDITION_LEADERLESS,
    KOA_CONDITION_STALE, /* commit or log end are from an earlier cycle */
    /* At the last stable offset: what lags may not be read yet by read_committed. A group beyond it
     * reads uncommitted messages, and lags like any other. */
    KOA_CONDITION_OPEN_TRANSACTION,
    KOA_CONDITION_MARKERS_ONLY, /* what lags are markers of transactions: nothing to read */
    KOA_CONDITION_COUNT
};

/* "no_commit" and so on, as in the label `condition`. */
KOA_API const char *koa_condition_name(enum koa_condition condition);

/* How sure a lag in seconds is. */
enum koa_lag_quality {
    KOA_LAG_UNKNOWN,      /* no value */
    KOA_LAG_EXACT,        /* nothing lags, or the time of the record itself is known */
    KOA_LAG_INTERPOLATED, /* between two known points of (offset, time) */
    KOA_LAG_AT_LEAST,     /* older than everything known: the true value is larger */
    KOA_LAG_QUALITY_COUNT
};

/* "unknown", "exact", "interpolated", "at_least". */
KOA_API const char *koa_lag_quality_name(enum koa_lag_quality quality);

struct koa_snapshot_group {
    const char *name; /* bytes that are no UTF-8, and NUL, as \xHH */
    enum koa_group_type type;
    const char *state;    /* Kafka's word: "Stable", "Empty", ...; "" when unknown */
    const char *protocol; /* the assignor: "range", ...; "" when there is none */
    const char *error;    /* why something of it could not be learned in this cycle; or NULL */
    int32_t coordinator;  /* broker id; -1: unknown */
    bool is_stale;        /* commits are from an earlier cycle */
    bool has_members;     /* the next two are known */
    bool has_lag;         /* of at least one partition */
    int64_t age_ms;       /* of its commits, when the snapshot was made; 0: it has none */
    int64_t members;
    int64_t idle_members;                    /* without a partition */
    size_t topics;                           /* with commits or assigned to a member */
    int64_t lag;                             /* messages; of all partitions */
    int64_t lag_max;                         /* of one partition */
    double lag_seconds;                      /* of the topic that lags longest; 0 when unknown */
    enum koa_lag_quality lag_quality;        /* unknown: no lag in seconds */
    int64_t conditions[KOA_CONDITION_COUNT]; /* partitions in each */
};

struct koa_snapshot_group_topic {
    const char *name;
    bool is_gone;       /* the cluster has no such topic any more */
    bool has_lag;       /* of at least one partition */
    bool has_assigned;  /* `assigned` is known */
    bool has_progress;  /* a commit has been seen to move, or to stand, at `progress_time` */
    bool has_rates;     /* the next three but `catch_up_seconds` are known */
    bool has_catch_up;  /* false also when it never will */
    bool has_retention; /* `retention_ratio` is known */
    size_t commits;     /* partitions with one */
    int64_t assigned;   /* partitions assigned to members */
    int64_t lag;        /* messages */
    int64_t lag_max;
    int64_t committed;             /* sum of the commits */
    struct koa_wall progress_time; /* the last time a commit moved, or nothing lagged */
    double consumption_rate;       /* messages per second */
    double production_rate;        /* of the partitions that the group has commits of */
    double lag_velocity;           /* messages per second; positive: falls behind */
    double catch_up_seconds;
    double retention_ratio; /* lag by the messages retained; near 1: data is about to be lost */
    double lag_seconds;     /* of the partition that lags longest; 0 when unknown */
    enum koa_lag_quality lag_quality;
    double readable_seconds; /* the same without what waits for an open transaction */
    enum koa_lag_quality readable_quality;
    int64_t conditions[KOA_CONDITION_COUNT];
};

struct koa_snapshot_commit {
    int32_t partition;
    int64_t offset;
    bool has_lag;
    bool has_end_offset, has_start_offset; /* of the partition's log */
    int64_t lag;
    int64_t end_offset, start_offset;
    unsigned conditions; /* bits: 1 << enum koa_condition */
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
/* Broker ids, as many as koa_snapshot_partition.replicas; the first is the preferred leader. */
KOA_API const int32_t *koa_snapshot_replica_ids(const struct koa_snapshot *snapshot, size_t topic,
                                                size_t index);
/* The same of those in sync, as many as koa_snapshot_partition.in_sync. */
KOA_API const int32_t *koa_snapshot_in_sync_ids(const struct koa_snapshot *snapshot, size_t topic,
                                                size_t index);

/* In order of broker and path. */
KOA_API size_t koa_snapshot_log_dir_count(const struct koa_snapshot *snapshot);
KOA_API void koa_snapshot_log_dir(const struct koa_snapshot *snapshot, size_t index,
                                  struct koa_snapshot_log_dir *ret_log_dir);
/* False when it is not known: a cluster with ZooKeeper, or no right to ask. */
KOA_API bool koa_snapshot_quorum(const struct koa_snapshot *snapshot,
                                 struct koa_snapshot_quorum *ret_quorum);
KOA_API void koa_snapshot_voter(const struct koa_snapshot *snapshot, size_t index,
                                struct koa_snapshot_voter *ret_voter);
/* "kraft", "zookeeper", or "" when it is not known. */
KOA_API const char *koa_snapshot_mode(const struct koa_snapshot *snapshot);
/* "4.3", or "" when it is not known: the oldest release that offers what a broker offers. */
KOA_API const char *koa_snapshot_version_guess(const struct koa_snapshot *snapshot);

/* False when the cluster's probe is not turned on. */
KOA_API bool koa_snapshot_has_probe(const struct koa_snapshot *snapshot);
/* Why it cannot run: its topic is not there, ...; or NULL. */
KOA_API const char *koa_snapshot_probe_error(const struct koa_snapshot *snapshot);
KOA_API size_t koa_snapshot_probe_count(const struct koa_snapshot *snapshot);
KOA_API void koa_snapshot_probe(const struct koa_snapshot *snapshot, size_t index,
                                struct koa_snapshot_probe *ret_probe);

/* In order of name. */
KOA_API size_t koa_snapshot_group_count(const struct koa_snapshot *snapshot);
KOA_API void koa_snapshot_group(const struct koa_snapshot *snapshot, size_t index,
                                struct koa_snapshot_group *ret_group);
/* In order of name; `topic` is below koa_snapshot_group.topics. */
KOA_API void koa_snapshot_group_topic(const struct koa_snapshot *snapshot, size_t group,
                                      size_t topic, struct koa_snapshot_group_topic *ret_topic);
/* In order of partition; `index` is below koa_snapshot_group_topic.commits. */
KOA_API void koa_snapshot_commit(const struct koa_snapshot *snapshot, size_t group, size_t topic,
                                 size_t index, struct koa_snapshot_commit *ret_commit);

#ifdef __cplusplus
}
#endif

#endif

/* What is wrong with a cluster, counted in one snapshot: for the kafka check and for /clusters,
 * which must not contradict each other. */
#ifndef CLUSTER_TROUBLES_H
#define CLUSTER_TROUBLES_H

#include <koa/snapshot.h>

/* A cycle may take this many intervals until its absence counts. */
enum { KOA_OVERRUN_INTERVALS = 3 };
/* A voter fetches from the leader at least every half second, and gives the leader up after
 * controller.quorum.fetch.timeout.ms, 2 s by default: five times that is no hiccup. */
enum { KOA_VOTER_SILENT_MS = 10000 };

/* What may be wrong with a cluster that answers. */
enum koa_trouble {
    KOA_TROUBLE_MISSING_BROKERS,
    KOA_TROUBLE_LEADERLESS,
    KOA_TROUBLE_UNDER_REPLICATED,
    KOA_TROUBLE_OFFLINE_REPLICAS,
    KOA_TROUBLE_NO_CONTROLLER,
    KOA_TROUBLE_UNDER_MIN_ISR,
    KOA_TROUBLE_AT_MIN_ISR,
    KOA_TROUBLE_NON_PREFERRED_LEADERS,
    KOA_TROUBLE_REASSIGNING,
    KOA_TROUBLE_OFFLINE_LOG_DIRS,
    KOA_TROUBLE_LAGGING_VOTERS,
};

/* Bits of those that degrade a cluster unless its check's configuration says otherwise. */
enum {
    KOA_TROUBLES_DEGRADED = 1 << KOA_TROUBLE_MISSING_BROKERS | 1 << KOA_TROUBLE_LEADERLESS |
                            1 << KOA_TROUBLE_UNDER_REPLICATED | 1 << KOA_TROUBLE_UNDER_MIN_ISR |
                            1 << KOA_TROUBLE_OFFLINE_LOG_DIRS
};
/* The same in the words of the check's configuration. */
#define KOA_TROUBLES_DEGRADED_WORDS                                                                \
    "[missing_brokers, leaderless, under_replicated, under_min_isr, offline_log_dirs]"

/* Counts of brokers, partitions, log dirs and the quorum's voters. */
struct koa_troubles {
    int64_t brokers_up, brokers_missing;
    bool has_controller;
    int64_t partitions, leaderless, under_replicated, offline_replicas, non_preferred;
    bool has_min_isr; /* of one topic at least: what the next two count */
    bool has_reassigning;
    int64_t under_min_isr, at_min_isr, reassigning;
    int64_t log_dirs, offline_log_dirs;
    bool has_usage; /* a log dir's file system told its space */
    bool has_quorum;
    double max_usage;       /* of the fullest one, 0 to 1 */
    size_t offline_log_dir; /* index of one that is offline, when there is one */
    int64_t lagging_voters; /* silent for longer than KOA_VOTER_SILENT_MS, or never heard of */
    int64_t max_voter_lag;  /* records; of the voters whose lag is known */
    int32_t lagging_voter;  /* id of one of them */
};

void koa_troubles_count(const struct koa_snapshot *snapshot, struct koa_troubles *ret_troubles);
/* Bits: 1 << enum koa_trouble. */
unsigned koa_troubles_found(const struct koa_troubles *troubles);

/* Of a file system's bytes, 0 to 1. The dir's space must be known. */
double koa_log_dir_usage(const struct koa_snapshot_log_dir *dir);
/* Whether a voter lags, by the clock of `leader`. */
bool koa_voter_lags(const struct koa_snapshot_voter *voter,
                    const struct koa_snapshot_voter *leader);
/* The leader among the quorum's voters; false when it is not told. */
bool koa_quorum_leader(const struct koa_snapshot *snapshot, struct koa_snapshot_voter *ret_leader);

/* Since the last cycle that got metadata; since the first snapshot when none did. */
int64_t koa_snapshot_age_ms(const struct koa_snapshot *snapshot, struct koa_wall now);
/* The last cycle is overdue. */
bool koa_snapshot_is_overdue(const struct koa_snapshot *snapshot, struct koa_wall now);

#endif

/* The lag that counts for a verdict: without what a consumer may not or cannot read (open
 * transactions, markers of transactions). Pure. */
#ifndef BUILTIN_CHECKS_GROUP_LAG_H
#define BUILTIN_CHECKS_GROUP_LAG_H

#include <koa/snapshot.h>

struct koa_group_lag {
    bool has_messages; /* of at least one partition that counts */
    int64_t messages;
    double seconds; /* of the topic that lags longest */
    enum koa_lag_quality quality;
    int64_t left_out; /* partitions that do not count */
};

/* `row` is the topic at `topic` of the group at `group`. */
void koa_group_topic_lag(const struct koa_snapshot *snapshot, size_t group, size_t topic,
                         const struct koa_snapshot_group_topic *row, struct koa_group_lag *ret_lag);
/* Of all topics. `row` is the group at `group`. */
void koa_group_lag(const struct koa_snapshot *snapshot, size_t group,
                   const struct koa_snapshot_group *row, struct koa_group_lag *ret_lag);

/* The worst of what was found, worst first, for texts and details: the rest is counted only. */
enum { KOA_WORST_LIMIT = 20 };
struct koa_worst_row {
    double weight;
    size_t group, topic;
};
struct koa_worst {
    struct koa_worst_row rows[KOA_WORST_LIMIT];
    size_t count;
    int64_t total;
};
void koa_worst_add(struct koa_worst *worst, struct koa_worst_row row);

#endif

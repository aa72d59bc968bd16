/* What follows from commits and log ends: lag, conditions, progress, rates, seconds. Keeps what
 * outlives a cycle. Pure: time is the draft's. */
#ifndef CLUSTER_LAG_H
#define CLUSTER_LAG_H

#include "cluster/markers.h"
#include "cluster/snapshot.h"

struct koa_lag;

/* NULL when memory is out. */
KOA_MUST_USE struct koa_lag *koa_lag_create(void);
void koa_lag_destroy(struct koa_lag *lag); /* NULL is nothing */
/* Completes a draft whose offsets and commits are there. `now`: of the cycle, wall clock.
 * `previous` may be NULL. Without memory for a history, what it would tell is absent. */
void koa_lag_finish(struct koa_lag *lag, struct koa_snapshot *draft,
                    const struct koa_snapshot *previous, struct koa_wall now);
/* What the last cycle wants to be looked at; what is found counts in the next
 * koa_lag_finish(). */
struct koa_markers *koa_lag_markers(struct koa_lag *lag);
size_t koa_lag_bytes(const struct koa_lag *lag); /* of the histories */

/* A question to a partition's leader: which record is the first at or after `timestamp`? */
struct koa_time_question {
    size_t partition; /* index into the columns */
    int64_t timestamp;
};

/* Questions that would make the lag in seconds of the draft's commits better, at most `limit`, one
 * a partition. Needs the commits; ends are those of earlier cycles. Returns how many. */
size_t koa_lag_questions(struct koa_lag *lag, const struct koa_snapshot *draft, struct koa_wall now,
                         struct koa_time_question *ret_questions, size_t limit);
/* The answer; `timestamp` is the record's own. Both -1: there is none. */
void koa_lag_learn(struct koa_lag *lag, const struct koa_snapshot *draft, size_t partition,
                   int64_t timestamp, int64_t offset);

#endif

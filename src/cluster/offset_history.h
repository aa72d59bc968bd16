/* When a partition's log had which end: points of (time, offset), dense for the last minutes and
 * thinner the older they are. Points come from the collector's own cycles and from records whose
 * time the leader told (ListOffsets by timestamp). Pure; a row of fixed size. */
#ifndef CLUSTER_OFFSET_HISTORY_H
#define CLUSTER_OFFSET_HISTORY_H

#include <koa/snapshot.h>

/* 16 points cover days with gaps of about half their age. */
enum { KOA_OFFSET_POINTS = 16 };

/* Before `ms` the log ended at `offset` or below it, from then on at it or above. */
struct koa_offset_point {
    int64_t ms; /* wall clock */
    int64_t offset;
};

struct koa_offset_history {
    struct koa_offset_point points[KOA_OFFSET_POINTS]; /* rising in both */
    int64_t question; /* the time that was asked about, while `is_waiting` */
    uint16_t exact;   /* bits: the point is the time of the record at `offset` */
    uint8_t count;
    uint8_t asked;   /* questions so far for the lag at hand */
    bool is_waiting; /* one is under way; its owner clears it */
    bool has_first;  /* the first record that was left has been asked for: none is older */
};

/* The log end of a cycle. An end below the last one (a log cut or made anew) forgets what lies
 * above it. */
void koa_offset_history_observe(struct koa_offset_history *history, int64_t ms, int64_t end);
/* What a leader answered to the question: the first record as young as it has `offset` and time
 * `ms`; both -1: there is none. Left out where it contradicts the neighbours (producers set their
 * records' times). */
void koa_offset_history_learn(struct koa_offset_history *history, int64_t ms, int64_t offset);
/* When the record at `offset` was written. `ret_ms` is not set when the answer is
 * KOA_LAG_UNKNOWN. */
enum koa_lag_quality koa_offset_history_find(const struct koa_offset_history *history,
                                             int64_t offset, int64_t *ret_ms);
/* The time to ask the leader about, so that the record at `offset` is known better; false when it
 * is known well enough, asking does not help, or a question is under way. */
bool koa_offset_history_question(struct koa_offset_history *history, int64_t offset, int64_t now_ms,
                                 int64_t *ret_timestamp);

#endif

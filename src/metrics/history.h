/* The last hours in memory: one column of values per sampling, oldest dropped by age or bytes. A
 * point takes a 32nd of the bytes at most, so that the history is never but a glimpse:
 * families that take most of it are left out until it does. One writer (the engine); readers get
 * an immutable view. */
#ifndef METRICS_HISTORY_H
#define METRICS_HISTORY_H

#include <koa/error.h>
#include <koa/time.h>

#include "base/limit.h"
#include "base/str.h"
#include "metrics/source.h"

struct koa_history;
struct koa_history_view; /* starts with struct koa_object */

struct koa_history_opts {
    int64_t retention_ms;
    int64_t bytes_limit;
    const char *const *exclude; /* families: names or anchored regular expressions */
    size_t exclude_count;
};

KOA_MUST_USE enum koa_err koa_history_create(const struct koa_history_opts *opts,
                                             struct koa_history **ret_history,
                                             struct koa_error *reterr);
void koa_history_destroy(struct koa_history *history);
/* Takes new limits and exclusions, or fails and keeps the old ones; what is kept already is trimmed
 * at the next sampling. Owner's thread. */
KOA_MUST_USE enum koa_err koa_history_configure(struct koa_history *history,
                                                const struct koa_history_opts *opts,
                                                struct koa_error *reterr);
/* Takes one sample of every series of `sources`. Owner's thread. A time before the last one's (the
 * clock was set) is taken as it is. Without memory the point is left out and counted as dropped. */
void koa_history_sample(struct koa_history *history, const struct koa_metrics_sources *sources,
                        struct koa_wall now);
/* A family that was left out since the last question, because with it a point would be too large;
 * it is tried again now and then. Valid until the next sampling; empty when there is none. Owner's
 * thread. */
struct koa_str koa_history_take_left_out(struct koa_history *history);
/* What is kept; NULL before the first sample. Any thread; unref with koa_object_unref(). */
KOA_MUST_USE struct koa_history_view *koa_history_get(struct koa_history *history);
/* Bytes, of the limit; dropped: points that ended before their age, or were left out. */
struct koa_limit_stats *koa_history_stats(struct koa_history *history);

/* Points in time, oldest first. */
size_t koa_history_view_count(const struct koa_history_view *view);
struct koa_wall koa_history_view_time(const struct koa_history_view *view, size_t point);

/* Reads points as sources, one at a time. One thread at a time. */
struct koa_history_reader;
/* Holds the view. NULL when memory is out. */
KOA_MUST_USE struct koa_history_reader *koa_history_reader_create(struct koa_history_view *view);
void koa_history_reader_destroy(struct koa_history_reader *reader); /* NULL is nothing */
/* The samples of one point; valid until the next call. In order is cheapest. NULL when memory is
 * out. */
KOA_MUST_USE const struct koa_metrics_source *
koa_history_reader_move(struct koa_history_reader *reader, size_t point);

/* Whether a walk visits a family; asked whenever series come or go. */
typedef bool koa_history_wants_family_fn(void *context, const struct koa_family_view *family);
/* Whether it visits a series of such a family. Asked once for each set of series that points share,
 * not at each point. */
typedef bool koa_history_wants_fn(void *context, const struct koa_label_view *labels,
                                  size_t label_count);
/* A wanted series at one point. `series` identifies it among those of its family: the same at every
 * point of the view. */
typedef void koa_history_visit_fn(void *context, const void *series,
                                  const struct koa_sample *sample);

/* Some series through some points, without walking the others. Zero it, set the first four. */
struct koa_history_walk {
    koa_history_wants_family_fn *wants_family;
    koa_history_wants_fn *wants;
    koa_history_visit_fn *visit;
    void *context;
    /* Its own: where it is, and which series of `run` are wanted. */
    struct koa_history_values *values;
    const struct koa_history_run *run;
    size_t *rows;
    size_t count;
};
/* False when memory is out: then what was visited is not all. */
KOA_MUST_USE bool koa_history_walk_point(struct koa_history_walk *walk,
                                         const struct koa_history_view *view, size_t point);
void koa_history_walk_deinit(struct koa_history_walk *walk);

#endif

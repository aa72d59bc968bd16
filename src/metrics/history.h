/* The last hours in memory: one column of values per sampling, oldest dropped by age or bytes. One
 * writer (the engine); readers get an immutable view. */
#ifndef METRICS_HISTORY_H
#define METRICS_HISTORY_H

#include <koa/error.h>
#include <koa/time.h>

#include "base/limit.h"
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
/* Takes one sample of every series of `sources`. Owner's thread. */
void koa_history_sample(struct koa_history *history, const struct koa_metrics_sources *sources,
                        struct koa_wall now);
/* What is kept. Any thread; unref with koa_object_unref(). */
KOA_MUST_USE struct koa_history_view *koa_history_get(struct koa_history *history);
struct koa_limit_stats *koa_history_stats(struct koa_history *history); /* bytes */

/* Points in time, oldest first. */
size_t koa_history_view_count(const struct koa_history_view *view);
struct koa_wall koa_history_view_time(const struct koa_history_view *view, size_t point);
/* The samples of one point, as a source (`context` is view and point, kept by the caller). */
void koa_history_view_source(const struct koa_history_view *view, size_t point,
                             struct koa_metrics_source *ret_source);

#endif

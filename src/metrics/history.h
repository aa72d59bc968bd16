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
/* Takes new limits and exclusions, or fails and keeps the old ones; what is kept already is trimmed
 * at the next sampling. Owner's thread. */
KOA_MUST_USE enum koa_err koa_history_configure(struct koa_history *history,
                                                const struct koa_history_opts *opts,
                                                struct koa_error *reterr);
/* Takes one sample of every series of `sources`. Owner's thread. A time before the last one's (the
 * clock was set) is taken as it is. Without memory the point is left out and counted as dropped. */
void koa_history_sample(struct koa_history *history, const struct koa_metrics_sources *sources,
                        struct koa_wall now);
/* What is kept; NULL before the first sample. Any thread; unref with koa_object_unref(). */
KOA_MUST_USE struct koa_history_view *koa_history_get(struct koa_history *history);
/* Bytes, of the limit; dropped: points that ended before their age, or were left out. */
struct koa_limit_stats *koa_history_stats(struct koa_history *history);

/* Points in time, oldest first. */
size_t koa_history_view_count(const struct koa_history_view *view);
struct koa_wall koa_history_view_time(const struct koa_history_view *view, size_t point);
/* The samples of one point, as a source that is valid as long as the view. */
void koa_history_view_source(const struct koa_history_view *view, size_t point,
                             struct koa_metrics_source *ret_source);

/* One series through all points, without walking the others: for each point in turn. */
struct koa_history_series;
struct koa_history_reader {
    const struct koa_history_series *series;
    const void *schema; /* where the position was found */
    size_t cell;
    bool is_there;
};
/* The distinct series of a family (name as in the registry) in the view, up to `limit`, in the
 * order of the newest point that has them. Returns how many there are, which may be more than
 * `limit`. */
size_t koa_history_view_find(const struct koa_history_view *view, struct koa_str family,
                             const struct koa_history_series **ret_rows, size_t limit);
const struct koa_label_view *koa_history_series_labels(const struct koa_history_series *series,
                                                       size_t *ret_count);
/* The value at one point: of a histogram or timer its count. False when it has none there. */
bool koa_history_reader_value(struct koa_history_reader *reader,
                              const struct koa_history_view *view, size_t point, double *ret_value);

#endif

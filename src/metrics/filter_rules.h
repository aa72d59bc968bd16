/* A filter's rules, shared by filter.c (which compiles them) and filter_walk.c (which applies them
 * to a source). */
#ifndef METRICS_FILTER_RULES_H
#define METRICS_FILTER_RULES_H

#include "metrics/filter.h"
#include "metrics/pattern.h"

/* Label rules of one kind: row i says that `labels[i]` of families that pattern i matches. */
struct koa_filter_labels {
    struct koa_patterns *families;
    char **labels;
    size_t count;
};

struct koa_metrics_filter {
    struct koa_patterns *exclude;
    struct koa_filter_labels drop;
    struct koa_filter_labels hash;
    struct koa_hash_key hash_key;
    size_t series_per_family;
    struct koa_limit_stats stats;
};

/* Source functions whose context is a struct koa_filter_context. */
struct koa_filter_context {
    struct koa_metrics_source source;
    struct koa_metrics_filter *filter;
    const struct koa_metrics_source *inner;
};
void koa_filter_begin(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor);
bool koa_filter_next(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                     struct koa_batch *batch);
bool koa_filter_seek(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                     struct koa_str family);
void koa_filter_end(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor);

#endif

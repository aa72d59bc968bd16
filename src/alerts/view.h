/* What one evaluation may look at, as its maker sees it. */
#ifndef ALERTS_VIEW_H
#define ALERTS_VIEW_H

#include <koa/rule.h>

#include "metrics/source.h"

/* A rule's memory from one evaluation to the next. Zeroed is empty. */
struct koa_rule_memory {
    void *kept;
    void (*drop)(void *kept);
};
void koa_rule_memory_drop(struct koa_rule_memory *memory);

/* Writes why the samples of `family` are stale, and says true; false while they are fresh. NULL
 * stands for all sources. */
typedef bool koa_stale_fn(void *context, const char *family, char *text, size_t size);

/* Everything is borrowed for one evaluation. */
struct koa_view {
    struct koa_wall now;
    struct koa_mono mono; /* for rates: the wall clock may be set */
    const struct koa_board *board;
    const struct koa_metrics_sources *sources; /* NULL: none */
    koa_stale_fn *is_stale;                    /* NULL: always fresh */
    void *stale_context;
    struct koa_rule_memory *memory;
};

const struct koa_metrics_sources *koa_view_sources(const struct koa_view *view);
struct koa_mono koa_view_mono(const struct koa_view *view);
/* False and no text while fresh. */
bool koa_view_is_stale(const struct koa_view *view, const char *family, char *text, size_t size);

/* Calls `sample` for each series of `family` ("x_count" and "x_sum" name a histogram's or timer's
 * count and sum; a timer may be written with _seconds). Returns how many there were, or
 * KOA_VIEW_INCOMPLETE when memory ran out: that some are missing says nothing about them. */
#define KOA_VIEW_INCOMPLETE SIZE_MAX
typedef void koa_view_sample_fn(void *context, const struct koa_sample *sample, double value);
size_t koa_view_each(const struct koa_view *view, const char *family, koa_view_sample_fn *sample,
                     void *context);

#endif

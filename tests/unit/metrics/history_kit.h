/* A registry and a history of it. */
#ifndef HISTORY_KIT_H
#define HISTORY_KIT_H

#include "kit/kit.h"

#include "metrics/history.h"
#include "metrics/registry.h"

struct fixture {
    struct koa_metrics *metrics;
    struct koa_history *history;
    const struct koa_metrics_source *source;
    struct koa_metrics_sources sources;
};

extern const struct koa_history_opts roomy;

void set_up(struct fixture *fixture, const struct koa_history_opts *opts);
void tear_down(struct fixture *fixture);
void sample_at(struct fixture *fixture, int64_t ms);
void release(struct koa_history_view *view);
/* A point as "key value|key value|". Valid until the next call. */
const char *dump(struct koa_history_view *view, size_t point);
size_t count_samples(struct koa_history_view *view, size_t point);

#endif

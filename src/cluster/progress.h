/* How a group moves through a topic: what it consumed and what lagged, over the last minutes.
 * Pure; a row of fixed size. */
#ifndef CLUSTER_PROGRESS_H
#define CLUSTER_PROGRESS_H

#include <koa/base.h>

enum {
    KOA_PROGRESS_POINTS = 6,
    /* Rates are over this long, or since the first look. */
    KOA_PROGRESS_WINDOW_MS = 5 * 60 * 1000,
};

struct koa_progress_point {
    int64_t ms; /* monotonic */
    int64_t consumed;
    int64_t lag;
};

struct koa_progress {
    struct koa_progress_point points[KOA_PROGRESS_POINTS]; /* rising in time */
    struct koa_progress_point now;
    uint32_t count;
};

struct koa_rates {
    double consumption; /* messages per second */
    double velocity;    /* of the lag; positive: falls behind */
};

/* A cycle: `consumed` messages were committed since the last one, `lag` are left. */
void koa_progress_observe(struct koa_progress *progress, int64_t ms, int64_t consumed, int64_t lag);
/* False before there are two looks. */
bool koa_progress_rates(const struct koa_progress *progress, struct koa_rates *ret_rates);

#endif

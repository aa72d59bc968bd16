/* The registry behind include/koa/metrics.h: families, series, cells. */
#ifndef METRICS_REGISTRY_H
#define METRICS_REGISTRY_H

#include <koa/metrics.h>

#include "base/limit.h"
#include "base/log.h"
#include "metrics/source.h"

struct koa_metrics_opts {
    int64_t (*ticks_ns)(void); /* the monotonic clock, for time scopes */
    size_t series_per_family;  /* 0: 1,000,000. Beyond it new series are refused and counted in
                                * kafka_ops_series_dropped_total{family,reason="limit"} */
    size_t families;           /* 0: 10,000 */
    struct koa_log *log;
};

KOA_MUST_USE enum koa_err koa_metrics_create(const struct koa_metrics_opts *opts,
                                             struct koa_metrics **ret_metrics,
                                             struct koa_error *reterr);
/* No handle may be used any more. */
void koa_metrics_destroy(struct koa_metrics *metrics);
/* The registry as a source: families in order of name, series in order of labels. */
const struct koa_metrics_source *koa_metrics_source(struct koa_metrics *metrics);

/* Quantile (0..1) by linear interpolation inside the bucket, clamped to minimum and maximum; false
 * when the histogram is empty. */
bool koa_histogram_quantile(const struct koa_histogram_view *histogram, double quantile,
                            double *ret_value);

#endif

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
    size_t series;             /* of all families; 0: 2,000,000 */
    struct koa_log *log;
};

enum {
    KOA_METRIC_NAME_LIMIT = 200,  /* bytes; also of a label's name */
    KOA_METRIC_HELP_LIMIT = 1024, /* bytes */
    KOA_METRIC_LABELS_LIMIT = 24, /* per series */
    KOA_METRIC_BOUNDS_LIMIT = 64, /* a cursor must hold one histogram */
    KOA_LABEL_VALUE_LIMIT = 1024, /* bytes; longer values are cut. Kafka's names end at 249 */
};

KOA_MUST_USE enum koa_err koa_metrics_create(const struct koa_metrics_opts *opts,
                                             struct koa_metrics **ret_metrics,
                                             struct koa_error *reterr);
/* No handle may be used any more. */
void koa_metrics_destroy(struct koa_metrics *metrics);
/* The registry as a source: families in order of name, series in order of labels. */
const struct koa_metrics_source *koa_metrics_source(struct koa_metrics *metrics);

/* Takes another `series_per_family`. Series beyond it that exist already stay. Any thread. */
void koa_metrics_set_series_limit(struct koa_metrics *metrics, size_t series_per_family);
/* Series in use, of the limit for all families, and calls refused for any reason. */
struct koa_limit_stats *koa_metrics_stats(struct koa_metrics *metrics);
/* The gauge has no value any more, because what it was of is gone: it is not shown until it is set
 * again. */
void koa_metrics_clear(struct koa_metrics *metrics, const char *name,
                       const struct koa_labels *labels);
/* Bytes of all series. */
int64_t koa_metrics_memory(struct koa_metrics *metrics);
/* Sets kafka_ops_series{family} for each family that has series. Any thread; before a sampling. */
void koa_metrics_update_series(struct koa_metrics *metrics);
/* The name belongs to another source: using or registering it here fails. Families are disjoint. */
KOA_MUST_USE enum koa_err koa_metrics_reserve(struct koa_metrics *metrics, const char *name,
                                              struct koa_error *reterr);

/* "counter", "gauge", "histogram", "timer". */
const char *koa_metric_type_name(enum koa_metric_type type);

/* The bounds of histograms and timers that name none. */
extern const double koa_default_bounds[];
extern const size_t koa_default_bound_count;

/* Quantile (0..1) by linear interpolation inside the bucket, clamped to minimum and maximum; false
 * when the histogram is empty. */
bool koa_histogram_quantile(const struct koa_histogram_view *histogram, double quantile,
                            double *ret_value);

#endif

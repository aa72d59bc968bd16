/* Instruments: counters, gauges, histograms and timers with labels, from any thread.
 *
 * By-name calls register a family on first use and return nothing: a name that is used with another
 * type is dropped, counted (kafka_ops_series_dropped_total) and logged once. Handles skip the look
 * up: resolve once, then one atomic operation. */
#ifndef KOA_METRICS_H
#define KOA_METRICS_H

#include <koa/base.h>
#include <koa/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct koa_metrics;

enum koa_metric_type {
    KOA_COUNTER,
    KOA_GAUGE,
    KOA_HISTOGRAM,
    KOA_TIMER, /* seconds; a family of its own type, exported as histogram <name>_seconds */
    KOA_METRIC_TYPE_COUNT
};

struct koa_family {
    size_t struct_size;
    const char *name;
    enum koa_metric_type type;
    const char *help;
    const char *unit;     /* "seconds", "bytes", "ratio" or NULL; base units only */
    const double *bounds; /* histogram and timer: upper bounds, rising; NULL: 0.005 to 10 */
    size_t bound_count;
    size_t series_limit; /* 0: the registry's */
};
#define KOA_FAMILY_INIT .struct_size = sizeof(struct koa_family)

/* Says type and help before use. Registering the same again is fine; anything different fails with
 * KOA_ERR_EXISTS and a text that names both. Names must match [a-zA-Z_:][a-zA-Z0-9_:]*. */
KOA_API KOA_MUST_USE enum koa_err koa_metrics_register(struct koa_metrics *metrics,
                                                       const struct koa_family *family,
                                                       struct koa_error *reterr);

/* By name. `labels` may be KOA_NO_LABELS; they are copied, their order does not matter. `metrics`
 * may be NULL: nothing happens. */
KOA_API void koa_metrics_count(struct koa_metrics *metrics, const char *name, double increment,
                               const struct koa_labels *labels);
KOA_API void koa_metrics_set(struct koa_metrics *metrics, const char *name, double value,
                             const struct koa_labels *labels);
KOA_API void koa_metrics_add(struct koa_metrics *metrics, const char *name, double delta,
                             const struct koa_labels *labels);
KOA_API void koa_metrics_observe(struct koa_metrics *metrics, const char *name, double value,
                                 const struct koa_labels *labels);
/* A timer, in seconds. */
KOA_API void koa_metrics_time(struct koa_metrics *metrics, const char *name, double seconds,
                              const struct koa_labels *labels);

/* Handles, valid as long as `metrics`. One that could not be made (wrong type, series limit) is
 * inert: using it does nothing. A counter ignores increments that are negative or not a number. */
struct koa_counter {
    struct koa_cell *cell;
};
struct koa_gauge {
    struct koa_cell *cell;
};
struct koa_histogram {
    struct koa_cell *cell;
};

KOA_API struct koa_counter koa_metrics_counter(struct koa_metrics *metrics, const char *name,
                                               const struct koa_labels *labels);
KOA_API struct koa_gauge koa_metrics_gauge(struct koa_metrics *metrics, const char *name,
                                           const struct koa_labels *labels);
KOA_API struct koa_histogram koa_metrics_histogram(struct koa_metrics *metrics, const char *name,
                                                   const struct koa_labels *labels);
KOA_API struct koa_histogram koa_metrics_timer(struct koa_metrics *metrics, const char *name,
                                               const struct koa_labels *labels);
KOA_API void koa_counter_add(struct koa_counter counter, double increment);
KOA_API void koa_gauge_set(struct koa_gauge gauge, double value);
KOA_API void koa_gauge_add(struct koa_gauge gauge, double delta);
KOA_API void koa_histogram_observe(struct koa_histogram histogram, double value);

/* Records the time from here to the end of the block into a timer, on every way out. */
struct koa_time_scope {
    struct koa_metrics *metrics;
    const char *name;
    int64_t started_ns;
};
KOA_API struct koa_time_scope koa_time_scope_begin(struct koa_metrics *metrics, const char *name);
KOA_API void koa_time_scope_end(struct koa_time_scope *scope);
#define KOA_TIME_SCOPE_JOIN2(a, b) a##b
#define KOA_TIME_SCOPE_JOIN(a, b) KOA_TIME_SCOPE_JOIN2(a, b)
#define KOA_TIME_SCOPE(metrics, name)                                                              \
    __attribute__((cleanup(koa_time_scope_end), unused)) struct koa_time_scope                     \
    KOA_TIME_SCOPE_JOIN(koa_time_scope_, __LINE__) = koa_time_scope_begin(metrics, name)

#ifdef __cplusplus
}
#endif

#endif

/* Every family that the agent exports, in one table: declared from here, documented from here. */
#ifndef METRICS_CATALOG_H
#define METRICS_CATALOG_H

#include "base/buf.h"
#include "metrics/registry.h"

struct koa_metric_row {
    const char *name;
    enum koa_metric_type type;
    const char *unit; /* NULL: none, or a plain count */
    /* "a,b"; NULL: none. "b=x|y" names values that are known before any of them is counted. */
    const char *labels;
    const char *help;
};

/* The agent's own families. */
extern const struct koa_metric_row koa_catalog_own[];
extern const size_t koa_catalog_own_count;
/* Kafka's families, which come from snapshots and not from the registry. */
extern const struct koa_metric_row koa_catalog_kafka[];
extern const size_t koa_catalog_kafka_count;

/* Registers each row, all with the default bounds, and starts the counters among them whose labels
 * are all known. Stops at the first that fails. */
KOA_MUST_USE enum koa_err koa_metrics_declare(struct koa_metrics *metrics,
                                              const struct koa_metric_row *rows, size_t count,
                                              struct koa_error *reterr);
/* Makes series of the agent's own counters, at 0: what happens first is an increase only for a
 * reader who has seen the 0. Of each counter whose labels are those `given` and others with known
 * values, every combination; counters that have any other label, or lack one of those given, are
 * left alone. Call it when a thing that labels name is configured or found; again is fine. Any
 * thread; `metrics` may be NULL. */
void koa_metrics_start(struct koa_metrics *metrics, const struct koa_labels *given);
/* Reserves each row's name for another source. */
KOA_MUST_USE enum koa_err koa_metrics_reserve_rows(struct koa_metrics *metrics,
                                                   const struct koa_metric_row *rows, size_t count,
                                                   struct koa_error *reterr);

/* NULL when absent. Both tables. */
const struct koa_metric_row *koa_catalog_find(const char *name);
/* A source's view of a row. */
struct koa_family_view koa_catalog_view(const struct koa_metric_row *row);

/* docs/metrics.md. */
void koa_catalog_write_markdown(struct koa_buf *buf);

#endif

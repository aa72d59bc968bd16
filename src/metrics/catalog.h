/* Every family that the agent exports, in one table: declared from here, documented from here. */
#ifndef METRICS_CATALOG_H
#define METRICS_CATALOG_H

#include "base/buf.h"
#include "metrics/registry.h"

struct koa_metric_row {
    const char *name;
    enum koa_metric_type type;
    const char *unit;   /* NULL: none, or a plain count */
    const char *labels; /* "a,b"; NULL: none. For readers of the table */
    const char *help;
};

/* The agent's own families. */
extern const struct koa_metric_row koa_catalog_own[];
extern const size_t koa_catalog_own_count;
/* Kafka's families, which come from snapshots and not from the registry. */
extern const struct koa_metric_row koa_catalog_kafka[];
extern const size_t koa_catalog_kafka_count;

/* Registers each row, all with the default bounds. Stops at the first that fails. */
KOA_MUST_USE enum koa_err koa_metrics_declare(struct koa_metrics *metrics,
                                              const struct koa_metric_row *rows, size_t count,
                                              struct koa_error *reterr);
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

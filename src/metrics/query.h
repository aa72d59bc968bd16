/* Finds series in sources by name and labels: what rules and the API ask for. */
#ifndef METRICS_QUERY_H
#define METRICS_QUERY_H

#include "metrics/source.h"

/* `value`: of a counter or gauge; of a histogram or timer the part that the name asks for. */
typedef void koa_query_fn(void *context, const struct koa_sample *sample, double value);

/* Calls `each` for every series named `name`, source after source, each in its own order. "x_count"
 * and "x_sum" name a histogram's or timer's count and sum, "x" alone its count; a timer may be
 * written with _seconds. `*ret_count`: how many there were. KOA_ERR_NOMEM when a source ran out of
 * memory: what was shown is not the whole. */
KOA_MUST_USE enum koa_err koa_query_each(const struct koa_metrics_sources *sources,
                                         const char *name, koa_query_fn *each, void *context,
                                         size_t *ret_count);
/* The value of one series, exact labels in any order. False when there is none. */
bool koa_query_get(const struct koa_metrics_sources *sources, const char *name,
                   const struct koa_labels *labels, double *ret_value);

/* A name with label matchers, compiled once; immutable. */
struct koa_query;

/* `match`: each label's value must match the whole of an anchored regular expression (or equal it);
 * a label that is absent has the empty value. All is copied. KOA_ERR_INVALID and KOA_ERR_RANGE name
 * the matcher. */
KOA_MUST_USE enum koa_err koa_query_create(const char *name, const struct koa_labels *match,
                                           struct koa_query **ret_query, struct koa_error *reterr);
void koa_query_destroy(struct koa_query *query);
/* As koa_query_each(), for the series that match. */
KOA_MUST_USE enum koa_err koa_query_run(const struct koa_query *query,
                                        const struct koa_metrics_sources *sources,
                                        koa_query_fn *each, void *context, size_t *ret_count);

#endif

/* What is exported and kept: families excluded, labels dropped or hashed, series limits. Applied
 * between sources and their readers, and immutable: a reload makes a new one. */
#ifndef METRICS_FILTER_H
#define METRICS_FILTER_H

#include "base/hash.h"
#include "base/limit.h"
#include "metrics/source.h"

struct koa_metrics_filter;

struct koa_label_rule {
    const char *family; /* name or anchored regular expression */
    const char *label;
};

struct koa_metrics_filter_opts {
    const char *const *exclude; /* names or anchored regular expressions */
    size_t exclude_count;
    const struct koa_label_rule *drop_labels;
    size_t drop_count;
    const struct koa_label_rule *hash_labels; /* value replaced by 16 hex digits of a keyed hash */
    size_t hash_count;
    struct koa_hash_key hash_key; /* the same over restarts keeps the same series */
    size_t series_per_family;     /* 0: no limit. The first in the source's order are kept */
};

/* Of each kind of rule. */
enum { KOA_FILTER_RULES_LIMIT = 64 };

KOA_MUST_USE enum koa_err koa_metrics_filter_create(const struct koa_metrics_filter_opts *opts,
                                                    struct koa_metrics_filter **ret_filter,
                                                    struct koa_error *reterr);
/* No source of it may be in use any more. */
void koa_metrics_filter_destroy(struct koa_metrics_filter *filter);
/* Series that the limit kept out, over all walks. Any thread. */
struct koa_limit_stats *koa_metrics_filter_stats(struct koa_metrics_filter *filter);

/* Wraps `inner` (borrowed): a source that shows what the filter lets pass. Series that become equal
 * once a label is dropped are added up (counters, histograms) or the last one wins (gauges). */
KOA_MUST_USE enum koa_err koa_metrics_filter_wrap(struct koa_metrics_filter *filter,
                                                  const struct koa_metrics_source *inner,
                                                  struct koa_metrics_source **ret_source,
                                                  struct koa_error *reterr);
void koa_metrics_filter_unwrap(struct koa_metrics_source *source);

#endif

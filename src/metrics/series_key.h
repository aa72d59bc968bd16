/* What identifies a series: name NUL, then label NUL value NUL for each label in order of names.
 * Labels without a value are left out: to every reader that is the same series. */
#ifndef METRICS_SERIES_KEY_H
#define METRICS_SERIES_KEY_H

#include <koa/base.h>
#include <koa/error.h>

enum { KOA_SERIES_KEY_ROOM = 512 };

struct koa_series_key {
    char *data;
    size_t size;
    size_t name_size; /* without its NUL */
    size_t label_count;
    char room[KOA_SERIES_KEY_ROOM]; /* where most keys fit */
};

/* Values are cut at KOA_LABEL_VALUE_LIMIT and made valid UTF-8; names are not looked at.
 * KOA_ERR_LIMIT: too many labels; KOA_ERR_NOMEM. Deinit in any case. */
KOA_MUST_USE enum koa_err koa_series_key_init(struct koa_series_key *key, const char *name,
                                              const struct koa_labels *labels);
void koa_series_key_deinit(struct koa_series_key *key);
uint64_t koa_series_key_hash(const struct koa_series_key *key);
/* Every label's name is well-formed, not too long, not reserved (`__...`, and `le` where
 * `has_buckets`), and there once. */
bool koa_series_key_labels_valid(const struct koa_series_key *key, bool has_buckets);

/* [a-zA-Z_:][a-zA-Z0-9_:]*, at most KOA_METRIC_NAME_LIMIT bytes. */
bool koa_metric_name_valid(const char *name);
/* The same without the colon. */
bool koa_label_name_valid(struct koa_str name);

#endif

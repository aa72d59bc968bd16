/* A series as text: `name` or `name{label=value,label2=value2}`, labels in order of names, a
 * backslash before each of , = { } " and backslash inside a value. The keys of the JSON formats. */
#ifndef METRICS_KEY_H
#define METRICS_KEY_H

#include "base/arena.h"
#include "base/buf.h"
#include "metrics/source.h"

void koa_series_key_print(struct koa_buf *buf, const struct koa_sample *sample);

/* `*ret_labels` (order and count as written) and their texts lie in `arena`. KOA_ERR_PARSE says at
 * which byte; KOA_ERR_LIMIT for over KOA_METRIC_LABELS_LIMIT labels. */
KOA_MUST_USE enum koa_err koa_series_key_parse(struct koa_str text, struct koa_arena *arena,
                                               const char **ret_name, struct koa_labels *ret_labels,
                                               struct koa_error *reterr);

#endif

/* Which series of a family a rule looks at: labels against anchored regular expressions. */
#ifndef BUILTIN_RULES_SERIES_MATCH_H
#define BUILTIN_RULES_SERIES_MATCH_H

#include <koa/option.h>

#include "metrics/source.h"

struct koa_series_match;

/* Compiles label -> expression, as metrics/pattern.h has them. Rows of `pairs` are borrowed.
 * KOA_ERR_INVALID names the expression and what is wrong. */
KOA_MUST_USE enum koa_err koa_series_match_create(const struct koa_pairs *pairs,
                                                  struct koa_series_match **ret_match,
                                                  struct koa_error *reterr);
void koa_series_match_destroy(struct koa_series_match *match);
/* All expressions match; a label that the series lacks is an empty text. */
bool koa_series_match_sample(const struct koa_series_match *match, const struct koa_sample *sample);

/* A sample's labels as C strings, in the caller's memory. */
enum { KOA_SERIES_LABELS = 32, KOA_SERIES_TEXT = 4096 };
struct koa_series_labels {
    struct koa_labels labels;
    struct koa_label rows[KOA_SERIES_LABELS];
    char text[KOA_SERIES_TEXT];
};
/* What does not fit is left out: the labels that sort last. */
void koa_series_labels_copy(const struct koa_sample *sample, struct koa_series_labels *ret_labels);
/* The labels as one run of bytes, different for different labels; returns its size (cut to fit). */
size_t koa_series_key(const struct koa_sample *sample, char *key, size_t size);

#endif

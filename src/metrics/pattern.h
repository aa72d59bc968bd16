/* Names or anchored regular expressions (POSIX extended), compiled once. Immutable: any thread. */
#ifndef METRICS_PATTERN_H
#define METRICS_PATTERN_H

#include <koa/option.h>

#include "metrics/source.h"

struct koa_patterns;

enum { KOA_PATTERNS_LIMIT = 256, KOA_PATTERN_SIZE_LIMIT = 1024 };

/* KOA_ERR_INVALID names the expression and what is wrong with it; KOA_ERR_RANGE for too many or too
 * long ones. `texts` is copied. */
KOA_MUST_USE enum koa_err koa_patterns_create(const char *const *texts, size_t count,
                                              struct koa_patterns **ret_patterns,
                                              struct koa_error *reterr);
/* For option rows: what such an expression must be, or NULL when `value` is one. */
koa_option_validate_fn koa_pattern_validate;
void koa_patterns_destroy(struct koa_patterns *patterns);
/* Whether the one at `index` matches the whole of `text`. */
bool koa_pattern_matches(const struct koa_patterns *patterns, size_t index, struct koa_str text);
/* The same for a family: its name, or the name it is exported under. */
bool koa_pattern_matches_family(const struct koa_patterns *patterns, size_t index,
                                const struct koa_family_view *family);
bool koa_patterns_match_family(const struct koa_patterns *patterns,
                               const struct koa_family_view *family);

#endif

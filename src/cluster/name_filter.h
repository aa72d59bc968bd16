/* Which topics or groups are watched: anchored regular expressions, include first, then exclude.
 * Immutable once made; any thread. */
#ifndef CLUSTER_NAME_FILTER_H
#define CLUSTER_NAME_FILTER_H

#include <koa/error.h>

struct koa_name_filter;

struct koa_name_filter_opts {
    const char *const *include, *const *exclude;
    size_t include_count, exclude_count; /* no `include`: everything */
    const char *what;                    /* "topics" or "groups", for messages */
};

/* KOA_ERR_INVALID names the expression and what is wrong with it; KOA_ERR_RANGE: too many, or one
 * too long (metrics/pattern.h). */
KOA_MUST_USE enum koa_err koa_name_filter_create(const struct koa_name_filter_opts *opts,
                                                 struct koa_name_filter **ret_filter,
                                                 struct koa_error *reterr);
void koa_name_filter_destroy(struct koa_name_filter *filter); /* NULL is nothing */
bool koa_name_filter_passes(const struct koa_name_filter *filter, const char *name);

#endif

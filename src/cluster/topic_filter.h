/* Which topics are watched: anchored regular expressions, include first, then exclude. Immutable
 * once made; any thread. */
#ifndef CLUSTER_TOPIC_FILTER_H
#define CLUSTER_TOPIC_FILTER_H

#include <koa/error.h>

struct koa_topic_filter;

struct koa_topic_filter_opts {
    const char *const *include, *const *exclude;
    size_t include_count, exclude_count; /* no `include`: everything */
};

/* KOA_ERR_INVALID names the expression and what is wrong with it. */
KOA_MUST_USE enum koa_err koa_topic_filter_create(const struct koa_topic_filter_opts *opts,
                                                  struct koa_topic_filter **ret_filter,
                                                  struct koa_error *reterr);
void koa_topic_filter_destroy(struct koa_topic_filter *filter); /* NULL is nothing */
bool koa_topic_filter_passes(const struct koa_topic_filter *filter, const char *topic);

#endif

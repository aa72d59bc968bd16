/* OAUTHBEARER tokens from an endpoint: fetched when first wanted, and again before they end. Runs
 * on the thread of its loop. */
#ifndef KAFKA_TOKEN_SOURCE_H
#define KAFKA_TOKEN_SOURCE_H

#include "base/log.h"
#include "httpclient/client.h"
#include "loop/loop.h"

struct koa_token_source;

struct koa_token_source_opts {
    struct koa_loop *loop;
    struct koa_http_client *http; /* of the same loop */
    const char *name; /* of the cluster, for the log; this and the next borrowed for its life */
    const char *url, *client_id, *scope, *ca_file;
    struct koa_log *log;
    void (*changed)(void *context); /* what was pending has come, or failed; never from get() */
    void *context;
};

KOA_MUST_USE enum koa_err koa_token_source_create(const struct koa_token_source_opts *opts,
                                                  struct koa_token_source **ret_source,
                                                  struct koa_error *reterr);
void koa_token_source_destroy(struct koa_token_source *source); /* NULL is nothing */
/* A token that is good now, borrowed until the next turn of the loop; or pending. Fails with what
 * the last attempt met, until it is time for the next. `client_secret` is copied. */
KOA_MUST_USE enum koa_err koa_token_source_get(struct koa_token_source *source,
                                               const char *client_secret, const char **ret_token,
                                               bool *ret_is_pending, struct koa_error *reterr);

#endif

/* The texts of OAuth 2: request and answer of the client credentials grant (RFC 6749), and how long
 * a token is good. Pure. */
#ifndef KAFKA_OAUTH_H
#define KAFKA_OAUTH_H

#include <koa/error.h>
#include <koa/time.h>

#include "base/buf.h"

/* "grant_type=client_credentials&scope=..." */
void koa_oauth_write_form(const char *scope, struct koa_buf *buf);
/* "Authorization: Basic ..." (RFC 6749, 2.3.1); secret. */
void koa_oauth_write_authorization(const char *client_id, const char *client_secret,
                                   struct koa_buf *buf);

struct koa_oauth_answer {
    int status;
    struct koa_str body;
};

/* The token, koa_free_secret(), and for how long the endpoint says it is good (-1: it does not
 * say). KOA_ERR_AUTH, KOA_ERR_PROTOCOL say what the endpoint answered, without a token. */
KOA_MUST_USE enum koa_err koa_oauth_read(const struct koa_oauth_answer *answer, char **ret_token,
                                         int64_t *ret_lifetime_ms, struct koa_error *reterr);
/* The `exp` of a token that is a JWT (RFC 7519); false: it is none, or has none. Nothing is
 * verified: the broker does that. */
bool koa_oauth_expiry(const char *token, struct koa_wall *ret_expiry);

#endif

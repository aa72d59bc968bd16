/* What a cluster's connections prove themselves with: certificates, passwords, tokens. Reads files
 * and stretches passwords on workers, and keeps what that gave. Runs on the thread of its loop. */
#ifndef KAFKA_CREDENTIALS_H
#define KAFKA_CREDENTIALS_H

#include "base/log.h"
#include "crypto/tls.h"
#include "httpclient/client.h"
#include "kafka/login.h"
#include "kafka/security.h"
#include "loop/loop.h"
#include "loop/worker.h"

struct koa_kafka_credentials;

struct koa_kafka_credentials_opts {
    struct koa_loop *loop;
    struct koa_workers *workers;
    struct koa_http_client *http; /* of the same loop; NULL: token_url cannot be used */
    const struct koa_kafka_security *security; /* copied */
    const char *name;                          /* of the cluster, for messages; copied */
    struct koa_log *log;
    int64_t fresh_ms; /* files are not looked at again before; 0: a second */
    /* What was pending has come, or failed: ask again. Never from a call below. */
    void (*changed)(void *context);
    void *context;
};

/* KOA_ERR_INVALID as koa_kafka_security_check(). Reads nothing yet. */
KOA_MUST_USE enum koa_err
koa_kafka_credentials_create(const struct koa_kafka_credentials_opts *opts,
                             struct koa_kafka_credentials **ret_credentials,
                             struct koa_error *reterr);
void koa_kafka_credentials_destroy(struct koa_kafka_credentials *credentials);

/* For a new connection, from files that were looked at `fresh_ms` ago at most. `*ret_tls` is
 * borrowed until the next turn of the loop; NULL: plaintext. Files that changed and are no good are
 * told in the log, once, and what they held before stays in use. */
KOA_MUST_USE enum koa_err koa_kafka_credentials_tls(struct koa_kafka_credentials *credentials,
                                                    struct koa_tls_client **ret_tls,
                                                    bool *ret_is_pending, struct koa_error *reterr);
/* NULL: no authentication. */
const struct koa_kafka_mechanism *
koa_kafka_credentials_mechanism(const struct koa_kafka_credentials *credentials);
/* The rest, for logins; its context is the credentials. */
extern const struct koa_kafka_secrets koa_kafka_credentials_secrets;

#endif

/* The listener: libmicrohttpd's epoll pool, request hygiene, limits, authentication, router,
 * streams and suspended requests. */
#ifndef HTTPSERVER_SERVER_H
#define HTTPSERVER_SERVER_H

#include <koa/auth.h>
#include <koa/error.h>
#include <koa/metrics.h>
#include <koa/time.h>

#include "base/limit.h"
#include "base/log.h"
#include "httpserver/route.h"
#include "loop/worker.h"

struct koa_http_server;

/* HTTP Basic. `password_hash` is what koa_password_hash_valid() takes. */
struct koa_http_user {
    const char *name;
    const char *password_hash;
    unsigned scopes;
};

/* `Authorization: Bearer <value>`. The value is what the token's file holds, without line end. */
struct koa_http_bearer {
    const char *name;
    const char *value;
    unsigned scopes;
};

/* What a reload may change. Copied by the call that takes it. Limits of 0 mean the defaults of the
 * configuration file. */
struct koa_http_settings {
    const char *cert_file, *key_file; /* NULL or "": plain HTTP; read again when they change */
    int64_t connections, connections_per_address;
    int64_t header_bytes, body_bytes;
    int64_t header_timeout_ms; /* for a request's head to be complete */
    int64_t idle_timeout_ms;   /* between requests, for a body, and without progress of an answer */
    int64_t login_failures_per_minute; /* per address, then 429 */
    const struct koa_http_user *users;
    size_t user_count;
    const struct koa_http_bearer *bearers;
    size_t bearer_count;
    const char *const *open; /* patterns that need no credentials */
    size_t open_count;
};

/* Everything but `settings` is borrowed for the server's life. */
struct koa_http_server_opts {
    const char *host;                    /* NULL or "": 0.0.0.0 */
    int port;                            /* 0: any; see koa_http_server_url() */
    int threads;                         /* 0: 2 */
    const struct koa_http_route *routes; /* `route_count` rows */
    size_t route_count;
    void *context;                     /* of every handler */
    struct koa_http_settings settings; /* no users, bearers, authenticators: everything is open */
    /* A host's, asked after users and bearers. */
    const struct koa_authenticator *const *authenticators;
    size_t authenticator_count;
    /* Passwords are verified on these workers, handed over by this loop. NULL only without users.
     */
    struct koa_loop *loop;
    struct koa_workers *workers;
    struct koa_metrics *metrics; /* kafka_ops_requests_total and its kin */
    struct koa_log *log;
    struct koa_wall (*wall)(void);
    struct koa_mono (*mono)(void);
    int64_t (*ticks_ns)(void);
};

/* KOA_ERR_INVALID names a wrong route, user, token or setting. */
KOA_MUST_USE enum koa_err koa_http_server_create(const struct koa_http_server_opts *opts,
                                                 struct koa_http_server **ret_server,
                                                 struct koa_error *reterr);
/* Binds and accepts when it returns. */
KOA_MUST_USE enum koa_err koa_http_server_start(struct koa_http_server *server,
                                                struct koa_error *reterr);
/* "http://127.0.0.1:8080", for a client on this machine; "" before the start. Any thread. */
const char *koa_http_server_url(const struct koa_http_server *server);
/* "0.0.0.0:8080" or "[::]:8080": where it listens; "" before the start. Any thread. */
const char *koa_http_server_address(const struct koa_http_server *server);
/* NULL when a listener may be bound to it, else what completes "must be ...". */
const char *koa_http_host_validate(const char *host);
/* Takes new settings, or fails and changes nothing (text names what is wrong). The socket stays
 * open; requests under way end under the old settings, and their connections with them. Any thread,
 * after the start. */
KOA_MUST_USE enum koa_err koa_http_server_reload(struct koa_http_server *server,
                                                 const struct koa_http_settings *settings,
                                                 struct koa_error *reterr);
/* Looks at the certificate files now instead of within two seconds. Any thread; does not wait. */
void koa_http_server_look_at_files(struct koa_http_server *server);
/* No new connections; requests go on, and each answer ends its connection. */
void koa_http_server_quiesce(struct koa_http_server *server);
/* Ends streams, answers every suspended request with 503, waits two seconds at most for answers to
 * be sent, stops. Not from a handler. The loop need not run any more. */
void koa_http_server_stop(struct koa_http_server *server);
/* Stops when needed. Every token must be finished by then, and the workers have ended. */
void koa_http_server_destroy(struct koa_http_server *server);
KOA_DEFINE_AUTO(koa_http_server, koa_http_server_destroy)
struct koa_limit_stats *koa_http_server_stats(struct koa_http_server *server); /* connections */

#endif

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

struct koa_http_server;

struct koa_http_server_opts {
    const char *host;
    int port;                         /* 0: any; see koa_http_server_url() */
    const char *cert_file, *key_file; /* NULL or "": plain HTTP; read again when they change */
    int64_t connections, connections_per_address;
    int64_t header_bytes, body_bytes;
    int64_t header_timeout_ms, idle_timeout_ms;
    int64_t login_failures_per_minute;
    int threads;                         /* 0: 2 */
    const struct koa_http_route *routes; /* `route_count` rows, borrowed */
    size_t route_count;
    void *context;                                         /* of every handler */
    const struct koa_authenticator *const *authenticators; /* none: everything is open */
    size_t authenticator_count;
    const char *const *open; /* patterns that need no credentials */
    size_t open_count;
    struct koa_metrics *metrics; /* kafka_ops_requests_total and its kin */
    struct koa_log *log;
    struct koa_wall (*wall)(void);
    struct koa_mono (*mono)(void);
    int64_t (*ticks_ns)(void);
};

KOA_MUST_USE enum koa_err koa_http_server_create(const struct koa_http_server_opts *opts,
                                                 struct koa_http_server **ret_server,
                                                 struct koa_error *reterr);
/* Binds and accepts when it returns. */
KOA_MUST_USE enum koa_err koa_http_server_start(struct koa_http_server *server,
                                                struct koa_error *reterr);
const char *koa_http_server_url(const struct koa_http_server *server);
/* No new connections; requests go on. */
void koa_http_server_quiesce(struct koa_http_server *server);
/* Ends streams, answers every suspended request with 503, stops. */
void koa_http_server_stop(struct koa_http_server *server);
void koa_http_server_destroy(struct koa_http_server *server);
struct koa_limit_stats *koa_http_server_stats(struct koa_http_server *server); /* connections */

#endif

/* What an endpoint is: a pattern, methods, a scope, and a function that writes a response. */
#ifndef HTTPSERVER_ROUTE_H
#define HTTPSERVER_ROUTE_H

#include <koa/auth.h>
#include <koa/base.h>

#include "base/buf.h"

enum koa_http_method {
    KOA_HTTP_GET = 1,
    KOA_HTTP_HEAD = 2,
    KOA_HTTP_POST = 4,
    KOA_HTTP_DELETE = 8
};

struct koa_http_request; /* borrowed during the handler's call */

enum koa_http_method koa_http_request_method(const struct koa_http_request *request);
const char *koa_http_request_path(const struct koa_http_request *request);
const char *koa_http_request_header(const struct koa_http_request *request, const char *name);
/* Decoded query value; NULL when absent. The first of several. */
const char *koa_http_request_query(const struct koa_http_request *request, const char *name);
/* The part of the path that `{name}` of the pattern matched, decoded; "" when there is none. */
const char *koa_http_request_segment(const struct koa_http_request *request, size_t index);
struct koa_str koa_http_request_body(const struct koa_http_request *request);
/* Scopes the caller proved; all of them when no authentication is configured. */
unsigned koa_http_request_scopes(const struct koa_http_request *request);
const char *koa_http_request_peer(const struct koa_http_request *request);
/* Walks the query's names: index from 0; NULL at the end. */
const char *koa_http_request_query_name(const struct koa_http_request *request, size_t index);

/* Fills at most `size` bytes; returns how many, 0 at the end, -1 to break off the connection. HTTP
 * thread. */
typedef int64_t koa_http_read_fn(void *context, char *target, size_t size);

/* Answers a suspended request, once, from any thread. */
struct koa_http_token;

/* Filled by the handler; starts as 200 application/json with an empty body. */
struct koa_http_response {
    int status;
    const char *content_type;   /* constant */
    struct koa_buf body;        /* limit 64 MiB */
    const char *header_name[4]; /* further headers: constant names, values copied */
    char header_value[4][256];
    /* A stream instead of a body: chunked, `end` runs exactly once. */
    koa_http_read_fn *read;
    void (*end)(void *context);
    void *stream;
    bool suspended;
};

/* `{error, message, timestamp}` with `status`. The server adds the time. */
void koa_http_fail(struct koa_http_response *response, int status, const char *error,
                   const char *format, ...) KOA_PRINTF(4, 5);
/* Suspends: the handler returns, and later someone calls koa_http_token_finish(). NULL when
 * suspending is not possible (the server stops): the response is then a 503 already. */
KOA_MUST_USE struct koa_http_token *koa_http_suspend(const struct koa_http_request *request,
                                                     struct koa_http_response *response);
/* Any thread, once: takes the response's body and resumes. After the client has gone it only frees.
 */
void koa_http_token_finish(struct koa_http_token *token, struct koa_http_response *response);

/* HTTP thread, several at once; must not block. */
typedef void koa_http_handler_fn(void *context, const struct koa_http_request *request,
                                 struct koa_http_response *response);

struct koa_http_route {
    const char *pattern; /* "/health/checks/{name}" */
    unsigned methods;    /* GET implies HEAD */
    enum koa_scope scope;
    const char *help; /* for the list at "/" */
    koa_http_handler_fn *handle;
    bool changes;   /* state: loopback only without credentials, never from a foreign origin */
    bool open_part; /* answers without credentials when listed in web.open, showing less */
};

#endif

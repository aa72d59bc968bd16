/* What an endpoint is: a pattern, methods, a scope, and a function that writes a response. */
#ifndef HTTPSERVER_ROUTE_H
#define HTTPSERVER_ROUTE_H

#include <koa/auth.h>
#include <koa/base.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/published.h"

enum koa_http_method {
    KOA_HTTP_GET = 1,
    KOA_HTTP_HEAD = 2,
    KOA_HTTP_POST = 4,
    KOA_HTTP_DELETE = 8
};

struct koa_http_request; /* borrowed during the handler's call */

enum koa_http_method koa_http_request_method(const struct koa_http_request *request);
const char *koa_http_request_path(const struct koa_http_request *request);
/* NULL when absent; the first of several. Not after a suspension. */
const char *koa_http_request_header(const struct koa_http_request *request, const char *name);
/* Decoded query value; NULL when absent. The first of several. */
const char *koa_http_request_query(const struct koa_http_request *request, const char *name);
/* The part of the path that `{name}` of the pattern matched, decoded; "" when there is none. */
const char *koa_http_request_segment(const struct koa_http_request *request, size_t index);
struct koa_str koa_http_request_body(const struct koa_http_request *request);
/* Scopes the caller proved, implied ones included; all of them when no authentication is
 * configured; 0 when the path is open and the caller showed no credentials. */
unsigned koa_http_request_scopes(const struct koa_http_request *request);
const char *koa_http_request_peer(const struct koa_http_request *request);
/* Walks the query's names: index from 0; NULL at the end. */
const char *koa_http_request_query_name(const struct koa_http_request *request, size_t index);

/* Fills at most `size` bytes (never 0); returns how many, 0 at the end, -1 to break off the
 * connection. HTTP thread; must not block. */
typedef int64_t koa_http_read_fn(void *context, char *target, size_t size);

/* Answers a suspended request, once, from any thread. */
struct koa_http_token;

enum { KOA_HTTP_RESPONSE_HEADERS = 4, KOA_HTTP_RESPONSE_HEADER_SIZE = 256 };

/* Filled by the handler; starts as 200 application/json with an empty body. Exactly one of `body`,
 * `shared` and `read` is what the client gets. */
struct koa_http_response {
    int status;
    const char *content_type; /* constant */
    struct koa_buf body;      /* limit 64 MiB; the server takes its memory */
    /* Further headers: constant names, NULL ends them; values are copied. See
     * koa_http_response_header(). */
    const char *header_name[KOA_HTTP_RESPONSE_HEADERS];
    char header_value[KOA_HTTP_RESPONSE_HEADERS][KOA_HTTP_RESPONSE_HEADER_SIZE];
    /* Published bytes instead of a body, sent without a copy: `shared_body` points into `shared`,
     * whose reference the server takes over (also when the answer cannot be sent). */
    struct koa_object *shared;
    struct koa_str shared_body;
    /* A stream instead of a body: chunked, `end` (may be NULL) runs exactly once, on any thread,
     * whether or not anything was read. */
    koa_http_read_fn *read;
    void (*end)(void *context);
    void *stream;
    bool is_verdict; /* a 5xx that is the answer asked for (a health verdict), not our error */
    bool closes;     /* the connection ends after this answer */
    bool suspended;  /* set by koa_http_suspend() */
    /* Set by koa_http_fail(): the object in `body` is still open, for the server to add the time.
     */
    bool is_failure;
    struct koa_json failure;
};

/* A valid response for koa_http_token_finish(); `header_value` is left as it is, for speed. */
void koa_http_response_init(struct koa_http_response *response);
/* Frees whatever it holds, runs `end`, drops `shared`. After koa_http_token_finish() there is
 * nothing left to free. */
void koa_http_response_deinit(struct koa_http_response *response);
/* Adds a header; false when there is no room or the value is too long or holds a control
 * character. `name` is constant. */
bool koa_http_response_header(struct koa_http_response *response, const char *name,
                              const char *value);

/* `{error, message, timestamp}` with `status`. Whatever body or stream the response had is ended,
 * its headers stay. The server adds the time. */
void koa_http_fail(struct koa_http_response *response, int status, const char *error,
                   const char *format, ...) KOA_PRINTF(4, 5);
/* Suspends: the handler returns, and later someone calls koa_http_token_finish(), also before the
 * handler has returned. `request` is not valid any more after the handler: copy what is needed.
 * NULL when suspending is not possible (the server stops, memory is out): the response is then a
 * 503 already. */
KOA_MUST_USE struct koa_http_token *koa_http_suspend(const struct koa_http_request *request,
                                                     struct koa_http_response *response);
/* Any thread, exactly once per token: takes over everything the response holds, whatever comes of
 * it, and resumes. After the server has answered by itself (it stops) it only frees. May be called
 * after koa_http_server_stop(), not after koa_http_server_destroy(). */
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
    bool changes; /* state: loopback only without credentials, never from a foreign origin */
    /* When the pattern is listed in web.open: it shows less without credentials, so credentials
     * that come are looked at (wrong ones are 401). Other open patterns ignore credentials. */
    bool open_part;
};

#endif

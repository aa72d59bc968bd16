/* One HTTP(S) request per call, on the loop, by libcurl: for the service check and the webhook. TLS
 * is verified, redirects are not followed, proxies of the environment are ignored (a check looks at
 * what it names), and each call has a connection of its own (a check sees what a new client sees).
 */
#ifndef HTTPCLIENT_CLIENT_H
#define HTTPCLIENT_CLIENT_H

#include <koa/error.h>

#include "loop/loop.h"
#include "loop/resolver.h"

enum { KOA_HTTP_CALL_LIMIT = 1024 };

struct koa_http_client;
struct koa_http_call;

struct koa_http_answer {
    int status;
    struct koa_str body;
    bool body_is_cut;
    int64_t retry_after_ms; /* from Retry-After (seconds or date), at most a day; -1 when absent */
    double seconds;
    const struct koa_http_call *call; /* for koa_http_answer_header() */
};

/* The value of a header, the last of several; empty when there is none. Valid during `done`. */
struct koa_str koa_http_answer_header(const struct koa_http_answer *answer, const char *name);

/* Loop's thread, exactly once; `answer` NULL: `error` says why, without secrets of the URL. */
typedef void koa_http_answered_fn(void *context, const struct koa_http_answer *answer,
                                  const struct koa_error *error);

struct koa_http_call_opts {
    const char *method;         /* "GET", "POST" */
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value", NULL-ended; may be NULL */
    struct koa_str body;
    int64_t timeout_ms;      /* of the whole call, name look-up included */
    size_t body_limit;       /* of the answer: more is cut, and said so */
    bool refuses_link_local; /* see struct koa_resolver_query */
    /* NULL or "": the system's certificates, no own one, the host of the URL. */
    const char *ca_file, *cert_file, *key_file, *server_name;
    koa_http_answered_fn *done;
    void *context;
};

KOA_MUST_USE enum koa_err koa_http_client_create(struct koa_loop *loop,
                                                 struct koa_resolver *resolver, struct koa_log *log,
                                                 struct koa_http_client **ret_client,
                                                 struct koa_error *reterr);
/* Ends all calls; their `done` runs with KOA_ERR_CANCELLED. May be called from `done`. */
void koa_http_client_destroy(struct koa_http_client *client);
/* For option rows: http or https, a host, a port from 1 to 65535 if any. */
bool koa_http_url_valid(const char *url);
/* Everything is copied. `done` never runs before this has returned. KOA_ERR_INVALID for a URL,
 * method or header that is none, KOA_ERR_LIMIT beyond KOA_HTTP_CALL_LIMIT calls at once. */
KOA_MUST_USE enum koa_err koa_http_client_start(struct koa_http_client *client,
                                                const struct koa_http_call_opts *opts,
                                                struct koa_http_call **ret_call,
                                                struct koa_error *reterr);
/* `done` does not run. NULL is nothing. */
void koa_http_call_cancel(struct koa_http_call *call);

#endif

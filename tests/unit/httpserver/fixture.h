/* A server with a few endpoints, a clock that only the test moves, and metrics; shared by the tests
 * that use real sockets. */
#ifndef TESTS_HTTPSERVER_FIXTURE_H
#define TESTS_HTTPSERVER_FIXTURE_H

#include <pthread.h>

#include "httpserver/server.h"
#include "metrics/registry.h"
#include "unit/httpserver/client.h"

enum { FIXTURE_TOKENS = 1024 };

/* What the handlers share with the test. */
struct fixture {
    struct koa_http_server *server;
    struct koa_metrics *metrics;
    struct koa_loop *loop;
    struct koa_workers *workers;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct koa_http_token *tokens[FIXTURE_TOKENS]; /* of /wait */
    size_t token_count;
    size_t streams_ended; /* of /stream and /endless */
    size_t objects_freed; /* of /shared */
    size_t handled;
};

/* Options with these endpoints:
 * GET /plain     {"ok":true}
 * GET /echo/{a}  the segment, the query value x, the header X-Test, the peer, the scopes, as text
 * POST /body     the body's size as text; `changes`, scope admin
 * GET /verdict   503 that is a verdict; GET /broken 503 that is not
 * GET /shared    a published object's bytes
 * GET /stream?size=N  N bytes "0123456789...", chunked; GET /endless without end; GET /cut breaks
 * off GET /wait      suspends GET /now       suspends and is finished before the handler returns
 * GET /metrics   scope metrics; GET /open  open_part */
struct koa_http_server_opts fixture_opts(struct fixture *fixture);
/* Starts; fails the test when that does not work. */
void fixture_start(struct fixture *fixture, const struct koa_http_server_opts *opts);
void fixture_stop(struct fixture *fixture);
const char *fixture_url(const struct fixture *fixture);

/* The clock of deadlines. */
void fixture_advance_ms(struct fixture *fixture, int64_t duration_ms);
/* Waits until `count` requests are suspended in /wait. */
void fixture_wait_tokens(struct fixture *fixture, size_t count);
/* Finishes the n-th with 200 "late". */
void fixture_finish(struct fixture *fixture, size_t index);
/* Waits until *number (under the mutex) is `count`. */
void fixture_wait_count(struct fixture *fixture, const size_t *number, size_t count);
/* A counter's value, by its labels; 0 when there is none. */
double fixture_counter(struct fixture *fixture, const char *name, const struct koa_labels *labels);

#endif

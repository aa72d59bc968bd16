/* A request and how it ended. */
#ifndef KAFKA_REQUEST_H
#define KAFKA_REQUEST_H

#include <koa/error.h>
#include <koa/time.h>

#include "base/list.h"
#include "kafka/api.h"

struct koa_kafka_request;

/* How a request ended. */
struct koa_kafka_answer {
    const struct koa_error *error; /* NULL: `body` is the response */
    const void *body;              /* struct of the API's response; valid during the call */
    const struct koa_kafka_api *api;
    int16_t version;
    bool was_sent;      /* false: it never reached the wire */
    int64_t elapsed_ms; /* since it was sent */
    int64_t throttle_ms;
    size_t request_bytes, response_bytes;
};

/* Exactly once for each request submitted. May submit other requests, or the same one again. */
typedef void koa_kafka_done_fn(void *context, struct koa_kafka_request *request,
                               const struct koa_kafka_answer *answer);

/* In the asker's memory, like `body`, until `done` has run. */
struct koa_kafka_request {
    int16_t api_key;
    const void *body;         /* struct of the API's request */
    struct koa_mono deadline; /* waiting for the connection included */
    koa_kafka_done_fn *done;
    void *context;

    struct koa_list_node node; /* the connection's own, from here on */
    struct koa_mono sent;
    int32_t correlation_id;
    int16_t version;
    size_t bytes;
};

#endif

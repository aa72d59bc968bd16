/* One broker as we see it across connections: connects when needed, reconnects with growing pauses,
 * hands requests to the connection. Pure but for the transport that its owner gives: time comes in
 * as an argument and through the timer heap. One thread. */
#ifndef KAFKA_BROKER_H
#define KAFKA_BROKER_H

#include "base/log.h"
#include "base/timers.h"
#include "kafka/connection.h"

struct koa_kafka_broker;

/* What the owner does with bytes. None of these may call back before it has returned. */
struct koa_kafka_transport_ops {
    /* Ends with koa_kafka_broker_connected() or koa_kafka_broker_closed(), unless it fails. */
    enum koa_err (*connect)(void *context, const char *host, int port, int64_t deadline_ms,
                            struct koa_error *reterr);
    enum koa_err (*write)(void *context, struct koa_str bytes, struct koa_error *reterr);
    /* Nothing more is told of that connection. Also for one that never came about. */
    void (*disconnect)(void *context);
};

struct koa_kafka_broker_opts {
    const char *owner; /* whose connection this is, before each message: "prod, probe: "; copied;
                          NULL: none */
    const char *name;  /* for messages and labels: the id, or "bootstrap"; copied like host */
    const char *host;
    int port;
    bool keep_connected; /* reconnects by itself; else only when a request waits */
    int64_t connect_timeout_ms;
    const struct koa_kafka_transport_ops *transport;
    void *transport_context;
    struct koa_timers *timers;
    struct koa_kafka_connection_opts connection;
    struct koa_log *log; /* may be NULL */
    /* Optional: a new attempt after a connection was lost or could not be made. */
    void (*reconnecting)(void *context);
    void *context;
};

KOA_MUST_USE enum koa_err koa_kafka_broker_create(const struct koa_kafka_broker_opts *opts,
                                                  struct koa_kafka_broker **ret_broker,
                                                  struct koa_error *reterr);
/* Disconnects; requests end with KOA_ERR_CANCELLED. Not from a request's `done`. NULL is nothing.
 */
void koa_kafka_broker_destroy(struct koa_kafka_broker *broker);

/* Sends, or connects first. `done` may run before this returns. */
void koa_kafka_broker_submit(struct koa_kafka_broker *broker, struct koa_kafka_request *request,
                             struct koa_mono now);
/* Closes the connection if nothing is under way: the next request opens it again. Not from a
 * request's `done`. */
void koa_kafka_broker_rest(struct koa_kafka_broker *broker);
/* Connects, if it is not connected, for requests that are to come. Where that fails it is told by
 * koa_kafka_broker_is_ready() alone. */
void koa_kafka_broker_wake(struct koa_kafka_broker *broker, struct koa_mono now);
/* The handshake is done: a request is sent at once. */
bool koa_kafka_broker_is_ready(const struct koa_kafka_broker *broker);
/* Requests that wait or are on the wire. */
size_t koa_kafka_broker_pending(const struct koa_kafka_broker *broker);
/* The version chosen for an API on the present connection, or -1. */
int16_t koa_kafka_broker_version(const struct koa_kafka_broker *broker, int16_t api_key);

/* From the transport. */
void koa_kafka_broker_connected(struct koa_kafka_broker *broker, struct koa_mono now);
void koa_kafka_broker_received(struct koa_kafka_broker *broker, struct koa_str bytes,
                               struct koa_mono now);
/* There is news of the secrets that koa_kafka_connection_opts names. */
void koa_kafka_broker_resume(struct koa_kafka_broker *broker, struct koa_mono now);
void koa_kafka_broker_closed(struct koa_kafka_broker *broker, const struct koa_error *error,
                             struct koa_mono now);

const char *koa_kafka_broker_host(const struct koa_kafka_broker *broker);
int koa_kafka_broker_port(const struct koa_kafka_broker *broker);

#endif

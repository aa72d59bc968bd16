/* The client's side of one connection, without I/O: eats bytes and time, emits bytes. Framing,
 * correlation, the ApiVersions handshake, negotiation, authentication, deadlines, throttling.
 * Sockets and TLS are outside (broker.h, client.h). One thread. */
#ifndef KAFKA_CONNECTION_H
#define KAFKA_CONNECTION_H

#include <koa/error.h>
#include <koa/time.h>

#include "base/buf.h"
#include "kafka/login.h"
#include "kafka/request.h"

struct koa_kafka_connection;

struct koa_kafka_connection_opts {
    const char *client_id, *software_version; /* borrowed for the connection's life */
    size_t frame_limit;                       /* bytes of the largest response */
    size_t arena_limit;                       /* bytes that one response may decode to */
    size_t in_flight_limit;                   /* requests on the wire at a time */
    size_t waiting_limit;                     /* requests that wait; more fail with KOA_ERR_LIMIT */
    const struct koa_kafka_mechanism *mechanism; /* NULL: no authentication */
    const struct koa_kafka_secrets *secrets;
    void *secrets_context;
    /* Any number of the connection's own (a broker sets it): sessions that began together are
     * renewed apart. */
    uint64_t spread;
    bool is_encrypted; /* for the words about a peer that hangs up */
    /* Optional: sees every request that ends, the handshake's included, before its `done`. */
    void (*observe)(void *context, const struct koa_kafka_answer *answer);
    void *context;
};

KOA_MUST_USE struct koa_kafka_connection *
koa_kafka_connection_create(const struct koa_kafka_connection_opts *opts);
/* Everything must have ended: koa_kafka_connection_close() first. NULL is nothing. */
void koa_kafka_connection_destroy(struct koa_kafka_connection *connection);

/* The transport is connected: starts the handshake, which must end by `deadline`. */
KOA_MUST_USE enum koa_err koa_kafka_connection_open(struct koa_kafka_connection *connection,
                                                    struct koa_mono now, struct koa_mono deadline,
                                                    struct koa_error *reterr);
/* Ends every request with `error`: those that were sent and those that wait. Ready to be opened
 * again. */
void koa_kafka_connection_close(struct koa_kafka_connection *connection,
                                const struct koa_error *error);
/* The handshake and the authentication are done. */
bool koa_kafka_connection_is_ready(const struct koa_kafka_connection *connection);
/* Requests that wait or are on the wire. */
size_t koa_kafka_connection_pending(const struct koa_kafka_connection *connection);
/* The version chosen for an API, or -1: the broker and we have none in common. Once ready. */
int16_t koa_kafka_connection_version(const struct koa_kafka_connection *connection,
                                     int16_t api_key);

/* Sends it now, or keeps it until the handshake is done, the throttling over, a place free. */
void koa_kafka_connection_submit(struct koa_kafka_connection *connection,
                                 struct koa_kafka_request *request, struct koa_mono now);
/* There is news of the secrets. Fails as koa_kafka_connection_receive(). */
KOA_MUST_USE enum koa_err koa_kafka_connection_resume(struct koa_kafka_connection *connection,
                                                      struct koa_mono now,
                                                      struct koa_error *reterr);
/* What a peer that hangs up now most likely means by it; NULL: nothing in particular. Constant. */
const char *koa_kafka_connection_hint(const struct koa_kafka_connection *connection);
/* A failure means that the transport must be closed, and then koa_kafka_connection_close(). A
 * response that cannot be read fails its request only; an impossible length, or a response to
 * another request than is next, fails the connection. `reterr` is not NULL. */
KOA_MUST_USE enum koa_err koa_kafka_connection_receive(struct koa_kafka_connection *connection,
                                                       struct koa_str bytes, struct koa_mono now,
                                                       struct koa_error *reterr);
/* Ends what is due. A request that was sent and got no answer by its deadline fails the whole
 * connection (KOA_ERR_TIMEOUT): a broker answers in order, so nothing behind it would come. */
KOA_MUST_USE enum koa_err koa_kafka_connection_tick(struct koa_kafka_connection *connection,
                                                    struct koa_mono now, struct koa_error *reterr);
/* When koa_kafka_connection_tick() is needed next; false: not at all. */
bool koa_kafka_connection_next(const struct koa_kafka_connection *connection,
                               struct koa_mono *ret_due);
/* Bytes to be written. The owner takes them out (koa_buf_clear()). */
struct koa_buf *koa_kafka_connection_output(struct koa_kafka_connection *connection);

#endif

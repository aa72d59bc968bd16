/* TCP streams on the loop: connect with a deadline over several addresses, read, write with a
 * bounded queue; and a listener. TLS is a layer of the same stream. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "crypto/tls.h"
#include "loop/loop.h"
#include "loop/resolver.h"

struct koa_stream;

/* All run on the loop's thread. `closed` is the last call, exactly once, and only when the peer or
 * an error ended the stream (not after koa_stream_destroy()). The callbacks may destroy the stream.
 */
struct koa_stream_events {
    void (*connected)(void *context);                      /* NULL for accepted streams */
    void (*received)(void *context, struct koa_str bytes); /* borrowed */
    void (*drained)(void *context); /* optional: the write queue is empty again */
    void (*closed)(void *context, const struct koa_error *error);
};

struct koa_stream_opts {
    struct koa_loop *loop;
    const struct koa_stream_events *events;
    void *context;
    size_t write_limit; /* bytes that may wait; 0: 1 MiB */

    struct koa_resolver *resolver; /* of the same loop */
    const char *host;              /* copied */
    int port;
    int64_t deadline_ms;     /* for look-up, connecting and TLS together */
    bool refuses_link_local; /* see struct koa_resolver_query */

    struct koa_tls_client *tls; /* NULL: plaintext; a reference of the stream's own is taken */
    const char *server_name;    /* for the peer's certificate; NULL or "": `host`; copied */
};

/* Resolves and connects, trying each address in turn, within `deadline_ms` for all of it. Ends with
 * `connected` or `closed`, never before this has returned. Errors name host and port. With TLS
 * `connected` comes after the handshake, and a peer that cannot be trusted is KOA_ERR_TLS. */
KOA_MUST_USE enum koa_err koa_stream_connect(const struct koa_stream_opts *opts,
                                             struct koa_stream **ret_stream,
                                             struct koa_error *reterr);
/* Copies what cannot be written at once. KOA_ERR_LIMIT when the queue is full, KOA_ERR_CLOSED;
 * KOA_ERR_STATE before `connected` with TLS. */
KOA_MUST_USE enum koa_err koa_stream_write(struct koa_stream *stream, struct koa_str bytes,
                                           struct koa_error *reterr);
size_t koa_stream_queued(const struct koa_stream *stream);
/* Stops and goes on reading: back-pressure on the peer. What TLS has deciphered already still
 * comes. */
void koa_stream_pause(struct koa_stream *stream, bool pause);
/* Peer's address: "127.0.0.1:9092". Borrowed. */
const char *koa_stream_peer(const struct koa_stream *stream);
/* Closes at once; no callback runs any more. NULL is nothing. */
void koa_stream_destroy(struct koa_stream *stream);

struct koa_listener;

/* Ownership of the accepted stream passes: set its events with koa_stream_serve() before returning.
 */
typedef void koa_accepted_fn(void *context, struct koa_stream *stream);

struct koa_listener_opts {
    struct koa_loop *loop;
    const char *host; /* numeric: "127.0.0.1", "::", "0.0.0.0" */
    int port;         /* 0: any free one */
    koa_accepted_fn *accepted;
    void *context;
    int backlog;        /* connections the kernel may hold; 0: 128 */
    size_t write_limit; /* of accepted streams; 0: 1 MiB */
};

KOA_MUST_USE enum koa_err koa_listener_create(const struct koa_listener_opts *opts,
                                              struct koa_listener **ret_listener,
                                              struct koa_error *reterr);
void koa_stream_serve(struct koa_stream *stream, const struct koa_stream_events *events,
                      void *context);
/* The port that was bound (when 0 was asked for). */
int koa_listener_port(const struct koa_listener *listener);
void koa_listener_destroy(struct koa_listener *listener);

#endif

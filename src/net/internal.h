/* What the files of this room share about a stream. */
#ifndef NET_INTERNAL_H
#define NET_INTERNAL_H

#include "base/buf.h"
#include "loop/watch.h"
#include "net/stream.h"

enum {
    KOA_STREAM_READ_SIZE = 32768,
    KOA_STREAM_NAME_SIZE = 320, /* host, port and address */
};

enum koa_stream_state {
    KOA_STREAM_RESOLVING,
    KOA_STREAM_CONNECTING,
    KOA_STREAM_SECURING, /* the TLS handshake */
    KOA_STREAM_OPEN,
    KOA_STREAM_FAILING,
    KOA_STREAM_CLOSED
};

struct koa_stream {
    struct koa_loop *loop;
    struct koa_resolver *resolver;
    const struct koa_stream_events *events;
    void *context;
    enum koa_stream_state state;
    int descriptor; /* -1: none */
    struct koa_watch *watch;
    size_t write_limit;
    struct koa_buf queue; /* of what goes on the wire: with TLS somewhat more than was written */
    bool is_paused;
    bool is_in_use; /* a frame below a callback goes on: memory goes after it */
    bool is_gone;

    char *host; /* NULL: accepted */
    int port;
    struct koa_tls_client *tls; /* NULL: plaintext */
    char *server_name;          /* that TLS is about */
    struct koa_tls_session *session;
    struct koa_mono deadline;
    struct koa_timer timer; /* the end of this attempt */
    struct koa_resolution *resolution;
    struct koa_address addresses[KOA_RESOLVER_ADDRESSES];
    size_t count;
    size_t next;              /* address to try */
    struct koa_error failure; /* of the last attempt, or to deliver */
    char peer[KOA_ADDRESS_TEXT_SIZE];
};

/* "kafka-1:9092 (10.0.0.1)", or the address alone when that is what was named. */
void koa_stream_describe(const struct koa_stream *stream, char name[KOA_STREAM_NAME_SIZE]);
/* "TLS with NAME: ..." around `error`. */
void koa_stream_name_tls_error(const struct koa_stream *stream, struct koa_error *error);
void koa_stream_close_socket(struct koa_stream *stream);
/* The owner's last call; it may destroy the stream. */
void koa_stream_end(struct koa_stream *stream, const struct koa_error *error);
KOA_MUST_USE enum koa_err koa_stream_watch_what_is_needed(struct koa_stream *stream,
                                                          struct koa_error *reterr);
KOA_MUST_USE enum koa_err koa_stream_watch_socket(struct koa_stream *stream,
                                                  struct koa_error *reterr);
/* Writes what the socket takes now. */
KOA_MUST_USE enum koa_err koa_stream_flush(struct koa_stream *stream, struct koa_error *reterr);
/* Hands over what the TLS session has deciphered. False when the stream has ended or gone. */
KOA_MUST_USE bool koa_stream_deliver(struct koa_stream *stream);

/* The addresses are known: tries them in turn. */
void koa_stream_try_next(struct koa_stream *stream);
/* The socket is ready while the stream is not open yet. */
void koa_stream_go_on_connecting(struct koa_stream *stream, unsigned events);

/* Adopts `descriptor`, a connected non-blocking socket. Reads nothing before koa_stream_serve(). */
KOA_MUST_USE enum koa_err koa_stream_accept(struct koa_loop *loop, int descriptor,
                                            size_t write_limit, struct koa_stream **ret_stream,
                                            struct koa_error *reterr);

#endif

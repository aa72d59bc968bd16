/* How a connection comes about: one address after the other, and the TLS handshake, all within one
 * deadline. */
#include <errno.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "crypto/tls.h"
#include "net/internal.h"

static void connected(struct koa_stream *stream)
{
    struct koa_error error;

    koa_timers_disarm(koa_loop_timers(stream->loop), &stream->timer);
    stream->state = KOA_STREAM_OPEN;
    if (koa_stream_watch_what_is_needed(stream, &error) != KOA_OK) {
        koa_stream_end(stream, &error);
        return;
    }
    stream->events->connected(stream->context);
}

/* What TLS said of one address tells more than that another one refuses connections. */
static void note_failure(struct koa_stream *stream, const struct koa_error *error)
{
    if (stream->failure.code != KOA_ERR_TLS || error->code == KOA_ERR_TLS)
        stream->failure = *error;
    stream->failure.retriable = true;
}

static void attempt_failed(struct koa_stream *stream, const struct koa_error *error)
{
    note_failure(stream, error);
    koa_stream_close_socket(stream);
    if (stream->tls != NULL)
        koa_buf_clear(&stream->queue); /* of the handshake that failed */
    koa_stream_try_next(stream);
}

static void connect_failed(struct koa_stream *stream, int error_number)
{
    char name[KOA_STREAM_NAME_SIZE];
    struct koa_error error;

    koa_stream_describe(stream, name);
    (void) koa_fail_errno(&error, KOA_ERR_IO, error_number, "cannot connect to %s", name);
    attempt_failed(stream, &error);
}

static void on_attempt_late(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_stream *stream = KOA_CONTAINER_OF(timer, struct koa_stream, timer);
    char name[KOA_STREAM_NAME_SIZE];
    struct koa_error error;

    (void) now;
    koa_stream_describe(stream, name);
    (void) koa_fail(&error, KOA_ERR_TIMEOUT, "cannot connect to %s: no answer%s in time", name,
                    stream->state == KOA_STREAM_SECURING ? " to the TLS handshake" : "");
    attempt_failed(stream, &error);
}

/* 0 or an errno. */
static int open_socket(struct koa_stream *stream, const struct koa_address *address)
{
    stream->descriptor =
        socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (stream->descriptor < 0)
        return errno;
    if (koa_stream_watch_socket(stream, NULL) != KOA_OK)
        return ENOMEM;
    if (connect(stream->descriptor, &address->socket.any, address->size) != 0 &&
        errno != EINPROGRESS)
        return errno;
    return koa_stream_watch_what_is_needed(stream, NULL) == KOA_OK ? 0 : ENOMEM;
}

/* Each address gets its share of what is left, so that one that swallows packets does not eat the
 * time of the others. */
void koa_stream_try_next(struct koa_stream *stream)
{
    for (;;) {
        int64_t left_ms = koa_mono_diff_ms(stream->deadline, koa_loop_now(stream->loop));
        size_t left = stream->count - stream->next;
        char name[KOA_STREAM_NAME_SIZE];
        struct koa_error error;
        int number;

        if (left == 0 || left_ms <= 0) {
            koa_stream_end(stream, &stream->failure);
            return;
        }
        koa_address_format(&stream->addresses[stream->next], stream->peer, sizeof(stream->peer));
        stream->next++;
        stream->state = KOA_STREAM_CONNECTING;
        if (!koa_loop_after(stream->loop, &stream->timer, left_ms / (int64_t) left,
                            on_attempt_late)) {
            (void) !koa_require_memory(NULL, &stream->failure);
            koa_stream_end(stream, &stream->failure);
            return;
        }
        number = open_socket(stream, &stream->addresses[stream->next - 1]);
        if (number == 0)
            return;
        koa_stream_describe(stream, name);
        (void) koa_fail_errno(&error, KOA_ERR_IO, number, "cannot connect to %s", name);
        note_failure(stream, &error);
        koa_stream_close_socket(stream);
    }
}

/* ---- the TLS handshake */

static void tls_failed(struct koa_stream *stream, struct koa_error *error)
{
    /* The alert, for the peer's log. */
    if (stream->session != NULL)
        koa_tls_session_take_output(stream->session, &stream->queue);
    (void) !koa_stream_flush(stream, NULL);
    koa_stream_name_tls_error(stream, error);
    attempt_failed(stream, error);
}

/* Sends what the handshake wants sent, then waits for the peer. */
static enum koa_err send_handshake(struct koa_stream *stream, struct koa_error *reterr)
{
    enum koa_err err;

    koa_tls_session_take_output(stream->session, &stream->queue);
    err = koa_buf_status(&stream->queue, "bytes of a TLS handshake", reterr);
    if (err == KOA_OK)
        err = koa_stream_flush(stream, reterr);
    if (err == KOA_OK)
        err = koa_stream_watch_what_is_needed(stream, reterr);
    return err;
}

static void secure(struct koa_stream *stream)
{
    struct koa_error error;
    enum koa_err err;

    stream->state = KOA_STREAM_SECURING;
    err = koa_tls_session_create(stream->tls, stream->server_name, &stream->session, &error);
    if (err == KOA_OK)
        err = send_handshake(stream, &error);
    if (err != KOA_OK)
        tls_failed(stream, &error);
}

/* Something was read: 0 is the end. */
static enum koa_err take_handshake(struct koa_stream *stream, struct koa_str bytes,
                                   struct koa_error *reterr)
{
    enum koa_err err;

    if (bytes.size == 0) {
        return koa_fail(reterr, KOA_ERR_TLS,
                        "the peer closed the connection during the handshake: is this a plaintext "
                        "listener?");
    }
    err = koa_tls_session_feed(stream->session, bytes, reterr);
    if (err == KOA_OK)
        err = koa_tls_session_handshake(stream->session, reterr);
    if (err == KOA_OK)
        err = send_handshake(stream, reterr);
    return err;
}

static void read_handshake(struct koa_stream *stream)
{
    char data[KOA_STREAM_READ_SIZE];
    ssize_t size = recv(stream->descriptor, data, sizeof(data), MSG_DONTWAIT);
    struct koa_str bytes = {.data = data, .size = size > 0 ? (size_t) size : 0};
    struct koa_error error;

    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size < 0 && errno != ECONNRESET) {
        connect_failed(stream, errno);
    } else if (take_handshake(stream, bytes, &error) != KOA_OK) {
        tls_failed(stream, &error);
    } else if (koa_tls_session_is_ready(stream->session)) {
        connected(stream);
        /* A peer may speak right behind its handshake. */
        if (!stream->is_gone && stream->state == KOA_STREAM_OPEN)
            (void) !koa_stream_deliver(stream);
    }
}

static void go_on_securing(struct koa_stream *stream, unsigned events)
{
    struct koa_error error;

    if (events & KOA_WATCH_READ) {
        read_handshake(stream);
    } else if (send_handshake(stream, &error) != KOA_OK) {
        tls_failed(stream, &error);
    }
}

void koa_stream_go_on_connecting(struct koa_stream *stream, unsigned events)
{
    int number = 0;
    socklen_t size = sizeof(number);

    stream->is_in_use = true;
    if (stream->state == KOA_STREAM_SECURING) {
        go_on_securing(stream, events);
    } else if (getsockopt(stream->descriptor, SOL_SOCKET, SO_ERROR, &number, &size) != 0) {
        connect_failed(stream, errno);
    } else if (number != 0) {
        connect_failed(stream, number);
    } else if (stream->tls != NULL) {
        secure(stream);
    } else {
        connected(stream);
    }
    stream->is_in_use = false;
    if (stream->is_gone)
        koa_free(stream);
}

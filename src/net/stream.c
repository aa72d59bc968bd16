/* TCP streams: reading, and a bounded queue of what is to be written, through TLS where it was
 * asked for. How a connection comes about is connect.c's matter, what the bytes mean the owner's.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/str.h"
#include "crypto/tls.h"
#include "net/internal.h"

enum {
    DEFAULT_WRITE_LIMIT = 1024 * 1024,
    READS_PER_TURN = 4, /* a peer that floods leaves the loop its time */
    /* TLS adds at most 1/64 (22 bytes to a record of up to 16 KiB, and records are whole writes of
     * ours or full), and its own handshake. */
    TLS_SHARE = 64,
    TLS_EXTRA = 64 * 1024,
    TLS_RECORD_SIZE = 16384,
};

/* ---- texts */

void koa_stream_describe(const struct koa_stream *stream, char name[KOA_STREAM_NAME_SIZE])
{
    char address[KOA_ADDRESS_TEXT_SIZE] = "";

    if (stream->host == NULL) {
        (void) koa_str_copy(name, KOA_STREAM_NAME_SIZE, koa_str_from(stream->peer));
        return;
    }
    if (stream->next > 0)
        koa_address_format_host(&stream->addresses[stream->next - 1], address, sizeof(address));
    if (address[0] == '\0' || strcmp(address, stream->host) == 0) {
        (void) snprintf(name, KOA_STREAM_NAME_SIZE, "%s:%d", stream->host, stream->port);
    } else {
        (void) snprintf(name, KOA_STREAM_NAME_SIZE, "%s:%d (%s)", stream->host, stream->port,
                        address);
    }
}

static enum koa_err fail_retriable(struct koa_error *reterr, enum koa_err err)
{
    if (reterr != NULL)
        reterr->retriable = true;
    return err;
}

static enum koa_err fail_lost(const struct koa_stream *stream, int error_number,
                              struct koa_error *reterr)
{
    char name[KOA_STREAM_NAME_SIZE];

    koa_stream_describe(stream, name);
    return fail_retriable(reterr, koa_fail_errno(reterr, KOA_ERR_CLOSED, error_number,
                                                 "lost the connection to %s", name));
}

/* ---- closing */

void koa_stream_close_socket(struct koa_stream *stream)
{
    koa_watch_destroy(stream->watch);
    stream->watch = NULL;
    koa_tls_session_destroy(KOA_MOVE(stream->session));
    if (stream->descriptor >= 0)
        (void) close(stream->descriptor);
    stream->descriptor = -1;
}

void koa_stream_end(struct koa_stream *stream, const struct koa_error *error)
{
    struct koa_error copy = *error;

    koa_timers_disarm(koa_loop_timers(stream->loop), &stream->timer);
    koa_stream_close_socket(stream);
    stream->state = KOA_STREAM_CLOSED;
    if (stream->events != NULL)
        stream->events->closed(stream->context, &copy);
}

/* For failures inside a call of the owner: `closed` comes in the next turn, because a socket that
 * is shut down is ready at once. */
static void fail_later(struct koa_stream *stream, const struct koa_error *error)
{
    stream->state = KOA_STREAM_FAILING;
    stream->failure = *error;
    (void) shutdown(stream->descriptor, SHUT_RDWR);
    (void) !koa_watch_set(stream->watch, KOA_WATCH_READ | KOA_WATCH_WRITE, NULL);
}

enum koa_err koa_stream_watch_what_is_needed(struct koa_stream *stream, struct koa_error *reterr)
{
    unsigned events = 0;

    if (stream->state == KOA_STREAM_CONNECTING || stream->queue.size > 0)
        events |= KOA_WATCH_WRITE;
    if (stream->state == KOA_STREAM_SECURING ||
        (stream->state == KOA_STREAM_OPEN && !stream->is_paused && stream->events != NULL))
        events |= KOA_WATCH_READ;
    return koa_watch_set(stream->watch, events, reterr);
}

static void watch_or_end(struct koa_stream *stream)
{
    struct koa_error error;

    if (koa_stream_watch_what_is_needed(stream, &error) != KOA_OK)
        koa_stream_end(stream, &error);
}

/* ---- reading and writing */

void koa_stream_name_tls_error(const struct koa_stream *stream, struct koa_error *error)
{
    char name[KOA_STREAM_NAME_SIZE];

    koa_stream_describe(stream, name);
    (void) koa_fail(error, error->code, "TLS with %s: %s", name, error->text);
}

/* A peer that refuses what TLS brought says why and closes; writing to it fails before that was
 * read. Reading then finds the reason, or the end. */
static bool may_have_said_why(const struct koa_stream *stream, int error_number)
{
    return stream->session != NULL && (error_number == EPIPE || error_number == ECONNRESET);
}

enum koa_err koa_stream_flush(struct koa_stream *stream, struct koa_error *reterr)
{
    while (stream->queue.size > 0) {
        ssize_t written = send(stream->descriptor, stream->queue.data, stream->queue.size,
                               MSG_NOSIGNAL | MSG_DONTWAIT);

        if (written > 0) {
            koa_buf_consume(&stream->queue, (size_t) written);
        } else if (errno == EAGAIN) {
            return KOA_OK;
        } else if (may_have_said_why(stream, errno)) {
            koa_buf_clear(&stream->queue);
        } else if (errno != EINTR) {
            return fail_lost(stream, errno, reterr);
        }
    }
    return KOA_OK;
}

static void end_tls(struct koa_stream *stream, struct koa_error *error)
{
    char name[KOA_STREAM_NAME_SIZE];

    if (error->code == KOA_ERR_CLOSED) {
        koa_stream_describe(stream, name);
        (void) fail_retriable(error,
                              koa_fail(error, KOA_ERR_CLOSED, "%s closed the connection", name));
    } else {
        koa_stream_name_tls_error(stream, error);
    }
    koa_stream_end(stream, error);
}

bool koa_stream_deliver(struct koa_stream *stream)
{
    char data[TLS_RECORD_SIZE];
    struct koa_error error;
    size_t size;

    do {
        if (koa_tls_session_read(stream->session, data, sizeof(data), &size, &error) != KOA_OK) {
            end_tls(stream, &error);
            return false;
        }
        if (size > 0) {
            stream->events->received(stream->context, (struct koa_str){.data = data, .size = size});
            if (stream->is_gone || stream->state != KOA_STREAM_OPEN)
                return false;
        }
    } while (size > 0);
    return true;
}

/* False when the stream has ended or gone. */
static bool take(struct koa_stream *stream, struct koa_str bytes)
{
    struct koa_error error;

    if (stream->session == NULL) {
        /* Reading is watched only when there are events. */
        stream->events->received(stream->context, bytes);
        return !stream->is_gone && stream->state == KOA_STREAM_OPEN;
    }
    if (koa_tls_session_feed(stream->session, bytes, &error) == KOA_OK)
        return koa_stream_deliver(stream);
    end_tls(stream, &error);
    return false;
}

/* False when the stream has ended or gone. */
static bool read_once(struct koa_stream *stream, bool *ret_more)
{
    char data[KOA_STREAM_READ_SIZE];
    ssize_t size = recv(stream->descriptor, data, sizeof(data), MSG_DONTWAIT);
    struct koa_error error;
    char name[KOA_STREAM_NAME_SIZE];

    *ret_more = size == (ssize_t) sizeof(data);
    if (size > 0)
        return take(stream, (struct koa_str){.data = data, .size = (size_t) size});
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (size < 0) {
        (void) fail_lost(stream, errno, &error);
    } else {
        koa_stream_describe(stream, name);
        (void) fail_retriable(&error,
                              koa_fail(&error, KOA_ERR_CLOSED, "%s closed the connection", name));
    }
    koa_stream_end(stream, &error);
    return false;
}

static void read_some(struct koa_stream *stream)
{
    bool more = true;

    for (int i = 0; i < READS_PER_TURN && more && !stream->is_paused; i++) {
        if (!read_once(stream, &more))
            return;
    }
    watch_or_end(stream);
}

/* False when the stream has ended or gone. */
static bool write_queued(struct koa_stream *stream)
{
    bool had_queue = stream->queue.size > 0;
    struct koa_error error;

    if (koa_stream_flush(stream, &error) != KOA_OK) {
        koa_stream_end(stream, &error);
        return false;
    }
    if (had_queue && stream->queue.size == 0 && stream->events != NULL &&
        stream->events->drained != NULL)
        stream->events->drained(stream->context);
    return !stream->is_gone && stream->state == KOA_STREAM_OPEN;
}

static void on_open_ready(struct koa_stream *stream, unsigned events)
{
    stream->is_in_use = true;
    if (!(events & KOA_WATCH_WRITE) || write_queued(stream)) {
        if (events & KOA_WATCH_READ) {
            read_some(stream);
        } else {
            watch_or_end(stream);
        }
    }
    stream->is_in_use = false;
    if (stream->is_gone)
        koa_free(stream);
}

/* Puts `bytes` behind those that wait, enciphered where TLS is spoken. */
static enum koa_err enqueue(struct koa_stream *stream, struct koa_str bytes,
                            struct koa_error *reterr)
{
    if (stream->tls != NULL && stream->state != KOA_STREAM_OPEN) {
        return koa_fail(reterr, KOA_ERR_STATE, "the TLS handshake with %s is not done yet",
                        stream->host);
    }
    if (stream->session != NULL) {
        enum koa_err err = koa_tls_session_write(stream->session, bytes, reterr);

        if (err != KOA_OK)
            return err;
        koa_tls_session_take_output(stream->session, &stream->queue);
    } else {
        koa_buf_append(&stream->queue, bytes.data, bytes.size);
    }
    if (stream->queue.failed) {
        stream->queue.failed = false;
        return koa_require_memory(NULL, reterr);
    }
    return KOA_OK;
}

enum koa_err koa_stream_write(struct koa_stream *stream, struct koa_str bytes,
                              struct koa_error *reterr)
{
    char name[KOA_STREAM_NAME_SIZE];
    enum koa_err err;

    koa_stream_describe(stream, name);
    if (stream->state == KOA_STREAM_CLOSED || stream->state == KOA_STREAM_FAILING)
        return koa_fail(reterr, KOA_ERR_CLOSED, "the connection to %s has ended", name);
    if (stream->queue.size > stream->write_limit ||
        bytes.size > stream->write_limit - stream->queue.size) {
        return fail_retriable(reterr, koa_fail(reterr, KOA_ERR_LIMIT,
                                               "%s does not read: %zu bytes wait to be written",
                                               name, stream->queue.size));
    }
    err = enqueue(stream, bytes, reterr);
    if (err != KOA_OK || stream->state != KOA_STREAM_OPEN)
        return err;
    err = koa_stream_flush(stream, &stream->failure);
    if (err == KOA_OK)
        err = koa_stream_watch_what_is_needed(stream, &stream->failure);
    if (err != KOA_OK) {
        fail_later(stream, &stream->failure);
        if (reterr != NULL)
            *reterr = stream->failure;
    }
    return err;
}

size_t koa_stream_queued(const struct koa_stream *stream)
{
    return stream->queue.size;
}

void koa_stream_pause(struct koa_stream *stream, bool pause)
{
    struct koa_error error;

    stream->is_paused = pause;
    if (stream->state == KOA_STREAM_OPEN &&
        koa_stream_watch_what_is_needed(stream, &error) != KOA_OK)
        fail_later(stream, &error);
}

/* ---- life */

static void on_ready(void *context, unsigned events)
{
    struct koa_stream *stream = context;

    if (stream->state == KOA_STREAM_OPEN) {
        on_open_ready(stream, events);
    } else if (stream->state == KOA_STREAM_FAILING) {
        koa_stream_end(stream, &stream->failure);
    } else {
        koa_stream_go_on_connecting(stream, events);
    }
}

enum koa_err koa_stream_watch_socket(struct koa_stream *stream, struct koa_error *reterr)
{
    struct koa_watch_opts opts = {
        .descriptor = stream->descriptor, .ready = on_ready, .context = stream};
    int on = 1;

    /* Requests are whole when they are written: waiting for more to send only adds latency. */
    (void) setsockopt(stream->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return koa_watch_create(stream->loop, &opts, &stream->watch, reterr);
}

static void on_resolved(void *context, const struct koa_address *addresses, size_t count,
                        const struct koa_error *error)
{
    struct koa_stream *stream = context;

    stream->resolution = NULL;
    if (addresses == NULL) {
        koa_stream_end(stream, error);
        return;
    }
    memcpy(stream->addresses, addresses, count * sizeof(*addresses));
    stream->count = count;
    (void) koa_fail(&stream->failure, KOA_ERR_TIMEOUT,
                    "cannot connect to %s:%d: resolving the name took all the time", stream->host,
                    stream->port);
    koa_stream_try_next(stream);
}

static struct koa_stream *make_stream(struct koa_loop *loop, size_t write_limit)
{
    struct koa_stream *stream = koa_calloc(1, sizeof(*stream));

    if (stream == NULL)
        return NULL;
    stream->loop = loop;
    stream->descriptor = -1;
    stream->write_limit = write_limit != 0 ? write_limit : DEFAULT_WRITE_LIMIT;
    stream->queue.limit = stream->write_limit;
    return stream;
}

static enum koa_err take_tls(struct koa_stream *stream, const struct koa_stream_opts *opts,
                             struct koa_error *reterr)
{
    bool is_named = opts->server_name != NULL && opts->server_name[0] != '\0';

    stream->tls = koa_tls_client_ref(opts->tls);
    stream->queue.limit += stream->write_limit / TLS_SHARE + TLS_EXTRA;
    stream->server_name = koa_strdup(is_named ? opts->server_name : opts->host);
    return koa_require_memory(stream->server_name, reterr);
}

enum koa_err koa_stream_connect(const struct koa_stream_opts *opts, struct koa_stream **ret_stream,
                                struct koa_error *reterr)
{
    struct koa_stream *stream = make_stream(opts->loop, opts->write_limit);
    enum koa_err err = koa_require_memory(stream, reterr);
    struct koa_resolver_query query = {
        .host = opts->host,
        .port = opts->port,
        .deadline_ms = opts->deadline_ms,
        .refuses_link_local = opts->refuses_link_local,
        .done = on_resolved,
        .context = stream,
    };

    if (err != KOA_OK)
        return err;
    KOA_ASSERT(koa_loop_is_here(opts->loop));
    stream->events = opts->events;
    stream->context = opts->context;
    stream->port = opts->port;
    stream->deadline = koa_mono_add_ms(koa_loop_now(opts->loop), opts->deadline_ms);
    stream->host = koa_strdup(opts->host);
    err = koa_require_memory(stream->host, reterr);
    if (err == KOA_OK && opts->tls != NULL)
        err = take_tls(stream, opts, reterr);
    if (err == KOA_OK)
        err = koa_resolver_start(opts->resolver, &query, &stream->resolution, reterr);
    if (err == KOA_OK)
        *ret_stream = KOA_MOVE(stream);
    koa_stream_destroy(stream);
    return err;
}

enum koa_err koa_stream_accept(struct koa_loop *loop, int descriptor, size_t write_limit,
                               struct koa_stream **ret_stream, struct koa_error *reterr)
{
    struct koa_stream *stream = make_stream(loop, write_limit);
    enum koa_err err = koa_require_memory(stream, reterr);
    struct koa_address address = {.size = sizeof(address.socket)};

    if (err != KOA_OK) {
        (void) close(descriptor);
        return err;
    }
    stream->descriptor = descriptor;
    stream->state = KOA_STREAM_OPEN;
    if (getpeername(descriptor, &address.socket.any, &address.size) == 0)
        koa_address_format(&address, stream->peer, sizeof(stream->peer));
    err = koa_stream_watch_socket(stream, reterr);
    if (err == KOA_OK)
        *ret_stream = KOA_MOVE(stream);
    koa_stream_destroy(stream);
    return err;
}

void koa_stream_serve(struct koa_stream *stream, const struct koa_stream_events *events,
                      void *context)
{
    struct koa_error error;

    stream->events = events;
    stream->context = context;
    if (koa_stream_watch_what_is_needed(stream, &error) != KOA_OK)
        fail_later(stream, &error);
}

const char *koa_stream_peer(const struct koa_stream *stream)
{
    return stream->peer;
}

/* So that the peer does not take the end for an attack; what does not fit is left out. */
static void say_goodbye(struct koa_stream *stream)
{
    if (stream->session == NULL || stream->state != KOA_STREAM_OPEN || stream->queue.size > 0)
        return;
    koa_tls_session_close(stream->session);
    koa_tls_session_take_output(stream->session, &stream->queue);
    (void) !koa_stream_flush(stream, NULL);
}

void koa_stream_destroy(struct koa_stream *stream)
{
    if (stream == NULL)
        return;
    say_goodbye(stream);
    koa_resolution_cancel(stream->resolution);
    koa_timers_disarm(koa_loop_timers(stream->loop), &stream->timer);
    koa_stream_close_socket(stream);
    koa_buf_deinit(&stream->queue);
    koa_free(stream->host);
    stream->host = NULL;
    koa_free(KOA_MOVE(stream->server_name));
    koa_tls_client_unref(KOA_MOVE(stream->tls));
    stream->is_gone = true;
    if (!stream->is_in_use)
        koa_free(stream);
}

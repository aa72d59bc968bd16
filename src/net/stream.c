/* TCP streams: look-up, connecting to one address after the other, reading, and a bounded queue of
 * what is to be written. What the bytes mean is the owner's business. */
#include "net/stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/str.h"
#include "loop/watch.h"
#include "net/accepted.h"

enum {
    DEFAULT_WRITE_LIMIT = 1024 * 1024,
    READ_SIZE = 32768,
    READS_PER_TURN = 4, /* a peer that floods leaves the loop its time */
    NAME_SIZE = 320,    /* host, port and address */
};

enum stream_state {
    STREAM_RESOLVING,
    STREAM_CONNECTING,
    STREAM_OPEN,
    STREAM_FAILING,
    STREAM_CLOSED
};

struct koa_stream {
    struct koa_loop *loop;
    struct koa_resolver *resolver;
    const struct koa_stream_events *events;
    void *context;
    enum stream_state state;
    int descriptor; /* -1: none */
    struct koa_watch *watch;
    struct koa_buf queue;
    bool is_paused;
    bool is_in_use; /* a frame below a callback goes on: memory goes after it */
    bool is_gone;

    char *host; /* NULL: accepted */
    int port;
    struct koa_mono deadline;
    struct koa_timer timer; /* the end of this attempt */
    struct koa_resolution *resolution;
    struct koa_address addresses[KOA_RESOLVER_ADDRESSES];
    size_t count;
    size_t next;              /* address to try */
    struct koa_error failure; /* of the last attempt, or to deliver */
    char peer[KOA_ADDRESS_TEXT_SIZE];
};

/* ---- texts */

/* "kafka-1:9092 (10.0.0.1)", or the address alone when that is what was named. */
static void describe(const struct koa_stream *stream, char name[NAME_SIZE])
{
    char address[KOA_ADDRESS_TEXT_SIZE] = "";

    if (stream->host == NULL) {
        (void) koa_str_copy(name, NAME_SIZE, koa_str_from(stream->peer));
        return;
    }
    if (stream->next > 0)
        koa_address_format_host(&stream->addresses[stream->next - 1], address, sizeof(address));
    if (address[0] == '\0' || strcmp(address, stream->host) == 0) {
        (void) snprintf(name, NAME_SIZE, "%s:%d", stream->host, stream->port);
    } else {
        (void) snprintf(name, NAME_SIZE, "%s:%d (%s)", stream->host, stream->port, address);
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
    char name[NAME_SIZE];

    describe(stream, name);
    return fail_retriable(reterr, koa_fail_errno(reterr, KOA_ERR_CLOSED, error_number,
                                                 "lost the connection to %s", name));
}

/* ---- closing */

static void close_socket(struct koa_stream *stream)
{
    koa_watch_destroy(stream->watch);
    stream->watch = NULL;
    if (stream->descriptor >= 0)
        (void) close(stream->descriptor);
    stream->descriptor = -1;
}

/* The owner's last call; it may destroy the stream. */
static void end(struct koa_stream *stream, const struct koa_error *error)
{
    struct koa_error copy = *error;

    koa_timers_disarm(koa_loop_timers(stream->loop), &stream->timer);
    close_socket(stream);
    stream->state = STREAM_CLOSED;
    if (stream->events != NULL)
        stream->events->closed(stream->context, &copy);
}

/* For failures inside a call of the owner: `closed` comes in the next turn, because a socket that
 * is shut down is ready at once. */
static void fail_later(struct koa_stream *stream, const struct koa_error *error)
{
    stream->state = STREAM_FAILING;
    stream->failure = *error;
    (void) shutdown(stream->descriptor, SHUT_RDWR);
    (void) !koa_watch_set(stream->watch, KOA_WATCH_READ | KOA_WATCH_WRITE, NULL);
}

static enum koa_err watch_what_is_needed(struct koa_stream *stream, struct koa_error *reterr)
{
    unsigned events = 0;

    if (stream->state == STREAM_CONNECTING || stream->queue.size > 0)
        events |= KOA_WATCH_WRITE;
    if (stream->state == STREAM_OPEN && !stream->is_paused && stream->events != NULL)
        events |= KOA_WATCH_READ;
    return koa_watch_set(stream->watch, events, reterr);
}

static void watch_or_end(struct koa_stream *stream)
{
    struct koa_error error;

    if (watch_what_is_needed(stream, &error) != KOA_OK)
        end(stream, &error);
}

/* ---- reading and writing */

/* Writes what the socket takes now. */
static enum koa_err flush(struct koa_stream *stream, struct koa_error *reterr)
{
    while (stream->queue.size > 0) {
        ssize_t written = send(stream->descriptor, stream->queue.data, stream->queue.size,
                               MSG_NOSIGNAL | MSG_DONTWAIT);

        if (written > 0) {
            koa_buf_consume(&stream->queue, (size_t) written);
        } else if (errno == EAGAIN) {
            return KOA_OK;
        } else if (errno != EINTR) {
            return fail_lost(stream, errno, reterr);
        }
    }
    return KOA_OK;
}

/* False when the stream has ended or gone. */
static bool read_once(struct koa_stream *stream, bool *ret_more)
{
    char data[READ_SIZE];
    ssize_t size = recv(stream->descriptor, data, sizeof(data), MSG_DONTWAIT);
    struct koa_error error;
    char name[NAME_SIZE];

    *ret_more = size == (ssize_t) sizeof(data);
    if (size > 0) {
        /* Reading is watched only when there are events. */
        stream->events->received(stream->context,
                                 (struct koa_str){.data = data, .size = (size_t) size});
        return !stream->is_gone && stream->state == STREAM_OPEN;
    }
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (size < 0) {
        (void) fail_lost(stream, errno, &error);
    } else {
        describe(stream, name);
        (void) fail_retriable(&error,
                              koa_fail(&error, KOA_ERR_CLOSED, "%s closed the connection", name));
    }
    end(stream, &error);
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

    if (flush(stream, &error) != KOA_OK) {
        end(stream, &error);
        return false;
    }
    if (had_queue && stream->queue.size == 0 && stream->events != NULL &&
        stream->events->drained != NULL)
        stream->events->drained(stream->context);
    return !stream->is_gone && stream->state == STREAM_OPEN;
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

enum koa_err koa_stream_write(struct koa_stream *stream, struct koa_str bytes,
                              struct koa_error *reterr)
{
    char name[NAME_SIZE];
    enum koa_err err;

    describe(stream, name);
    if (stream->state == STREAM_CLOSED || stream->state == STREAM_FAILING)
        return koa_fail(reterr, KOA_ERR_CLOSED, "the connection to %s has ended", name);
    if (bytes.size > stream->queue.limit - stream->queue.size) {
        return fail_retriable(reterr, koa_fail(reterr, KOA_ERR_LIMIT,
                                               "%s does not read: %zu bytes wait to be written",
                                               name, stream->queue.size));
    }
    koa_buf_append(&stream->queue, bytes.data, bytes.size);
    if (stream->queue.failed) {
        stream->queue.failed = false;
        return koa_require_memory(NULL, reterr);
    }
    if (stream->state != STREAM_OPEN)
        return KOA_OK;
    err = flush(stream, &stream->failure);
    if (err == KOA_OK)
        err = watch_what_is_needed(stream, &stream->failure);
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
    if (stream->state == STREAM_OPEN && watch_what_is_needed(stream, &error) != KOA_OK)
        fail_later(stream, &error);
}

/* ---- connecting */

static void try_next(struct koa_stream *stream);

static void connected(struct koa_stream *stream)
{
    struct koa_error error;

    koa_timers_disarm(koa_loop_timers(stream->loop), &stream->timer);
    stream->state = STREAM_OPEN;
    if (watch_what_is_needed(stream, &error) != KOA_OK) {
        end(stream, &error);
        return;
    }
    stream->events->connected(stream->context);
}

static void attempt_failed(struct koa_stream *stream, int error_number)
{
    char name[NAME_SIZE];

    describe(stream, name);
    if (error_number == ETIMEDOUT) {
        (void) koa_fail(&stream->failure, KOA_ERR_TIMEOUT,
                        "cannot connect to %s: no answer in time", name);
    } else {
        (void) koa_fail_errno(&stream->failure, KOA_ERR_IO, error_number, "cannot connect to %s",
                              name);
    }
    stream->failure.retriable = true;
    close_socket(stream);
    try_next(stream);
}

static void on_attempt_late(struct koa_timer *timer, struct koa_mono now)
{
    (void) now;
    attempt_failed(KOA_CONTAINER_OF(timer, struct koa_stream, timer), ETIMEDOUT);
}

static void on_ready(void *context, unsigned events)
{
    struct koa_stream *stream = context;
    int error = 0;
    socklen_t size = sizeof(error);

    if (stream->state == STREAM_OPEN) {
        on_open_ready(stream, events);
        return;
    }
    if (stream->state == STREAM_FAILING) {
        end(stream, &stream->failure);
        return;
    }
    if (getsockopt(stream->descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error == 0) {
        connected(stream);
    } else {
        attempt_failed(stream, error);
    }
}

static enum koa_err watch_socket(struct koa_stream *stream, struct koa_error *reterr)
{
    struct koa_watch_opts opts = {
        .descriptor = stream->descriptor, .ready = on_ready, .context = stream};
    int on = 1;

    /* Requests are whole when they are written: waiting for more to send only adds latency. */
    (void) setsockopt(stream->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return koa_watch_create(stream->loop, &opts, &stream->watch, reterr);
}

/* 0 or an errno. */
static int open_socket(struct koa_stream *stream, const struct koa_address *address)
{
    stream->descriptor =
        socket(address->socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (stream->descriptor < 0)
        return errno;
    if (watch_socket(stream, NULL) != KOA_OK)
        return ENOMEM;
    if (connect(stream->descriptor, &address->socket.any, address->size) != 0 &&
        errno != EINPROGRESS)
        return errno;
    return watch_what_is_needed(stream, NULL) == KOA_OK ? 0 : ENOMEM;
}

/* Each address gets its share of what is left, so that one that swallows packets does not eat the
 * time of the others. */
static void try_next(struct koa_stream *stream)
{
    for (;;) {
        int64_t left_ms = koa_mono_diff_ms(stream->deadline, koa_loop_now(stream->loop));
        size_t left = stream->count - stream->next;
        char name[NAME_SIZE];
        int error;

        if (left == 0 || left_ms <= 0) {
            end(stream, &stream->failure);
            return;
        }
        koa_address_format(&stream->addresses[stream->next], stream->peer, sizeof(stream->peer));
        stream->next++;
        stream->state = STREAM_CONNECTING;
        if (!koa_loop_after(stream->loop, &stream->timer, left_ms / (int64_t) left,
                            on_attempt_late)) {
            (void) !koa_require_memory(NULL, &stream->failure);
            end(stream, &stream->failure);
            return;
        }
        error = open_socket(stream, &stream->addresses[stream->next - 1]);
        if (error == 0)
            return;
        describe(stream, name);
        (void) koa_fail_errno(&stream->failure, KOA_ERR_IO, error, "cannot connect to %s", name);
        stream->failure.retriable = true;
        close_socket(stream);
    }
}

static void on_resolved(void *context, const struct koa_address *addresses, size_t count,
                        const struct koa_error *error)
{
    struct koa_stream *stream = context;

    stream->resolution = NULL;
    if (addresses == NULL) {
        end(stream, error);
        return;
    }
    memcpy(stream->addresses, addresses, count * sizeof(*addresses));
    stream->count = count;
    (void) koa_fail(&stream->failure, KOA_ERR_TIMEOUT,
                    "cannot connect to %s:%d: resolving the name took all the time", stream->host,
                    stream->port);
    try_next(stream);
}

/* ---- life */

static struct koa_stream *make_stream(struct koa_loop *loop, size_t write_limit)
{
    struct koa_stream *stream = koa_calloc(1, sizeof(*stream));

    if (stream == NULL)
        return NULL;
    stream->loop = loop;
    stream->descriptor = -1;
    stream->queue.limit = write_limit != 0 ? write_limit : DEFAULT_WRITE_LIMIT;
    return stream;
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
    stream->state = STREAM_OPEN;
    if (getpeername(descriptor, &address.socket.any, &address.size) == 0)
        koa_address_format(&address, stream->peer, sizeof(stream->peer));
    err = watch_socket(stream, reterr);
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
    if (watch_what_is_needed(stream, &error) != KOA_OK)
        fail_later(stream, &error);
}

const char *koa_stream_peer(const struct koa_stream *stream)
{
    return stream->peer;
}

void koa_stream_destroy(struct koa_stream *stream)
{
    if (stream == NULL)
        return;
    koa_resolution_cancel(stream->resolution);
    koa_timers_disarm(koa_loop_timers(stream->loop), &stream->timer);
    close_socket(stream);
    koa_buf_deinit(&stream->queue);
    koa_free(stream->host);
    stream->host = NULL;
    stream->is_gone = true;
    if (!stream->is_in_use)
        koa_free(stream);
}

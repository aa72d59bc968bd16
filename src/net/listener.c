/* Accepts TCP connections and hands each over as a stream. How many its owner serves is the owner's
 * decision: it destroys the ones it does not want. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"
#include "loop/watch.h"
#include "net/internal.h"
#include "net/stream.h"

enum {
    DEFAULT_BACKLOG = 128,
    ACCEPTS_PER_TURN = 16,
    REST_MS = 100, /* out of descriptors: the kernel's queue waits, the loop does not spin */
};

struct koa_listener {
    struct koa_loop *loop;
    int descriptor; /* -1: none */
    int port;
    struct koa_watch *watch;
    struct koa_timer rest;
    koa_accepted_fn *accepted;
    void *context;
    size_t write_limit;
    bool is_accepting; /* a callback runs: memory goes after it */
    bool is_gone;
};

static void on_rested(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_listener *listener = KOA_CONTAINER_OF(timer, struct koa_listener, rest);

    (void) now;
    (void) !koa_watch_set(listener->watch, KOA_WATCH_READ, NULL);
}

static void rest(struct koa_listener *listener)
{
    if (koa_loop_after(listener->loop, &listener->rest, REST_MS, on_rested))
        (void) !koa_watch_set(listener->watch, 0, NULL);
}

static bool accept_one(struct koa_listener *listener)
{
    struct koa_stream *stream = NULL;
    int descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (descriptor < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            rest(listener);
        return errno == ECONNABORTED || errno == EINTR;
    }
    if (koa_stream_accept(listener->loop, descriptor, listener->write_limit, &stream, NULL) ==
        KOA_OK)
        listener->accepted(listener->context, stream);
    return true;
}

static void on_ready(void *context, unsigned events)
{
    struct koa_listener *listener = context;

    (void) events;
    listener->is_accepting = true;
    for (int i = 0; i < ACCEPTS_PER_TURN && accept_one(listener) && !listener->is_gone; i++)
        continue;
    listener->is_accepting = false;
    if (listener->is_gone)
        koa_free(listener);
}

static enum koa_err open_socket(struct koa_listener *listener, const struct koa_listener_opts *opts,
                                struct koa_error *reterr)
{
    struct koa_address address;
    struct koa_address bound = {.size = sizeof(bound.socket)};
    int on = 1;

    if (!koa_address_parse(opts->host, opts->port, &address)) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "cannot listen on '%s': a numeric address is needed, such as 127.0.0.1",
                        opts->host);
    }
    listener->descriptor =
        socket(address.socket.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->descriptor < 0 ||
        setsockopt(listener->descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(listener->descriptor, &address.socket.any, address.size) != 0 ||
        listen(listener->descriptor, opts->backlog != 0 ? opts->backlog : DEFAULT_BACKLOG) != 0 ||
        getsockname(listener->descriptor, &bound.socket.any, &bound.size) != 0) {
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot listen on %s, port %d", opts->host,
                              opts->port);
    }
    listener->port = koa_address_port(&bound);
    return KOA_OK;
}

static enum koa_err watch_socket(struct koa_listener *listener, struct koa_error *reterr)
{
    struct koa_watch_opts opts = {
        .descriptor = listener->descriptor, .ready = on_ready, .context = listener};
    enum koa_err err = koa_watch_create(listener->loop, &opts, &listener->watch, reterr);

    return err == KOA_OK ? koa_watch_set(listener->watch, KOA_WATCH_READ, reterr) : err;
}

enum koa_err koa_listener_create(const struct koa_listener_opts *opts,
                                 struct koa_listener **ret_listener, struct koa_error *reterr)
{
    struct koa_listener *listener = koa_calloc(1, sizeof(*listener));
    enum koa_err err = koa_require_memory(listener, reterr);

    if (err != KOA_OK)
        return err;
    listener->loop = opts->loop;
    listener->descriptor = -1;
    listener->accepted = opts->accepted;
    listener->context = opts->context;
    listener->write_limit = opts->write_limit;
    err = open_socket(listener, opts, reterr);
    if (err == KOA_OK)
        err = watch_socket(listener, reterr);
    if (err == KOA_OK)
        *ret_listener = KOA_MOVE(listener);
    koa_listener_destroy(listener);
    return err;
}

int koa_listener_port(const struct koa_listener *listener)
{
    return listener->port;
}

void koa_listener_destroy(struct koa_listener *listener)
{
    if (listener == NULL)
        return;
    koa_timers_disarm(koa_loop_timers(listener->loop), &listener->rest);
    koa_watch_destroy(listener->watch);
    if (listener->descriptor >= 0)
        (void) close(listener->descriptor);
    listener->is_gone = true;
    if (!listener->is_accepting)
        koa_free(listener);
}

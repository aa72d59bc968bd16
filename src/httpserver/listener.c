/* Owns the listening socket. Accepting here instead of in the library lets limits hold across
 * generations, tell why they refuse, and keep the socket when a generation is replaced. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "httpserver/internal.h"

enum {
    BACKLOG = 1024,
    ACCEPTS_A_TURN = 64,          /* then deadlines are looked at again */
    SWEEP_PERIOD_MS = 250,        /* a deadline is met this exactly, at worst */
    NO_DESCRIPTOR_PAUSE_MS = 100, /* a waiting connection we have no descriptor for */
    TLS_PERIOD_MS = 2000          /* between two looks at the certificate files */
};

static enum koa_err bind_one(const struct addrinfo *info, const char *name, int *ret_descriptor,
                             struct koa_error *reterr)
{
    int on = 1;
    int descriptor =
        socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

    if (descriptor < 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot open a socket for %s", name);
    /* A restart must not wait for connections of the previous run to be forgotten. */
    (void) setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(descriptor, info->ai_addr, info->ai_addrlen) != 0 ||
        listen(descriptor, BACKLOG) != 0) {
        enum koa_err err = koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot listen on %s", name);

        (void) close(descriptor);
        return err;
    }
    *ret_descriptor = descriptor;
    return KOA_OK;
}

static enum koa_err bind_host(const char *host, int port, int *ret_descriptor,
                              struct koa_error *reterr)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *infos = NULL;
    char service[12];
    char name[300];
    enum koa_err err = KOA_ERR_IO;
    int code;

    (void) snprintf(service, sizeof(service), "%d", port);
    (void) snprintf(name, sizeof(name), strchr(host, ':') != NULL ? "[%.255s]:%d" : "%.255s:%d",
                    host, port);
    code = getaddrinfo(host, service, &hints, &infos);
    if (code != 0)
        return koa_fail(reterr, KOA_ERR_IO, "cannot listen on %s: %s", name, gai_strerror(code));
    for (const struct addrinfo *info = infos; info != NULL && err != KOA_OK; info = info->ai_next)
        err = bind_one(info, name, ret_descriptor, reterr);
    freeaddrinfo(infos);
    return err;
}

/* Where a client on this machine reaches us: a wildcard address is no place to connect to. */
static void set_urls(struct koa_http_server *server)
{
    static const char *const schemes[] = {"http", "https"};
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    char host[INET6_ADDRSTRLEN + 20] = "127.0.0.1"; /* and a scope */
    char port[12] = "0";

    (void) getsockname(server->listener, (struct sockaddr *) &address, &size);
    (void) getnameinfo((struct sockaddr *) &address, size, host, sizeof(host), port, sizeof(port),
                       NI_NUMERICHOST | NI_NUMERICSERV);
    if (strcmp(host, "0.0.0.0") == 0)
        (void) strcpy(host, "127.0.0.1");
    else if (strcmp(host, "::") == 0)
        (void) strcpy(host, "::1");
    for (size_t i = 0; i < KOA_ARRAY_COUNT(schemes); i++)
        (void) snprintf(server->urls[i], sizeof(server->urls[i]),
                        address.ss_family == AF_INET6 ? "%s://[%s]:%s" : "%s://%s:%s", schemes[i],
                        host, port);
}

enum koa_err koa_http_listener_open(struct koa_http_server *server, struct koa_error *reterr)
{
    const char *host = server->opts.host;
    enum koa_err err;

    server->waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->waker < 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot make an eventfd");
    err = bind_host(host != NULL && host[0] != '\0' ? host : "0.0.0.0", server->opts.port,
                    &server->listener, reterr);
    if (err == KOA_OK)
        set_urls(server);
    return err;
}

static void hand_over(struct koa_http_server *server, int descriptor,
                      const struct sockaddr_storage *address, socklen_t size)
{
    struct koa_http_connection *connection = koa_http_connection_add(server, descriptor, address);

    if (connection == NULL) {
        (void) close(descriptor);
        return;
    }
    /* Closes the descriptor when it fails, before it has told anybody of the connection. */
    if (MHD_add_connection(connection->generation->daemon, descriptor,
                           (const struct sockaddr *) address, size) != MHD_YES)
        koa_http_connection_drop(connection);
}

/* False when the process has no descriptor left. */
static bool accept_all(struct koa_http_server *server)
{
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage address = {0};
        socklen_t size = sizeof(address);
        int descriptor = accept4(server->listener, (struct sockaddr *) &address, &size,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (descriptor >= 0) {
            hand_over(server, descriptor, &address, size);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            koa_http_telemetry_rejected(server->telemetry, "descriptors");
            koa_log_warn(server->opts.log, "http.accept",
                         "a connection waits because the process has no descriptor or memory "
                         "left; trying again");
            return false;
        }
        if (errno == EAGAIN)
            return true;
        /* Others (ECONNABORTED, EPROTO, ...) concern the one connection only. */
    }
    return true;
}

static void turn(struct koa_http_server *server, bool *accepts)
{
    struct pollfd polled[] = {{.fd = server->waker, .events = POLLIN},
                              {.fd = *accepts ? server->listener : -1, .events = POLLIN}};
    uint64_t count;
    struct koa_mono now;

    (void) poll(polled, KOA_ARRAY_COUNT(polled),
                *accepts ? SWEEP_PERIOD_MS : NO_DESCRIPTOR_PAUSE_MS);
    if ((polled[0].revents & POLLIN) != 0)
        (void) !read(server->waker, &count, sizeof(count));
    if (atomic_load(&server->quiesced) && server->listener >= 0) {
        (void) close(server->listener);
        server->listener = -1;
    }
    *accepts = true;
    if (server->listener >= 0)
        *accepts = accept_all(server);
    now = server->opts.mono();
    koa_http_connections_sweep(server, now);
    koa_http_generations_reap(server, now, false);
    if (atomic_load(&server->quiesced) ||
        (!atomic_exchange(&server->looks, false) &&
         koa_mono_diff_ms(now, server->tls_looked) < TLS_PERIOD_MS))
        return;
    server->tls_looked = now;
    koa_http_tls_look(server);
}

void *koa_http_listener_run(void *context)
{
    struct koa_http_server *server = context;
    bool accepts = true;

    while (!atomic_load(&server->stops))
        turn(server, &accepts);
    return NULL;
}

/* Owns the listening socket. Accepting here instead of in the library lets limits hold across
 * generations, tell why they refuse, and keep the socket when a generation is replaced. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/str.h"
#include "httpserver/internal.h"

enum {
    BACKLOG = 1024,
    ACCEPTS_A_TURN = 64,          /* then deadlines are looked at again */
    SWEEP_PERIOD_MS = 250,        /* a deadline is met this exactly, at worst */
    NO_DESCRIPTOR_PAUSE_MS = 100, /* a waiting connection we have no descriptor for */
    TLS_PERIOD_MS = 2000          /* between two looks at the certificate files */
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage storage;
};

/* Addresses only: a listener must not depend on a name server. */
static bool parse_address(const char *host, int port, union address *address, socklen_t *ret_size)
{
    *address = (union address){.storage = {0}};
    if (koa_text_equal_nocase(host, "localhost"))
        host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((uint16_t) port);
        *ret_size = sizeof(address->v4);
        return true;
    }
    if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t) port);
        *ret_size = sizeof(address->v6);
        return true;
    }
    return false;
}

const char *koa_http_host_validate(const char *host)
{
    union address address;
    socklen_t size;

    return parse_address(host, 0, &address, &size)
               ? NULL
               : "an IP address of this machine (0.0.0.0 or :: for all of them) or localhost";
}

static enum koa_err bind_host(struct koa_http_server *server, const char *host,
                              struct koa_error *reterr)
{
    int on = 1;
    char name[300];
    union address address;
    socklen_t size;

    if (!parse_address(host, server->opts.port, &address, &size)) {
        return koa_fail(reterr, KOA_ERR_INVALID, "cannot listen on '%s': it must be %s", host,
                        koa_http_host_validate(host));
    }
    (void) snprintf(name, sizeof(name), strchr(host, ':') != NULL ? "[%.255s]:%d" : "%.255s:%d",
                    host, server->opts.port);
    server->listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->listener < 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot open a socket for %s", name);
    /* A restart must not wait for connections of the previous run to be forgotten. */
    (void) setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(server->listener, &address.any, size) != 0 || listen(server->listener, BACKLOG) != 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot listen on %s", name);
    return KOA_OK;
}

static void print_host(const union address *address, char host[INET6_ADDRSTRLEN])
{
    if (address->any.sa_family == AF_INET6) {
        (void) inet_ntop(AF_INET6, &address->v6.sin6_addr, host, INET6_ADDRSTRLEN);
    } else {
        (void) inet_ntop(AF_INET, &address->v4.sin_addr, host, INET6_ADDRSTRLEN);
    }
}

/* Where we listen, and where a client on this machine reaches us: a wildcard address is no place to
 * connect to. */
static void set_addresses(struct koa_http_server *server)
{
    static const char *const schemes[] = {"http", "https"};
    union address address = {.storage = {0}};
    socklen_t size = sizeof(address);
    char host[INET6_ADDRSTRLEN] = "";
    bool is_v6;
    int port;

    (void) getsockname(server->listener, &address.any, &size);
    is_v6 = address.any.sa_family == AF_INET6;
    port = ntohs(is_v6 ? address.v6.sin6_port : address.v4.sin_port);
    print_host(&address, host);
    (void) snprintf(server->address, sizeof(server->address), is_v6 ? "[%s]:%d" : "%s:%d", host,
                    port);
    if (is_v6 && IN6_IS_ADDR_UNSPECIFIED(&address.v6.sin6_addr)) {
        address.v6.sin6_addr = in6addr_loopback;
    } else if (!is_v6 && address.v4.sin_addr.s_addr == htonl(INADDR_ANY)) {
        address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    print_host(&address, host);
    for (size_t i = 0; i < KOA_ARRAY_COUNT(schemes); i++) {
        (void) snprintf(server->urls[i], sizeof(server->urls[i]),
                        is_v6 ? "%s://[%s]:%d" : "%s://%s:%d", schemes[i], host, port);
    }
}

enum koa_err koa_http_listener_open(struct koa_http_server *server, struct koa_error *reterr)
{
    const char *host = server->opts.host;
    enum koa_err err;

    server->waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->waker < 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot make an eventfd");
    err = koa_http_gate_create(server, &server->gate, reterr);
    if (err == KOA_OK)
        err = bind_host(server, host != NULL && host[0] != '\0' ? host : "0.0.0.0", reterr);
    if (err == KOA_OK)
        set_addresses(server);
    return err;
}

static void hand_over(struct koa_http_server *server, int descriptor,
                      const struct sockaddr_storage *address, socklen_t size)
{
    struct koa_http_connection *connection = koa_http_connection_add(server, descriptor, address);

    if (connection == NULL) {
        (void) close(descriptor);
    } else {
        koa_http_gate_enter(server->gate, connection, address, size);
    }
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
                              {.fd = *accepts ? server->listener : -1, .events = POLLIN},
                              {.fd = koa_http_gate_descriptor(server->gate), .events = POLLIN}};
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
    koa_http_gate_turn(server->gate, now);
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

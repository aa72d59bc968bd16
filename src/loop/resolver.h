/* Host names to addresses: getaddrinfo on workers (keyed by name), answers cached. A slow resolver
 * never stops the loop. */
#ifndef LOOP_RESOLVER_H
#define LOOP_RESOLVER_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "loop/worker.h"

struct koa_resolver;
struct koa_resolution;

enum { KOA_RESOLVER_ADDRESSES = 16 };

struct koa_address {
    socklen_t size;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } socket;
};

/* Loop's thread, later, exactly once; `addresses` NULL: `error` says why. */
typedef void koa_resolved_fn(void *context, const struct koa_address *addresses, size_t count,
                             const struct koa_error *error);

struct koa_resolver_query {
    const char *host; /* a name, or a numeric address with or without brackets; copied */
    int port;         /* put into the addresses */
    int64_t deadline_ms;
    /* Link-local and cloud metadata addresses (loop/address_guard.h) are left out; when there is no
     * other, the error says so. */
    bool refuses_link_local;
    koa_resolved_fn *done;
    void *context;
};

/* NULL when memory is out. Belongs to the thread of `loop`. */
KOA_MUST_USE struct koa_resolver *koa_resolver_create(struct koa_workers *workers,
                                                      struct koa_loop *loop);
/* Resolutions must have ended or been cancelled. Not from a callback of its own. NULL is nothing.
 */
void koa_resolver_destroy(struct koa_resolver *resolver);
/* A numeric address is answered without a worker, but still later. Answers are kept 30 s, and a
 * failed look-up answers with the last good addresses for up to 10 minutes. */
KOA_MUST_USE enum koa_err koa_resolver_start(struct koa_resolver *resolver,
                                             const struct koa_resolver_query *query,
                                             struct koa_resolution **ret_resolution,
                                             struct koa_error *reterr);
/* `done` does not run. */
void koa_resolution_cancel(struct koa_resolution *resolution);

enum { KOA_ADDRESS_TEXT_SIZE = 80 };

/* "127.0.0.1:9092" or "[::1]:9092"; cut to fit. */
void koa_address_format(const struct koa_address *address, char *text, size_t size);
/* "127.0.0.1" or "::1". */
void koa_address_format_host(const struct koa_address *address, char *text, size_t size);
/* False when `host` is not numeric: "127.0.0.1", "::1", "[::1]", "fe80::1%eth0". */
bool koa_address_parse(const char *host, int port, struct koa_address *ret_address);
struct koa_address koa_address_from(const struct sockaddr *socket, socklen_t size, int port);
void koa_address_set_port(struct koa_address *address, int port);
int koa_address_port(const struct koa_address *address);

#endif

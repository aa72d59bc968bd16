/* A PostgreSQL URL taken apart: what to connect to, without asking any name server. */
#ifndef BUILTIN_CHECKS_PG_TARGET_H
#define BUILTIN_CHECKS_PG_TARGET_H

#include <libpq-fe.h>

#include <koa/error.h>

#include "base/buf.h"

enum { KOA_PG_HOSTS = 8, KOA_PG_HOST_SIZE = 256, KOA_PG_ADDRESS_SIZE = 64 };

struct koa_pg_host {
    char name[KOA_PG_HOST_SIZE];
    char address[KOA_PG_ADDRESS_SIZE]; /* "" for a socket's directory */
    char port[16];                     /* "" is libpq's default */
    bool needs_lookup;                 /* `name` is that of a machine, and no address was given */
};

struct koa_pg_target {
    PQconninfoOption *options;
    size_t host_count; /* 0: libpq's default, a socket in its directory */
    struct koa_pg_host hosts[KOA_PG_HOSTS];
};

/* Reads `url` and libpq's environment, and registers the password for redaction. Errors tell
 * nothing of the URL but the part that is wrong. */
KOA_MUST_USE enum koa_err koa_pg_target_create(const char *url, struct koa_pg_target **ret_target,
                                               struct koa_error *reterr);
void koa_pg_target_destroy(struct koa_pg_target *target);

/* Lists with an entry per address to try, as libpq takes them: "a,a,b", "10.0.0.1,10.0.0.2,".
 * Zeroed with limits is empty. */
struct koa_pg_route {
    struct koa_buf hosts, addresses, ports;
    size_t count;
};
void koa_pg_route_add(struct koa_pg_route *route, const struct koa_pg_host *host,
                      const char *address);

/* Begins to connect; never blocks on names. NULL when memory is out. The caller finishes it. */
KOA_MUST_USE PGconn *koa_pg_target_connect(const struct koa_pg_target *target,
                                           const struct koa_pg_route *route);

#endif

/* From a path and a method to a row of the route table. Pure. */
#ifndef HTTPSERVER_ROUTER_H
#define HTTPSERVER_ROUTER_H

#include <koa/error.h>

#include "httpserver/route.h"
#include "httpserver/target.h"

struct koa_http_router;

/* What a path leads to. */
struct koa_http_match {
    const struct koa_http_route *route; /* NULL: no such path, or not this method */
    const char *pattern;                /* also when only the method is wrong; NULL: no such path */
    size_t index;                       /* of the row whose pattern that is */
    unsigned allowed;                   /* methods of that pattern, HEAD with GET */
    const char *segments[KOA_HTTP_PATH_SEGMENTS]; /* what the {names} matched */
    size_t segment_count;
};

/* `routes` are borrowed. KOA_ERR_INVALID names a pattern that is malformed or stands there twice
 * with one method. */
KOA_MUST_USE enum koa_err koa_http_router_create(const struct koa_http_route *routes, size_t count,
                                                 struct koa_http_router **ret_router,
                                                 struct koa_error *reterr);
void koa_http_router_destroy(struct koa_http_router *router);
KOA_DEFINE_AUTO(koa_http_router, koa_http_router_destroy)

/* Exact, apart from {names}, which take one segment that is not empty. Where two patterns fit, the
 * one with fewer {names} wins. `method` 0: one we do not know. */
void koa_http_router_find(const struct koa_http_router *router,
                          const struct koa_http_target *target, unsigned method,
                          struct koa_http_match *ret_match);

/* "GET, HEAD" for the Allow header. */
enum { KOA_HTTP_ALLOW_SIZE = 32 };
void koa_http_allow_format(unsigned allowed, char text[KOA_HTTP_ALLOW_SIZE]);
/* The bit of "GET" and so on; 0 for a method no route can have. */
unsigned koa_http_method_parse(const char *name);
const char *koa_http_method_name(unsigned method);

#endif

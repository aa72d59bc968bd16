/* The request's target, taken apart: path segments and query pairs, decoded. Pure. */
#ifndef HTTPSERVER_TARGET_H
#define HTTPSERVER_TARGET_H

#include <koa/base.h>

enum {
    KOA_HTTP_PATH_SEGMENTS = 8, /* our longest pattern has five; a longer path is not found */
    KOA_HTTP_QUERY_PAIRS = 32   /* our richest endpoint takes six */
};

struct koa_http_query {
    const char *name;
    const char *value; /* "" when there is no '=' */
};

/* Everything points into the memory given to koa_http_target_parse(). */
struct koa_http_target {
    const char *path;                             /* as sent, without the query */
    const char *segments[KOA_HTTP_PATH_SEGMENTS]; /* decoded; "/a//b" has an empty one, "/" none */
    size_t segment_count;                         /* KOA_HTTP_PATH_SEGMENTS + 1: more than fit */
    struct koa_http_query query[KOA_HTTP_QUERY_PAIRS];
    size_t query_count;
};

enum koa_http_target_fault {
    KOA_HTTP_TARGET_OK,
    KOA_HTTP_TARGET_NOT_A_PATH,    /* neither "/..." nor "http://host/..." */
    KOA_HTTP_TARGET_CHARACTER,     /* a blank or control character, or a byte that is not ASCII */
    KOA_HTTP_TARGET_ESCAPE,        /* '%' without two hexadecimal digits */
    KOA_HTTP_TARGET_NUL,           /* %00 */
    KOA_HTTP_TARGET_TOO_MANY_PAIRS /* in the query */
};

/* Bytes of memory that koa_http_target_parse() needs for a target of `size` bytes. */
#define KOA_HTTP_TARGET_MEMORY(size) (2 * (size) + 4)

/* `memory` has KOA_HTTP_TARGET_MEMORY(raw.size) bytes and lives as long as `target`. After a fault
 * only `path` is set; it is then safe to print. */
enum koa_http_target_fault koa_http_target_parse(struct koa_str raw, char *memory,
                                                 struct koa_http_target *target);

/* The first value of `name`; NULL when absent. */
const char *koa_http_target_find(const struct koa_http_target *target, const char *name);

#endif

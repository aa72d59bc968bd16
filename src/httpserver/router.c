/* Compares a path's segments with each pattern's. Tables are a few dozen rows, so a plain walk with
 * the segment count looked at first beats anything clever. */
#include "httpserver/router.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"

struct pattern {
    struct koa_str segments[KOA_HTTP_PATH_SEGMENTS];
    bool is_name[KOA_HTTP_PATH_SEGMENTS];
    size_t count;
    size_t names;
};

struct koa_http_router {
    const struct koa_http_route *routes;
    struct pattern *patterns; /* one a route */
    size_t count;
};

static const struct {
    const char *name;
    unsigned method;
} methods[] = {
    {"GET", KOA_HTTP_GET},
    {"HEAD", KOA_HTTP_HEAD},
    {"POST", KOA_HTTP_POST},
    {"DELETE", KOA_HTTP_DELETE},
};

unsigned koa_http_method_parse(const char *name)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(methods); i++) {
        if (strcmp(name, methods[i].name) == 0)
            return methods[i].method;
    }
    return 0;
}

const char *koa_http_method_name(unsigned method)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(methods); i++) {
        if (method == methods[i].method)
            return methods[i].name;
    }
    return "other";
}

void koa_http_allow_format(unsigned allowed, char text[KOA_HTTP_ALLOW_SIZE])
{
    size_t size = 0;

    text[0] = '\0';
    for (size_t i = 0; i < KOA_ARRAY_COUNT(methods); i++) {
        if ((allowed & methods[i].method) == 0)
            continue;
        if (size > 0)
            (void) koa_str_copy(text + size, KOA_HTTP_ALLOW_SIZE - size, KOA_STR(", "));
        size = strlen(text);
        (void) koa_str_copy(text + size, KOA_HTTP_ALLOW_SIZE - size, koa_str_from(methods[i].name));
        size = strlen(text);
    }
}

static unsigned with_head(unsigned allowed)
{
    return (allowed & KOA_HTTP_GET) != 0 ? allowed | KOA_HTTP_HEAD : allowed;
}

static bool parse_pattern(const char *text, struct pattern *pattern)
{
    struct koa_str rest;

    if (text == NULL || text[0] != '/')
        return false;
    rest = koa_str_from(text + 1);
    while (rest.data != NULL && text[1] != '\0') {
        struct koa_str segment = koa_str_split(rest, '/', &rest);
        bool opens = segment.size > 0 && segment.data[0] == '{';
        bool closes = segment.size > 0 && segment.data[segment.size - 1] == '}';

        if (segment.size == 0 || opens != closes || (opens && segment.size < 3) ||
            pattern->count == KOA_HTTP_PATH_SEGMENTS)
            return false;
        pattern->segments[pattern->count] = segment;
        pattern->is_name[pattern->count] = opens;
        pattern->names += opens;
        pattern->count++;
    }
    return true;
}

static bool is_repeated(const struct koa_http_route *routes, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcmp(routes[i].pattern, routes[index].pattern) == 0 &&
            (with_head(routes[i].methods) & with_head(routes[index].methods)) != 0)
            return true;
    }
    return false;
}

enum koa_err koa_http_router_create(const struct koa_http_route *routes, size_t count,
                                    struct koa_http_router **ret_router, struct koa_error *reterr)
{
    KOA_AUTO(koa_http_router) *router = koa_calloc(1, sizeof(*router));

    if (router == NULL)
        return koa_require_memory(router, reterr);
    router->routes = routes;
    router->count = count;
    router->patterns = koa_calloc(count > 0 ? count : 1, sizeof(*router->patterns));
    if (router->patterns == NULL)
        return koa_require_memory(router->patterns, reterr);
    for (size_t i = 0; i < count; i++) {
        if (!parse_pattern(routes[i].pattern, &router->patterns[i])) {
            return koa_fail(reterr, KOA_ERR_INVALID, "route pattern '%s' is malformed",
                            routes[i].pattern != NULL ? routes[i].pattern : "(null)");
        }
        if (is_repeated(routes, i)) {
            return koa_fail(reterr, KOA_ERR_INVALID,
                            "route pattern '%s' stands there twice with one method",
                            routes[i].pattern);
        }
    }
    *ret_router = KOA_MOVE(router);
    return KOA_OK;
}

void koa_http_router_destroy(struct koa_http_router *router)
{
    if (router == NULL)
        return;
    koa_free(router->patterns);
    koa_free(router);
}

static bool fits(const struct pattern *pattern, const struct koa_http_target *target)
{
    if (pattern->count != target->segment_count)
        return false;
    for (size_t i = 0; i < pattern->count; i++) {
        if (pattern->is_name[i] ? target->segments[i][0] == '\0'
                                : !koa_str_equal_text(pattern->segments[i], target->segments[i]))
            return false;
    }
    return true;
}

void koa_http_router_find(const struct koa_http_router *router,
                          const struct koa_http_target *target, unsigned method,
                          struct koa_http_match *ret_match)
{
    const struct pattern *best = NULL;

    ret_match->route = NULL;
    ret_match->pattern = NULL;
    ret_match->index = 0;
    ret_match->allowed = 0;
    ret_match->segment_count = 0;
    for (size_t i = 0; i < router->count; i++) {
        const struct pattern *pattern = &router->patterns[i];
        const struct koa_http_route *route = &router->routes[i];

        if ((best != NULL && pattern->names > best->names) || !fits(pattern, target))
            continue;
        if (best == NULL || pattern->names < best->names) {
            best = pattern;
            ret_match->route = NULL;
            ret_match->pattern = route->pattern;
            ret_match->index = i;
            ret_match->allowed = 0;
        }
        ret_match->allowed |= with_head(route->methods);
        if ((with_head(route->methods) & method) != 0 && ret_match->route == NULL) {
            ret_match->route = route;
            ret_match->index = i;
        }
    }
    for (size_t i = 0; best != NULL && i < best->count; i++) {
        if (best->is_name[i])
            ret_match->segments[ret_match->segment_count++] = target->segments[i];
    }
}

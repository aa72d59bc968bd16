/* A request's head as text: the target to be taken apart and routed, then "name: value" lines for
 * the filter. What must hold for any bytes is asserted. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "httpserver/hygiene.h"
#include "httpserver/router.h"
#include "httpserver/target.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the fuzzer calls it by this name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct koa_http_route routes[] = {
    {.pattern = "/", .methods = KOA_HTTP_GET},
    {.pattern = "/health/checks/{name}", .methods = KOA_HTTP_GET},
    {.pattern = "/alerts/history", .methods = KOA_HTTP_GET},
    {.pattern = "/alerts/{fingerprint}", .methods = KOA_HTTP_GET | KOA_HTTP_POST},
    {.pattern = "/clusters/{c}/topics/{t}", .methods = KOA_HTTP_GET},
};

static struct koa_str take_line(struct koa_str *rest)
{
    const char *end = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
    struct koa_str line = {.data = rest->data,
                           .size = end != NULL ? (size_t) (end - rest->data) : rest->size};
    size_t step = line.size + (end != NULL);

    if (step > 0) {
        rest->data += step;
        rest->size -= step;
    }
    return line;
}

static void find(const struct koa_http_target *target, unsigned method)
{
    static struct koa_http_router *router;
    struct koa_http_match match;

    if (router == NULL) {
        KOA_ASSERT(koa_http_router_create(routes, KOA_ARRAY_COUNT(routes), &router, NULL) ==
                   KOA_OK);
    }
    koa_http_router_find(router, target, method, &match);
    KOA_ASSERT(match.route == NULL || (match.allowed & method) != 0);
    KOA_ASSERT(match.route == NULL || match.pattern == match.route->pattern);
    for (size_t i = 0; i < match.segment_count; i++)
        KOA_ASSERT(match.segments[i][0] != '\0');
}

static size_t query_size(const struct koa_http_target *target)
{
    size_t size = 0;

    for (size_t i = 0; i < target->query_count; i++)
        size += strlen(target->query[i].name) + strlen(target->query[i].value);
    return size;
}

static void route(struct koa_str raw)
{
    static const unsigned methods[] = {0, KOA_HTTP_GET, KOA_HTTP_HEAD, KOA_HTTP_POST,
                                       KOA_HTTP_DELETE};
    char *memory = malloc(KOA_HTTP_TARGET_MEMORY(raw.size));
    struct koa_http_target target;
    enum koa_http_target_fault fault = koa_http_target_parse(raw, memory, &target);

    KOA_ASSERT(strlen(target.path) <= raw.size);
    KOA_ASSERT(koa_http_fault_find(koa_http_fault_of_target(fault))->status >= 200);
    if (fault == KOA_HTTP_TARGET_OK) {
        KOA_ASSERT(query_size(&target) <= raw.size);
        for (size_t i = 0; i < KOA_ARRAY_COUNT(methods); i++)
            find(&target, methods[i]);
    }
    free(memory);
}

/* A copy that ends with NUL, as the parser hands fields over. */
static char *terminated(struct koa_str text)
{
    char *copy;

    KOA_ASSERT(text.size < SIZE_MAX);
    copy = calloc(1, text.size + 1);
    KOA_ASSERT(copy != NULL);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

static void filter(struct koa_str lines)
{
    static char *kept[2 * (KOA_HTTP_HEADERS + 1)];
    size_t count = 0;
    struct koa_http_head head;
    enum koa_http_fault fault;
    bool goes_on = true;

    koa_http_head_begin(&head);
    while (lines.size > 0 && goes_on) {
        struct koa_str line = take_line(&lines);
        const char *colon = line.size > 0 ? memchr(line.data, ':', line.size) : NULL;
        struct koa_str name = {.data = line.data,
                               .size = colon != NULL ? (size_t) (colon - line.data) : line.size};
        struct koa_str value = {.data = colon != NULL ? colon + 1 : NULL,
                                .size = colon != NULL ? line.size - name.size - 1 : 0};

        kept[count] = terminated(name);
        kept[count + 1] = terminated(value);
        goes_on =
            koa_http_head_field(&head, (struct koa_str){.data = kept[count], .size = name.size},
                                (struct koa_str){.data = kept[count + 1], .size = value.size});
        count += 2;
    }
    fault = koa_http_head_end(&head, "POST", "HTTP/1.1");
    if (fault == KOA_HTTP_FAULT_NONE) {
        KOA_ASSERT(head.hosts == 1 && head.host != NULL && koa_http_host_valid(head.host));
        KOA_ASSERT(head.codings == 0 && head.lengths <= 1 && head.content_length >= -1);
        (void) koa_http_host_is_loopback(head.host);
        if (head.origin != NULL)
            (void) koa_http_origin_is_host(head.origin, head.host);
    }
    while (count > 0)
        free(kept[--count]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct koa_str rest = {.data = (const char *) data, .size = size};

    route(take_line(&rest));
    filter(rest);
    return 0;
}

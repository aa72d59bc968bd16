/* The HTTP endpoints: one file per resource, one row per endpoint. They read published state and
 * never cause I/O, except "run this check now", which is asked of the engine. */
#ifndef API_API_H
#define API_API_H

#include <koa/error.h>
#include <koa/time.h>

#include "base/published.h"
#include "config/node.h"
#include "httpserver/route.h"
#include "metrics/source.h"

struct koa_alerts;
struct koa_cluster;
struct koa_health;
struct koa_history;

/* What a reload replaces as one: published, so that a request under way keeps what it began with.
 */
struct koa_api_parts {
    struct koa_object object;
    struct koa_metrics_sources sources; /* filtered, in order of export */
    struct koa_cluster *const *clusters;
    size_t cluster_count;
};

/* What the endpoints ask of the agent. Any HTTP thread; must not block. */
struct koa_api_calls {
    /* Starts a reload and answers `token` later. */
    void (*reload)(void *agent, struct koa_http_token *token);
    /* Sets the level of `component` (NULL: all). */
    enum koa_err (*set_log_level)(void *agent, const char *component, const char *level,
                                  struct koa_error *reterr);
    /* The level of each component, as a JSON object. */
    void (*write_log_levels)(void *agent, struct koa_buf *buf);
};

struct koa_api {
    struct koa_published *parts;
    struct koa_health *health;
    struct koa_alerts *alerts;
    struct koa_history *history;
    atomic_int_fast64_t resolution_ms; /* between two points of the history */
    const struct koa_loop *engine;     /* its heartbeat decides /health/live */
    atomic_bool is_draining;           /* /health/ready fails */
    struct koa_wall (*wall)(void);
    struct koa_mono (*mono)(void);
    struct koa_wall started;
    char hostname[256];
    char platform[256];
    const struct koa_api_calls *calls;
    void *agent;
};

/* All endpoints, in the order of the list at "/". */
extern const struct koa_http_route koa_api_routes[];
extern const size_t koa_api_route_count;

/* Whole answers in Markdown: docs/http-api.md. */
void koa_api_document(struct koa_buf *buf);

#endif

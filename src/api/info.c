/* / and /info: what this is, and where everything else is. */
#include <string.h>
#include <unistd.h>

#include <koa/version.h>

#include "alerts/engine.h"
#include "api/answer.h"
#include "api/endpoints.h"
#include "base/str.h"
#include "export/encoder.h"
#include "health/engine.h"

static void write_methods(struct koa_json *json, unsigned methods)
{
    static const struct {
        enum koa_http_method method;
        const char *name;
    } names[] = {{KOA_HTTP_GET, "GET"},
                 {KOA_HTTP_HEAD, "HEAD"},
                 {KOA_HTTP_POST, "POST"},
                 {KOA_HTTP_DELETE, "DELETE"}};

    if ((methods & KOA_HTTP_GET) != 0)
        methods |= KOA_HTTP_HEAD;
    koa_json_list(json, "methods");
    for (size_t i = 0; i < KOA_ARRAY_COUNT(names); i++) {
        if ((methods & names[i].method) != 0)
            koa_json_text(json, NULL, names[i].name);
    }
    koa_json_list_end(json);
}

static const char *scope_name(const struct koa_http_route *route)
{
    switch (route->scope) {
    case KOA_SCOPE_METRICS:
        return "metrics";
    case KOA_SCOPE_READ:
        return "read";
    case KOA_SCOPE_ADMIN:
        return "admin";
    default:
        return "none";
    }
}

static void answer_index_json(const struct koa_api *api, struct koa_http_response *response)
{
    struct koa_json json = koa_api_json(response);

    koa_json_text(&json, "service", "kafka-ops-agent");
    koa_json_text(&json, "version", koa_version());
    koa_json_list(&json, "endpoints");
    for (size_t i = 0; i < koa_api_route_count; i++) {
        const struct koa_http_route *route = &koa_api_routes[i];

        koa_json_object(&json, NULL);
        koa_json_text(&json, "path", route->pattern);
        write_methods(&json, route->methods);
        koa_json_text(&json, "description", route->help);
        koa_json_text(&json, "scope", scope_name(route));
        koa_json_object_end(&json);
    }
    koa_json_list_end(&json);
    koa_api_json_end(api, &json);
}

/* The texts are our own constants: nothing in them needs escaping. */
static void answer_index_page(struct koa_http_response *response)
{
    struct koa_buf *body = &response->body;

    response->content_type = "text/html; charset=utf-8";
    koa_http_response_header(response, "Content-Security-Policy",
                             "default-src 'none'; style-src 'unsafe-inline'");
    koa_buf_append_text(body,
                        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                        "<meta name=\"viewport\" content=\"width=device-width\">\n"
                        "<title>kafka-ops-agent</title>\n<style>\n"
                        "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
                        "padding:0 1rem;color:#1b1f24;background:#fff}\n"
                        "table{border-collapse:collapse;width:100%}\n"
                        "td,th{text-align:left;padding:.3rem .8rem .3rem 0;border-bottom:1px solid "
                        "#d5d9de;vertical-align:top}\ncode{font:14px ui-monospace,monospace}\n"
                        "</style>\n</head>\n<body>\n");
    koa_buf_printf(body,
                   "<h1>kafka-ops-agent %s</h1>\n<p>Health, metrics and alerts of Apache Kafka "
                   "clusters and what is around them.</p>\n<table>\n<tr><th>Endpoint</th>"
                   "<th>Is</th></tr>\n",
                   koa_version());
    for (size_t i = 0; i < koa_api_route_count; i++) {
        const struct koa_http_route *route = &koa_api_routes[i];

        if ((route->methods & KOA_HTTP_GET) == 0) {
            koa_buf_printf(body, "<tr><td><code>POST %s</code></td>", route->pattern);
        } else if (strchr(route->pattern, '{') != NULL) {
            koa_buf_printf(body, "<tr><td><code>%s</code></td>", route->pattern);
        } else {
            koa_buf_printf(body, "<tr><td><a href=\"%s\"><code>%s</code></a></td>", route->pattern,
                           route->pattern);
        }
        koa_buf_printf(body, "<td>%s</td></tr>\n", route->help);
    }
    koa_buf_append_text(body, "</table>\n</body>\n</html>\n");
}

/* A browser names text/html first; curl and other clients do not name it at all. */
static bool wants_page(const struct koa_http_request *request)
{
    const char *accept = koa_http_request_header(request, "Accept");

    return accept != NULL && strstr(accept, "text/html") != NULL;
}

void koa_api_index(void *context, const struct koa_http_request *request,
                   struct koa_http_response *response)
{
    koa_http_response_header(response, "Vary", "Accept");
    if (wants_page(request)) {
        answer_index_page(response);
    } else {
        answer_index_json(context, response);
    }
}

void koa_api_info(void *context, const struct koa_http_request *request,
                  struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct koa_json json = koa_api_json(response);
    KOA_AUTO(koa_board) *board = koa_health_board(api->health);

    (void) request;
    koa_json_text(&json, "service", "kafka-ops-agent");
    koa_json_text(&json, "version", koa_version());
    koa_json_text(&json, "revision", koa_revision());
    koa_json_text(&json, "platform", api->platform);
    koa_json_text(&json, "hostname", api->hostname);
    koa_json_int(&json, "pid", getpid());
    koa_json_double(&json, "uptime_seconds", (double) (api->wall().ms - api->started.ms) / 1000.0);
    koa_json_object(&json, "components");
    koa_json_list(&json, "health_checks");
    for (size_t i = 0; i < koa_board_count(board); i++)
        koa_json_text(&json, NULL, koa_board_result(board, i)->name);
    koa_json_list_end(&json);
    koa_json_bool(&json, "alert_manager_active", true);
    koa_json_bool(&json, "metrics_collector_active", true);
    koa_json_object_end(&json);
    koa_api_json_end(api, &json);
}

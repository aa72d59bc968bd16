/* The listener's own metrics and its debug line per request. Handles are looked up once per route,
 * method and status, because a look-up by name costs as much as the rest of a small answer. */
#include <string.h>

#include "httpserver/internal.h"
#include "metrics/catalog.h"

enum { METHODS = 5, STATUSES = 14 };

/* Statuses with a cell of their own; anything else is looked up each time. */
static const int statuses[STATUSES] = {200, 204, 400, 401, 403, 404, 405,
                                       411, 413, 414, 429, 431, 500, 503};
static const unsigned methods[METHODS] = {KOA_HTTP_GET, KOA_HTTP_HEAD, KOA_HTTP_POST,
                                          KOA_HTTP_DELETE, 0};

/* Empty until first used: a series that never counted anything is not exported. */
struct endpoint {
    _Atomic(struct koa_cell *) requests[METHODS][STATUSES];
    _Atomic(struct koa_cell *) durations[METHODS];
};

struct koa_http_telemetry {
    const struct koa_http_server_opts *opts;
    struct endpoint *endpoints; /* one a route, and one for "other" */
    struct koa_gauge connections;
};

static const char *const families[] = {
    "kafka_ops_requests_total",
    "kafka_ops_request_duration_seconds",
    "kafka_ops_active_connections",
    "kafka_ops_errors_total",
    "kafka_ops_http_rejected_requests_total",
};

enum koa_err koa_http_telemetry_create(const struct koa_http_server_opts *opts,
                                       struct koa_http_telemetry **ret_telemetry,
                                       struct koa_error *reterr)
{
    struct koa_http_telemetry *telemetry = koa_calloc(1, sizeof(*telemetry));
    enum koa_err err = koa_require_memory(telemetry, reterr);

    if (err != KOA_OK)
        return err;
    telemetry->opts = opts;
    telemetry->endpoints = koa_calloc(opts->route_count + 1, sizeof(*telemetry->endpoints));
    if (telemetry->endpoints == NULL) {
        koa_free(telemetry);
        return koa_require_memory(NULL, reterr);
    }
    for (size_t i = 0; opts->metrics != NULL && err == KOA_OK && i < KOA_ARRAY_COUNT(families); i++)
        err = koa_metrics_declare(opts->metrics, koa_catalog_find(families[i]), 1, reterr);
    if (err != KOA_OK) {
        koa_http_telemetry_destroy(telemetry);
        return err;
    }
    if (opts->metrics != NULL) {
        telemetry->connections =
            koa_metrics_gauge(opts->metrics, "kafka_ops_active_connections", KOA_NO_LABELS);
    }
    *ret_telemetry = telemetry;
    return KOA_OK;
}

void koa_http_telemetry_destroy(struct koa_http_telemetry *telemetry)
{
    if (telemetry == NULL)
        return;
    koa_free(telemetry->endpoints);
    koa_free(telemetry);
}

static size_t method_index(unsigned method)
{
    size_t i = 0;

    while (i < METHODS - 1 && methods[i] != method)
        i++;
    return i;
}

static const char *status_text(int status, char text[16])
{
    text[0] = (char) ('0' + status / 100 % 10);
    text[1] = (char) ('0' + status / 10 % 10);
    text[2] = (char) ('0' + status % 10);
    text[3] = '\0';
    return text;
}

static const char *endpoint_name(const struct koa_http_request *request)
{
    return request->match.pattern != NULL ? request->match.pattern : "other";
}

static void count_request(struct koa_http_telemetry *telemetry, struct endpoint *endpoint,
                          const struct koa_http_request *request)
{
    char text[16];
    const struct koa_labels *labels =
        KOA_LABELS({"method", request->method_name}, {"endpoint", endpoint_name(request)},
                   {"status", status_text(request->status, text)});
    size_t method = method_index(request->method);
    size_t status = 0;
    struct koa_counter counter;

    while (status < STATUSES && statuses[status] != request->status)
        status++;
    if (status == STATUSES) {
        koa_metrics_count(telemetry->opts->metrics, "kafka_ops_requests_total", 1, labels);
        return;
    }
    counter.cell = atomic_load_explicit(&endpoint->requests[method][status], memory_order_acquire);
    if (counter.cell == NULL) {
        counter = koa_metrics_counter(telemetry->opts->metrics, "kafka_ops_requests_total", labels);
        atomic_store_explicit(&endpoint->requests[method][status], counter.cell,
                              memory_order_release);
    }
    koa_counter_add(counter, 1);
}

static void time_request(struct koa_http_telemetry *telemetry, struct endpoint *endpoint,
                         const struct koa_http_request *request, int64_t duration_ns)
{
    size_t method = method_index(request->method);
    struct koa_histogram histogram = {
        .cell = atomic_load_explicit(&endpoint->durations[method], memory_order_acquire)};

    if (histogram.cell == NULL) {
        histogram = koa_metrics_histogram(
            telemetry->opts->metrics, "kafka_ops_request_duration_seconds",
            KOA_LABELS({"method", request->method_name}, {"endpoint", endpoint_name(request)}));
        atomic_store_explicit(&endpoint->durations[method], histogram.cell, memory_order_release);
    }
    koa_histogram_observe(histogram, (double) duration_ns / 1e9);
}

void koa_http_telemetry_request(struct koa_http_telemetry *telemetry,
                                const struct koa_http_request *request, int64_t duration_ns)
{
    const struct koa_http_server_opts *opts = telemetry->opts;
    size_t index = request->match.pattern != NULL ? request->match.index : opts->route_count;
    char text[16];

    koa_log_debug(opts->log, "http.request", "%s %s %d %.3f ms from %s", request->method_name,
                  request->target.path != NULL ? request->target.path : "", request->status,
                  (double) duration_ns / 1e6, request->connection->peer);
    if (opts->metrics == NULL)
        return;
    count_request(telemetry, &telemetry->endpoints[index], request);
    time_request(telemetry, &telemetry->endpoints[index], request, duration_ns);
    if (request->status >= 500 && !request->is_verdict) {
        koa_metrics_count(
            opts->metrics, "kafka_ops_errors_total", 1,
            KOA_LABELS({"component", "http"}, {"type", status_text(request->status, text)}));
    }
}

void koa_http_telemetry_rejected(struct koa_http_telemetry *telemetry, const char *reason)
{
    koa_metrics_count(telemetry->opts->metrics, "kafka_ops_http_rejected_requests_total", 1,
                      KOA_LABELS({"reason", reason}));
}

void koa_http_telemetry_connections(struct koa_http_telemetry *telemetry, int change)
{
    if (telemetry->connections.cell != NULL)
        koa_gauge_add(telemetry->connections, change);
}

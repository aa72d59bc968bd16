/* /metrics/history without a name: the kept points in time, streamed one after the other, each by
 * the JSON encoder that also writes /metrics. */
#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "api/metrics_series.h"
#include "base/memory.h"
#include "base/str.h"
#include "export/encoder.h"
#include "metrics/history.h"

enum { EDGE_SIZE = 96, DEFAULT_LIMIT = 10 };

enum phase { PHASE_EDGE, PHASE_POINT, PHASE_END };

/* One body: `edge` is what stands before the next point, or behind the last. */
struct history_body {
    struct koa_history_view *view;
    struct koa_history_reader *reader;
    struct koa_mono (*mono)(void);
    struct koa_mono started;
    size_t point, count; /* the next one; how many the view has */
    enum phase phase;
    char edge[EDGE_SIZE];
    size_t edge_size, edge_sent;
    struct koa_wall now;
    size_t shown;
    const struct koa_metrics_source *source; /* of the point under way */
    struct koa_encoder *encoder;
};

static void write_edge(struct history_body *body, bool is_first)
{
    char time[KOA_TIME_TEXT_SIZE];
    int size;

    if (body->point < body->count) {
        size = snprintf(body->edge, EDGE_SIZE, "%s", is_first ? "{\"history\":[" : ",");
    } else {
        koa_wall_format(body->now, time);
        size = snprintf(body->edge, EDGE_SIZE, "%s],\"count\":%zu,\"timestamp\":\"%s\"}",
                        is_first ? "{\"history\":[" : "", body->shown, time);
    }
    body->edge_size = (size_t) size;
    body->edge_sent = 0;
    body->phase = PHASE_EDGE;
}

/* After an edge: the next point, or the end. */
static bool begin_point(struct history_body *body)
{
    if (body->point >= body->count) {
        body->phase = PHASE_END;
        return true;
    }
    if (body->reader == NULL)
        body->reader = koa_history_reader_create(body->view);
    body->source = body->reader != NULL ? koa_history_reader_move(body->reader, body->point) : NULL;
    body->phase = PHASE_POINT;
    return body->source != NULL &&
           koa_encoder_create(
               &(struct koa_encoder_opts){.format = KOA_FORMAT_JSON,
                                          .now = koa_history_view_time(body->view, body->point),
                                          .sources = {.rows = &body->source, .count = 1}},
               &body->encoder, NULL) == KOA_OK;
}

static void end_point(struct history_body *body)
{
    koa_encoder_destroy(body->encoder);
    body->encoder = NULL;
    body->point++;
    write_edge(body, false);
}

static int64_t read_edge(struct history_body *body, char *target, size_t size)
{
    size_t left = body->edge_size - body->edge_sent;
    size_t taken = left < size ? left : size;

    memcpy(target, body->edge + body->edge_sent, taken);
    body->edge_sent += taken;
    if (body->edge_sent == body->edge_size && !begin_point(body))
        return -1;
    return (int64_t) taken;
}

static int64_t read_body(void *context, char *target, size_t size)
{
    struct history_body *body = context;
    int64_t taken;

    if (koa_mono_diff_ms(body->mono(), body->started) > KOA_PUBLISHED_PIN_LIMIT_MS)
        return -1;
    if (body->phase == PHASE_END)
        return 0;
    if (body->phase == PHASE_EDGE)
        return read_edge(body, target, size);
    taken = koa_encoder_read(body->encoder, target, size);
    if (taken != 0)
        return taken;
    end_point(body);
    return read_edge(body, target, size);
}

static void end_body(void *context)
{
    struct history_body *body = context;

    koa_encoder_destroy(body->encoder);
    koa_history_reader_destroy(body->reader);
    koa_object_unref((struct koa_object *) body->view);
    koa_free(body);
}

static void answer_points(const struct koa_api *api, int64_t limit,
                          struct koa_http_response *response)
{
    struct history_body *body = koa_calloc(1, sizeof(*body));

    if (body == NULL) {
        koa_http_fail(response, 503, "Out of memory",
                      "the answer could not be made; try again later");
        return;
    }
    body->view = koa_history_get(api->history); /* NULL before the first point */
    body->mono = api->mono;
    body->started = api->mono();
    body->now = api->wall();
    body->count = body->view != NULL ? koa_history_view_count(body->view) : 0;
    body->point = koa_api_first(body->count, limit);
    body->shown = body->count - body->point;
    write_edge(body, true);
    response->read = read_body;
    response->end = end_body;
    response->stream = body;
}

void koa_api_metrics_history(void *context, const struct koa_http_request *request,
                             struct koa_http_response *response)
{
    const char *name = koa_http_request_query(request, "name");
    int64_t limit;

    if (!koa_api_limit(request, response, DEFAULT_LIMIT, &limit))
        return;
    if (name != NULL && name[0] != '\0') {
        koa_api_metrics_series(context, request, response);
    } else {
        answer_points(context, limit, response);
    }
}

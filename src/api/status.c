/* /status: health, metrics and alerts in one, with what firing alerts add to the overall status. */
#include <math.h>

#include "alerts/engine.h"
#include "alerts/render.h"
#include "api/answer.h"
#include "api/endpoints.h"
#include "health/engine.h"
#include "health/render.h"
#include "metrics/history.h"

struct counts {
    int64_t by_type[KOA_METRIC_TYPE_COUNT];
};

static void count_series(const struct koa_metrics_sources *sources, struct counts *counts)
{
    for (size_t i = 0; i < sources->count; i++) {
        const struct koa_metrics_source *source = sources->rows[i];
        struct koa_metrics_cursor cursor = {0};
        struct koa_batch batch;

        source->begin(source, &cursor);
        while (source->next(source, &cursor, &batch)) {
            for (size_t k = 0; k < batch.count; k++)
                counts->by_type[batch.samples[k].family->type]++;
        }
        source->end(source, &cursor);
    }
}

static void write_metrics(const struct koa_api *api, struct koa_json *json)
{
    struct koa_api_parts *parts = (struct koa_api_parts *) koa_published_get(api->parts);
    struct koa_history_view *view = koa_history_get(api->history);
    size_t points = view != NULL ? koa_history_view_count(view) : 0;
    struct counts counts = {0};

    count_series(&parts->sources, &counts);
    koa_json_object(json, "metrics_summary");
    koa_json_int(json, "counters_count", counts.by_type[KOA_COUNTER]);
    koa_json_int(json, "gauges_count", counts.by_type[KOA_GAUGE]);
    koa_json_int(json, "histograms_count", counts.by_type[KOA_HISTOGRAM]);
    koa_json_int(json, "timers_count", counts.by_type[KOA_TIMER]);
    koa_json_time(json, "last_updated",
                  points > 0 ? koa_history_view_time(view, points - 1) : (struct koa_wall){0});
    koa_json_object_end(json);
    koa_object_unref((struct koa_object *) view);
    koa_object_unref(&parts->object);
}

void koa_api_status(void *context, const struct koa_http_request *request,
                    struct koa_http_response *response)
{
    const struct koa_api *api = context;
    KOA_AUTO(koa_board) *board = koa_health_board(api->health);
    KOA_AUTO(koa_alert_board) *alerts = koa_alerts_board(api->alerts);
    enum koa_status overall = koa_alert_board_raise(alerts, koa_board_overall(board));
    struct koa_json json = koa_api_json(response);

    (void) request;
    koa_json_text(&json, "overall_status", koa_status_name(overall));
    koa_json_object(&json, "health");
    koa_health_render_board(&json, board, koa_board_overall(board), KOA_HEALTH_FULL);
    koa_json_time(&json, "timestamp", api->wall());
    koa_json_object_end(&json);
    write_metrics(api, &json);
    koa_json_object(&json, "alerts");
    koa_alerts_render_active(&json, alerts);
    koa_json_time(&json, "timestamp", api->wall());
    koa_json_object_end(&json);
    koa_api_json_end(api, &json);
    if (overall == KOA_STATUS_UNHEALTHY) {
        response->status = 503;
        response->is_verdict = true;
    }
}

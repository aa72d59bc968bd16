/* The JSON of health: field names are a contract with clients. Who may see what is decided by the
 * caller. */
#include "health/render.h"

#include "base/str.h"

void koa_health_render_result(struct koa_json *json, const char *key,
                              const struct koa_result *result, enum koa_health_detail detail)
{
    koa_json_object(json, key);
    koa_json_text(json, "name", result->name);
    koa_json_text(json, "status", koa_status_name(result->status));
    if (detail == KOA_HEALTH_FULL) {
        koa_json_text(json, "message", result->message);
        koa_json_raw(json, "details", koa_str_from(result->details));
    }
    koa_json_time(json, "timestamp", result->time);
    if (detail == KOA_HEALTH_FULL) {
        koa_json_double(json, "duration_ms", result->duration_ms);
        koa_json_bool(json, "critical", result->is_critical);
        koa_json_bool(json, "stale", result->is_stale);
    }
    koa_json_object_end(json);
}

void koa_health_render_checks(struct koa_json *json, const struct koa_board *board,
                              enum koa_health_detail detail)
{
    koa_json_list(json, "checks");
    for (size_t i = 0; i < koa_board_count(board); i++)
        koa_health_render_result(json, NULL, koa_board_result(board, i), detail);
    koa_json_list_end(json);
}

void koa_health_render_board(struct koa_json *json, const struct koa_board *board,
                             enum koa_status overall, enum koa_health_detail detail)
{
    static const enum koa_status order[] = {KOA_STATUS_HEALTHY, KOA_STATUS_DEGRADED,
                                            KOA_STATUS_UNHEALTHY, KOA_STATUS_UNKNOWN};

    koa_json_text(json, "overall_status", koa_status_name(overall));
    koa_json_object(json, "summary");
    for (size_t i = 0; i < KOA_ARRAY_COUNT(order); i++) {
        koa_json_int(json, koa_status_name(order[i]),
                     (int64_t) koa_board_status_count(board, order[i]));
    }
    koa_json_int(json, "total", (int64_t) koa_board_count(board));
    koa_json_object_end(json);
    koa_health_render_checks(json, board, detail);
}

/* Results and boards as JSON, as contract.md has them. */
#ifndef HEALTH_RENDER_H
#define HEALTH_RENDER_H

#include "base/json_write.h"
#include "health/board.h"

enum koa_health_detail {
    KOA_HEALTH_FULL,
    KOA_HEALTH_BARE /* statuses, names and times only: for callers without credentials */
};

/* RESULT {name, status, message, details, timestamp, duration_ms}. `key` as for json_write.h. */
void koa_health_render_result(struct koa_json *json, const char *key,
                              const struct koa_result *result, enum koa_health_detail detail);
/* "checks": [RESULT...]. */
void koa_health_render_checks(struct koa_json *json, const struct koa_board *board,
                              enum koa_health_detail detail);
/* The members overall_status, summary{} and checks[] of an object that the caller has opened.
 * `overall` is not always the board's: /status adds alerts. */
void koa_health_render_board(struct koa_json *json, const struct koa_board *board,
                             enum koa_status overall, enum koa_health_detail detail);

#endif

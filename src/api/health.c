/* /health and what is under it: the published board. Only "run this check now" asks the engine. */
#include "health/engine.h"

#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "api/endpoints.h"
#include "base/memory.h"
#include "base/str.h"
#include "health/render.h"
#include "loop/loop.h"

enum {
    DEFAULT_HISTORY_LIMIT = 10,
    /* The engine's heart beats every 500 ms; a machine that swaps may lose several beats, a stuck
     * engine loses all. Kubernetes' default of three failures makes it 40 s until a restart. */
    HEARTBEAT_LIMIT_MS = 10000,
    REASON_LIMIT = 1024,
};

static enum koa_health_detail detail_for(const struct koa_http_request *request)
{
    return koa_api_may_read(request) ? KOA_HEALTH_FULL : KOA_HEALTH_BARE;
}

static void set_verdict(struct koa_http_response *response, enum koa_status status)
{
    if (status == KOA_STATUS_UNHEALTHY) {
        response->status = 503;
        response->is_verdict = true;
    }
}

void koa_api_health(void *context, const struct koa_http_request *request,
                    struct koa_http_response *response)
{
    const struct koa_api *api = context;
    KOA_AUTO(koa_board) *board = koa_health_board(api->health);
    struct koa_json json = koa_api_json(response);

    koa_health_render_board(&json, board, koa_board_overall(board), detail_for(request));
    koa_api_json_end(api, &json);
    set_verdict(response, koa_board_overall(board));
}

static void answer_ready(const struct koa_api *api, struct koa_http_response *response,
                         bool is_ready, const char *reason)
{
    struct koa_json json = koa_api_json(response);

    koa_json_text(&json, "status", is_ready ? "ready" : "not_ready");
    koa_json_text(&json, "reason", reason);
    koa_api_json_end(api, &json);
    if (!is_ready) {
        response->status = 503;
        response->is_verdict = true;
    }
}

void koa_api_health_ready(void *context, const struct koa_http_request *request,
                          struct koa_http_response *response)
{
    const struct koa_api *api = context;
    KOA_AUTO(koa_board) *board = koa_health_board(api->health);
    struct koa_buf reason = {.limit = REASON_LIMIT};

    if (atomic_load(&api->is_draining)) {
        answer_ready(api, response, false, "draining: the agent stops");
    } else if (board == NULL) {
        answer_ready(api, response, false, "starting: no check has run yet");
    } else if (koa_board_group_ready(board, "readiness", &reason)) {
        answer_ready(api, response, true, "every readiness check is well");
    } else {
        answer_ready(api, response, false,
                     koa_api_may_read(request) ? koa_buf_text(&reason)
                                               : "a readiness check is not well");
    }
    koa_buf_deinit(&reason);
}

void koa_api_health_live(void *context, const struct koa_http_request *request,
                         struct koa_http_response *response)
{
    const struct koa_api *api = context;
    int64_t age_ms = koa_mono_diff_ms(api->mono(), koa_loop_heartbeat(api->engine));
    struct koa_json json = koa_api_json(response);

    (void) request;
    if (age_ms <= HEARTBEAT_LIMIT_MS) {
        koa_json_text(&json, "status", "alive");
    } else {
        char reason[384];

        (void) snprintf(reason, sizeof(reason), "the engine's heartbeat is %.1f s old",
                        (double) age_ms / 1000.0);
        koa_json_text(&json, "status", "stuck");
        koa_json_text(&json, "reason", reason);
        response->status = 503;
        response->is_verdict = true;
    }
    koa_api_json_end(api, &json);
}

void koa_api_health_checks(void *context, const struct koa_http_request *request,
                           struct koa_http_response *response)
{
    const struct koa_api *api = context;
    KOA_AUTO(koa_board) *board = koa_health_board(api->health);
    struct koa_json json = koa_api_json(response);

    koa_health_render_checks(&json, board, detail_for(request));
    koa_json_int(&json, "total_count", (int64_t) koa_board_count(board));
    koa_api_json_end(api, &json);
}

static void answer_result(const struct koa_api *api, const char *name,
                          const struct koa_board *board, struct koa_http_response *response)
{
    const struct koa_result *result = koa_board_find(board, name);
    struct koa_json json = {.buf = &response->body};

    (void) api;
    if (result == NULL) {
        char error[256];

        (void) snprintf(error, sizeof(error), "Health check %.150s not found", name);
        koa_http_fail(response, 404, error, "/health/checks lists the checks");
        return;
    }
    koa_health_render_result(&json, NULL, result, KOA_HEALTH_FULL);
    set_verdict(response, result->status);
}

/* A request that waits for a run. */
struct waiting {
    const struct koa_api *api;
    struct koa_http_token *token;
    char name[];
};

static void on_ran(void *context, const struct koa_board *board)
{
    struct waiting *waiting = context;
    struct koa_http_response response;

    koa_http_response_init(&response);
    answer_result(waiting->api, waiting->name, board, &response);
    koa_http_token_finish(waiting->token, &response);
    koa_free(waiting);
}

static void run_and_wait(const struct koa_api *api, const char *name,
                         const struct koa_http_request *request, struct koa_http_response *response)
{
    struct waiting *waiting = koa_calloc(1, sizeof(*waiting) + strlen(name) + 1);
    struct koa_http_response late;
    struct koa_error error;

    if (waiting == NULL) {
        koa_http_fail(response, 503, "Out of memory", "the check was not run; try again later");
        return;
    }
    waiting->api = api;
    memcpy(waiting->name, name, strlen(name) + 1);
    waiting->token = koa_http_suspend(request, response);
    if (waiting->token == NULL) {
        koa_free(waiting);
        return;
    }
    if (koa_health_run_now(api->health, waiting->name, on_ran, waiting, &error) == KOA_OK)
        return;
    koa_http_response_init(&late);
    koa_http_fail(&late, 503, "Not run", "%s", error.text);
    koa_http_token_finish(waiting->token, &late);
    koa_free(waiting);
}

void koa_api_health_check(void *context, const struct koa_http_request *request,
                          struct koa_http_response *response)
{
    const struct koa_api *api = context;
    const char *name = koa_http_request_segment(request, 0);
    const char *cached = koa_http_request_query(request, "cached");
    KOA_AUTO(koa_board) *board = koa_health_board(api->health);

    if (cached != NULL && strcmp(cached, "1") != 0 && strcmp(cached, "0") != 0 &&
        cached[0] != '\0') {
        koa_api_invalid(response, "cached", cached, "0 or 1");
    } else if ((cached != NULL && cached[0] == '1') || koa_board_find(board, name) == NULL) {
        answer_result(api, name, board, response);
    } else {
        run_and_wait(api, name, request, response);
    }
}

void koa_api_health_history(void *context, const struct koa_http_request *request,
                            struct koa_http_response *response)
{
    const struct koa_api *api = context;
    KOA_AUTO(koa_board_history_view) *view = NULL;
    struct koa_json json;
    int64_t limit;
    size_t first;
    size_t count;

    if (!koa_api_limit(request, response, DEFAULT_HISTORY_LIMIT, &limit))
        return;
    view = koa_board_history_get(koa_health_history(api->health));
    count = koa_board_history_view_count(view);
    first = koa_api_first(count, limit);
    json = koa_api_json(response);
    koa_json_list(&json, "history");
    for (size_t i = first; i < count; i++) {
        const struct koa_board *board = koa_board_history_view_at(view, i);

        koa_json_object(&json, NULL);
        koa_health_render_board(&json, board, koa_board_overall(board), detail_for(request));
        koa_json_time(&json, "timestamp", koa_board_time(board));
        koa_json_object_end(&json);
    }
    koa_json_list_end(&json);
    koa_json_int(&json, "count", (int64_t) (count - first));
    koa_api_json_end(api, &json);
}

/* /alerts, /alerts/history, /alerts/{fingerprint} and /rules: published pictures, rendered by
 * alerts/. */
#include "alerts/engine.h"

#include "alerts/render.h"
#include "api/answer.h"
#include "api/endpoints.h"

enum { DEFAULT_HISTORY_LIMIT = 100 };

void koa_api_alerts(void *context, const struct koa_http_request *request,
                    struct koa_http_response *response)
{
    const struct koa_api *api = context;
    KOA_AUTO(koa_alert_board) *board = koa_alerts_board(api->alerts);
    struct koa_json json = koa_api_json(response);

    (void) request;
    koa_alerts_render_active(&json, board);
    koa_api_json_end(api, &json);
}

void koa_api_alerts_history(void *context, const struct koa_http_request *request,
                            struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct koa_journal_view *view;
    struct koa_json json;
    int64_t limit;
    size_t first;
    size_t count;

    if (!koa_api_limit(request, response, DEFAULT_HISTORY_LIMIT, &limit))
        return;
    view = koa_alerts_history(api->alerts);
    count = view != NULL ? view->count : 0;
    first = koa_api_first(count, limit);
    json = koa_api_json(response);
    koa_json_list(&json, "history");
    for (size_t i = first; i < count; i++)
        koa_alert_render(&json, NULL, view->rows[i]);
    koa_json_list_end(&json);
    koa_json_int(&json, "count", (int64_t) (count - first));
    koa_api_json_end(api, &json);
    koa_object_unref((struct koa_object *) view);
}

void koa_api_alert(void *context, const struct koa_http_request *request,
                   struct koa_http_response *response)
{
    const struct koa_api *api = context;
    const char *fingerprint = koa_http_request_segment(request, 0);
    KOA_AUTO(koa_alert_board) *board = koa_alerts_board(api->alerts);
    struct koa_journal_view *history = koa_alerts_history(api->alerts);
    struct koa_ledger_view *ledger = koa_alerts_ledger(api->alerts);
    struct koa_json json = koa_api_json(response);

    if (koa_alert_render_explained(&json, fingerprint, board, history, ledger)) {
        koa_api_json_end(api, &json);
    } else {
        koa_http_fail(response, 404, "Alert not found",
                      "there is no alert '%.64s'; /alerts and /rules list them", fingerprint);
    }
    koa_object_unref((struct koa_object *) history);
    koa_object_unref((struct koa_object *) ledger);
}

void koa_api_rules(void *context, const struct koa_http_request *request,
                   struct koa_http_response *response)
{
    const struct koa_api *api = context;
    KOA_AUTO(koa_alert_board) *board = koa_alerts_board(api->alerts);
    struct koa_json json = koa_api_json(response);

    (void) request;
    koa_alerts_render_rules(&json, board);
    koa_api_json_end(api, &json);
}

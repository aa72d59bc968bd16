/* POST /-/reload and POST /-/log-level: the calls that change a running agent. */
#include "api/answer.h"
#include "api/endpoints.h"
#include "base/json_read.h"
#include "base/str.h"

void koa_api_reload(void *context, const struct koa_http_request *request,
                    struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct koa_http_token *token = koa_http_suspend(request, response);

    if (token != NULL)
        api->calls->reload(api->agent, token);
}

static void answer_levels(const struct koa_api *api, struct koa_http_response *response)
{
    struct koa_json json = koa_api_json(response);

    koa_json_key(&json, KOA_STR("levels"));
    api->calls->write_log_levels(api->agent, &response->body);
    json.after_key = false;
    koa_api_json_end(api, &json);
}

void koa_api_log_level(void *context, const struct koa_http_request *request,
                       struct koa_http_response *response)
{
    const struct koa_api *api = context;
    KOA_AUTO(koa_json_value) *root = NULL;
    const struct koa_json_value *component;
    const char *level;
    struct koa_error error;

    if (koa_json_parse(koa_http_request_body(request), &root, &error) != KOA_OK) {
        koa_http_fail(response, 400, "Invalid body", "%s", error.text);
        return;
    }
    level = koa_json_value_text(koa_json_get(root, "level"));
    component = koa_json_get(root, "component");
    if (level == NULL || (component != NULL && koa_json_value_type(component) != KOA_JSON_NULL &&
                          koa_json_value_text(component) == NULL)) {
        koa_http_fail(
            response, 400, "Invalid body",
            "expected {\"level\": \"debug\", \"component\": \"kafka\"}; without a component "
            "all are set");
        return;
    }
    if (api->calls->set_log_level(api->agent, koa_json_value_text(component), level, &error) !=
        KOA_OK) {
        koa_http_fail(response, 400, "Invalid parameter", "%s", error.text);
        return;
    }
    answer_levels(api, response);
}

/* Parameters and bodies as all endpoints treat them. */
#include "api/answer.h"

#include "base/num.h"
#include "base/str.h"

struct koa_json koa_api_json(struct koa_http_response *response)
{
    struct koa_json json = {.buf = &response->body};

    koa_json_object(&json, NULL);
    return json;
}

void koa_api_json_end(const struct koa_api *api, struct koa_json *json)
{
    koa_json_time(json, "timestamp", api->wall());
    koa_json_object_end(json);
}

bool koa_api_limit(const struct koa_http_request *request, struct koa_http_response *response,
                   int64_t fallback, int64_t *ret_limit)
{
    const char *text = koa_http_request_query(request, "limit");

    *ret_limit = fallback;
    if (text == NULL || text[0] == '\0')
        return true;
    if (koa_parse_int(koa_str_from(text), 0, KOA_API_LIMIT_MAX, ret_limit) == KOA_OK)
        return true;
    koa_api_invalid(response, "limit", text, "a whole number from 0 to 100000");
    return false;
}

void koa_api_invalid(struct koa_http_response *response, const char *name, const char *value,
                     const char *allowed)
{
    koa_http_fail(response, 400, "Invalid parameter", "%s must be %s, not '%.100s'", name, allowed,
                  value);
}

void koa_api_no_memory(struct koa_http_response *response, size_t count)
{
    koa_http_fail(response, 503, "Out of memory", "there is no memory to sort %zu rows", count);
}

void koa_api_number(struct koa_json *json, const char *key, bool is_known, int64_t number)
{
    if (is_known) {
        koa_json_int(json, key, number);
    } else {
        koa_json_null(json, key);
    }
}

void koa_api_real(struct koa_json *json, const char *key, bool is_known, double number)
{
    if (is_known) {
        koa_json_double(json, key, number);
    } else {
        koa_json_null(json, key);
    }
}

size_t koa_api_first(size_t count, int64_t limit)
{
    return limit == 0 || (uint64_t) limit >= count ? 0 : count - (size_t) limit;
}

bool koa_api_may_read(const struct koa_http_request *request)
{
    return (koa_http_request_scopes(request) & (KOA_SCOPE_READ | KOA_SCOPE_ADMIN)) != 0;
}

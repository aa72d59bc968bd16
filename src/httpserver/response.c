/* A response in the handler's hands: beginning, failing, ending. What the client gets of it is
 * answer.c's. */
#include <stdarg.h>
#include <string.h>

#include "base/memory.h"
#include "httpserver/route.h"

enum { BODY_LIMIT = 64 << 20, MESSAGE_SIZE = 1024 };

void koa_http_response_init(struct koa_http_response *response)
{
    response->status = 200;
    response->content_type = "application/json";
    response->body = (struct koa_buf){.limit = BODY_LIMIT};
    memset(response->header_name, 0, sizeof(response->header_name));
    response->shared = NULL;
    response->shared_body = (struct koa_str){0};
    response->read = NULL;
    response->end = NULL;
    response->stream = NULL;
    response->is_verdict = false;
    response->closes = false;
    response->suspended = false;
    response->is_failure = false;
}

static void drop_content(struct koa_http_response *response)
{
    koa_buf_deinit(&response->body);
    response->body = (struct koa_buf){.limit = BODY_LIMIT};
    koa_object_unref(response->shared);
    response->shared = NULL;
    response->shared_body = (struct koa_str){0};
    if (response->end != NULL)
        response->end(response->stream);
    response->read = NULL;
    response->end = NULL;
    response->stream = NULL;
}

void koa_http_response_deinit(struct koa_http_response *response)
{
    drop_content(response);
    koa_http_response_init(response);
}

bool koa_http_response_header(struct koa_http_response *response, const char *name,
                              const char *value)
{
    size_t size = strlen(value);

    if (size >= KOA_HTTP_RESPONSE_HEADER_SIZE)
        return false;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char) value[i] < 0x20 || value[i] == 0x7f)
            return false;
    }
    for (size_t i = 0; i < KOA_HTTP_RESPONSE_HEADERS; i++) {
        if (response->header_name[i] != NULL)
            continue;
        response->header_name[i] = name;
        memcpy(response->header_value[i], value, size + 1);
        return true;
    }
    return false;
}

void koa_http_fail(struct koa_http_response *response, int status, const char *error,
                   const char *format, ...)
{
    struct koa_json *json = &response->failure;
    struct koa_buf message = {.limit = MESSAGE_SIZE};
    va_list args;

    drop_content(response);
    va_start(args, format);
    koa_buf_vprintf(&message, format, args);
    va_end(args);
    response->status = status;
    response->content_type = "application/json";
    response->is_failure = true;
    *json = (struct koa_json){.buf = &response->body};
    koa_json_object(json, NULL);
    koa_json_text(json, "error", error);
    koa_json_text(json, "message", koa_buf_text(&message));
    koa_buf_deinit(&message);
}

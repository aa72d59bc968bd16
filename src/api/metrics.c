/* /metrics, /metrics/prometheus and /metrics/history. Every body is a stream: encoders pull from
 * the sources as the client reads. */
#include "export/encoder.h"

#include "api/answer.h"
#include "api/endpoints.h"
#include "base/memory.h"
#include "base/str.h"

/* One body under way. Pins the parts it began with; cut off when a reader holds them too long. */
struct export_body {
    struct koa_encoder *encoder;
    struct koa_object *parts;
    struct koa_mono (*mono)(void);
    struct koa_mono started;
};

static int64_t read_export(void *context, char *target, size_t size)
{
    struct export_body *export = context;

    if (koa_mono_diff_ms(export->mono(), export->started) > KOA_PUBLISHED_PIN_LIMIT_MS)
        return -1;
    return koa_encoder_read(export->encoder, target, size);
}

static void end_export(void *context)
{
    struct export_body *export = context;

    koa_encoder_destroy(export->encoder);
    koa_object_unref(export->parts);
    koa_free(export);
}

static void no_memory(struct koa_http_response *response)
{
    koa_http_fail(response, 503, "Out of memory", "the answer could not be made; try again later");
}

static void answer_metrics(const struct koa_api *api, const struct koa_http_request *request,
                           enum koa_format format, struct koa_http_response *response)
{
    struct export_body *export = koa_calloc(1, sizeof(*export));
    const struct koa_api_parts *parts;

    if (export == NULL) {
        no_memory(response);
        return;
    }
    export->parts = koa_published_get(api->parts);
    export->mono = api->mono;
    export->started = api->mono();
    parts = (const struct koa_api_parts *) export->parts;
    if (koa_encoder_create(
            &(struct koa_encoder_opts){
                .format = format,
                .gzip = koa_accepts_gzip(koa_http_request_header(request, "Accept-Encoding")),
                .now = api->wall(),
                .sources = parts->sources},
            &export->encoder, NULL) != KOA_OK) {
        end_export(export);
        no_memory(response);
        return;
    }
    response->content_type = koa_format_content_type(format);
    if (koa_accepts_gzip(koa_http_request_header(request, "Accept-Encoding")))
        koa_http_response_header(response, "Content-Encoding", "gzip");
    koa_http_response_header(response, "Vary", "Accept, Accept-Encoding");
    response->read = read_export;
    response->end = end_export;
    response->stream = export;
}

void koa_api_metrics(void *context, const struct koa_http_request *request,
                     struct koa_http_response *response)
{
    const char *accept = koa_http_request_header(request, "Accept");

    answer_metrics(context, request, koa_format_choose(accept, KOA_FORMAT_JSON), response);
}

void koa_api_metrics_prometheus(void *context, const struct koa_http_request *request,
                                struct koa_http_response *response)
{
    const char *accept = koa_http_request_header(request, "Accept");
    enum koa_format format = koa_format_choose(accept, KOA_FORMAT_PROMETHEUS);

    answer_metrics(context, request, format == KOA_FORMAT_JSON ? KOA_FORMAT_PROMETHEUS : format,
                   response);
}

/* Asks a service whether it answers: HTTP(S) with an expected status and text, or a TCP connection.
 * Each run is a client of its own: what a kept connection would hide shows. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/num.h"
#include "base/redact.h"
#include "base/str.h"
#include "health/probe.h"
#include "httpclient/client.h"
#include "net/stream.h"

enum {
    BODY_LIMIT = 65536,
    HOST_SIZE = 256,
    URL_TEXT_SIZE = 512,
    /* The check's own deadline comes first; this is only a net below it. */
    GRACE_MS = 1000
};

struct tls {
    const char *ca_file, *cert_file, *key_file, *server_name;
};

static const char tcp_scheme[] = "tcp://";

struct config {
    const char *service;
    const char *url;
    struct koa_counts expect_status;
    const char *expect_body;
    bool allow_link_local;
    struct tls tls;
};

/* "tcp://host:port" or "tcp://[::1]:port", a slash at the end allowed. */
static bool split_tcp(const char *url, char host[HOST_SIZE], int *ret_port)
{
    struct koa_str rest = koa_str_from(url + strlen(tcp_scheme));
    struct koa_str name;
    struct koa_str number;
    const char *colon;
    int64_t port = 0;

    if (rest.size > 0 && rest.data[rest.size - 1] == '/')
        rest.size--;
    colon = rest.size > 0 ? memrchr(rest.data, ':', rest.size) : NULL;
    if (colon == NULL)
        return false;
    name = (struct koa_str){.data = rest.data, .size = (size_t) (colon - rest.data)};
    number = (struct koa_str){.data = colon + 1, .size = rest.size - name.size - 1};
    if (name.size > 1 && name.data[0] == '[' && name.data[name.size - 1] == ']') {
        name.data++;
        name.size -= 2;
    }
    if (name.size == 0 || !koa_str_copy(host, HOST_SIZE, name) ||
        koa_parse_int(number, 1, 65535, &port) != KOA_OK)
        return false;
    *ret_port = (int) port;
    return true;
}

static bool is_tcp(const char *url)
{
    return strncmp(url, tcp_scheme, strlen(tcp_scheme)) == 0;
}

static const char *validate_url(const char *value)
{
    char host[HOST_SIZE];
    int port;

    if (is_tcp(value) ? split_tcp(value, host, &port) : koa_http_url_valid(value))
        return NULL;
    return "a URL of http, https or tcp://host:port, with a port from 1 to 65535";
}

static const struct koa_option tls_options[] = {
    {KOA_TEXT(struct tls, ca_file), .help = "trusted certificates; default: the system's"},
    {KOA_TEXT(struct tls, cert_file), .help = "own certificate, for services that ask for one"},
    {KOA_TEXT(struct tls, key_file), .help = "its private key"},
    {KOA_TEXT(struct tls, server_name), .help = "name in the certificate; default: the URL's host"},
    {0},
};

static const struct koa_option options[] = {
    {KOA_TEXT(struct config, service), .required = true,
     .help = "name of the service, as texts show it"},
    {KOA_TEXT(struct config, url), .required = true, .validate = validate_url,
     .help = "http, https or tcp://host:port"},
    {KOA_COUNTS(struct config, expect_status), .fallback = "[200]", .minimum = 100, .maximum = 599,
     .help = "HTTP statuses that are right"},
    {KOA_TEXT(struct config, expect_body), .fallback = "",
     .help = "text that the first 64 KiB of the answer must hold"},
    {KOA_BOOL(struct config, allow_link_local), .fallback = "false",
     .help = "call link-local addresses and those of cloud metadata services too, which are "
             "refused otherwise, also behind a name"},
    {KOA_GROUP(struct config, tls, tls_options), .help = "TLS of https"},
    {0},
};

struct run {
    struct koa_probe *probe;
    const struct config *config;
    struct koa_http_call *call;
    struct koa_stream *stream;
};

static void cancel(void *context)
{
    struct run *run = context;

    koa_http_call_cancel(run->call);
    koa_stream_destroy(run->stream);
    koa_free(run);
}

static void finish(struct run *run)
{
    struct koa_probe *probe = run->probe;

    koa_free(run);
    koa_probe_finish(probe);
}

static void tell_healthy(const struct run *run)
{
    koa_verdict_healthy(koa_probe_verdict(run->probe), "%s is healthy", run->config->service);
}

static void tell_unhealthy(const struct run *run, const char *why)
{
    koa_verdict_unhealthy(koa_probe_verdict(run->probe), "%s is unhealthy: %s",
                          run->config->service, why);
}

/* ---- HTTP */

static bool is_expected(const struct koa_counts *expected, int status)
{
    for (size_t i = 0; i < expected->count; i++) {
        if (expected->rows[i] == status)
            return true;
    }
    return false;
}

/* "HTTP 503, expected 200 or 204" */
static void tell_status(const struct run *run, int status)
{
    const struct koa_counts *expected = &run->config->expect_status;
    struct koa_buf why = {.limit = 1024};

    koa_buf_printf(&why, "HTTP %d, expected", status);
    for (size_t i = 0; i < expected->count; i++)
        koa_buf_printf(&why, "%s %" PRId64, i > 0 ? " or" : "", expected->rows[i]);
    tell_unhealthy(run, koa_buf_text(&why));
    koa_buf_deinit(&why);
}

static void tell_body(const struct run *run, bool is_cut)
{
    struct koa_buf why = {.limit = 1024};

    koa_buf_printf(&why, "the answer does not contain '%.200s'%s", run->config->expect_body,
                   is_cut ? " in its first 64 KiB" : "");
    tell_unhealthy(run, koa_buf_text(&why));
    koa_buf_deinit(&why);
}

static void on_answered(void *context, const struct koa_http_answer *answer,
                        const struct koa_error *error)
{
    struct run *run = context;
    const struct config *settings = run->config;
    struct koa_verdict *verdict = koa_probe_verdict(run->probe);
    size_t wanted = strlen(settings->expect_body);

    run->call = NULL;
    if (answer == NULL) {
        tell_unhealthy(run, error->text);
        finish(run);
        return;
    }
    koa_verdict_detail(verdict, "status_code", KOA_VALUE_INT(answer->status));
    koa_verdict_detail(verdict, "response_ms", KOA_VALUE_DOUBLE(answer->seconds * 1000.0));
    if (!is_expected(&settings->expect_status, answer->status)) {
        tell_status(run, answer->status);
    } else if (wanted > 0 && memmem(answer->body.data, answer->body.size, settings->expect_body,
                                    wanted) == NULL) {
        tell_body(run, answer->body_is_cut);
    } else {
        tell_healthy(run);
    }
    finish(run);
}

static enum koa_err begin_http(struct run *run, int64_t timeout_ms, struct koa_error *reterr)
{
    const struct config *settings = run->config;
    struct koa_http_call_opts opts = {
        .method = "GET",
        .url = settings->url,
        .timeout_ms = timeout_ms,
        .body_limit = BODY_LIMIT,
        .refuses_link_local = !settings->allow_link_local,
        .ca_file = settings->tls.ca_file,
        .cert_file = settings->tls.cert_file,
        .key_file = settings->tls.key_file,
        .server_name = settings->tls.server_name,
        .done = on_answered,
        .context = run,
    };

    return koa_http_client_start(koa_probe_services(run->probe)->http, &opts, &run->call, reterr);
}

/* ---- TCP */

static void on_connected(void *context)
{
    struct run *run = context;

    koa_stream_destroy(KOA_MOVE(run->stream));
    tell_healthy(run);
    finish(run);
}

static void on_received(void *context, struct koa_str bytes)
{
    (void) context;
    (void) bytes;
}

static void on_closed(void *context, const struct koa_error *error)
{
    struct run *run = context;

    koa_stream_destroy(KOA_MOVE(run->stream));
    tell_unhealthy(run, error->text);
    finish(run);
}

static enum koa_err begin_tcp(struct run *run, int64_t timeout_ms, struct koa_error *reterr)
{
    static const struct koa_stream_events events = {
        .connected = on_connected, .received = on_received, .closed = on_closed};
    const struct koa_probe_services *services = koa_probe_services(run->probe);
    char host[HOST_SIZE];
    struct koa_stream_opts opts = {
        .loop = services->loop,
        .events = &events,
        .context = run,
        .resolver = services->resolver,
        .host = host,
        .deadline_ms = timeout_ms,
        .refuses_link_local = !run->config->allow_link_local,
    };

    if (!split_tcp(run->config->url, host, &opts.port))
        return koa_fail(reterr, KOA_ERR_INVALID, "url must be tcp://host:port");
    return koa_stream_connect(&opts, &run->stream, reterr);
}

/* ---- both */

static void start(const void *config, struct koa_probe *probe)
{
    const struct config *settings = config;
    struct koa_verdict *verdict = koa_probe_verdict(probe);
    int64_t timeout_ms = koa_verdict_remaining_ms(verdict) + GRACE_MS;
    struct run *run = koa_calloc(1, sizeof(*run));
    char url[URL_TEXT_SIZE];
    struct koa_error error;
    enum koa_err err = koa_require_memory(run, &error);

    koa_redact_url(settings->url, url, sizeof(url));
    koa_verdict_detail(verdict, "url", KOA_VALUE_TEXT(url));
    if (err == KOA_OK) {
        run->probe = probe;
        run->config = settings;
        err = is_tcp(settings->url) ? begin_tcp(run, timeout_ms, &error)
                                    : begin_http(run, timeout_ms, &error);
    }
    if (err == KOA_OK) {
        koa_probe_on_cancel(probe, cancel, run);
        return;
    }
    koa_free(run);
    koa_verdict_unknown(verdict, "%s could not be asked: %s", settings->service, error.text);
    koa_probe_finish(probe);
}

static enum koa_err prepare(void *config, struct koa_error *reterr)
{
    const struct config *settings = config;

    if (!is_tcp(settings->url) && settings->expect_status.count == 0)
        return koa_fail(reterr, KOA_ERR_INVALID, "expect_status names no status");
    return KOA_OK;
}

static void default_name(const void *config, char *name, size_t size)
{
    const struct config *settings = config;

    (void) snprintf(name, size, "service_%s", settings->service);
}

const struct koa_check_ops koa_check_service = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "service",
    .help = "A service that must answer over HTTP, HTTPS or TCP",
    .options = options,
    .config_size = sizeof(struct config),
    .timeout = "5s",
    .start = start,
    .prepare = prepare,
    .default_name = default_name,
};

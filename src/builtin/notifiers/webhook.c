/* Posts each notification to a URL. What is sent and what an answer means is webhook_request.c's;
 * when it is tried again is the dispatcher's. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <koa/notifier.h>

#include "alerts/delivery.h"
#include "base/arena.h"
#include "base/memory.h"
#include "base/redact.h"
#include "builtin/notifiers/webhook_request.h"
#include "httpclient/client.h"

enum {
    /* 64 labels and annotations of 1 KiB, escaped at worst sixfold. */
    BODY_LIMIT = 1024 * 1024,
    HEADERS_LIMIT = 32,
    HEADER_SIZE = 4096,
    OWN_HEADERS = 5,
    ANSWER_LIMIT = 4096 /* read and not looked at, so that the connection can be used again */
};

struct tls {
    const char *ca_file, *cert_file, *key_file, *server_name;
};

struct config {
    const char *url;
    int format;
    struct koa_pairs headers;
    const char *hmac_key;
    bool allow_link_local;
    struct tls tls;
};

static const struct koa_choice formats[] = {
    {"native", KOA_WEBHOOK_NATIVE},
    {"alertmanager", KOA_WEBHOOK_ALERTMANAGER},
    {NULL, 0},
};

static const char *validate_url(const char *value)
{
    return koa_http_url_valid(value)
               ? NULL
               : "an http:// or https:// URL, with a port from 1 to 65535 if any";
}

static const char *validate_header(const char *value)
{
    if (strlen(value) > HEADER_SIZE - 256)
        return "a header of at most 3840 bytes";
    return strpbrk(value, "\r\n") == NULL ? NULL : "one line";
}

static const struct koa_option tls_options[] = {
    {KOA_TEXT(struct tls, ca_file), .help = "PEM; default: the system's authorities"},
    {KOA_TEXT(struct tls, cert_file), .help = "PEM of our own certificate"},
    {KOA_TEXT(struct tls, key_file), .help = "PEM of its key"},
    {KOA_TEXT(struct tls, server_name), .help = "name the certificate must have"},
    {0},
};

/* A webhook's URL often is its credential, so it is masked like one. */
static const struct koa_option options[] = {
    {KOA_SECRET(struct config, url), .required = true, .validate = validate_url,
     .help = "where to POST; masked wherever it is shown"},
    {KOA_CHOICE(struct config, format, formats), .fallback = "native",
     .help = "the body: docs/http-api.md, or version 4 of Alertmanager's webhook"},
    {KOA_PAIRS(struct config, headers), .validate = validate_header,
     .help = "sent with each request; the value of one whose name holds authorization, token, "
             "secret, key or cookie is masked wherever it would be shown"},
    {KOA_SECRET(struct config, hmac_key),
     .help = "signs each request: X-Koa-Signature: v1=hex(HMAC-SHA256(key, timestamp.body))"},
    {KOA_BOOL(struct config, allow_link_local), .fallback = "false",
     .help = "call link-local addresses and those of cloud metadata services too, which are "
             "refused otherwise, also behind a name"},
    {KOA_GROUP(struct config, tls, tls_options), .help = "of an https URL"},
    {0},
};

static bool is_token(const char *name)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (const char *at = name; *at != '\0'; at++) {
        bool is_word =
            (*at >= '0' && *at <= '9') || (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z');

        if (!is_word && strchr(marks, *at) == NULL)
            return false;
    }
    return name[0] != '\0';
}

static bool is_own(const char *name)
{
    static const char *const names[] = {"Content-Type",     "Content-Length",  "Host",
                                        "Idempotency-Key",  "X-Koa-Timestamp", "X-Koa-Signature",
                                        "Transfer-Encoding"};

    for (size_t i = 0; i < KOA_ARRAY_COUNT(names); i++) {
        if (strcasecmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* Values of headers that carry credentials appear in no text of ours. */
static void guard_header(const struct koa_pair *header)
{
    static const char *const words[] = {"authorization", "token", "secret", "key", "cookie"};

    for (size_t i = 0; i < KOA_ARRAY_COUNT(words); i++) {
        if (strcasestr(header->key, words[i]) != NULL)
            (void) koa_redact_register(header->value);
    }
}

static enum koa_err prepare(void *settings, struct koa_error *reterr)
{
    const struct config *config = settings;

    if (config->headers.count > HEADERS_LIMIT)
        return koa_fail(reterr, KOA_ERR_LIMIT, "more than %d headers", HEADERS_LIMIT);
    for (size_t i = 0; i < config->headers.count; i++) {
        const struct koa_pair *header = &config->headers.rows[i];

        if (!is_token(header->key) || strlen(header->key) > 128)
            return koa_fail(reterr, KOA_ERR_INVALID, "'%.64s' is no name of a header", header->key);
        if (is_own(header->key)) {
            return koa_fail(reterr, KOA_ERR_INVALID, "header '%s' is set by the agent itself",
                            header->key);
        }
        guard_header(header);
    }
    return KOA_OK;
}

/* One request under way. */
struct post {
    struct koa_delivery *delivery;
    struct koa_http_call *call;
};

static void cancel(void *context)
{
    struct post *post = context;

    koa_http_call_cancel(post->call);
    koa_free(post);
}

static void answered(void *context, const struct koa_http_answer *answer,
                     const struct koa_error *error)
{
    struct post *post = context;
    struct koa_delivery *delivery = post->delivery;
    char text[64];

    koa_free(post);
    if (answer == NULL) {
        koa_delivery_finish(delivery, KOA_RETRY_LATER, -1, error->text);
        return;
    }
    (void) snprintf(text, sizeof(text), "the receiver answered %d", answer->status);
    koa_delivery_finish(delivery, koa_webhook_outcome(answer->status), answer->retry_after_ms,
                        text);
}

/* All header lines, in one arena of text. */
struct headers {
    const char *lines[HEADERS_LIMIT + OWN_HEADERS + 1];
    size_t count;
    struct koa_arena *arena;
};

static void add_header(struct headers *headers, const char *name, const char *value)
{
    const char *line = koa_arena_printf(headers->arena, "%s: %s", name, value);

    if (line != NULL)
        headers->lines[headers->count++] = line;
}

/* False when memory is out. */
static bool make_headers(const struct config *config, const struct koa_delivery *delivery,
                         struct koa_str body, struct headers *headers)
{
    const struct koa_notification *note = koa_delivery_notification(delivery);
    char signature[KOA_WEBHOOK_SIGNATURE_SIZE];
    char timestamp[32];

    (void) snprintf(timestamp, sizeof(timestamp), "%" PRId64, koa_delivery_now(delivery).ms / 1000);
    add_header(headers, "Content-Type", "application/json");
    add_header(headers, "Idempotency-Key", koa_notification_idempotency_key(note));
    add_header(headers, "X-Koa-Timestamp", timestamp);
    if (config->hmac_key != NULL && config->hmac_key[0] != '\0') {
        if (!koa_webhook_sign(config->hmac_key, timestamp, body, signature))
            return false;
        add_header(headers, "X-Koa-Signature", signature);
    }
    for (size_t i = 0; i < config->headers.count; i++)
        add_header(headers, config->headers.rows[i].key, config->headers.rows[i].value);
    return !koa_arena_failed(headers->arena);
}

static enum koa_err send_request(const struct config *config, struct post *post,
                                 struct koa_str body, struct koa_error *reterr)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create((size_t) HEADERS_LIMIT * HEADER_SIZE);
    const struct koa_delivery_services *services = koa_delivery_services(post->delivery);
    struct headers headers = {.arena = arena};
    struct koa_http_call_opts opts = {
        .method = "POST",
        .url = config->url,
        .headers = headers.lines,
        .body = body,
        .timeout_ms = koa_delivery_timeout_ms(post->delivery),
        .body_limit = ANSWER_LIMIT,
        .refuses_link_local = !config->allow_link_local,
        .ca_file = config->tls.ca_file,
        .cert_file = config->tls.cert_file,
        .key_file = config->tls.key_file,
        .server_name = config->tls.server_name,
        .done = answered,
        .context = post,
    };

    if (services->http == NULL)
        return koa_fail(reterr, KOA_ERR_STATE, "this agent has no HTTP client");
    if (arena == NULL || !make_headers(config, post->delivery, body, &headers))
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the request");
    return koa_http_client_start(services->http, &opts, &post->call, reterr);
}

static void start(const void *settings, struct koa_delivery *delivery)
{
    const struct config *config = settings;
    struct koa_webhook_context context = {
        .format = (enum koa_webhook_format) config->format,
        .receiver = koa_delivery_notifier(delivery),
        .external_url = koa_delivery_services(delivery)->external_url,
        .now = koa_delivery_now(delivery),
    };
    struct koa_buf body = {.limit = BODY_LIMIT};
    struct post *post = koa_calloc(1, sizeof(*post));
    struct koa_error error;
    enum koa_err err;

    koa_webhook_body(&context, koa_delivery_notification(delivery), &body);
    err = koa_require_memory(post, &error);
    if (err == KOA_OK)
        err = koa_buf_status(&body, "the body of a webhook", &error);
    if (err == KOA_OK) {
        post->delivery = delivery;
        err = send_request(config, post, (struct koa_str){.data = body.data, .size = body.size},
                           &error);
    }
    koa_buf_deinit(&body);
    if (err == KOA_OK) {
        koa_delivery_on_cancel(delivery, cancel, post);
        return;
    }
    koa_free(post);
    koa_delivery_finish(delivery, err == KOA_ERR_LIMIT ? KOA_UNDELIVERABLE : KOA_RETRY_LATER, -1,
                        error.text);
}

const struct koa_notifier_ops koa_notifier_webhook = {
    KOA_OPS_INIT(koa_notifier_ops),
    .name = "webhook",
    .help = "An HTTP POST with JSON, signed when a key is given",
    .options = options,
    .config_size = sizeof(struct config),
    .start = start,
    .prepare = prepare,
};

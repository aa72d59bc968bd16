/* Bodies are made by the JSON writer from the notification, never by pasting text. */
#include "builtin/notifiers/webhook_request.h"

#include <string.h>

#include "alerts/identity.h"
#include "alerts/notification.h"
#include "alerts/render.h"
#include "base/json_write.h"
#include "base/str.h"
#include "crypto/crypto.h"

static void render_native(struct koa_json *json, const struct koa_webhook_context *context,
                          const struct koa_notification *note)
{
    const struct koa_alert_record *record = koa_notification_record(note);

    koa_json_object(json, NULL);
    koa_json_object(json, "alert");
    koa_alert_render_members(json, record);
    koa_alert_render_details(json, record);
    koa_json_object_end(json);
    koa_json_time(json, "timestamp", context->now);
    koa_json_object_end(json);
}

static void render_rows(struct koa_json *json, const struct koa_labels *labels, const char *except)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (except == NULL || strcmp(labels->rows[i].name, except) != 0)
            koa_json_text(json, labels->rows[i].name, labels->rows[i].value);
    }
}

/* Routes of a real Alertmanager look at alertname and severity. */
static void render_labels(struct koa_json *json, const char *key,
                          const struct koa_notification *note)
{
    const struct koa_labels *labels = koa_notification_labels(note);

    koa_json_object(json, key);
    koa_json_text(json, "alertname", koa_notification_rule(note));
    koa_json_text(json, "severity", koa_severity_name(koa_notification_severity(note)));
    for (size_t i = 0; i < labels->count; i++) {
        if (strcmp(labels->rows[i].name, "alertname") != 0 &&
            strcmp(labels->rows[i].name, "severity") != 0)
            koa_json_text(json, labels->rows[i].name, labels->rows[i].value);
    }
    koa_json_object_end(json);
}

static void render_annotations(struct koa_json *json, const char *key,
                               const struct koa_notification *note)
{
    koa_json_object(json, key);
    koa_json_text(json, "message", koa_notification_message(note));
    render_rows(json, koa_notification_annotations(note), "message");
    koa_json_object_end(json);
}

/* {}:{alertname="X"}, quoted as Go quotes it. */
static void render_group_key(struct koa_json *json, const char *rule)
{
    struct koa_buf buf = {.limit = 1024};

    koa_buf_append_text(&buf, "{}:{alertname=\"");
    for (const char *at = rule; *at != '\0'; at++) {
        if (*at == '"' || *at == '\\')
            koa_buf_append_char(&buf, '\\');
        koa_buf_append_char(&buf, *at);
    }
    koa_buf_append_text(&buf, "\"}");
    koa_json_text(json, "groupKey", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void render_alert(struct koa_json *json, const struct koa_webhook_context *context,
                         const struct koa_notification *note)
{
    const char *fingerprint = koa_notification_fingerprint(note);
    struct koa_buf link = {.limit = 4096};

    koa_buf_printf(&link, "%s/alerts/%s", context->external_url, fingerprint);
    koa_json_object(json, NULL);
    koa_json_text(json, "status", koa_alert_state_name(koa_notification_state(note)));
    render_labels(json, "labels", note);
    render_annotations(json, "annotations", note);
    koa_json_time(json, "startsAt", koa_notification_starts_at(note));
    /* Go's zero time is how Alertmanager says "still firing". */
    if (koa_notification_ends_at(note).ms == 0) {
        koa_json_text(json, "endsAt", "0001-01-01T00:00:00Z");
    } else {
        koa_json_time(json, "endsAt", koa_notification_ends_at(note));
    }
    koa_json_text(json, "generatorURL",
                  context->external_url[0] != '\0' ? koa_buf_text(&link) : "");
    koa_json_text(json, "fingerprint", fingerprint);
    koa_json_object_end(json);
    koa_buf_deinit(&link);
}

static void render_alertmanager(struct koa_json *json, const struct koa_webhook_context *context,
                                const struct koa_notification *note)
{
    koa_json_object(json, NULL);
    koa_json_text(json, "version", "4");
    render_group_key(json, koa_notification_rule(note));
    koa_json_int(json, "truncatedAlerts", 0);
    koa_json_text(json, "status", koa_alert_state_name(koa_notification_state(note)));
    koa_json_text(json, "receiver", context->receiver);
    koa_json_object(json, "groupLabels");
    koa_json_text(json, "alertname", koa_notification_rule(note));
    koa_json_object_end(json);
    render_labels(json, "commonLabels", note);
    render_annotations(json, "commonAnnotations", note);
    koa_json_text(json, "externalURL", context->external_url);
    koa_json_list(json, "alerts");
    render_alert(json, context, note);
    koa_json_list_end(json);
    koa_json_object_end(json);
}

void koa_webhook_body(const struct koa_webhook_context *context,
                      const struct koa_notification *note, struct koa_buf *buf)
{
    struct koa_json json = {.buf = buf};

    if (context->format == KOA_WEBHOOK_ALERTMANAGER) {
        render_alertmanager(&json, context, note);
    } else {
        render_native(&json, context, note);
    }
}

bool koa_webhook_sign(const char *key, const char *timestamp, struct koa_str body,
                      char signature[KOA_WEBHOOK_SIGNATURE_SIZE])
{
    struct koa_buf buf = {.limit = body.size + strlen(timestamp) + 1};
    unsigned char digest[KOA_SHA256_SIZE];
    bool is_signed;

    koa_buf_append_text(&buf, timestamp);
    koa_buf_append_char(&buf, '.');
    koa_buf_append(&buf, body.data, body.size);
    is_signed = !buf.failed &&
                koa_hmac_sha256((struct koa_str){.data = key, .size = strlen(key)},
                                (struct koa_str){.data = buf.data, .size = buf.size}, digest);
    if (is_signed) {
        (void) koa_str_copy(signature, sizeof("v1="), KOA_STR("v1="));
        koa_hex(digest, sizeof(digest), signature + 3);
    }
    koa_buf_deinit(&buf);
    return is_signed;
}

enum koa_outcome koa_webhook_outcome(int status)
{
    if (status >= 200 && status <= 299)
        return KOA_DELIVERED;
    if (status == 408 || status == 425 || status == 429 || status >= 500)
        return KOA_RETRY_LATER;
    return KOA_UNDELIVERABLE;
}

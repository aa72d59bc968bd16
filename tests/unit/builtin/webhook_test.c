/* What a webhook sends: bodies, signature, and what an answer means. */
#include "builtin/notifiers/webhook_request.h"

#include <string.h>

#include "alerts/notification.h"
#include "base/json_read.h"
#include "base/str.h"
#include "kit/kit.h"
#include "kit/rule_kit.h"

static const struct koa_label labels[] = {{"severity", "of a host"}, {"topic", "a\"b"}};
static const struct koa_label annotations[] = {{"summary", "line\nbreak"}};

static struct koa_alert_record record = {
    .identity = UINT64_C(0x0123456789abcdef),
    .transition = 1,
    .severity = KOA_SEVERITY_CRITICAL,
    .state = KOA_ALERT_FIRING,
    .has_value = true,
    .has_threshold = true,
    .rule = "storm \"x\"",
    .message = "it is 15.0, greater than 10.0",
    .labels = {labels, 2},
    .annotations = {annotations, 1},
    .starts_at.ms = 1764000000123,
    .value = 15,
    .threshold = 10,
};

static void make_body(enum koa_webhook_format format, struct koa_buf *buf)
{
    struct koa_webhook_context context = {.format = format,
                                          .receiver = "oncall",
                                          .external_url = "http://agent:8080",
                                          .now.ms = 1764000001000};
    struct koa_alert_record *made = koa_alert_record_create(&record);
    struct koa_notification *note = koa_notification_create(made, 3);

    koa_webhook_body(&context, note, buf);
    koa_notification_destroy(note);
    koa_alert_record_unref(made);
}

static void the_native_body_is_the_contracts(void **state)
{
    struct koa_buf buf = {.limit = 65536};

    (void) state;
    make_body(KOA_WEBHOOK_NATIVE, &buf);
    KIT_EXPECT_TEXT("native",
                    "{\"alert\":{\"name\":\"storm \\\"x\\\"\",\"severity\":\"critical\","
                    "\"state\":\"firing\",\"message\":\"it is 15.0, greater than 10.0\","
                    "\"labels\":{\"severity\":\"of a host\",\"topic\":\"a\\\"b\"},"
                    "\"annotations\":{\"summary\":\"line\\nbreak\"},"
                    "\"starts_at\":\"2025-11-24T16:00:00.123Z\",\"ends_at\":null,"
                    "\"fingerprint\":\"0123456789abcdef\",\"rule\":\"storm \\\"x\\\"\","
                    "\"value\":15,\"threshold\":10},\"timestamp\":\"2025-11-24T16:00:01.000Z\"}",
                    koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static const char *text_at(const struct koa_json_value *object, const char *key)
{
    const char *text = koa_json_value_text(koa_json_get(object, key));

    return text != NULL ? text : "(none)";
}

static void the_alertmanager_body_is_version_4(void **state)
{
    struct koa_buf buf = {.limit = 65536};
    KOA_AUTO(koa_json_value) *root = NULL;
    const struct koa_json_value *alert;

    (void) state;
    make_body(KOA_WEBHOOK_ALERTMANAGER, &buf);
    assert_int_equal(koa_json_parse((struct koa_str){buf.data, buf.size}, &root, NULL), KOA_OK);
    KIT_EXPECT_TEXT("version", "4", text_at(root, "version"));
    KIT_EXPECT_TEXT("groupKey", "{}:{alertname=\"storm \\\"x\\\"\"}", text_at(root, "groupKey"));
    KIT_EXPECT_TEXT("status", "firing", text_at(root, "status"));
    KIT_EXPECT_TEXT("receiver", "oncall", text_at(root, "receiver"));
    KIT_EXPECT_TEXT("externalURL", "http://agent:8080", text_at(root, "externalURL"));
    KIT_EXPECT_TEXT("severity", "critical",
                    text_at(koa_json_get(root, "commonLabels"), "severity"));
    KIT_EXPECT_INT("one alert", 1, koa_json_count(koa_json_get(root, "alerts")));
    alert = koa_json_at(koa_json_get(root, "alerts"), 0);
    KIT_EXPECT_TEXT("endsAt", "0001-01-01T00:00:00Z", text_at(alert, "endsAt"));
    KIT_EXPECT_TEXT("startsAt", "2025-11-24T16:00:00.123Z", text_at(alert, "startsAt"));
    KIT_EXPECT_TEXT("fingerprint", "0123456789abcdef", text_at(alert, "fingerprint"));
    KIT_EXPECT_TEXT("link", "http://agent:8080/alerts/0123456789abcdef",
                    text_at(alert, "generatorURL"));
    KIT_EXPECT_TEXT("alertname", "storm \"x\"",
                    text_at(koa_json_get(alert, "labels"), "alertname"));
    KIT_EXPECT_TEXT("message", "it is 15.0, greater than 10.0",
                    text_at(koa_json_get(alert, "annotations"), "message"));
    koa_buf_deinit(&buf);
}

/* HMAC-SHA256("key", "1764000001.{}"), by openssl dgst. */
static void the_signature_covers_time_and_body(void **state)
{
    char signature[KOA_WEBHOOK_SIGNATURE_SIZE];

    (void) state;
    assert_true(koa_webhook_sign("key", "1764000001", KOA_STR("{}"), signature));
    KIT_EXPECT_TEXT("signature",
                    "v1=f543b179bb51a753912fd22565caeca4736a10148e10dd7daaa0f951e8042f75",
                    signature);
}

static void answers_mean(void **state)
{
    static const struct {
        const char *name;
        int status;
        enum koa_outcome outcome;
    } cases[] = {
        {"200", 200, KOA_DELIVERED},     {"204", 204, KOA_DELIVERED},
        {"302", 302, KOA_UNDELIVERABLE}, {"400", 400, KOA_UNDELIVERABLE},
        {"401", 401, KOA_UNDELIVERABLE}, {"408", 408, KOA_RETRY_LATER},
        {"413", 413, KOA_UNDELIVERABLE}, {"425", 425, KOA_RETRY_LATER},
        {"429", 429, KOA_RETRY_LATER},   {"500", 500, KOA_RETRY_LATER},
        {"503", 503, KOA_RETRY_LATER},   {"599", 599, KOA_RETRY_LATER},
    };

    (void) state;
    KIT_EACH (c, cases)
        KIT_EXPECT_INT(c->name, c->outcome, koa_webhook_outcome(c->status));
}

static void notifiers_keep_the_contract(void **state)
{
    (void) state;
    kit_notifier_contract(&koa_notifier_log, KOA_NO_SETTINGS);
    kit_notifier_contract(&koa_notifier_webhook,
                          KOA_SETTINGS({"url", "https://alerts.example.org/hook"}));
}

static void bad_settings_are_named(void **state)
{
    static const struct {
        const char *name;
        const struct koa_setting rows[2];
        size_t count;
        const char *message;
    } cases[] = {
        {"no url", {{"format", "native"}}, 1, "url"},
        {"another scheme", {{"url", "ftp://x"}}, 1, "http"},
        {"no such format", {{"url", "http://x"}, {"format", "slack"}}, 2, "native"},
        {"our own header", {{"url", "http://x"}, {"headers", "{Idempotency-Key: x}"}}, 2, "itself"},
        {"no header's name", {{"url", "http://x"}, {"headers", "{\"a b\": x}"}}, 2, "no name"},
        {"two lines", {{"url", "http://x"}, {"headers", "{A: \"x\\r\\nB: y\"}"}}, 2, "one line"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_settings settings = {.rows = c->rows, .count = c->count};
        struct koa_error error = {0};

        KIT_EXPECT(c->name, kit_notifier_make(&koa_notifier_webhook, &settings, &error) == NULL);
        KIT_EXPECT_CONTAINS(c->name, c->message, error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_native_body_is_the_contracts),
        cmocka_unit_test(the_alertmanager_body_is_version_4),
        cmocka_unit_test(the_signature_covers_time_and_body),
        cmocka_unit_test(answers_mean),
        cmocka_unit_test(notifiers_keep_the_contract),
        cmocka_unit_test(bad_settings_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

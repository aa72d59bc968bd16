/* The webhook over real HTTP, through the dispatcher: what arrives, and what each kind of receiver
 * does to the delivery. */
#include <stdio.h>
#include <string.h>

#include "alerts/dispatch.h"
#include "base/buf.h"
#include "builtin/notifiers/webhook_request.h"
#include "httpclient/client.h"
#include "kit/http_peer.h"
#include "kit/kit.h"
#include "kit/loop_kit.h"
#include "kit/rule_kit.h"
#include "loop/clock.h"

struct bench {
    struct kit_loop loop;
    struct koa_http_client *http;
    struct koa_dispatch *dispatch;
    struct koa_notifier *notifier;
    struct koa_ledger_row row; /* as last seen */
};

static void open_bench(void *message)
{
    struct bench *bench = message;
    struct koa_dispatch_opts opts = {.timers = koa_loop_timers(bench->loop.loop),
                                     .workers = bench->loop.workers,
                                     .mono = koa_clock_mono,
                                     .wall = koa_clock_wall};
    struct koa_alert_record from = {.identity = 0xabc,
                                    .transition = 1,
                                    .state = KOA_ALERT_FIRING,
                                    .rule = "storm",
                                    .message = "it is 15.0",
                                    .starts_at.ms = 42};
    struct koa_alert_record *record = koa_alert_record_create(&from);

    assert_non_null(record);
    assert_int_equal(
        koa_http_client_create(bench->loop.loop, bench->loop.resolver, NULL, &bench->http, NULL),
        KOA_OK);
    opts.services.loop = bench->loop.loop;
    opts.services.http = bench->http;
    assert_int_equal(koa_dispatch_create(&opts, &bench->dispatch, NULL), KOA_OK);
    assert_int_equal(koa_dispatch_put(bench->dispatch, bench->notifier, NULL), KOA_OK);
    koa_dispatch_send(bench->dispatch, record);
    koa_alert_record_unref(record);
}

static void close_bench(void *message)
{
    struct bench *bench = message;

    koa_dispatch_destroy(bench->dispatch);
    koa_http_client_destroy(bench->http);
}

static bool attempt_is_over(void *context)
{
    struct bench *bench = context;
    struct koa_ledger_view *view = koa_dispatch_ledger(bench->dispatch);

    if (view == NULL)
        return false;
    bench->row = view->rows[0];
    koa_object_unref(&view->object);
    return bench->row.outcome != KOA_LEDGER_WAITING;
}

/* One alert to `peer`, with settings beside the URL; what came of the first attempt. */
static struct koa_ledger_row deliver(struct kit_http_peer *peer, const char *timeout,
                                     const char *key)
{
    struct bench bench = {0};
    struct koa_error error = {0};
    char url[64];

    (void) snprintf(url, sizeof(url), "http://127.0.0.1:%d/hook?token=abcdefgh",
                    kit_http_peer_port(peer));
    bench.notifier = kit_notifier_make(
        &koa_notifier_webhook,
        KOA_SETTINGS({"url", url}, {"timeout", timeout}, {"hmac_key", key},
                     {"headers", "{X-Team: kafka, Authorization: Bearer qwertyuiop}"}),
        &error);
    KIT_EXPECT_TEXT("settings", "", error.text);
    kit_loop_start(&bench.loop, 0);
    kit_loop_call(&bench.loop, open_bench, &bench);
    kit_loop_run_until(&bench.loop, attempt_is_over, &bench);
    kit_loop_call(&bench.loop, close_bench, &bench);
    kit_loop_end(&bench.loop);
    return bench.row;
}

static const char *header_value(const char *request, const char *name, char *value, size_t size)
{
    const char *at = strstr(request, name);
    size_t length = at != NULL ? strcspn(at + strlen(name), "\r\n") : 0;

    (void) snprintf(value, size, "%.*s", (int) length, at != NULL ? at + strlen(name) : "");
    return value;
}

static void what_arrives_is_signed_json(void **state)
{
    static const char ok[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    struct kit_http_peer *peer = kit_http_peer_start(KIT_HTTP_ANSWERS, ok, NULL, NULL);
    struct koa_ledger_row row = deliver(peer, "20s", "secret-key");
    char request[4096];
    char timestamp[32];
    char signature[128];
    char expected[KOA_WEBHOOK_SIGNATURE_SIZE];
    const char *body;

    (void) state;
    kit_http_peer_end(peer, request, sizeof(request));
    KIT_EXPECT_TEXT("outcome", "delivered", koa_ledger_outcome_name(row.outcome));
    KIT_EXPECT_CONTAINS("method and path", "POST /hook?token=abcdefgh HTTP/1.1\r\n", request);
    KIT_EXPECT_CONTAINS("type", "Content-Type: application/json\r\n", request);
    KIT_EXPECT_CONTAINS("key", "Idempotency-Key: 0000000000000abc-42-1\r\n", request);
    KIT_EXPECT_CONTAINS("own header", "X-Team: kafka\r\n", request);
    KIT_EXPECT_CONTAINS("credentials", "Authorization: Bearer qwertyuiop\r\n", request);
    body = strstr(request, "\r\n\r\n");
    assert_non_null(body);
    body += 4;
    KIT_EXPECT_CONTAINS("body", "{\"alert\":{\"name\":\"storm\"", body);
    assert_true(koa_webhook_sign(
        "secret-key", header_value(request, "X-Koa-Timestamp: ", timestamp, sizeof(timestamp)),
        (struct koa_str){.data = body, .size = strlen(body)}, expected));
    KIT_EXPECT_TEXT("signature", expected,
                    header_value(request, "X-Koa-Signature: ", signature, sizeof(signature)));
}

static const struct {
    const char *name;
    enum kit_http_manner manner;
    const char *answer;
    const char *timeout;
    enum koa_ledger_outcome outcome;
    const char *reason;
    int64_t wait_ms; /* at least, until the next attempt */
} cases[] = {
    {"it wants to be left alone", KIT_HTTP_ANSWERS,
     "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 120\r\nConnection: close\r\n"
     "Content-Length: 0\r\n\r\n",
     "20s", KOA_LEDGER_RETRYING, "429", 119000},
    {"it has a fault", KIT_HTTP_ANSWERS,
     "HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "20s",
     KOA_LEDGER_RETRYING, "500", 500},
    {"it refuses", KIT_HTTP_ANSWERS,
     "HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "20s",
     KOA_LEDGER_UNDELIVERABLE, "400", 0},
    {"it sends elsewhere", KIT_HTTP_ANSWERS,
     "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n"
     "Content-Length: 0\r\n\r\n",
     "20s", KOA_LEDGER_UNDELIVERABLE, "302", 0},
    {"it hangs", KIT_HTTP_HANGS, "", "200ms", KOA_LEDGER_RETRYING, "", 500},
    {"it closes", KIT_HTTP_CLOSES, "", "20s", KOA_LEDGER_RETRYING, "", 500},
    {"it floods", KIT_HTTP_FLOODS_HEADERS, "HTTP/1.1 200 OK\r\n", "20s", KOA_LEDGER_RETRYING, "",
     500},
};

static void receivers_behave_badly(void **state)
{
    (void) state;
    KIT_EACH (c, cases) {
        struct kit_http_peer *peer = kit_http_peer_start(c->manner, c->answer, NULL, NULL);
        struct koa_ledger_row row = deliver(peer, c->timeout, "");

        kit_http_peer_end(peer, NULL, 0);
        KIT_EXPECT_TEXT(c->name, koa_ledger_outcome_name(c->outcome),
                        koa_ledger_outcome_name(row.outcome));
        KIT_EXPECT_CONTAINS(c->name, c->reason, row.text);
        KIT_EXPECT(c->name, row.text[0] != '\0');
        KIT_EXPECT("no secret", strstr(row.text, "abcdefgh") == NULL);
        if (c->wait_ms > 0)
            KIT_EXPECT(c->name, row.next_attempt.ms - row.at.ms >= c->wait_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arrives_is_signed_json),
        cmocka_unit_test(receivers_behave_badly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "kit/kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "httpclient/client.h"
#include "kit/certificate.h"
#include "kit/http_peer.h"
#include "kit/loop_kit.h"
#include "loop/clock.h"

struct fixture {
    struct kit_loop kit;
    struct koa_http_client *client;
};

struct call {
    struct fixture *fixture;
    struct koa_http_call_opts opts;
    struct koa_http_call *call;
    enum koa_err err;

    struct kit_gate done;
    bool has_answer;
    struct koa_http_answer answer;
    char body[256];
    char server[64]; /* the header */
    struct koa_error error;

    void (*and_then)(struct call *call); /* runs in `done` */
    struct call *other;
};

static void on_done(void *context, const struct koa_http_answer *answer,
                    const struct koa_error *error)
{
    struct call *call = context;

    call->has_answer = answer != NULL;
    if (answer != NULL) {
        call->answer = *answer;
        (void) koa_str_copy(call->body, sizeof(call->body), answer->body);
        (void) koa_str_copy(call->server, sizeof(call->server),
                            koa_http_answer_header(answer, "server"));
    } else {
        call->error = *error;
    }
    if (call->and_then != NULL)
        call->and_then(call);
    kit_gate_pass(&call->done);
}

static void start(void *message)
{
    struct call *call = message;

    call->opts.done = on_done;
    call->opts.context = call;
    call->err =
        koa_http_client_start(call->fixture->client, &call->opts, &call->call, &call->error);
    if (call->err == KOA_OK)
        KIT_EXPECT_INT("nothing has run yet", 0, kit_gate_count(&call->done));
}

static void cancel(void *message)
{
    koa_http_call_cancel(((struct call *) message)->call);
}

static void create_client(void *message)
{
    struct fixture *fixture = message;

    assert_int_equal(KOA_OK, koa_http_client_create(fixture->kit.loop, fixture->kit.resolver, NULL,
                                                    &fixture->client, NULL));
}

static void destroy_client(void *message)
{
    struct fixture *fixture = message;

    koa_http_client_destroy(fixture->client);
    fixture->client = NULL;
}

static void set_up(struct fixture *fixture)
{
    kit_loop_start(&fixture->kit, 0);
    kit_loop_call(&fixture->kit, create_client, fixture);
}

static void tear_down(struct fixture *fixture)
{
    kit_loop_call(&fixture->kit, destroy_client, fixture);
    kit_loop_end(&fixture->kit);
}

static struct call call_of(struct fixture *fixture, const char *url)
{
    return (struct call){
        .fixture = fixture,
        .opts = {.method = "GET", .url = url, .timeout_ms = 20000, .body_limit = 200},
        .done = KIT_GATE_INIT};
}

static void run(struct call *call)
{
    kit_loop_call(&call->fixture->kit, start, call);
    if (call->err == KOA_OK)
        kit_gate_wait(&call->done, 1);
}

/* `format` with PORT replaced. Valid until the next call. */
static const char *url_of(const struct kit_http_peer *peer, const char *format)
{
    static struct koa_buf url = {.limit = 256};
    const char *at = strstr(format, "PORT");

    koa_buf_clear(&url);
    koa_buf_append(&url, format, (size_t) (at - format));
    koa_buf_printf(&url, "%d%s", kit_http_peer_port(peer), at + 4);
    return koa_buf_text(&url);
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nServer: peer\r\nContent-Length: 5\r\n\r\nhello"

/* ---- answers */

static void a_request_is_sent_whole_and_its_answer_comes_back(void **state)
{
    static const char *const headers[] = {"Content-Type: application/json", "X-Koa-Timestamp: 17",
                                          NULL};
    char requests[4096];
    struct fixture fixture;
    struct kit_http_peer *peer = kit_http_peer_start(KIT_HTTP_ANSWERS, OK_ANSWER, NULL, NULL);
    struct call call;

    (void) state;
    set_up(&fixture);
    call = call_of(&fixture, url_of(peer, "http://localhost:PORT/hook?a=1"));
    call.opts.method = "POST";
    call.opts.headers = headers;
    call.opts.body = KOA_STR("{\"alert\":1}");
    run(&call);
    KIT_EXPECT("answered", call.has_answer);
    KIT_EXPECT_INT("status", 200, call.answer.status);
    KIT_EXPECT_TEXT("body", "hello", call.body);
    KIT_EXPECT_TEXT("header", "peer", call.server);
    KIT_EXPECT("whole", !call.answer.body_is_cut);
    KIT_EXPECT_INT("no Retry-After", -1, call.answer.retry_after_ms);
    KIT_EXPECT("took some time", call.answer.seconds > 0 && call.answer.seconds < 20);
    tear_down(&fixture);
    kit_http_peer_end(peer, requests, sizeof(requests));
    KIT_EXPECT_CONTAINS("line", "POST /hook?a=1 HTTP/1.1\r\n", requests);
    KIT_EXPECT_CONTAINS("host", "Host: localhost:", requests);
    KIT_EXPECT_CONTAINS("header", "X-Koa-Timestamp: 17\r\n", requests);
    KIT_EXPECT_CONTAINS("body", "\r\n\r\n{\"alert\":1}", requests);
    KIT_EXPECT("no waiting for 100", strstr(requests, "Expect") == NULL);
}

static void what_the_server_says_is_told_as_it_is(void **state)
{
    static const struct {
        const char *name;
        const char *method;
        const char *answer;
        int status;
        const char *body;
        int64_t retry_after_ms;
    } cases[] = {
        {"a redirect is not followed", "GET",
         "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", 302,
         "", -1},
        {"busy", "POST", "HTTP/1.1 503 Busy\r\nretry-after: 7\r\nContent-Length: 4\r\n\r\nbusy",
         503, "busy", 7000},
        {"a body until the end", "GET", "HTTP/1.0 200 OK\r\n\r\nold", 200, "old", -1},
        {"chunks", "GET",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
         200, "abcde", -1},
        {"HEAD has no body", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "", -1},
        {"another method", "DELETE", "HTTP/1.1 204 Gone\r\n\r\n", 204, "", -1},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct fixture fixture;
        struct kit_http_peer *peer = kit_http_peer_start(KIT_HTTP_ANSWERS, c->answer, NULL, NULL);
        struct call call;

        set_up(&fixture);
        call = call_of(&fixture, url_of(peer, "http://127.0.0.1:PORT/"));
        call.opts.method = c->method;
        run(&call);
        KIT_EXPECT(c->name, call.has_answer);
        KIT_EXPECT_INT(c->name, c->status, call.answer.status);
        KIT_EXPECT_TEXT(c->name, c->body, call.body);
        KIT_EXPECT_INT(c->name, c->retry_after_ms, call.answer.retry_after_ms);
        KIT_EXPECT_INT(c->name, 1, kit_http_peer_connections(peer));
        tear_down(&fixture);
        kit_http_peer_end(peer, NULL, 0);
    }
}

static void a_body_without_end_is_cut_at_once(void **state)
{
    struct fixture fixture;
    struct kit_http_peer *peer =
        kit_http_peer_start(KIT_HTTP_FLOODS_BODY, "HTTP/1.1 200 OK\r\n\r\n", NULL, NULL);
    struct call call;
    int64_t began = koa_clock_mono().ms;

    (void) state;
    set_up(&fixture);
    call = call_of(&fixture, url_of(peer, "http://127.0.0.1:PORT/"));
    run(&call);
    KIT_EXPECT("answered", call.has_answer);
    KIT_EXPECT("cut", call.answer.body_is_cut);
    KIT_EXPECT_INT("size", 200, call.answer.body.size);
    KIT_EXPECT("long before its deadline", koa_clock_mono().ms - began < 10000);
    tear_down(&fixture);
    kit_http_peer_end(peer, NULL, 0);
}

/* ---- failures */

static void a_bad_server_ends_in_an_error_with_words(void **state)
{
    static const struct {
        const char *name;
        const char *answer;
        const char *text;
        int64_t timeout_ms;
        enum kit_http_manner manner;
        enum koa_err err;
    } cases[] = {
        {"hangs", NULL, "no complete answer within 0.2 s", 200, KIT_HTTP_HANGS, KOA_ERR_TIMEOUT},
        {"trickles", NULL, "no complete answer within", 300, KIT_HTTP_TRICKLES, KOA_ERR_TIMEOUT},
        {"closes", NULL, "", 20000, KIT_HTTP_CLOSES, KOA_ERR_CLOSED},
        {"floods headers", NULL, "headers are larger than 64 KiB", 20000, KIT_HTTP_FLOODS_HEADERS,
         KOA_ERR_PROTOCOL},
        {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", "", 20000,
         KIT_HTTP_ANSWERS, KOA_ERR_CLOSED},
        {"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", "", 20000, KIT_HTTP_ANSWERS, KOA_ERR_PROTOCOL},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct fixture fixture;
        struct kit_http_peer *peer = kit_http_peer_start(c->manner, c->answer, NULL, NULL);
        struct call call;

        set_up(&fixture);
        call =
            call_of(&fixture, url_of(peer, "http://me:hunter22@127.0.0.1:PORT/p?token=abcd1234"));
        call.opts.timeout_ms = c->timeout_ms;
        run(&call);
        KIT_EXPECT(c->name, !call.has_answer);
        KIT_EXPECT_INT(c->name, c->err, call.error.code);
        KIT_EXPECT_CONTAINS(c->name, c->text, call.error.text);
        KIT_EXPECT_CONTAINS(c->name, "GET http://", call.error.text);
        KIT_EXPECT("no password", strstr(call.error.text, "hunter22") == NULL);
        KIT_EXPECT("no token", strstr(call.error.text, "abcd1234") == NULL);
        tear_down(&fixture);
        kit_http_peer_end(peer, NULL, 0);
    }
}

static void nobody_listening_and_no_such_host_are_errors(void **state)
{
    struct fixture fixture;
    struct kit_http_peer *peer = kit_http_peer_start(KIT_HTTP_CLOSES, NULL, NULL, NULL);
    const char *url = url_of(peer, "http://127.0.0.1:PORT/");
    struct call call;

    (void) state;
    kit_http_peer_end(peer, NULL, 0);
    set_up(&fixture);
    call = call_of(&fixture, url);
    run(&call);
    KIT_EXPECT_INT("refused", KOA_ERR_IO, call.error.code);
    KIT_EXPECT("retriable", call.error.retriable);
    call = call_of(&fixture, "http://no-such-host.invalid/");
    run(&call);
    KIT_EXPECT_CONTAINS("no host", "cannot resolve 'no-such-host.invalid'", call.error.text);
    tear_down(&fixture);
}

static void what_can_never_work_is_refused_at_once(void **state)
{
    static const char *const split[] = {"X-A: b\r\nX-Injected: c", NULL};
    static const char *const colonless[] = {"X-A", NULL};
    static const struct {
        const char *name;
        const char *method;
        const char *url;
        const char *const *headers;
    } cases[] = {
        {"another scheme", "GET", "ftp://127.0.0.1/", NULL},
        {"a file", "GET", "file:///etc/passwd", NULL},
        {"no URL", "GET", "nonsense", NULL},
        {"empty", "GET", "", NULL},
        {"a method that is none", "get it", "http://127.0.0.1/", NULL},
        {"a header that is two", "GET", "http://127.0.0.1/", split},
        {"a header without colon", "GET", "http://127.0.0.1/", colonless},
        {"port 0", "GET", "http://127.0.0.1:0/", NULL},
    };
    struct fixture fixture;

    (void) state;
    set_up(&fixture);
    KIT_EACH (c, cases) {
        struct call call = call_of(&fixture, c->url);

        call.opts.method = c->method;
        call.opts.headers = c->headers;
        run(&call);
        KIT_EXPECT_INT(c->name, KOA_ERR_INVALID, call.err);
        KIT_EXPECT(c->name, call.error.text[0] != '\0');
    }
    tear_down(&fixture);
}

/* ---- TLS */

static void certificates_are_verified(void **state)
{
    char *directory = kit_temporary_directory();
    char cert[300];
    char key[300];
    struct fixture fixture;
    struct kit_http_peer *peer;

    static const struct {
        const char *name;
        const char *server_name;
        const char *url;
        bool trusts;
        bool answers;
    } cases[] = {
        {"trusted, right name", NULL, "https://localhost:PORT/", true, true},
        {"unknown issuer", NULL, "https://localhost:PORT/", false, false},
        {"wrong name", NULL, "https://127.0.0.1:PORT/", true, false},
        {"a name of its own", "localhost", "https://127.0.0.1:PORT/", true, true},
        {"a wrong name of its own", "other.example", "https://localhost:PORT/", true, false},
    };

    (void) state;
    (void) snprintf(cert, sizeof(cert), "%s/cert.pem", directory);
    (void) snprintf(key, sizeof(key), "%s/key.pem", directory);
    kit_make_certificate("localhost", cert, key);
    set_up(&fixture);
    KIT_EACH (c, cases) {
        struct call call;

        peer = kit_http_peer_start(KIT_HTTP_ANSWERS, OK_ANSWER, cert, key);
        call = call_of(&fixture, url_of(peer, c->url));
        call.opts.ca_file = c->trusts ? cert : NULL;
        call.opts.server_name = c->server_name;
        run(&call);
        KIT_EXPECT_INT(c->name, c->answers, call.has_answer);
        if (!c->answers)
            KIT_EXPECT_INT(c->name, KOA_ERR_TLS, call.error.code);
        kit_http_peer_end(peer, NULL, 0);
    }
    tear_down(&fixture);
    kit_remove_directory(directory);
}

static void a_proxy_of_the_environment_is_ignored(void **state)
{
    struct fixture fixture;
    struct kit_http_peer *peer = kit_http_peer_start(KIT_HTTP_ANSWERS, OK_ANSWER, NULL, NULL);
    struct call call;

    (void) state;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet or reads it */
    assert_int_equal(0, setenv("http_proxy", "http://127.0.0.1:1", 1));
    set_up(&fixture);
    call = call_of(&fixture, url_of(peer, "http://127.0.0.1:PORT/"));
    run(&call);
    KIT_EXPECT("answered", call.has_answer);
    tear_down(&fixture);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet or reads it */
    assert_int_equal(0, unsetenv("http_proxy"));
    kit_http_peer_end(peer, NULL, 0);
}

/* ---- the ends of calls */

static void a_cancelled_call_stays_silent(void **state)
{
    struct fixture fixture;
    struct kit_http_peer *peer = kit_http_peer_start(KIT_HTTP_HANGS, NULL, NULL, NULL);
    struct call at_once;
    struct call later;

    (void) state;
    set_up(&fixture);
    at_once = call_of(&fixture, url_of(peer, "http://127.0.0.1:PORT/"));
    later = call_of(&fixture, at_once.opts.url);
    kit_loop_call(&fixture.kit, start, &at_once);
    kit_loop_call(&fixture.kit, cancel, &at_once);
    kit_loop_call(&fixture.kit, start, &later);
    while (kit_http_peer_connections(peer) == 0)
        continue;
    kit_loop_call(&fixture.kit, cancel, &later);
    tear_down(&fixture);
    KIT_EXPECT_INT("silent", 0, kit_gate_count(&at_once.done) + kit_gate_count(&later.done));
    kit_http_peer_end(peer, NULL, 0);
}

static void cancel_other(struct call *call)
{
    koa_http_call_cancel(call->other->call);
}

static void start_other(struct call *call)
{
    start(call->other);
}

static void end_client(struct call *call)
{
    destroy_client(call->fixture);
}

static void a_callback_may_start_cancel_and_end_everything(void **state)
{
    struct fixture fixture;
    struct kit_http_peer *good = kit_http_peer_start(KIT_HTTP_ANSWERS, OK_ANSWER, NULL, NULL);
    struct kit_http_peer *hung = kit_http_peer_start(KIT_HTTP_HANGS, NULL, NULL, NULL);
    char hung_url[256];
    struct call waiting;
    struct call canceller;
    struct call next;
    struct call left;

    (void) state;
    set_up(&fixture);
    (void) snprintf(hung_url, sizeof(hung_url), "%s", url_of(hung, "http://127.0.0.1:PORT/"));
    waiting = call_of(&fixture, hung_url);
    left = call_of(&fixture, hung_url);
    canceller = call_of(&fixture, url_of(good, "http://127.0.0.1:PORT/"));
    next = call_of(&fixture, canceller.opts.url);
    canceller.other = &waiting;
    canceller.and_then = cancel_other;
    kit_loop_call(&fixture.kit, start, &waiting);
    run(&canceller);
    KIT_EXPECT_INT("cancelled", 0, kit_gate_count(&waiting.done));

    canceller = call_of(&fixture, next.opts.url);
    canceller.and_then = start_other;
    canceller.other = &next;
    run(&canceller);
    kit_gate_wait(&next.done, 1);
    KIT_EXPECT("the next was answered", next.has_answer);

    kit_loop_call(&fixture.kit, start, &left);
    canceller = call_of(&fixture, next.opts.url);
    canceller.and_then = end_client;
    run(&canceller);
    kit_gate_wait(&left.done, 1);
    KIT_EXPECT_INT("those that are left are told", KOA_ERR_CANCELLED, left.error.code);
    kit_loop_end(&fixture.kit);
    kit_http_peer_end(good, NULL, 0);
    kit_http_peer_end(hung, NULL, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_sent_whole_and_its_answer_comes_back),
        cmocka_unit_test(what_the_server_says_is_told_as_it_is),
        cmocka_unit_test(a_body_without_end_is_cut_at_once),
        cmocka_unit_test(a_bad_server_ends_in_an_error_with_words),
        cmocka_unit_test(nobody_listening_and_no_such_host_are_errors),
        cmocka_unit_test(what_can_never_work_is_refused_at_once),
        cmocka_unit_test(certificates_are_verified),
        cmocka_unit_test(a_proxy_of_the_environment_is_ignored),
        cmocka_unit_test(a_cancelled_call_stays_silent),
        cmocka_unit_test(a_callback_may_start_cancel_and_end_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

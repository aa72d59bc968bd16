/* Slow, silent and many clients. The server's deadlines run on a clock that only this test moves;
 * the library's inactivity timer alone runs on the system's. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/kit.h"
#include "unit/httpserver/fixture.h"

#define GET_PLAIN "GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n"

static void start(struct fixture *fixture, const struct koa_http_settings *settings)
{
    struct koa_http_server_opts opts = fixture_opts(fixture);

    opts.settings = *settings;
    fixture_start(fixture, &opts);
}

static void expect_plain(struct fixture *fixture, const char *name)
{
    struct reply reply = client_get(fixture_url(fixture), "/plain", "");

    KIT_EXPECT_INT(name, 200, reply.status);
    reply_deinit(&reply);
}

static double rejected(struct fixture *fixture, const char *reason)
{
    return fixture_counter(fixture, "kafka_ops_http_rejected_requests_total",
                           KOA_LABELS({"reason", reason}));
}

/* The library takes a connection over a moment after the acceptor: wait until all are counted. */
static void wait_for_connections(struct fixture *fixture, int64_t count)
{
    struct koa_limit_stats *stats = koa_http_server_stats(fixture->server);

    for (int i = 0; i < CLIENT_PATIENCE_MS && atomic_load(&stats->used) != count; i++)
        (void) poll(NULL, 0, 1);
    KIT_EXPECT_INT("connections", count, atomic_load(&stats->used));
}

/* Asks, reads the answer and waits until the server has put the connection to rest: the client has
 * its answer a moment before. */
static void ask_and_rest(struct fixture *fixture, int descriptor)
{
    const struct koa_labels *labels =
        KOA_LABELS({"method", "GET"}, {"endpoint", "/plain"}, {"status", "200"});
    double before = fixture_counter(fixture, "kafka_ops_requests_total", labels);
    struct reply reply;

    client_send_text(descriptor, GET_PLAIN);
    reply = client_read(descriptor, false);
    KIT_EXPECT_INT("answered", 200, reply.status);
    KIT_EXPECT("open", !reply.closes);
    reply_deinit(&reply);
    for (int i = 0; i < CLIENT_PATIENCE_MS; i++) {
        if (fixture_counter(fixture, "kafka_ops_requests_total", labels) > before)
            return;
        (void) poll(NULL, 0, 1);
    }
    fail_msg("the request did not end");
}

static void test_silent(void **state)
{
    struct fixture fixture;
    const struct koa_http_settings settings = {.header_timeout_ms = 10000};
    int descriptor;

    (void) state;
    start(&fixture, &settings);
    descriptor = client_connect(fixture_url(&fixture), false);
    wait_for_connections(&fixture, 1);
    fixture_advance_ms(&fixture, 9999);
    KIT_EXPECT("lives before its time", !client_is_closed(descriptor, 600));
    fixture_advance_ms(&fixture, 1);
    KIT_EXPECT("ends at its time", client_is_closed(descriptor, CLIENT_PATIENCE_MS));
    KIT_EXPECT_DOUBLE("counted", 1, rejected(&fixture, "header_timeout"));
    (void) close(descriptor);
    fixture_stop(&fixture);
}

static void test_trickle(void **state)
{
    struct fixture fixture;
    const struct koa_http_settings settings = {.header_timeout_ms = 10000};
    static const char head[] = "GET /plain HTTP/1.1\r\nHost: localhost\r\nX: ";
    int descriptor;
    bool is_closed = false;
    int sent = 0;

    (void) state;
    start(&fixture, &settings);
    descriptor = client_connect(fixture_url(&fixture), false);
    wait_for_connections(&fixture, 1);
    /* A byte a second, for a minute. */
    for (; sent < 60 && !is_closed; sent++) {
        char byte = 'x';

        if (sent < (int) sizeof(head) - 1)
            byte = head[sent];

        client_send(descriptor, &byte, 1);
        fixture_advance_ms(&fixture, 1000);
        is_closed = client_is_closed(descriptor, sent >= 9 ? 500 : 5);
    }
    KIT_EXPECT("cut", is_closed);
    KIT_EXPECT("at ten seconds", sent >= 10 && sent <= 13);
    (void) close(descriptor);
    fixture_stop(&fixture);
}

static void test_trickle_after_a_request(void **state)
{
    struct fixture fixture;
    const struct koa_http_settings settings = {.header_timeout_ms = 10000,
                                               .idle_timeout_ms = 60000};
    int descriptor;

    (void) state;
    start(&fixture, &settings);
    descriptor = client_connect(fixture_url(&fixture), false);
    ask_and_rest(&fixture, descriptor);
    client_send_text(descriptor, "GET /pl");
    fixture_advance_ms(&fixture, 69000);
    KIT_EXPECT("may be idle and then slow", !client_is_closed(descriptor, 500));
    fixture_advance_ms(&fixture, 2000);
    KIT_EXPECT("not both longer", client_is_closed(descriptor, CLIENT_PATIENCE_MS));
    (void) close(descriptor);

    descriptor = client_connect(fixture_url(&fixture), false);
    ask_and_rest(&fixture, descriptor);
    client_send_text(descriptor, "GET /plain HTTP/1.1\r\nX: ");
    for (int i = 0; i < 100; i++) /* until the request line has been seen */
        (void) poll(NULL, 0, 1);
    fixture_advance_ms(&fixture, 10000);
    KIT_EXPECT("the request line starts the clock anew",
               client_is_closed(descriptor, CLIENT_PATIENCE_MS));
    (void) close(descriptor);
    fixture_stop(&fixture);
}

static void test_slow_body(void **state)
{
    struct fixture fixture;
    const struct koa_http_settings settings = {.header_timeout_ms = 10000,
                                               .idle_timeout_ms = 30000};
    int descriptor;
    struct reply reply;

    (void) state;
    start(&fixture, &settings);
    descriptor = client_connect(fixture_url(&fixture), false);
    client_send_text(descriptor, "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
                                 "Expect: 100-continue\r\n\r\n");
    reply = client_read(descriptor, true); /* so the head has been seen */
    KIT_EXPECT_INT("continue", 100, reply.status);
    reply_deinit(&reply);
    fixture_advance_ms(&fixture, 29000);
    client_send_text(descriptor, "x");
    KIT_EXPECT("lives", !client_is_closed(descriptor, 500));
    fixture_advance_ms(&fixture, 1000);
    KIT_EXPECT("ends", client_is_closed(descriptor, CLIENT_PATIENCE_MS));
    KIT_EXPECT_DOUBLE("counted", 1, rejected(&fixture, "body_timeout"));
    (void) close(descriptor);
    fixture_stop(&fixture);
}

static void test_never_reading(void **state)
{
    struct fixture fixture;
    const struct koa_http_settings settings = {.idle_timeout_ms = 1000};
    int descriptor;

    (void) state;
    start(&fixture, &settings);
    descriptor = client_connect(fixture_url(&fixture), false);
    client_send_text(descriptor, "GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n");
    fixture_wait_count(&fixture, &fixture.streams_ended, 1); /* without a byte being read */
    (void) close(descriptor);
    wait_for_connections(&fixture, 0);
    fixture_stop(&fixture);
}

static void test_half_open(void **state)
{
    enum { CLIENTS = 500 };
    struct fixture fixture;
    const struct koa_http_settings settings = {.connections = CLIENTS + 12,
                                               .connections_per_address = CLIENTS + 12};
    static int descriptors[CLIENTS];

    (void) state;
    start(&fixture, &settings);
    for (int i = 0; i < CLIENTS; i++) {
        descriptors[i] = client_connect(fixture_url(&fixture), false);
        client_send_text(descriptors[i], "GET /plain HTTP/1.1\r\nHost: loc");
    }
    wait_for_connections(&fixture, CLIENTS);
    for (int i = 0; i < 100; i++)
        expect_plain(&fixture, "served beside 500 half-open ones");
    fixture_advance_ms(&fixture, 10000);
    for (int i = 0; i < CLIENTS; i++) {
        KIT_EXPECT("cut", client_is_closed(descriptors[i], CLIENT_PATIENCE_MS));
        (void) close(descriptors[i]);
    }
    wait_for_connections(&fixture, 0);
    KIT_EXPECT_DOUBLE("counted", CLIENTS, rejected(&fixture, "header_timeout"));
    fixture_stop(&fixture);
}

static void test_per_address(void **state)
{
    enum { LIMIT = 50, CLIENTS = 200 };
    struct fixture fixture;
    const struct koa_http_settings settings = {.connections_per_address = LIMIT};
    static int descriptors[CLIENTS];
    int answered = 0;

    (void) state;
    start(&fixture, &settings);
    for (int i = 0; i < CLIENTS; i++)
        descriptors[i] = client_connect(fixture_url(&fixture), false);
    for (int i = 0; i < CLIENTS; i++) {
        struct reply reply;

        client_send_text(descriptors[i], GET_PLAIN);
        reply = client_read(descriptors[i], false);
        answered += reply.status == 200;
        reply_deinit(&reply);
    }
    KIT_EXPECT_INT("answered", LIMIT, answered);
    KIT_EXPECT_DOUBLE("counted", CLIENTS - LIMIT, rejected(&fixture, "connections_per_address"));
    KIT_EXPECT_INT("shown", CLIENTS - LIMIT,
                   atomic_load(&koa_http_server_stats(fixture.server)->dropped));
    for (int i = 0; i < CLIENTS; i++)
        (void) close(descriptors[i]);
    wait_for_connections(&fixture, 0);
    expect_plain(&fixture, "and again when they have gone");
    fixture_stop(&fixture);
}

static void test_total(void **state)
{
    enum { LIMIT = 8 };
    struct fixture fixture;
    const struct koa_http_settings settings = {.connections = LIMIT};
    int descriptors[LIMIT];
    int late;

    (void) state;
    start(&fixture, &settings);
    for (int i = 0; i < LIMIT; i++) {
        descriptors[i] = client_connect(fixture_url(&fixture), false);
        ask_and_rest(&fixture, descriptors[i]);
        fixture_advance_ms(&fixture, 1);
    }
    /* All places are taken by idle ones: the one idle longest gives way. */
    expect_plain(&fixture, "newcomer");
    KIT_EXPECT("oldest went", client_is_closed(descriptors[0], CLIENT_PATIENCE_MS));
    KIT_EXPECT("youngest stays", !client_is_closed(descriptors[LIMIT - 1], 0));
    for (int i = 0; i < LIMIT; i++)
        (void) close(descriptors[i]);
    wait_for_connections(&fixture, 0);

    /* All places are taken by busy ones: the newcomer is refused at once, not left waiting. */
    for (size_t i = 0; i < LIMIT; i++) {
        descriptors[i] = client_connect(fixture_url(&fixture), false);
        client_send_text(descriptors[i], "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
        fixture_wait_tokens(&fixture, i + 1);
    }
    late = client_connect(fixture_url(&fixture), false);
    KIT_EXPECT("refused", client_is_closed(late, CLIENT_PATIENCE_MS));
    KIT_EXPECT_DOUBLE("counted", 1, rejected(&fixture, "connections"));
    (void) close(late);
    for (size_t i = 0; i < LIMIT; i++) {
        struct reply reply;

        fixture_finish(&fixture, i);
        reply = client_read(descriptors[i], false);
        KIT_EXPECT_TEXT("busy ones are not disturbed", "late", reply.body);
        reply_deinit(&reply);
        (void) close(descriptors[i]);
    }
    fixture_stop(&fixture);
}

static void test_quiesce(void **state)
{
    struct fixture fixture;
    const struct koa_http_settings settings = {0};
    int waiting;
    int idle;
    struct reply reply;

    (void) state;
    start(&fixture, &settings);
    idle = client_connect(fixture_url(&fixture), false);
    ask_and_rest(&fixture, idle);
    waiting = client_connect(fixture_url(&fixture), false);
    client_send_text(waiting, "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    fixture_wait_tokens(&fixture, 1);
    koa_http_server_quiesce(fixture.server);
    for (int i = 0; i < CLIENT_PATIENCE_MS; i++) {
        int descriptor = client_connect(fixture_url(&fixture), true);

        if (descriptor < 0)
            break;
        (void) close(descriptor);
        (void) poll(NULL, 0, 1);
    }
    KIT_EXPECT_INT("no new connections", -1, client_connect(fixture_url(&fixture), true));
    client_send_text(idle, GET_PLAIN);
    reply = client_read(idle, false);
    KIT_EXPECT_INT("requests go on", 200, reply.status);
    KIT_EXPECT("and end their connection", reply.closes);
    reply_deinit(&reply);
    fixture_finish(&fixture, 0);
    reply = client_read(waiting, false);
    KIT_EXPECT_TEXT("the suspended one too", "late", reply.body);
    reply_deinit(&reply);
    (void) close(idle);
    (void) close(waiting);
    fixture_stop(&fixture);
}

static void test_reload_of_limits(void **state)
{
    struct fixture fixture;
    const struct koa_http_settings settings = {.body_bytes = 10};
    struct koa_http_settings more = {.body_bytes = 20};
    static const char bytes[] =
        "POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 15\r\n\r\n"
        "123456789012345";
    struct koa_error error = {.text = ""};
    struct reply reply;
    int waiting;
    int idle;

    (void) state;
    start(&fixture, &settings);
    waiting = client_connect(fixture_url(&fixture), false);
    client_send_text(waiting, "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    fixture_wait_tokens(&fixture, 1);
    idle = client_connect(fixture_url(&fixture), false);
    ask_and_rest(&fixture, idle);
    reply = client_ask(fixture_url(&fixture), bytes, sizeof(bytes) - 1);
    KIT_EXPECT_INT("before", 413, reply.status);
    reply_deinit(&reply);
    KIT_EXPECT_INT("reload", KOA_OK, koa_http_server_reload(fixture.server, &more, &error));
    reply = client_ask(fixture_url(&fixture), bytes, sizeof(bytes) - 1);
    KIT_EXPECT_INT("after", 200, reply.status);
    reply_deinit(&reply);
    KIT_EXPECT("idle ones of before end", client_is_closed(idle, CLIENT_PATIENCE_MS));
    fixture_finish(&fixture, 0);
    reply = client_read(waiting, false);
    KIT_EXPECT_TEXT("a request under way is answered", "late", reply.body);
    KIT_EXPECT("and its connection ends", reply.closes);
    reply_deinit(&reply);
    more.body_bytes = -5;
    KIT_EXPECT_INT("bad reload", KOA_ERR_RANGE,
                   koa_http_server_reload(fixture.server, &more, &error));
    KIT_EXPECT_CONTAINS("bad reload", "body_bytes", error.text);
    reply = client_ask(fixture_url(&fixture), bytes, sizeof(bytes) - 1);
    KIT_EXPECT_INT("changes nothing", 200, reply.status);
    reply_deinit(&reply);
    (void) close(idle);
    (void) close(waiting);
    fixture_stop(&fixture);
}

/* A generation that is replaced while a request hangs in it: the request is answered at the drain
 * limit, not left for ever. */
static void test_drain_limit(void **state)
{
    struct fixture fixture;
    const struct koa_http_settings settings = {0};
    struct reply reply;
    int waiting;

    (void) state;
    start(&fixture, &settings);
    waiting = client_connect(fixture_url(&fixture), false);
    client_send_text(waiting, "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n");
    fixture_wait_tokens(&fixture, 1);
    KIT_EXPECT_INT("reload", KOA_OK, koa_http_server_reload(fixture.server, &settings, NULL));
    fixture_advance_ms(&fixture, 60000);
    reply = client_read(waiting, false);
    KIT_EXPECT("answered or cut", reply.status == 503 || reply.status == 0);
    reply_deinit(&reply);
    (void) close(waiting);
    expect_plain(&fixture, "the new one serves");
    fixture_stop(&fixture);
}

static void test_address_in_use(void **state)
{
    struct fixture fixture;
    const struct koa_http_settings settings = {0};
    struct koa_http_server_opts opts = fixture_opts(&fixture);
    struct koa_http_server *second = NULL;
    struct koa_error error = {.text = ""};

    (void) state;
    start(&fixture, &settings);
    opts.port = (int) strtol(strrchr(fixture_url(&fixture), ':') + 1, NULL, 10);
    KIT_EXPECT_INT("create", KOA_OK, koa_http_server_create(&opts, &second, &error));
    KIT_EXPECT_INT("start", KOA_ERR_IO, koa_http_server_start(second, &error));
    KIT_EXPECT_CONTAINS("names the address", "cannot listen on 127.0.0.1:", error.text);
    KIT_EXPECT_CONTAINS("and the reason", "in use", error.text);
    koa_http_server_destroy(second);
    fixture_stop(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silent),
        cmocka_unit_test(test_trickle),
        cmocka_unit_test(test_trickle_after_a_request),
        cmocka_unit_test(test_slow_body),
        cmocka_unit_test(test_never_reading),
        cmocka_unit_test(test_half_open),
        cmocka_unit_test(test_per_address),
        cmocka_unit_test(test_total),
        cmocka_unit_test(test_quiesce),
        cmocka_unit_test(test_reload_of_limits),
        cmocka_unit_test(test_drain_limit),
        cmocka_unit_test(test_address_in_use),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Honest and hostile requests, byte by byte, over loopback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "httpserver/internal.h"
#include "kit/kit.h"
#include "unit/httpserver/fixture.h"

#define HOST "Host: localhost\r\n"

static struct fixture fixture;

static int set_up(void **state)
{
    struct koa_http_server_opts opts = fixture_opts(&fixture);

    (void) state;
    fixture_start(&fixture, &opts);
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    fixture_stop(&fixture);
    return 0;
}

/* Rows of one request each. `closes`: the server must end the connection. */
struct hostile {
    const char *name;
    const char *bytes;
    size_t size;
    int status;
    bool closes;
    bool is_library_s; /* from 1.0 on the library refuses it, before we see it */
};

#define ROW(name_, bytes_, status_, closes_)                                                       \
    {                                                                                              \
        .name = (name_), .bytes = (bytes_), .size = sizeof(bytes_) - 1, .status = (status_),       \
        .closes = (closes_)                                                                        \
    }

#define LIBRARY_ROW(name_, bytes_, status_, closes_)                                               \
    {                                                                                              \
        .name = (name_), .bytes = (bytes_), .size = sizeof(bytes_) - 1, .status = (status_),       \
        .closes = (closes_), .is_library_s = true                                                  \
    }

static const struct hostile hostile_requests[] = {
    ROW("honest", "GET /plain HTTP/1.1\r\n" HOST "\r\n", 200, false),
    LIBRARY_ROW("bare LF", "GET /plain HTTP/1.1\nHost: localhost\n\n", 200, false),
    ROW("HTTP/1.0", "GET /plain HTTP/1.0\r\n\r\n", 200, true),
    ROW("length and chunked",
        "POST /body HTTP/1.1\r\n" HOST
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400, true),
    ROW("chunked and length",
        "POST /body HTTP/1.1\r\n" HOST
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400, true),
    ROW("length and chunked on GET",
        "GET /plain HTTP/1.1\r\n" HOST
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400, true),
    ROW("two lengths",
        "POST /body HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400,
        true),
    ROW("two equal lengths",
        "POST /body HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400,
        true),
    ROW("signed length", "POST /body HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello", 400,
        true),
    ROW("huge length",
        "POST /body HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n", 413,
        true),
    ROW("10 MB", "POST /body HTTP/1.1\r\n" HOST "Content-Length: 10485760\r\n\r\nabc", 413, true),
    ROW("chunked body",
        "POST /body HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        411, true),
    ROW("blank before the colon", "GET /plain HTTP/1.1\r\nHost : localhost\r\n\r\n", 400, true),
    ROW("blank before another colon", "GET /plain HTTP/1.1\r\n" HOST "X : 1\r\n\r\n", 400, true),
    ROW("no Host", "GET /plain HTTP/1.1\r\nX: 1\r\n\r\n", 400, true),
    ROW("two Hosts", "GET /plain HTTP/1.1\r\n" HOST "Host: other\r\n\r\n", 400, true),
    ROW("no colon", "GET /plain HTTP/1.1\r\n" HOST "nonsense\r\n\r\n", 400, true),
    ROW("NUL in a value", "GET /plain HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n", 400, true),
    ROW("NUL in the last value", "GET /plain HTTP/1.1\r\nX: y\r\nHost: local\0host\r\n\r\n", 400,
        true),
    ROW("two NULs that look like a line end",
        "GET /plain HTTP/1.1\r\n" HOST "X: a\0\0Y: b\r\nZ: c\r\n\r\n", 400, true),
    ROW("NUL in a name", "GET /plain HTTP/1.1\r\n" HOST "X\0: a\r\n\r\n", 400, true),
    LIBRARY_ROW("NUL in the target", "GET /pl\0ain HTTP/1.1\r\n" HOST "\r\n", 400, true),
    ROW("folded header", "GET /plain HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400, true),
    ROW("folded header, then more", "GET /plain HTTP/1.1\r\nX: a\r\n\tb\r\n" HOST "\r\n", 400,
        true),
    ROW("folded empty line", "GET /plain HTTP/1.1\r\n" HOST "X: a\r\n \r\nY: b\r\n\r\n", 400, true),
    ROW("control character in a value", "GET /plain HTTP/1.1\r\n" HOST "X: a\x01\r\n\r\n", 400,
        true),
    ROW("carriage return in a value", "GET /plain HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400, true),
    ROW("GET with a body", "GET /plain HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc", 400,
        true),
    ROW("escaped NUL", "GET /plain%00 HTTP/1.1\r\n" HOST "\r\n", 400, true),
    ROW("escaped NUL in the query", "GET /plain?x=%00 HTTP/1.1\r\n" HOST "\r\n", 400, true),
    ROW("bad escape", "GET /plain%zz HTTP/1.1\r\n" HOST "\r\n", 400, true),
    ROW("blank in the target", "GET /pl ain HTTP/1.1\r\n" HOST "\r\n", 400, true),
    ROW("small method", "get /plain HTTP/1.1\r\n" HOST "\r\n", 400, true),
    ROW("HTTP/2.0", "GET /plain HTTP/2.0\r\n" HOST "\r\n", 505, true),
    ROW("asterisk", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 400, true),
    ROW("unknown path", "GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404, false),
    ROW("trailing slash", "GET /plain/ HTTP/1.1\r\n" HOST "\r\n", 404, false),
    ROW("wrong method", "POST /plain HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 405, false),
    ROW("wrong method with a body", "PUT /plain HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
        405, true),
    ROW("unknown method", "BREW /plain HTTP/1.1\r\n" HOST "\r\n", 405, false),
};

static void ask_hostile(const struct hostile *c, bool is_first)
{
    int descriptor = client_connect(fixture_url(&fixture), false);
    /* Ours looks at a connection's first request before the library does. */
    bool is_refused_early =
        c->is_library_s && !koa_http_is_layout_known() && (!is_first || c->status == 200);
    struct reply reply;

    if (!is_first) {
        client_send_text(descriptor, "GET /plain HTTP/1.1\r\n" HOST "\r\n");
        reply = client_read(descriptor, false);
        KIT_EXPECT_INT(c->name, 200, reply.status);
        reply_deinit(&reply);
    }
    client_send(descriptor, c->bytes, c->size);
    reply = client_read(descriptor, false);
    if (is_refused_early) {
        KIT_EXPECT(c->name, reply.status == 400 || reply.status == 0);
    } else {
        KIT_EXPECT_INT(c->name, c->status, reply.status);
        KIT_EXPECT(c->name, reply.closes == c->closes);
    }
    if (is_first && c->status != 200)
        KIT_EXPECT_CONTAINS(c->name, "{\"error\":", reply.body);
    if (c->closes || is_refused_early)
        KIT_EXPECT(c->name, client_is_closed(descriptor, CLIENT_PATIENCE_MS));
    reply_deinit(&reply);
    (void) close(descriptor);
}

/* The gate looks at a connection's first request, the library at those that follow. */
static void test_hostile(void **state)
{
    (void) state;
    KIT_EACH (c, hostile_requests)
        ask_hostile(c, true);
}

static void test_hostile_later(void **state)
{
    (void) state;
    KIT_EACH (c, hostile_requests)
        ask_hostile(c, false);
}

/* Garbage that is no request at all: whatever comes back, the connection ends and the server goes
 * on. */
static void test_garbage(void **state)
{
    static const struct hostile cases[] = {
        ROW("one word", "hello\r\n\r\n", 0, true),
        ROW("two words", "GET /plain\r\n\r\n", 0, true),
        ROW("TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 0, true),
        ROW("binary", "\xff\xff\0\0\0\xff\xff\xff\r\n\r\n", 0, true),
        ROW("bad version", "GET /plain HTTP/x.y\r\n" HOST "\r\n", 0, true),
        ROW("blanks after the version", "GET /plain HTTP/1.1  \r\n" HOST "\r\n", 0, true),
    };

    (void) state;
    KIT_EACH (c, cases) {
        int descriptor = client_connect(fixture_url(&fixture), false);
        struct reply reply;

        client_send(descriptor, c->bytes, c->size);
        (void) shutdown(descriptor, SHUT_WR);
        KIT_EXPECT(c->name, client_is_closed(descriptor, CLIENT_PATIENCE_MS));
        (void) close(descriptor);
        reply = client_get(fixture_url(&fixture), "/plain", "");
        KIT_EXPECT_INT(c->name, 200, reply.status);
        reply_deinit(&reply);
    }
}

/* A line that begins with a NUL looks empty to the library, which then waits for a request. */
static void test_nul_lines(void **state)
{
    int descriptor = client_connect(fixture_url(&fixture), false);
    bool is_closed = false;

    (void) state;
    client_send(descriptor, "\0\0\0\r\n\0\r\n", 8);
    for (int i = 0; i < 100 && !is_closed; i++) {
        fixture_advance_ms(&fixture, 1000);
        is_closed = client_is_closed(descriptor, 100);
    }
    KIT_EXPECT("ends with the head's deadline", is_closed);
    (void) close(descriptor);
}

/* As a connection's first request, and after another. */
static void send_twice(const char *name, const struct koa_buf *bytes, int status, bool is_json)
{
    for (int is_later = 0; is_later < 2; is_later++) {
        int descriptor = client_connect(fixture_url(&fixture), false);
        struct reply reply;

        if (is_later) {
            client_send_text(descriptor, "GET /plain HTTP/1.1\r\n" HOST "\r\n");
            reply = client_read(descriptor, false);
            reply_deinit(&reply);
        }
        client_send(descriptor, bytes->data, bytes->size);
        reply = client_read(descriptor, false);
        KIT_EXPECT_INT(name, status, reply.status);
        if (status != 200) {
            KIT_EXPECT(name, reply.closes);
            KIT_EXPECT_CONTAINS(name, "\"message\":", reply.body);
        }
        if (is_json)
            KIT_EXPECT_TEXT(name, "application/json", reply_header(&reply, "Content-Type"));
        reply_deinit(&reply);
        (void) close(descriptor);
    }
}

static void ask_with_filler(const char *name, const char *format, int fill, int status,
                            bool is_json)
{
    struct koa_buf bytes = {.limit = 1 << 20};
    char *filler = calloc(1, (size_t) fill + 1);

    memset(filler, 'a', (size_t) fill);
    for (const char *at = format; *at != '\0'; at++) {
        if (*at == '@') {
            koa_buf_append(&bytes, filler, (size_t) fill);
        } else {
            koa_buf_append_char(&bytes, *at);
        }
    }
    send_twice(name, &bytes, status, is_json);
    koa_buf_deinit(&bytes);
    free(filler);
}

static void test_sizes(void **state)
{
    struct koa_buf headers = {.limit = 4096};

    (void) state;
    ask_with_filler("header of 12 KiB", "GET /plain HTTP/1.1\r\n" HOST "X: @\r\n\r\n", 12 << 10,
                    200, true);
    ask_with_filler("header of 17 KiB", "GET /plain HTTP/1.1\r\n" HOST "X: @\r\n\r\n", 17 << 10,
                    431, true);
    ask_with_filler("header of 64 KiB", "GET /plain HTTP/1.1\r\n" HOST "X: @\r\n\r\n", 64 << 10,
                    431, true);
    ask_with_filler("target of 4 KiB", "GET /plain?x=@ HTTP/1.1\r\n" HOST "\r\n", 4 << 10, 414,
                    true);
    ask_with_filler("target of 4000 bytes", "GET /plain?x=@ HTTP/1.1\r\n" HOST "\r\n", 4000, 200,
                    true);
    ask_with_filler("target of 64 KiB", "GET /plain?x=@ HTTP/1.1\r\n" HOST "\r\n", 64 << 10, 414,
                    true);
    koa_buf_append_text(&headers, "GET /plain HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 100; i++)
        koa_buf_append_text(&headers, "X: y\r\n");
    koa_buf_append_text(&headers, "\r\n");
    send_twice("101 headers", &headers, 431, true);
    koa_buf_deinit(&headers);
}

static void test_errors_are_json(void **state)
{
    struct reply reply = client_get(fixture_url(&fixture), "/nothing%22?x=1", "");

    (void) state;
    KIT_EXPECT_TEXT("404",
                    "{\"error\":\"Endpoint not found\",\"message\":\"no endpoint has the path "
                    "'/nothing%22'\",\"timestamp\":\"2025-11-25T16:00:00.123Z\"}",
                    reply.body);
    KIT_EXPECT_TEXT("type", "application/json", reply_header(&reply, "Content-Type"));
    KIT_EXPECT_TEXT("cache", "no-store", reply_header(&reply, "Cache-Control"));
    KIT_EXPECT_TEXT("sniff", "nosniff", reply_header(&reply, "X-Content-Type-Options"));
    reply_deinit(&reply);
    reply = client_ask(fixture_url(&fixture), "DELETE /plain HTTP/1.1\r\n" HOST "\r\n",
                       strlen("DELETE /plain HTTP/1.1\r\n" HOST "\r\n"));
    KIT_EXPECT_INT("405", 405, reply.status);
    KIT_EXPECT_TEXT("allow", "GET, HEAD", reply_header(&reply, "Allow"));
    KIT_EXPECT_CONTAINS("405", "{\"error\":\"Method not allowed\",", reply.body);
    reply_deinit(&reply);
    reply = client_get(fixture_url(&fixture), "/broken", "");
    KIT_EXPECT_INT("fail", 503, reply.status);
    KIT_EXPECT_TEXT("fail replaces the body",
                    "{\"error\":\"Broken\",\"message\":\"this is \\\"broken\\\"\","
                    "\"timestamp\":\"2025-11-25T16:00:00.123Z\"}",
                    reply.body);
    reply_deinit(&reply);
}

static void test_request_facts(void **state)
{
    struct reply reply = client_get(fixture_url(&fixture), "/echo/a%2Fb?x=1+2&y", "X-TEST: t\r\n");

    (void) state;
    KIT_EXPECT_TEXT("facts", "GET /echo/a%2Fb|a/b|1 2|t|127.0.0.1|7|x|y", reply.body);
    KIT_EXPECT_TEXT("own header", "yes", reply_header(&reply, "X-Echo"));
    KIT_EXPECT_TEXT("own type", "text/plain", reply_header(&reply, "Content-Type"));
    reply_deinit(&reply);
    reply = client_get(fixture_url(&fixture), "/echo/b", "");
    KIT_EXPECT_TEXT("absent ones", "GET /echo/b|b|(none)|(none)|127.0.0.1|7", reply.body);
    reply_deinit(&reply);
}

static void test_keep_alive(void **state)
{
    int descriptor = client_connect(fixture_url(&fixture), false);

    (void) state;
    for (int i = 0; i < 3; i++) {
        struct reply reply;
        char text[128];

        (void) snprintf(text, sizeof(text), "GET /echo/n%d HTTP/1.1\r\n" HOST "\r\n", i);
        client_send_text(descriptor, text);
        reply = client_read(descriptor, false);
        (void) snprintf(text, sizeof(text), "GET /echo/n%d|n%d|(none)|(none)|127.0.0.1|7", i, i);
        KIT_EXPECT_TEXT("answer", text, reply.body);
        KIT_EXPECT("stays open", !reply.closes);
        reply_deinit(&reply);
    }
    (void) close(descriptor);
}

static void test_head(void **state)
{
    static const char bytes[] = "HEAD /plain HTTP/1.1\r\n" HOST "\r\n";
    struct reply reply = client_ask(fixture_url(&fixture), bytes, sizeof(bytes) - 1);

    (void) state;
    KIT_EXPECT_INT("status", 200, reply.status);
    KIT_EXPECT_TEXT("length of what GET gives", "11", reply_header(&reply, "Content-Length"));
    KIT_EXPECT_INT("no body", 0, reply.body_size);
    reply_deinit(&reply);
}

static void test_head_of_a_stream(void **state)
{
    static const char bytes[] = "HEAD /stream?size=100 HTTP/1.1\r\n" HOST "\r\n";
    size_t before = fixture.streams_ended;
    int descriptor = client_connect(fixture_url(&fixture), false);
    struct reply reply;

    (void) state;
    client_send_text(descriptor, bytes);
    reply = client_read(descriptor, true);
    KIT_EXPECT_INT("status", 200, reply.status);
    KIT_EXPECT_INT("no body", 0, reply.body_size);
    KIT_EXPECT_TEXT("no length that is not true", NULL, reply_header(&reply, "Content-Length"));
    reply_deinit(&reply);
    KIT_EXPECT("ends", client_is_closed(descriptor, CLIENT_PATIENCE_MS));
    (void) close(descriptor);
    fixture_wait_count(&fixture, &fixture.streams_ended, before + 1);
}

static void test_body(void **state)
{
    static const char bytes[] = "POST /body HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello";
    struct reply reply = client_ask(fixture_url(&fixture), bytes, sizeof(bytes) - 1);

    (void) state;
    KIT_EXPECT_TEXT("body", "5:hello", reply.body);
    reply_deinit(&reply);
    ask_with_filler("large body", "POST /body HTTP/1.1\r\n" HOST "Content-Length: 1000000\r\n\r\n@",
                    1000000, 200, false);
}

static void test_body_in_pieces(void **state)
{
    int descriptor = client_connect(fixture_url(&fixture), false);
    struct reply reply;

    (void) state;
    client_send_text(descriptor, "POST /body HTTP/1.1\r\n" HOST
                                 "Content-Length: 6\r\nExpect: 100-continue\r\n\r\n");
    reply = client_read(descriptor, true);
    KIT_EXPECT_INT("continue", 100, reply.status);
    reply_deinit(&reply);
    client_send_text(descriptor, "ab");
    client_send_text(descriptor, "cdef");
    reply = client_read(descriptor, false);
    KIT_EXPECT_TEXT("joined", "6:abcdef", reply.body);
    reply_deinit(&reply);
    client_send_text(descriptor, "GET /plain HTTP/1.1\r\n" HOST "\r\n");
    reply = client_read(descriptor, false);
    KIT_EXPECT_TEXT("the next request", "{\"ok\":true}", reply.body);
    reply_deinit(&reply);
    (void) close(descriptor);
}

static void test_shared(void **state)
{
    size_t before = fixture.objects_freed;
    struct reply reply = client_get(fixture_url(&fixture), "/shared", "");

    (void) state;
    KIT_EXPECT_TEXT("bytes", "{\"shared\":1}", reply.body);
    KIT_EXPECT_TEXT("length", "12", reply_header(&reply, "Content-Length"));
    reply_deinit(&reply);
    fixture_wait_count(&fixture, &fixture.objects_freed, before + 1);
}

static void test_streams(void **state)
{
    size_t before = fixture.streams_ended;
    struct reply reply = client_get(fixture_url(&fixture), "/stream?size=1000000", "");

    (void) state;
    KIT_EXPECT_INT("size", 1000000, reply.body_size);
    KIT_EXPECT_TEXT("coding", "chunked", reply_header(&reply, "Transfer-Encoding"));
    for (size_t i = 0; i < reply.body_size; i++) {
        if (reply.body[i] != (char) ('0' + i % 10))
            fail_msg("byte %zu of the stream is wrong", i);
    }
    reply_deinit(&reply);
    reply = client_get(fixture_url(&fixture), "/stream?size=0", "");
    KIT_EXPECT_INT("an empty one", 0, reply.body_size);
    KIT_EXPECT_INT("an empty one", 200, reply.status);
    reply_deinit(&reply);
    reply = client_get(fixture_url(&fixture), "/cut", "");
    KIT_EXPECT_INT("a cut one has begun", 200, reply.status);
    KIT_EXPECT("a cut one does not look whole",
               reply.size < 5 || strcmp(reply.text + reply.size - 5, "0\r\n\r\n") != 0);
    reply_deinit(&reply);
    fixture_wait_count(&fixture, &fixture.streams_ended, before + 3);
}

static void test_guard_of_changes(void **state)
{
    static const struct {
        const char *name;
        const char *headers;
        int status;
    } cases[] = {
        {"curl", "Host: localhost:1\r\n", 200},
        {"curl by another name of this machine", "Host: myhost:1\r\n", 200},
        {"own page", "Host: localhost:1\r\nOrigin: http://localhost:1\r\n", 200},
        {"own page says so", "Host: localhost:1\r\nSec-Fetch-Site: same-origin\r\n", 200},
        {"foreign page", "Host: localhost:1\r\nOrigin: http://evil.example\r\n", 403},
        {"sandboxed page", "Host: localhost:1\r\nOrigin: null\r\n", 403},
        {"foreign site", "Host: localhost:1\r\nSec-Fetch-Site: cross-site\r\n", 403},
        {"rebound name", "Host: evil.example:1\r\nOrigin: http://evil.example:1\r\n", 403},
    };

    (void) state;
    KIT_EACH (c, cases) {
        char text[512];
        struct reply reply;

        (void) snprintf(text, sizeof(text), "POST /body HTTP/1.1\r\n%sContent-Length: 2\r\n\r\nhi",
                        c->headers);
        reply = client_ask(fixture_url(&fixture), text, strlen(text));
        KIT_EXPECT_INT(c->name, c->status, reply.status);
        reply_deinit(&reply);
    }
}

static void test_metrics(void **state)
{
    double before =
        fixture_counter(&fixture, "kafka_ops_requests_total",
                        KOA_LABELS({"method", "GET"}, {"endpoint", "/verdict"}, {"status", "503"}));
    double errors = fixture_counter(&fixture, "kafka_ops_errors_total",
                                    KOA_LABELS({"component", "http"}, {"type", "503"}));
    static const char *const paths[] = {"/verdict", "/broken", "/echo/x", "/secret-path"};
    int descriptor = client_connect(fixture_url(&fixture), false);

    (void) state;
    /* On one connection: the end of a request comes before the next one's answer. */
    for (size_t i = 0; i <= KOA_ARRAY_COUNT(paths); i++) {
        char text[128];
        struct reply reply;

        (void) snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\n" HOST "\r\n",
                        i < KOA_ARRAY_COUNT(paths) ? paths[i] : "/plain");
        client_send_text(descriptor, text);
        reply = client_read(descriptor, false);
        reply_deinit(&reply);
    }
    (void) close(descriptor);
    KIT_EXPECT_DOUBLE("verdict counted", before + 1,
                      fixture_counter(&fixture, "kafka_ops_requests_total",
                                      KOA_LABELS({"method", "GET"}, {"endpoint", "/verdict"},
                                                 {"status", "503"})));
    KIT_EXPECT_DOUBLE("only the broken one is our error", errors + 1,
                      fixture_counter(&fixture, "kafka_ops_errors_total",
                                      KOA_LABELS({"component", "http"}, {"type", "503"})));
    KIT_EXPECT("pattern, never the path",
               fixture_counter(&fixture, "kafka_ops_requests_total",
                               KOA_LABELS({"method", "GET"}, {"endpoint", "/echo/{a}"},
                                          {"status", "200"})) >= 1);
    KIT_EXPECT("other", fixture_counter(&fixture, "kafka_ops_requests_total",
                                        KOA_LABELS({"method", "GET"}, {"endpoint", "other"},
                                                   {"status", "404"})) >= 1);
    KIT_EXPECT("duration",
               fixture_counter(&fixture, "kafka_ops_request_duration_seconds",
                               KOA_LABELS({"method", "GET"}, {"endpoint", "/verdict"})) >= 1);
    KIT_EXPECT("rejections", fixture_counter(&fixture, "kafka_ops_http_rejected_requests_total",
                                             KOA_LABELS({"reason", "host"})) >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_hostile_later),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_nul_lines),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_errors_are_json),
        cmocka_unit_test(test_request_facts),
        cmocka_unit_test(test_keep_alive),
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_head_of_a_stream),
        cmocka_unit_test(test_body),
        cmocka_unit_test(test_body_in_pieces),
        cmocka_unit_test(test_shared),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_guard_of_changes),
        cmocka_unit_test(test_metrics),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

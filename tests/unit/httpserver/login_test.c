/* Logins over loopback: status by credentials and endpoint, passwords on a worker, the limit of
 * failures. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/crypto.h"
#include "kit/kit.h"
#include "unit/httpserver/fixture.h"

/* bcrypt of "sesame" and "door:two" at the lowest cost. */
#define HASH_SESAME "$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"
#define HASH_DOOR "$2b$04$abcdefghijklmnopqrstuu3eJFmD0GNPTC95xIAhxfqUaJ6YALILi"

static const struct koa_http_user users[] = {
    {"prometheus", HASH_SESAME, KOA_SCOPE_METRICS},
    {"root", HASH_DOOR, KOA_SCOPE_ADMIN},
};
static const struct koa_http_bearer bearers[] = {
    {"grafana", "tok-grafana", KOA_SCOPE_READ},
    {"deploy", "tok-deploy", KOA_SCOPE_ADMIN},
};
static const char *const open_patterns[] = {"/plain", "/open/{a}"};

static struct fixture fixture;

static int set_up(void **state)
{
    struct koa_http_server_opts opts = fixture_opts(&fixture);

    (void) state;
    opts.settings.users = users;
    opts.settings.user_count = KOA_ARRAY_COUNT(users);
    opts.settings.bearers = bearers;
    opts.settings.bearer_count = KOA_ARRAY_COUNT(bearers);
    opts.settings.open = open_patterns;
    opts.settings.open_count = KOA_ARRAY_COUNT(open_patterns);
    opts.settings.login_failures_per_minute = 30;
    fixture_start(&fixture, &opts);
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    fixture_stop(&fixture);
    return 0;
}

/* "user:password", or a whole header value when there is a blank in it, or NULL. */
static struct reply ask(const char *method, const char *path, const char *credentials)
{
    char text[2048];
    char encoded[512];
    char header[600] = "";

    if (credentials != NULL && strchr(credentials, ' ') == NULL) {
        koa_base64_encode((struct koa_str){.data = credentials, .size = strlen(credentials)},
                          encoded, sizeof(encoded));
        (void) snprintf(header, sizeof(header), "Authorization: Basic %s\r\n", encoded);
    } else if (credentials != NULL) {
        (void) snprintf(header, sizeof(header), "Authorization: %s\r\n", credentials);
    }
    (void) snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n%s", method,
                    path, header, strcmp(method, "POST") == 0 ? "Content-Length: 2\r\n" : "",
                    strcmp(method, "POST") == 0 ? "hi" : "");
    return client_ask(fixture_url(&fixture), text, strlen(text));
}

static int status_of(const char *method, const char *path, const char *credentials)
{
    struct reply reply = ask(method, path, credentials);
    int status = reply.status;

    reply_deinit(&reply);
    return status;
}

static void test_table(void **state)
{
    static const struct {
        const char *name;
        const char *method, *path, *credentials;
        int status;
    } cases[] = {
        {"none", "GET", "/shared", NULL, 401},
        {"none, unknown path", "GET", "/nothing", NULL, 401},
        {"none, wrong method", "POST", "/shared", NULL, 401},
        {"none, open", "GET", "/plain", NULL, 200},
        {"none, open part", "GET", "/open/x", NULL, 200},
        {"token", "GET", "/shared", "Bearer tok-grafana", 200},
        {"token, metrics", "GET", "/metrics", "Bearer tok-grafana", 200},
        {"token, unknown path", "GET", "/nothing", "Bearer tok-grafana", 404},
        {"token, wrong method", "DELETE", "/shared", "Bearer tok-grafana", 405},
        {"token without the scope", "POST", "/body", "Bearer tok-grafana", 403},
        {"token with it", "POST", "/body", "Bearer tok-deploy", 200},
        {"wrong token", "GET", "/shared", "Bearer tok", 401},
        {"wrong token, open: ignored", "GET", "/plain", "Bearer tok", 200},
        {"wrong token, open part: looked at", "GET", "/open/x", "Bearer tok", 401},
        {"user", "GET", "/metrics", "prometheus:sesame", 200},
        {"user again", "GET", "/metrics", "prometheus:sesame", 200},
        {"user without the scope", "GET", "/shared", "prometheus:sesame", 403},
        {"user without the scope, open part", "GET", "/open/x", "prometheus:sesame", 200},
        {"wrong password", "GET", "/metrics", "prometheus:sesam", 401},
        {"right one after it", "GET", "/metrics", "prometheus:sesame", 200},
        {"unknown user", "GET", "/metrics", "nobody:sesame", 401},
        {"another's password", "GET", "/metrics", "root:sesame", 401},
        {"first login on POST", "POST", "/body", "root:door:two", 200},
        {"garbage", "GET", "/metrics", "Basic ***", 401},
        {"unknown scheme", "GET", "/metrics", "Digest a=b", 401},
    };

    (void) state;
    KIT_EACH (c, cases)
        KIT_EXPECT_INT(c->name, c->status, status_of(c->method, c->path, c->credentials));
}

static void test_scopes_seen_by_handlers(void **state)
{
    struct reply reply = ask("GET", "/open/x", NULL);

    (void) state;
    KIT_EXPECT_CONTAINS("open without credentials", "127.0.0.1|0", reply.body);
    reply_deinit(&reply);
    reply = ask("GET", "/open/x", "Bearer tok-grafana");
    KIT_EXPECT_CONTAINS("open with", "127.0.0.1|3", reply.body);
    reply_deinit(&reply);
    reply = ask("GET", "/open/x", "root:door:two");
    KIT_EXPECT_CONTAINS("after a password", "127.0.0.1|7", reply.body);
    reply_deinit(&reply);
    reply = ask("GET", "/open/x", "root:door:two");
    KIT_EXPECT_CONTAINS("remembered", "127.0.0.1|7", reply.body);
    reply_deinit(&reply);
}

static void test_challenges(void **state)
{
    struct reply reply = ask("GET", "/shared", NULL);

    (void) state;
    KIT_EXPECT_INT("status", 401, reply.status);
    KIT_EXPECT_CONTAINS("basic", "WWW-Authenticate: Basic realm=\"kafka-ops-agent\"", reply.text);
    KIT_EXPECT_CONTAINS("bearer", "WWW-Authenticate: Bearer", reply.text);
    KIT_EXPECT_CONTAINS("json", "{\"error\":\"Unauthorized\",\"message\":", reply.body);
    reply_deinit(&reply);
}

static void test_two_headers(void **state)
{
    struct reply reply = client_get(fixture_url(&fixture), "/shared",
                                    "Authorization: Bearer tok-grafana\r\n"
                                    "Authorization: Bearer tok-grafana\r\n");

    (void) state;
    KIT_EXPECT_INT("status", 401, reply.status);
    reply_deinit(&reply);
}

static void test_failures_are_limited(void **state)
{
    struct reply reply;

    (void) state;
    for (int i = 0; i < 30; i++)
        KIT_EXPECT_INT("wrong", 401, status_of("GET", "/shared", "Bearer wrong"));
    reply = ask("GET", "/shared", "Bearer wrong");
    KIT_EXPECT_INT("too many", 429, reply.status);
    KIT_EXPECT_TEXT("says when", "2", reply_header(&reply, "Retry-After"));
    reply_deinit(&reply);
    KIT_EXPECT_INT("a right one waits too", 429, status_of("GET", "/shared", "Bearer tok-grafana"));
    KIT_EXPECT_INT("without credentials", 401, status_of("GET", "/shared", NULL));
    KIT_EXPECT_INT("open ones answer", 200, status_of("GET", "/plain", NULL));
    KIT_EXPECT_INT("even with credentials", 200, status_of("GET", "/plain", "Bearer wrong"));
    fixture_advance_ms(&fixture, 2000);
    KIT_EXPECT_INT("later", 200, status_of("GET", "/shared", "Bearer tok-grafana"));
}

static void test_missing_credentials_are_no_failures(void **state)
{
    (void) state;
    for (int i = 0; i < 100; i++)
        KIT_EXPECT_INT("none", 401, status_of("GET", "/shared", NULL));
    KIT_EXPECT_INT("right", 200, status_of("GET", "/shared", "Bearer tok-grafana"));
}

/* A scrape's many connections log in at once: one hash, all answered. */
static void test_many_at_once(void **state)
{
    enum { CLIENTS = 60 };
    int descriptors[CLIENTS];
    char encoded[64];
    char text[256];

    (void) state;
    koa_base64_encode(KOA_STR("prometheus:sesame"), encoded, sizeof(encoded));
    (void) snprintf(text, sizeof(text),
                    "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n\r\n",
                    encoded);
    for (int i = 0; i < CLIENTS; i++) {
        descriptors[i] = client_connect(fixture_url(&fixture), false);
        client_send_text(descriptors[i], text);
    }
    for (int i = 0; i < CLIENTS; i++) {
        struct reply reply = client_read(descriptors[i], false);

        KIT_EXPECT_INT("answered", 200, reply.status);
        reply_deinit(&reply);
        (void) close(descriptors[i]);
    }
}

/* Many different wrong passwords at once: each is answered, none waits for ever. */
static void test_flood_of_passwords(void **state)
{
    enum { CLIENTS = 60 };
    int descriptors[CLIENTS];

    (void) state;
    for (int i = 0; i < CLIENTS; i++) {
        char plain[32];
        char encoded[64];
        char text[256];

        (void) snprintf(plain, sizeof(plain), "root:wrong%d", i);
        koa_base64_encode((struct koa_str){.data = plain, .size = strlen(plain)}, encoded,
                          sizeof(encoded));
        (void) snprintf(text, sizeof(text),
                        "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n"
                        "\r\n",
                        encoded);
        descriptors[i] = client_connect(fixture_url(&fixture), false);
        client_send_text(descriptors[i], text);
    }
    for (int i = 0; i < CLIENTS; i++) {
        struct reply reply = client_read(descriptors[i], false);

        KIT_EXPECT("refused", reply.status == 401 || reply.status == 503 || reply.status == 429);
        if (reply.status == 503)
            KIT_EXPECT_TEXT("says when", "1", reply_header(&reply, "Retry-After"));
        reply_deinit(&reply);
        (void) close(descriptors[i]);
    }
}

static void test_reload_of_logins(void **state)
{
    static const struct koa_http_bearer others[] = {{"new", "tok-new", KOA_SCOPE_READ}};
    struct koa_http_settings settings = {.bearers = others, .bearer_count = 1};

    (void) state;
    KIT_EXPECT_INT("reload", KOA_OK, koa_http_server_reload(fixture.server, &settings, NULL));
    KIT_EXPECT_INT("old token", 401, status_of("GET", "/shared", "Bearer tok-grafana"));
    KIT_EXPECT_INT("old user", 401, status_of("GET", "/metrics", "prometheus:sesame"));
    KIT_EXPECT_INT("new token", 200, status_of("GET", "/shared", "Bearer tok-new"));
    KIT_EXPECT_INT("not open any more", 401, status_of("GET", "/plain", NULL));
    settings = (struct koa_http_settings){0};
    KIT_EXPECT_INT("reload", KOA_OK, koa_http_server_reload(fixture.server, &settings, NULL));
    KIT_EXPECT_INT("everything open", 200, status_of("GET", "/shared", NULL));
}

/* The loop hangs, then the server stops: waiting logins are answered. */
static void hang(void *message)
{
    struct pollfd polled = {.fd = *(int *) message, .events = POLLIN};

    (void) poll(&polled, 1, CLIENT_PATIENCE_MS);
}

static void test_stop_while_a_password_waits(void **state)
{
    int ends[2];
    int descriptor;
    char encoded[64];
    char text[256];
    struct reply reply;

    (void) state;
    assert_int_equal(0, pipe(ends));
    (void) koa_loop_post(fixture.loop, hang, NULL, &ends[0]);
    koa_base64_encode(KOA_STR("prometheus:sesame"), encoded, sizeof(encoded));
    (void) snprintf(text, sizeof(text),
                    "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n\r\n",
                    encoded);
    descriptor = client_connect(fixture_url(&fixture), false);
    client_send_text(descriptor, text);
    KIT_EXPECT("waits", !client_is_closed(descriptor, 200));
    KIT_EXPECT_INT("others do not", 200, status_of("GET", "/shared", "Bearer tok-grafana"));
    koa_http_server_stop(fixture.server);
    reply = client_read(descriptor, false);
    KIT_EXPECT_INT("answered", 503, reply.status);
    reply_deinit(&reply);
    (void) close(descriptor);
    assert_int_equal(1, write(ends[1], "x", 1));
    assert_true(koa_loop_call(fixture.loop, (koa_message_fn *) hang, &ends[0]));
    (void) close(ends[0]);
    (void) close(ends[1]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_table),
        TEST(test_scopes_seen_by_handlers),
        TEST(test_challenges),
        TEST(test_two_headers),
        TEST(test_failures_are_limited),
        TEST(test_missing_credentials_are_no_failures),
        TEST(test_many_at_once),
        TEST(test_flood_of_passwords),
        TEST(test_reload_of_logins),
        TEST(test_stop_while_a_password_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

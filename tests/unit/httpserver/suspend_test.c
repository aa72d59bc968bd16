/* Suspended requests and streams: finished late, finished at once, abandoned by either side. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/kit.h"
#include "unit/httpserver/fixture.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

static struct fixture fixture;

static int set_up(void **state)
{
    struct koa_http_server_opts opts = fixture_opts(&fixture);

    (void) state;
    opts.settings.connections = 512;
    opts.settings.connections_per_address = 512;
    fixture_start(&fixture, &opts);
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    fixture_stop(&fixture);
    return 0;
}

static int ask(const char *text)
{
    int descriptor = client_connect(fixture_url(&fixture), false);

    client_send_text(descriptor, text);
    return descriptor;
}

static void expect(int descriptor, const char *name, int status, const char *part)
{
    struct reply reply = client_read(descriptor, false);

    KIT_EXPECT_INT(name, status, reply.status);
    if (part != NULL)
        KIT_EXPECT_CONTAINS(name, part, reply.body);
    reply_deinit(&reply);
}

static void test_finished_late(void **state)
{
    int descriptor = ask(GET("/wait"));

    (void) state;
    fixture_wait_tokens(&fixture, 1);
    KIT_EXPECT("nothing yet", !client_is_closed(descriptor, 50));
    fixture_finish(&fixture, 0);
    expect(descriptor, "late", 200, "late");
    /* The connection goes on. */
    client_send_text(descriptor, GET("/plain"));
    expect(descriptor, "next", 200, "{\"ok\":true}");
    (void) close(descriptor);
}

static void test_finished_inside_the_handler(void **state)
{
    int descriptor = client_connect(fixture_url(&fixture), false);

    (void) state;
    for (int i = 0; i < 200; i++) {
        client_send_text(descriptor, GET("/now"));
        expect(descriptor, "now", 200, "now");
    }
    (void) close(descriptor);
}

static void *finish_all(void *context)
{
    size_t *from = context;

    for (size_t i = *from; i < *from + 100; i++)
        fixture_finish(&fixture, i);
    return NULL;
}

static void test_many_from_other_threads(void **state)
{
    int descriptors[200];
    size_t starts[] = {0, 100};
    pthread_t threads[2];

    (void) state;
    for (size_t i = 0; i < 200; i++)
        descriptors[i] = ask(GET("/wait"));
    fixture_wait_tokens(&fixture, 200);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, finish_all, &starts[i]));
    for (size_t i = 0; i < 200; i++) {
        expect(descriptors[i], "one of many", 200, "late");
        (void) close(descriptors[i]);
    }
    for (size_t i = 0; i < 2; i++)
        (void) pthread_join(threads[i], NULL);
}

static void test_client_gone_before(void **state)
{
    struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int closed = ask(GET("/wait"));
    int reset_one;

    (void) state;
    fixture_wait_tokens(&fixture, 1);
    reset_one = ask(GET("/wait"));
    fixture_wait_tokens(&fixture, 2);
    (void) close(closed);
    (void) setsockopt(reset_one, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    (void) close(reset_one);
    fixture_finish(&fixture, 0);
    fixture_finish(&fixture, 1);
    for (int i = 0; i < 20; i++) {
        int descriptor = ask(GET("/plain"));

        expect(descriptor, "others are served", 200, NULL);
        (void) close(descriptor);
    }
}

static void test_pipelined_behind_a_suspended_one(void **state)
{
    int descriptor = ask(GET("/wait") GET("/plain"));

    (void) state;
    fixture_wait_tokens(&fixture, 1);
    KIT_EXPECT_INT("the second one waits", 0, fixture.handled);
    fixture_finish(&fixture, 0);
    fixture_wait_count(&fixture, &fixture.handled, 1);
    (void) close(descriptor);
}

static void test_stop_with_suspended_ones(void **state)
{
    int descriptors[20];

    (void) state;
    for (size_t i = 0; i < 20; i++) {
        descriptors[i] = ask(GET("/wait"));
        fixture_wait_tokens(&fixture, i + 1);
    }
    fixture_finish(&fixture, 3);
    expect(descriptors[3], "finished before", 200, "late");
    koa_http_server_stop(fixture.server);
    for (size_t i = 0; i < 20; i++) {
        if (i != 3)
            expect(descriptors[i], "answered by the server", 503, "stopping");
        (void) close(descriptors[i]);
    }
    /* Their owners finish them afterwards, in tear_down. */
}

static void test_stop_while_tokens_are_finished(void **state)
{
    size_t from = 0;
    int descriptors[100];
    pthread_t thread;

    (void) state;
    for (size_t i = 0; i < 100; i++)
        descriptors[i] = ask(GET("/wait"));
    fixture_wait_tokens(&fixture, 100);
    assert_int_equal(0, pthread_create(&thread, NULL, finish_all, &from));
    koa_http_server_stop(fixture.server);
    (void) pthread_join(thread, NULL);
    for (size_t i = 0; i < 100; i++) {
        struct reply reply = client_read(descriptors[i], false);

        KIT_EXPECT("one or the other", reply.status == 200 || reply.status == 503);
        reply_deinit(&reply);
        (void) close(descriptors[i]);
    }
}

static void test_stop_during_streams(void **state)
{
    int descriptors[5];

    (void) state;
    for (size_t i = 0; i < 5; i++) {
        char some[4096];

        descriptors[i] = ask(GET("/endless"));
        KIT_EXPECT("it runs", recv(descriptors[i], some, sizeof(some), 0) > 0);
    }
    koa_http_server_stop(fixture.server);
    KIT_EXPECT_INT("all ended", 5, fixture.streams_ended);
    for (size_t i = 0; i < 5; i++) {
        KIT_EXPECT("closed", client_is_closed(descriptors[i], CLIENT_PATIENCE_MS));
        (void) close(descriptors[i]);
    }
}

static void test_stop_with_half_requests(void **state)
{
    int half = ask("GET /pl");
    int body = ask("POST /body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nab");
    int idle = ask(GET("/plain"));

    (void) state;
    expect(idle, "answered", 200, NULL);
    koa_http_server_stop(fixture.server);
    KIT_EXPECT("half", client_is_closed(half, CLIENT_PATIENCE_MS));
    KIT_EXPECT("body", client_is_closed(body, CLIENT_PATIENCE_MS));
    KIT_EXPECT("idle", client_is_closed(idle, CLIENT_PATIENCE_MS));
    (void) close(half);
    (void) close(body);
    (void) close(idle);
}

static void test_stream_left_by_the_client(void **state)
{
    int descriptor = ask(GET("/endless"));
    char some[100];

    (void) state;
    KIT_EXPECT("it runs", recv(descriptor, some, sizeof(some), 0) > 0);
    (void) close(descriptor);
    fixture_wait_count(&fixture, &fixture.streams_ended, 1);
}

static void test_restart_is_refused(void **state)
{
    struct koa_error error = {.text = ""};

    (void) state;
    KIT_EXPECT_INT("twice", KOA_ERR_STATE, koa_http_server_start(fixture.server, &error));
    koa_http_server_stop(fixture.server);
    koa_http_server_stop(fixture.server); /* twice is fine */
    KIT_EXPECT_INT("again", KOA_ERR_STATE, koa_http_server_start(fixture.server, &error));
    KIT_EXPECT_INT("reload", KOA_ERR_STATE,
                   koa_http_server_reload(fixture.server, &(struct koa_http_settings){0}, &error));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_finished_late),
        TEST(test_finished_inside_the_handler),
        TEST(test_many_from_other_threads),
        TEST(test_client_gone_before),
        TEST(test_pipelined_behind_a_suspended_one),
        TEST(test_stop_with_suspended_ones),
        TEST(test_stop_while_tokens_are_finished),
        TEST(test_stop_during_streams),
        TEST(test_stop_with_half_requests),
        TEST(test_stream_left_by_the_client),
        TEST(test_restart_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

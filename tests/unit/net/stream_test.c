#include "kit/kit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "kit/loop_kit.h"
#include "loop/clock.h"
#include "net/stream.h"

/* One end of a connection as the test sees it. */
struct end {
    struct kit_loop *kit;
    struct koa_stream *stream;
    const char *host;
    int port;
    int64_t deadline_ms;
    size_t write_limit;
    enum koa_err err;
    struct koa_error error;      /* of `closed` */
    struct koa_error said_error; /* of say(), the test's thread only */

    struct kit_gate connected;
    struct kit_gate received;
    struct kit_gate drained;
    struct kit_gate closed;
    char text[4096];
    size_t size;
    bool destroys_on_receive;
    bool destroys_on_close;
    bool echoes;
    char peer[KOA_ADDRESS_TEXT_SIZE];
};

#define END(kit_)                                                                                  \
    {                                                                                              \
        .kit = (kit_), .host = "127.0.0.1", .deadline_ms = 20000, .connected = KIT_GATE_INIT,      \
        .received = KIT_GATE_INIT, .drained = KIT_GATE_INIT, .closed = KIT_GATE_INIT               \
    }

static void on_connected(void *context)
{
    struct end *end = context;

    (void) snprintf(end->peer, sizeof(end->peer), "%s", koa_stream_peer(end->stream));
    kit_gate_pass(&end->connected);
}

static void on_received(void *context, struct koa_str bytes)
{
    struct end *end = context;

    for (size_t i = 0; i < bytes.size && end->size < sizeof(end->text) - 1; i++)
        end->text[end->size++] = bytes.data[i];
    if (end->destroys_on_receive) {
        koa_stream_destroy(end->stream);
        end->stream = NULL;
    } else if (end->echoes) {
        assert_int_equal(KOA_OK, koa_stream_write(end->stream, bytes, NULL));
    }
    kit_gate_pass(&end->received);
}

static void on_drained(void *context)
{
    kit_gate_pass(&((struct end *) context)->drained);
}

static void on_closed(void *context, const struct koa_error *error)
{
    struct end *end = context;

    end->error = *error;
    if (end->destroys_on_close) {
        koa_stream_destroy(end->stream);
        end->stream = NULL;
    }
    kit_gate_pass(&end->closed);
}

static const struct koa_stream_events events = {
    .connected = on_connected, .received = on_received, .drained = on_drained, .closed = on_closed};

static void connect_end(void *message)
{
    struct end *end = message;
    struct koa_stream_opts opts = {.loop = end->kit->loop,
                                   .events = &events,
                                   .context = end,
                                   .write_limit = end->write_limit,
                                   .resolver = end->kit->resolver,
                                   .host = end->host,
                                   .port = end->port,
                                   .deadline_ms = end->deadline_ms};

    end->err = koa_stream_connect(&opts, &end->stream, &end->error);
    KIT_EXPECT_INT("nothing has run yet", 0,
                   kit_gate_count(&end->connected) + kit_gate_count(&end->closed));
}

static void destroy_end(void *message)
{
    struct end *end = message;

    koa_stream_destroy(end->stream);
    end->stream = NULL;
}

struct words {
    struct end *end;
    struct koa_str bytes;
    enum koa_err err;
    struct koa_error error;
};

static void write_words(void *message)
{
    struct words *words = message;

    words->err = koa_stream_write(words->end->stream, words->bytes, &words->error);
}

static enum koa_err say(struct end *end, struct koa_str bytes)
{
    struct words words = {.end = end, .bytes = bytes};

    kit_loop_call(end->kit, write_words, &words);
    end->said_error = words.error;
    return words.err;
}

/* ---- a server of our own */

struct server {
    struct kit_loop *kit;
    struct koa_listener *listener;
    struct end end; /* of the last connection */
    struct kit_gate accepted;
    int port;
};

static void on_accepted(void *context, struct koa_stream *stream)
{
    struct server *server = context;

    server->end.stream = stream;
    koa_stream_serve(stream, &events, &server->end);
    kit_gate_pass(&server->accepted);
}

static void listen_here(void *message)
{
    struct server *server = message;
    struct koa_listener_opts opts = {
        .loop = server->kit->loop, .host = "127.0.0.1", .accepted = on_accepted, .context = server};

    assert_int_equal(KOA_OK, koa_listener_create(&opts, &server->listener, NULL));
    server->port = koa_listener_port(server->listener);
}

static void stop_listening(void *message)
{
    koa_listener_destroy(((struct server *) message)->listener);
}

static void start_server(struct server *server, struct kit_loop *kit)
{
    *server = (struct server){.kit = kit, .end = (struct end) END(kit), .accepted = KIT_GATE_INIT};
    kit_loop_call(kit, listen_here, server);
}

static void end_server(struct server *server)
{
    kit_loop_call(server->kit, destroy_end, &server->end);
    kit_loop_call(server->kit, stop_listening, server);
}

/* A plain listening socket that the test alone accepts on. */
static int listen_plain(int backlog, int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(descriptor >= 0);
    assert_int_equal(0, bind(descriptor, (struct sockaddr *) &address, size));
    assert_int_equal(0, listen(descriptor, backlog));
    assert_int_equal(0, getsockname(descriptor, (struct sockaddr *) &address, &size));
    *ret_port = ntohs(address.sin_port);
    return descriptor;
}

/* ---- tests */

static void both_ends_talk_and_see_the_other_close(void **state)
{
    struct kit_loop kit;
    struct server server;
    struct end client = END(&kit);
    char expected[64];

    (void) state;
    kit_loop_start(&kit, 0);
    start_server(&server, &kit);
    server.end.echoes = true;
    client.port = server.port;
    client.host = "localhost";
    kit_loop_call(&kit, connect_end, &client);
    kit_gate_wait(&client.connected, 1);
    (void) snprintf(expected, sizeof(expected), "127.0.0.1:%d", server.port);
    KIT_EXPECT_TEXT("peer", expected, client.peer);
    assert_int_equal(KOA_OK, say(&client, KOA_STR("hello")));
    kit_gate_wait(&client.received, 1);
    KIT_EXPECT_TEXT("echo", "hello", client.text);
    kit_loop_call(&kit, destroy_end, &server.end);
    kit_gate_wait(&client.closed, 1);
    KIT_EXPECT_INT("code", KOA_ERR_CLOSED, client.error.code);
    (void) snprintf(expected, sizeof(expected), "localhost:%d (127.0.0.1) closed the connection",
                    server.port);
    KIT_EXPECT_TEXT("text", expected, client.error.text);
    KIT_EXPECT_INT("writing is refused", KOA_ERR_CLOSED, say(&client, KOA_STR("more")));
    kit_loop_call(&kit, destroy_end, &client);
    end_server(&server);
    kit_loop_end(&kit);
}

static void what_is_written_before_the_connection_arrives(void **state)
{
    struct kit_loop kit;
    struct server server;
    struct end client = END(&kit);

    (void) state;
    kit_loop_start(&kit, 0);
    start_server(&server, &kit);
    client.port = server.port;
    kit_loop_call(&kit, connect_end, &client);
    assert_int_equal(KOA_OK, say(&client, KOA_STR("early")));
    kit_gate_wait(&server.end.received, 1);
    KIT_EXPECT_TEXT("text", "early", server.end.text);
    kit_loop_call(&kit, destroy_end, &client);
    end_server(&server);
    kit_loop_end(&kit);
}

static void a_refused_connection_says_to_whom(void **state)
{
    struct kit_loop kit;
    struct end client = END(&kit);
    char expected[128];

    (void) state;
    kit_loop_start(&kit, 0);
    (void) close(listen_plain(1, &client.port));
    client.destroys_on_close = true;
    kit_loop_call(&kit, connect_end, &client);
    kit_gate_wait(&client.closed, 1);
    (void) snprintf(expected, sizeof(expected),
                    "cannot connect to 127.0.0.1:%d: Connection refused", client.port);
    KIT_EXPECT_TEXT("text", expected, client.error.text);
    KIT_EXPECT("retriable", client.error.retriable);
    KIT_EXPECT_INT("closed once", 1, kit_gate_count(&client.closed));
    kit_loop_end(&kit);
}

/* A listener whose queue is full drops the packets of those who want to connect. */
static void a_black_hole_ends_at_the_deadline(void **state)
{
    enum { FILLERS = 16 };
    struct kit_loop kit;
    struct end client = END(&kit);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int fillers[FILLERS];
    int listener;
    int64_t began;

    (void) state;
    kit_loop_start(&kit, 0);
    listener = listen_plain(0, &client.port);
    address.sin_port = htons((uint16_t) client.port);
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void) connect(fillers[i], (struct sockaddr *) &address, sizeof(address));
    }
    client.deadline_ms = 200;
    began = koa_clock_mono().ms;
    kit_loop_call(&kit, connect_end, &client);
    kit_gate_wait(&client.closed, 1);
    KIT_EXPECT_INT("code", KOA_ERR_TIMEOUT, client.error.code);
    KIT_EXPECT_CONTAINS("text", "no answer in time", client.error.text);
    KIT_EXPECT("not early, not late",
               koa_clock_mono().ms - began >= 200 && koa_clock_mono().ms - began < 5000);
    kit_loop_call(&kit, destroy_end, &client);
    for (int i = 0; i < FILLERS; i++)
        (void) close(fillers[i]);
    (void) close(listener);
    kit_loop_end(&kit);
}

static void a_reset_is_told_as_a_lost_connection(void **state)
{
    struct kit_loop kit;
    struct end client = END(&kit);
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    int listener;
    int peer;

    (void) state;
    kit_loop_start(&kit, 0);
    listener = listen_plain(4, &client.port);
    client.destroys_on_close = true;
    kit_loop_call(&kit, connect_end, &client);
    peer = accept(listener, NULL, NULL);
    kit_gate_wait(&client.connected, 1);
    assert_int_equal(0, setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
    (void) close(peer);
    kit_gate_wait(&client.closed, 1);
    KIT_EXPECT_CONTAINS("text", "lost the connection to 127.0.0.1:", client.error.text);
    KIT_EXPECT_CONTAINS("text", "Connection reset by peer", client.error.text);
    (void) close(listener);
    kit_loop_end(&kit);
}

enum { CHUNK = 65536 };

static void a_peer_that_does_not_read_fills_the_queue_up_to_its_limit(void **state)
{
    static char chunk[CHUNK];
    struct kit_loop kit;
    struct end client = END(&kit);
    enum koa_err err = KOA_OK;
    size_t sent = 0;
    size_t arrived = 0;
    int listener;
    int peer;

    (void) state;
    kit_loop_start(&kit, 0);
    listener = listen_plain(4, &client.port);
    client.write_limit = 2 * (size_t) CHUNK;
    kit_loop_call(&kit, connect_end, &client);
    peer = accept(listener, NULL, NULL);
    kit_gate_wait(&client.connected, 1);
    while ((err = say(&client, (struct koa_str){chunk, CHUNK})) == KOA_OK) {
        sent += CHUNK;
        assert_true(sent < (size_t) 256 * 1024 * 1024);
    }
    KIT_EXPECT_INT("limit", KOA_ERR_LIMIT, err);
    KIT_EXPECT_CONTAINS("text", "does not read", client.said_error.text);
    KIT_EXPECT_INT("not closed", 0, kit_gate_count(&client.closed));
    /* Once the peer reads, all arrives, and the owner is told that the queue is empty. */
    while (arrived < sent) {
        ssize_t got = read(peer, chunk, CHUNK);

        assert_true(got > 0);
        arrived += (size_t) got;
    }
    kit_gate_wait(&client.drained, 1);
    kit_loop_call(&kit, destroy_end, &client);
    (void) close(peer);
    (void) close(listener);
    kit_loop_end(&kit);
}

static void pause_end(void *message)
{
    koa_stream_pause(((struct end *) message)->stream, true);
}

static void resume_end(void *message)
{
    koa_stream_pause(((struct end *) message)->stream, false);
}

static void a_paused_stream_reads_nothing(void **state)
{
    struct kit_loop kit;
    struct server server;
    struct end client = END(&kit);

    (void) state;
    kit_loop_start(&kit, 0);
    start_server(&server, &kit);
    client.port = server.port;
    kit_loop_call(&kit, connect_end, &client);
    kit_gate_wait(&client.connected, 1);
    kit_gate_wait(&server.accepted, 1);
    kit_loop_call(&kit, pause_end, &client);
    assert_int_equal(KOA_OK, say(&server.end, KOA_STR("now")));
    for (int turn = 0; turn < 5; turn++)
        assert_int_equal(KOA_OK, say(&server.end, KOA_STR(".")));
    KIT_EXPECT_INT("nothing", 0, kit_gate_count(&client.received));
    kit_loop_call(&kit, resume_end, &client);
    kit_gate_wait(&client.received, 1);
    KIT_EXPECT_TEXT("all", "now.....", client.text);
    kit_loop_call(&kit, destroy_end, &client);
    end_server(&server);
    kit_loop_end(&kit);
}

static void a_stream_may_be_destroyed_in_its_own_callback(void **state)
{
    struct kit_loop kit;
    struct server server;
    struct end client = END(&kit);

    (void) state;
    kit_loop_start(&kit, 0);
    start_server(&server, &kit);
    server.end.destroys_on_receive = true;
    client.port = server.port;
    client.destroys_on_close = true;
    kit_loop_call(&kit, connect_end, &client);
    assert_int_equal(KOA_OK, say(&client, KOA_STR("bye")));
    kit_gate_wait(&client.closed, 1);
    KIT_EXPECT_INT("no callback after destroy", 0, kit_gate_count(&server.end.closed));
    end_server(&server);
    kit_loop_end(&kit);
}

static void a_stream_destroyed_while_it_connects_stays_silent(void **state)
{
    struct kit_loop kit;
    struct server server;
    struct end client = END(&kit);

    (void) state;
    kit_loop_start(&kit, 0);
    start_server(&server, &kit);
    client.port = server.port;
    kit_loop_call(&kit, connect_end, &client);
    kit_loop_call(&kit, destroy_end, &client);
    end_server(&server);
    kit_loop_end(&kit);
    KIT_EXPECT_INT("not closed", 0, kit_gate_count(&client.closed));
}

static void listen_wrongly(void *message)
{
    struct server *server = message;
    struct koa_error error;
    struct koa_listener *listener = NULL;
    struct koa_listener_opts opts = {
        .loop = server->kit->loop, .host = "127.0.0.1", .port = server->port};

    KIT_EXPECT_INT("taken", KOA_ERR_IO, koa_listener_create(&opts, &listener, &error));
    KIT_EXPECT_CONTAINS("text", "Address already in use", error.text);
    opts.host = "localhost";
    KIT_EXPECT_INT("a name", KOA_ERR_INVALID, koa_listener_create(&opts, &listener, &error));
    KIT_EXPECT_CONTAINS("text", "'localhost'", error.text);
}

static void an_address_that_is_taken_or_none_is_refused_with_words(void **state)
{
    struct kit_loop kit;
    struct server server;

    (void) state;
    kit_loop_start(&kit, 0);
    start_server(&server, &kit);
    kit_loop_call(&kit, listen_wrongly, &server);
    end_server(&server);
    kit_loop_end(&kit);
}

static void a_name_that_does_not_resolve_closes_with_its_reason(void **state)
{
    struct kit_loop kit;
    struct end client = END(&kit);

    (void) state;
    kit_loop_start(&kit, 0);
    client.host = "no-such-host.invalid";
    client.port = 9092;
    kit_loop_call(&kit, connect_end, &client);
    kit_gate_wait(&client.closed, 1);
    KIT_EXPECT_CONTAINS("text", "cannot resolve 'no-such-host.invalid'", client.error.text);
    kit_loop_call(&kit, destroy_end, &client);
    kit_loop_end(&kit);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_talk_and_see_the_other_close),
        cmocka_unit_test(what_is_written_before_the_connection_arrives),
        cmocka_unit_test(a_refused_connection_says_to_whom),
        cmocka_unit_test(a_black_hole_ends_at_the_deadline),
        cmocka_unit_test(a_reset_is_told_as_a_lost_connection),
        cmocka_unit_test(a_peer_that_does_not_read_fills_the_queue_up_to_its_limit),
        cmocka_unit_test(a_paused_stream_reads_nothing),
        cmocka_unit_test(a_stream_may_be_destroyed_in_its_own_callback),
        cmocka_unit_test(a_stream_destroyed_while_it_connects_stays_silent),
        cmocka_unit_test(an_address_that_is_taken_or_none_is_refused_with_words),
        cmocka_unit_test(a_name_that_does_not_resolve_closes_with_its_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How a connection comes about: names with several addresses, and TLS against a server of OpenSSL's
 * own. */
#include "kit/kit.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "kit/certificate.h"
#include "kit/http_peer.h"
#include "kit/loop_kit.h"
#include "net/stream.h"

/* The system's resolver as the test wants it: each name is the list of its addresses. */
struct fake_answer {
    struct addrinfo info[4];
    struct sockaddr_in address[4];
};

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the C library's names */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    struct fake_answer *answer = calloc(1, sizeof(*answer));
    struct koa_str rest = koa_str_from(name);
    size_t count = 0;

    (void) service;
    (void) hints;
    assert_non_null(answer);
    while (rest.size > 0 && count < KOA_ARRAY_COUNT(answer->info)) {
        char text[INET_ADDRSTRLEN];

        (void) koa_str_copy(text, sizeof(text), koa_str_split(rest, '+', &rest));
        assert_int_equal(1, inet_pton(AF_INET, text, &answer->address[count].sin_addr));
        answer->address[count].sin_family = AF_INET;
        answer->info[count] =
            (struct addrinfo){.ai_family = AF_INET,
                              .ai_addr = (struct sockaddr *) &answer->address[count],
                              .ai_addrlen = sizeof(answer->address[count])};
        if (count > 0)
            answer->info[count - 1].ai_next = &answer->info[count];
        count++;
    }
    *result = &answer->info[0];
    return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the C library's names */
void freeaddrinfo(struct addrinfo *info)
{
    free(KOA_CONTAINER_OF(info, struct fake_answer, info[0]));
}

struct fixture {
    struct kit_loop kit;
    struct kit_http_peer *peer;
    char *directory;
    char cert[256], key[256];

    struct koa_stream *stream;
    const char *host;
    int port;
    int64_t deadline_ms;
    size_t write_limit;
    struct koa_tls_client *tls;
    const char *server_name;

    struct kit_gate connected, received, closed;
    struct koa_error error; /* of `closed`, or of what the loop was asked for last */
    enum koa_err err;
    struct koa_str words;
    bool destroys_on_receive;
    char text[4096];
    size_t size;
};

static void on_connected(void *context)
{
    kit_gate_pass(&((struct fixture *) context)->connected);
}

static void destroy_here(void *message)
{
    struct fixture *f = message;

    koa_stream_destroy(KOA_MOVE(f->stream));
}

static void on_received(void *context, struct koa_str bytes)
{
    struct fixture *f = context;

    for (size_t i = 0; i < bytes.size && f->size < sizeof(f->text) - 1; i++)
        f->text[f->size++] = bytes.data[i];
    if (f->destroys_on_receive)
        destroy_here(f);
    kit_gate_pass(&f->received);
}

static void on_closed(void *context, const struct koa_error *error)
{
    struct fixture *f = context;

    f->error = *error;
    kit_gate_pass(&f->closed);
}

static void connect_here(void *message)
{
    static const struct koa_stream_events events = {
        .connected = on_connected, .received = on_received, .closed = on_closed};
    struct fixture *f = message;
    struct koa_stream_opts opts = {.loop = f->kit.loop,
                                   .events = &events,
                                   .context = f,
                                   .write_limit = f->write_limit,
                                   .resolver = f->kit.resolver,
                                   .host = f->host,
                                   .port = f->port,
                                   .deadline_ms = f->deadline_ms,
                                   .tls = f->tls,
                                   .server_name = f->server_name};

    f->err = koa_stream_connect(&opts, &f->stream, &f->error);
}

static void write_here(void *message)
{
    struct fixture *f = message;

    f->err = koa_stream_write(f->stream, f->words, &f->error);
}

static void connect_and_write_here(void *message)
{
    connect_here(message);
    write_here(message);
}

static enum koa_err say(struct fixture *f, struct koa_str words)
{
    f->words = words;
    kit_loop_call(&f->kit, write_here, f);
    return f->err;
}

enum peer_kind { PLAIN, SECURED };

static void set_up(struct fixture *f, enum kit_http_manner manner, enum peer_kind kind)
{
    struct koa_tls_client_opts opts = {.ca_file = f->cert};
    bool is_secured = kind == SECURED;

    *f = (struct fixture){.connected = KIT_GATE_INIT,
                          .received = KIT_GATE_INIT,
                          .closed = KIT_GATE_INIT,
                          .host = "127.0.0.1",
                          .deadline_ms = 20000,
                          .server_name = "kafka-1",
                          .directory = kit_temporary_directory()};
    kit_loop_start(&f->kit, 0);
    (void) snprintf(f->cert, sizeof(f->cert), "%s/cert", f->directory);
    (void) snprintf(f->key, sizeof(f->key), "%s/key", f->directory);
    kit_make_certificate("kafka-1", f->cert, f->key);
    f->peer = kit_http_peer_start(manner, "HTTP/1.0 200 OK\r\n\r\nhello",
                                  is_secured ? f->cert : NULL, is_secured ? f->key : NULL);
    f->port = kit_http_peer_port(f->peer);
    assert_int_equal(KOA_OK, koa_tls_client_create(&opts, &f->tls, NULL));
}

static void tear_down(struct fixture *f)
{
    kit_loop_call(&f->kit, destroy_here, f);
    koa_tls_client_unref(f->tls);
    kit_http_peer_end(f->peer, NULL, 0);
    kit_loop_end(&f->kit);
    kit_remove_directory(f->directory);
}

/* A listening socket on which nobody accepts. */
static int listen_deaf(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(descriptor >= 0);
    assert_int_equal(0, bind(descriptor, (struct sockaddr *) &address, size));
    assert_int_equal(0, listen(descriptor, 4));
    assert_int_equal(0, getsockname(descriptor, (struct sockaddr *) &address, &size));
    *ret_port = ntohs(address.sin_port);
    return descriptor;
}

/* ---- several addresses */

static void each_address_of_a_name_is_tried_in_turn(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, KIT_HTTP_ANSWERS, PLAIN);
    koa_tls_client_unref(KOA_MOVE(f.tls));
    f.host = "127.0.0.2+127.0.0.3+127.0.0.1";
    kit_loop_call(&f.kit, connect_here, &f);
    kit_gate_wait(&f.connected, 1);
    KIT_EXPECT_INT("once", 1, kit_gate_count(&f.connected));
    tear_down(&f);
}

static void the_last_failure_is_told_when_none_answers(void **state)
{
    struct fixture f;
    char expected[128];

    (void) state;
    set_up(&f, KIT_HTTP_ANSWERS, PLAIN);
    koa_tls_client_unref(KOA_MOVE(f.tls));
    f.host = "127.0.0.2+127.0.0.3";
    kit_loop_call(&f.kit, connect_here, &f);
    kit_gate_wait(&f.closed, 1);
    (void) snprintf(expected, sizeof(expected),
                    "cannot connect to %s:%d (127.0.0.3): Connection refused", f.host, f.port);
    KIT_EXPECT_TEXT("text", expected, f.error.text);
    tear_down(&f);
}

/* What TLS said tells more than that another address refuses connections. */
static void a_certificate_that_is_no_good_outranks_a_refused_connection(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, KIT_HTTP_ANSWERS, SECURED);
    f.host = "127.0.0.1+127.0.0.2";
    f.server_name = "kafka-2";
    kit_loop_call(&f.kit, connect_here, &f);
    kit_gate_wait(&f.closed, 1);
    KIT_EXPECT_INT("code", KOA_ERR_TLS, f.error.code);
    KIT_EXPECT_CONTAINS("why", "another name than 'kafka-2': it holds kafka-1", f.error.text);
    tear_down(&f);
}

/* ---- TLS */

static bool has_hello(void *context)
{
    return strstr(((struct fixture *) context)->text, "hello") != NULL;
}

static void tls_is_a_layer_of_the_same_stream(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, KIT_HTTP_ANSWERS, SECURED);
    f.host = "127.0.0.2+127.0.0.1"; /* and a second address is as good as the first */
    kit_loop_call(&f.kit, connect_here, &f);
    kit_gate_wait(&f.connected, 1);
    assert_int_equal(KOA_OK, say(&f, KOA_STR("GET / HTTP/1.0\r\n\r\n")));
    kit_loop_run_until(&f.kit, has_hello, &f);
    kit_gate_wait(&f.closed, 1);
    KIT_EXPECT_INT("code", KOA_ERR_CLOSED, f.error.code);
    KIT_EXPECT_CONTAINS("text", "closed the connection", f.error.text);
    tear_down(&f);
}

static void a_stream_may_go_while_tls_delivers(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, KIT_HTTP_FLOODS_BODY, SECURED);
    f.destroys_on_receive = true;
    kit_loop_call(&f.kit, connect_here, &f);
    kit_gate_wait(&f.connected, 1);
    assert_int_equal(KOA_OK, say(&f, KOA_STR("GET / HTTP/1.0\r\n\r\n")));
    kit_gate_wait(&f.received, 1);
    tear_down(&f);
}

static void more_than_the_queue_holds_is_refused_with_tls_too(void **state)
{
    enum { SIZE = 1 << 20 };
    struct fixture f;
    char *bytes = koa_calloc(SIZE, 1);
    enum koa_err err = KOA_OK;

    (void) state;
    set_up(&f, KIT_HTTP_HANGS, SECURED);
    f.write_limit = (size_t) 2 * SIZE;
    kit_loop_call(&f.kit, connect_here, &f);
    kit_gate_wait(&f.connected, 1);
    assert_int_equal(KOA_OK, say(&f, KOA_STR("GET / HTTP/1.0\r\n\r\n")));
    for (int i = 0; i < 64 && err == KOA_OK; i++)
        err = say(&f, (struct koa_str){.data = bytes, .size = SIZE});
    KIT_EXPECT_INT("limit", KOA_ERR_LIMIT, err);
    KIT_EXPECT_CONTAINS("text", "does not read", f.error.text);
    koa_free(bytes);
    tear_down(&f);
}

static void a_peer_that_cannot_be_trusted_closes_with_its_reason(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, KIT_HTTP_ANSWERS, SECURED);
    f.server_name = NULL; /* the host then */
    f.words = KOA_STR("early");
    kit_loop_call(&f.kit, connect_and_write_here, &f);
    KIT_EXPECT_INT("early words", KOA_ERR_STATE, f.err);
    kit_gate_wait(&f.closed, 1);
    KIT_EXPECT_INT("code", KOA_ERR_TLS, f.error.code);
    KIT_EXPECT_CONTAINS("who", "TLS with 127.0.0.1:", f.error.text);
    KIT_EXPECT_CONTAINS("why", "another name than '127.0.0.1': it holds kafka-1", f.error.text);
    KIT_EXPECT_INT("never connected", 0, kit_gate_count(&f.connected));
    tear_down(&f);
}

static void a_plaintext_peer_is_named(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, KIT_HTTP_CLOSES, PLAIN);
    kit_loop_call(&f.kit, connect_here, &f);
    kit_gate_wait(&f.closed, 1);
    KIT_EXPECT_INT("code", KOA_ERR_TLS, f.error.code);
    KIT_EXPECT_CONTAINS("why", "is this a plaintext listener?", f.error.text);
    tear_down(&f);
}

/* The kernel takes the connection, nobody answers. */
static void a_handshake_that_hangs_ends_at_the_deadline(void **state)
{
    struct fixture f;
    int listener;

    (void) state;
    set_up(&f, KIT_HTTP_ANSWERS, SECURED);
    listener = listen_deaf(&f.port);
    f.deadline_ms = 200;
    kit_loop_call(&f.kit, connect_here, &f);
    kit_gate_wait(&f.closed, 1);
    KIT_EXPECT_INT("code", KOA_ERR_TIMEOUT, f.error.code);
    KIT_EXPECT_CONTAINS("text", "no answer to the TLS handshake in time", f.error.text);
    (void) close(listener);
    tear_down(&f);
}

static void a_stream_destroyed_in_its_handshake_stays_silent(void **state)
{
    struct fixture f;
    int listener;

    (void) state;
    set_up(&f, KIT_HTTP_ANSWERS, SECURED);
    listener = listen_deaf(&f.port);
    kit_loop_call(&f.kit, connect_here, &f);
    kit_loop_call(&f.kit, destroy_here, &f);
    KIT_EXPECT_INT("silent", 0, kit_gate_count(&f.closed) + kit_gate_count(&f.connected));
    (void) close(listener);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_address_of_a_name_is_tried_in_turn),
        cmocka_unit_test(the_last_failure_is_told_when_none_answers),
        cmocka_unit_test(a_certificate_that_is_no_good_outranks_a_refused_connection),
        cmocka_unit_test(tls_is_a_layer_of_the_same_stream),
        cmocka_unit_test(a_stream_may_go_while_tls_delivers),
        cmocka_unit_test(more_than_the_queue_holds_is_refused_with_tls_too),
        cmocka_unit_test(a_peer_that_cannot_be_trusted_closes_with_its_reason),
        cmocka_unit_test(a_plaintext_peer_is_named),
        cmocka_unit_test(a_handshake_that_hangs_ends_at_the_deadline),
        cmocka_unit_test(a_stream_destroyed_in_its_handshake_stays_silent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

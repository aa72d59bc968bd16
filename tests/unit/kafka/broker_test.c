/* Connecting, losing and coming back, with a transport made of counters, under virtual time. */
#include "kafka/broker.h"

#include <stdio.h>
#include <string.h>

#include "kit/kit.h"

#include "kafka/messages/api_versions.h"
#include "kafka/messages/describe_cluster.h"

enum { CONNECT_MS = 3000, DEADLINE_MS = 10000 };

struct fixture {
    struct koa_kafka_broker *broker;
    struct koa_timers timers;
    struct koa_mono now;
    bool refuse; /* connect() itself fails */
    int connects, disconnects, reconnects;
    struct koa_buf written;
    struct koa_kafka_request request;
    int answers;
    enum koa_err err;
    char text[KOA_ERROR_TEXT_SIZE];
};

static const struct koa_kafka_describe_cluster_request body = {.endpoint_type = 1};

static enum koa_err fake_connect(void *context, const char *host, int port, int64_t deadline_ms,
                                 struct koa_error *reterr)
{
    struct fixture *f = context;

    assert_string_equal(host, "kafka-1");
    assert_int_equal(port, 9092);
    assert_int_equal(deadline_ms, CONNECT_MS);
    f->connects++;
    return f->refuse ? koa_fail(reterr, KOA_ERR_LIMIT, "no descriptors left") : KOA_OK;
}

static enum koa_err fake_write(void *context, struct koa_str bytes, struct koa_error *reterr)
{
    struct fixture *f = context;

    (void) reterr;
    koa_buf_append(&f->written, bytes.data, bytes.size);
    return KOA_OK;
}

static void fake_disconnect(void *context)
{
    struct fixture *f = context;

    f->disconnects++;
}

static void on_reconnecting(void *context)
{
    struct fixture *f = context;

    f->reconnects++;
}

static void on_done(void *context, struct koa_kafka_request *request,
                    const struct koa_kafka_answer *answer)
{
    struct fixture *f = context;

    (void) request;
    f->answers++;
    f->err = answer->error != NULL ? answer->error->code : KOA_OK;
    (void) snprintf(f->text, sizeof(f->text), "%s",
                    answer->error != NULL ? answer->error->text : "");
}

/* What was told, but for details. */
static int warnings, notices;
static char last_line[KOA_ERROR_TEXT_SIZE];

static void count_line(void *context, const struct koa_log_line *line)
{
    (void) context;
    warnings += line->level == KOA_LOG_WARNING;
    notices += line->level == KOA_LOG_NOTICE;
    (void) snprintf(last_line, sizeof(last_line), "%s", line->text);
}

static struct koa_wall no_time(void)
{
    return (struct koa_wall){0};
}

static void set_up_with(struct fixture *f, bool keep_connected, struct koa_log *log)
{
    static const struct koa_kafka_transport_ops transport = {
        .connect = fake_connect, .write = fake_write, .disconnect = fake_disconnect};
    struct koa_kafka_broker_opts opts = {.owner = "prod, probe: ",
                                         .name = "1",
                                         .host = "kafka-1",
                                         .port = 9092,
                                         .keep_connected = keep_connected,
                                         .connect_timeout_ms = CONNECT_MS,
                                         .transport = &transport,
                                         .transport_context = f,
                                         .timers = &f->timers,
                                         .connection = {.client_id = "test",
                                                        .software_version = "0",
                                                        .frame_limit = 1 << 20,
                                                        .arena_limit = 1 << 20,
                                                        .in_flight_limit = 4,
                                                        .waiting_limit = 4},
                                         .log = log,
                                         .reconnecting = on_reconnecting,
                                         .context = f};
    struct koa_error error;

    memset(f, 0, sizeof(*f));
    f->now.ms = 5000;
    f->written.limit = 1 << 20;
    assert_int_equal(koa_kafka_broker_create(&opts, &f->broker, &error), KOA_OK);
}

static void set_up(struct fixture *f, bool keep_connected)
{
    set_up_with(f, keep_connected, NULL);
}

static void tear_down(struct fixture *f)
{
    koa_kafka_broker_destroy(f->broker);
    koa_timers_deinit(&f->timers);
    koa_buf_deinit(&f->written);
}

static void ask(struct fixture *f)
{
    f->answers = 0;
    f->request = (struct koa_kafka_request){.api_key = KOA_KAFKA_DESCRIBE_CLUSTER,
                                            .body = &body,
                                            .deadline = koa_mono_add_ms(f->now, DEADLINE_MS),
                                            .done = on_done,
                                            .context = f};
    koa_kafka_broker_submit(f->broker, &f->request, f->now);
}

static void advance(struct fixture *f, int64_t ms)
{
    struct koa_mono end = koa_mono_add_ms(f->now, ms);
    struct koa_mono due = {0};

    while (koa_timers_next(&f->timers, &due) && koa_mono_diff_ms(due, end) <= 0) {
        f->now = koa_mono_diff_ms(due, f->now) > 0 ? due : f->now;
        (void) koa_timers_run(&f->timers, f->now);
    }
    f->now = end;
}

static void refuse(struct fixture *f)
{
    struct koa_error error;

    (void) koa_fail(&error, KOA_ERR_IO, "cannot connect to kafka-1:9092: Connection refused");
    koa_kafka_broker_closed(f->broker, &error, f->now);
}

static int32_t last_correlation(struct fixture *f)
{
    struct koa_kafka_request_header header = {.correlation_id = -1};
    const struct koa_kafka_api *api;
    struct koa_error error;
    struct koa_str rest;

    for (size_t at = 0; at < f->written.size;) {
        const unsigned char *length = (const unsigned char *) f->written.data + at;
        size_t size = (size_t) length[2] << 8 | length[3];

        assert_int_equal(koa_kafka_open_request((struct koa_str){f->written.data + at + 4, size},
                                                &header, &api, &rest, &error),
                         KOA_OK);
        at += 4 + size;
    }
    koa_buf_clear(&f->written);
    return header.correlation_id;
}

static void reply(struct fixture *f, int16_t key, int16_t version, const void *response)
{
    const struct koa_kafka_request_header header = {
        .api_key = key, .api_version = version, .correlation_id = last_correlation(f)};
    struct koa_buf buf = {.limit = 1 << 20};
    struct koa_error error;

    assert_int_equal(koa_kafka_frame_response(&header, response, &buf, &error), KOA_OK);
    koa_kafka_broker_received(f->broker, (struct koa_str){buf.data, buf.size}, f->now);
    koa_buf_deinit(&buf);
}

static void shake_hands(struct fixture *f)
{
    struct koa_kafka_api_range rows[] = {{KOA_KAFKA_DESCRIBE_CLUSTER, 0, 0}};
    struct koa_kafka_api_versions_response response = {.api_keys = {.rows = rows, .count = 1},
                                                       .finalized_features_epoch = -1};

    koa_kafka_broker_connected(f->broker, f->now);
    reply(f, KOA_KAFKA_API_VERSIONS, 4, &response);
}

static void answer(struct fixture *f)
{
    struct koa_kafka_describe_cluster_response response = {.cluster_id = KOA_STR("c")};

    reply(f, KOA_KAFKA_DESCRIBE_CLUSTER, 0, &response);
}

static void a_request_opens_the_connection_and_gets_its_answer(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, true);
    advance(&f, 60000);
    assert_int_equal(f.connects, 0);
    ask(&f);
    assert_int_equal(f.connects, 1);
    shake_hands(&f);
    answer(&f);
    assert_int_equal(f.answers, 1);
    assert_int_equal(f.err, KOA_OK);
    ask(&f);
    answer(&f);
    assert_int_equal(f.connects, 1);
    assert_int_equal(f.reconnects, 0);
    tear_down(&f);
}

static void a_refused_connection_ends_the_request_at_once(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, true);
    ask(&f);
    refuse(&f);
    assert_int_equal(f.answers, 1);
    assert_int_equal(f.err, KOA_ERR_IO);
    tear_down(&f);
}

static void attempts_come_with_growing_pauses_up_to_the_limit(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, true);
    ask(&f);
    refuse(&f);
    for (int i = 2; i <= 20; i++) {
        struct koa_mono due = {0};
        int64_t pause;

        assert_true(koa_timers_next(&f.timers, &due));
        pause = koa_mono_diff_ms(due, f.now);
        assert_true(pause >= 80 && pause <= 12000);
        if (i > 10)
            assert_true(pause >= 8000);
        advance(&f, pause);
        assert_int_equal(f.connects, i);
        refuse(&f);
    }
    assert_int_equal(f.reconnects, 19);
    tear_down(&f);
}

static void a_request_brings_the_next_attempt_forward(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, true);
    ask(&f);
    for (int i = 0; i < 12; i++) {
        struct koa_mono due = f.now;

        refuse(&f);
        (void) koa_timers_next(&f.timers, &due);
        advance(&f, koa_mono_diff_ms(due, f.now));
    }
    refuse(&f);
    advance(&f, 2000);
    f.connects = 0;
    ask(&f);
    advance(&f, 0);
    assert_int_equal(f.connects, 1);
    tear_down(&f);
}

static void a_broker_that_returns_is_used_again(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, true);
    ask(&f);
    shake_hands(&f);
    answer(&f);
    refuse(&f);
    advance(&f, 200);
    assert_int_equal(f.connects, 2);
    shake_hands(&f);
    ask(&f);
    answer(&f);
    assert_int_equal(f.err, KOA_OK);
    tear_down(&f);
}

static void a_frozen_broker_is_disconnected_at_the_deadline(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, true);
    ask(&f);
    shake_hands(&f);
    advance(&f, DEADLINE_MS - 1);
    assert_int_equal(f.answers, 0);
    advance(&f, 1);
    assert_int_equal(f.answers, 1);
    assert_int_equal(f.err, KOA_ERR_TIMEOUT);
    assert_int_equal(f.disconnects, 1);
    advance(&f, 200);
    assert_int_equal(f.connects, 2);
    tear_down(&f);
}

static void a_listener_that_never_shakes_hands_is_given_up(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, true);
    ask(&f);
    koa_kafka_broker_connected(f.broker, f.now);
    advance(&f, CONNECT_MS);
    assert_int_equal(f.answers, 1);
    assert_int_equal(f.err, KOA_ERR_TIMEOUT);
    assert_int_equal(f.disconnects, 1);
    tear_down(&f);
}

static void a_server_of_the_configuration_is_connected_only_when_asked(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, false);
    ask(&f);
    refuse(&f);
    advance(&f, 600000);
    assert_int_equal(f.connects, 1);
    ask(&f);
    assert_int_equal(f.connects, 2);
    tear_down(&f);
}

static void a_transport_that_cannot_even_start_fails_later_not_inside_the_call(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, true);
    f.refuse = true;
    ask(&f);
    assert_int_equal(f.answers, 0);
    advance(&f, 0);
    assert_int_equal(f.answers, 1);
    assert_int_equal(f.err, KOA_ERR_LIMIT);
    tear_down(&f);
}

static void a_connection_that_rests_is_opened_again_without_counting_as_lost(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, false);
    ask(&f);
    shake_hands(&f);
    koa_kafka_broker_rest(f.broker);
    assert_int_equal(f.disconnects, 0); /* a request is under way */
    answer(&f);
    koa_kafka_broker_rest(f.broker);
    assert_int_equal(f.disconnects, 1);
    advance(&f, 60000);
    assert_int_equal(f.connects, 1);
    ask(&f);
    assert_int_equal(f.connects, 2);
    assert_int_equal(f.reconnects, 0);
    tear_down(&f);
}

static void the_end_cancels_what_is_under_way(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, true);
    ask(&f);
    shake_hands(&f);
    tear_down(&f);
    assert_int_equal(f.answers, 1);
    assert_int_equal(f.err, KOA_ERR_CANCELLED);
    assert_int_equal(f.disconnects, 1);
}

static void hang_up(struct fixture *f)
{
    struct koa_error error;

    (void) koa_fail(&error, KOA_ERR_CLOSED, "kafka-1:9092 closed the connection");
    koa_kafka_broker_closed(f->broker, &error, f->now);
}

/* A peer that expects TLS or SASL says nothing and hangs up; only the moment tells which. */
static void a_peer_that_hangs_up_is_understood_by_the_moment(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, true);
    ask(&f);
    koa_kafka_broker_connected(f.broker, f.now);
    hang_up(&f);
    KIT_EXPECT_TEXT(
        "before the handshake",
        "kafka-1:9092 closed the connection; a listener that speaks TLS does so: should "
        "tls be enabled?",
        f.text);
    advance(&f, 1000);
    ask(&f);
    advance(&f, 1000);
    shake_hands(&f);
    hang_up(&f);
    KIT_EXPECT_TEXT("at the first request",
                    "kafka-1:9092 closed the connection; a listener that asks for SASL does so: "
                    "should sasl be set?",
                    f.text);
    advance(&f, 1000);
    ask(&f);
    advance(&f, 1000);
    shake_hands(&f);
    answer(&f);
    ask(&f);
    hang_up(&f);
    KIT_EXPECT_TEXT("later", "kafka-1:9092 closed the connection", f.text);
    tear_down(&f);
}

static void close_with(struct fixture *f, enum koa_err code, const char *text)
{
    struct koa_error error;

    (void) koa_fail(&error, code, "%s", text);
    koa_kafka_broker_closed(f->broker, &error, f->now);
    advance(f, 30000);
}

static void an_outage_is_told_once_with_whose_connection_it_is(void **state)
{
    struct koa_logger *logger = koa_logger_create(count_line, NULL, no_time);
    struct fixture f;

    (void) state;
    warnings = notices = 0;
    set_up_with(&f, true, koa_logger_component(logger, "kafka"));
    ask(&f);
    shake_hands(&f);
    KIT_EXPECT_INT("nothing is told of a first connection", 0, warnings + notices);
    /* A broker that restarts, as its peers see it. */
    close_with(&f, KOA_ERR_CLOSED, "the peer closed the connection");
    KIT_EXPECT_INT("the loss", 1, warnings);
    KIT_EXPECT_CONTAINS("whose", "prod, probe: broker 1 (kafka-1:9092): the peer", last_line);
    for (int i = 0; i < 5; i++) {
        close_with(&f, KOA_ERR_IO, "connection refused");
        close_with(&f, KOA_ERR_TIMEOUT, "no answer within 5000 ms");
    }
    KIT_EXPECT_INT("attempts are details", 1, warnings);
    shake_hands(&f);
    KIT_EXPECT_INT("it is back", 1, notices);
    KIT_EXPECT_TEXT("whose", "prod, probe: broker 1 (kafka-1:9092) answers again", last_line);
    close_with(&f, KOA_ERR_IO, "connection refused");
    KIT_EXPECT_INT("the next outage", 2, warnings);
    tear_down(&f);
    koa_logger_destroy(logger);
}

static void a_refusal_is_told_once_more_within_an_outage(void **state)
{
    struct koa_logger *logger = koa_logger_create(count_line, NULL, no_time);
    struct fixture f;

    (void) state;
    warnings = 0;
    set_up_with(&f, true, koa_logger_component(logger, "kafka"));
    ask(&f);
    for (int i = 0; i < 5; i++) {
        refuse(&f);
        advance(&f, 30000);
    }
    KIT_EXPECT_INT("once", 1, warnings);
    for (int i = 0; i < 5; i++) {
        close_with(&f, KOA_ERR_TLS, "the peer's certificate expired");
        close_with(&f, KOA_ERR_IO, "connection refused");
    }
    KIT_EXPECT_INT("and what somebody must mend", 2, warnings);
    tear_down(&f);
    koa_logger_destroy(logger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_opens_the_connection_and_gets_its_answer),
        cmocka_unit_test(a_refused_connection_ends_the_request_at_once),
        cmocka_unit_test(attempts_come_with_growing_pauses_up_to_the_limit),
        cmocka_unit_test(a_request_brings_the_next_attempt_forward),
        cmocka_unit_test(a_broker_that_returns_is_used_again),
        cmocka_unit_test(a_frozen_broker_is_disconnected_at_the_deadline),
        cmocka_unit_test(a_listener_that_never_shakes_hands_is_given_up),
        cmocka_unit_test(a_server_of_the_configuration_is_connected_only_when_asked),
        cmocka_unit_test(a_transport_that_cannot_even_start_fails_later_not_inside_the_call),
        cmocka_unit_test(a_connection_that_rests_is_opened_again_without_counting_as_lost),
        cmocka_unit_test(the_end_cancels_what_is_under_way),
        cmocka_unit_test(a_peer_that_hangs_up_is_understood_by_the_moment),
        cmocka_unit_test(an_outage_is_told_once_with_whose_connection_it_is),
        cmocka_unit_test(a_refusal_is_told_once_more_within_an_outage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

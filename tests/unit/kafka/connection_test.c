/* The connection against a broker made of bytes, under virtual time. */
#include "kafka/connection.h"

#include <stdio.h>
#include <string.h>

#include "kit/kit.h"
#include "kit/vectors.h"

#include "kafka/error_code.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/describe_cluster.h"
#include "kafka/messages/metadata.h"

enum { DEADLINE_MS = 10000, REQUESTS = 8 };

struct asked {
    struct koa_kafka_request request;
    int answers;
    enum koa_err err;
    int foreign;
    int16_t version;
    int32_t controller_id;
    int64_t elapsed_ms;
    char text[KOA_ERROR_TEXT_SIZE];
};

struct fixture {
    struct koa_kafka_connection *connection;
    struct koa_mono now;
    struct asked asked[REQUESTS];
    int observed;
};

static const struct koa_kafka_describe_cluster_request body = {.endpoint_type = 1};

static void on_done(void *context, struct koa_kafka_request *request,
                    const struct koa_kafka_answer *answer)
{
    struct asked *asked = KOA_CONTAINER_OF(request, struct asked, request);

    (void) context;
    asked->answers++;
    asked->version = answer->version;
    asked->elapsed_ms = answer->elapsed_ms;
    if (answer->error != NULL) {
        asked->err = answer->error->code;
        (void) snprintf(asked->text, sizeof(asked->text), "%s", answer->error->text);
    } else {
        const struct koa_kafka_describe_cluster_response *response = answer->body;

        asked->err = KOA_OK;
        asked->controller_id = response->controller_id;
    }
}

static void observe(void *context, const struct koa_kafka_answer *answer)
{
    struct fixture *f = context;

    assert_non_null(answer->api);
    f->observed++;
}

static void set_up(struct fixture *f, size_t in_flight_limit)
{
    struct koa_kafka_connection_opts opts = {.client_id = "kafka-ops-agent",
                                             .software_version = "0.1.0",
                                             .frame_limit = 1 << 20,
                                             .arena_limit = 1 << 20,
                                             .in_flight_limit = in_flight_limit,
                                             .waiting_limit = 6,
                                             .observe = observe,
                                             .context = f};

    memset(f, 0, sizeof(*f));
    f->now.ms = 1000;
    f->connection = koa_kafka_connection_create(&opts);
    assert_non_null(f->connection);
}

static void tear_down(struct fixture *f)
{
    struct koa_error error;

    (void) koa_fail(&error, KOA_ERR_CANCELLED, "the test is over");
    koa_kafka_connection_close(f->connection, &error);
    koa_kafka_connection_destroy(f->connection);
}

static void open_connection(struct fixture *f)
{
    struct koa_error error;

    assert_int_equal(koa_kafka_connection_open(f->connection, f->now,
                                               koa_mono_add_ms(f->now, DEADLINE_MS), &error),
                     KOA_OK);
}

static struct asked *ask(struct fixture *f, size_t index)
{
    struct asked *asked = &f->asked[index];

    asked->request = (struct koa_kafka_request){.api_key = KOA_KAFKA_DESCRIBE_CLUSTER,
                                                .body = &body,
                                                .deadline = koa_mono_add_ms(f->now, DEADLINE_MS),
                                                .done = on_done};
    koa_kafka_connection_submit(f->connection, &asked->request, f->now);
    return asked;
}

/* Takes everything the client wrote; the header of the first frame, and how many there were. */
static size_t take_requests(struct fixture *f, struct koa_kafka_request_header *ret_first)
{
    struct koa_buf *output = koa_kafka_connection_output(f->connection);
    size_t count = 0;

    for (size_t at = 0; at < output->size; count++) {
        const unsigned char *length = (const unsigned char *) output->data + at;
        size_t size = (size_t) length[2] << 8 | length[3];
        struct koa_kafka_request_header header = {.correlation_id = -1};
        const struct koa_kafka_api *api;
        struct koa_error error;
        struct koa_str rest;

        assert_int_equal(
            koa_kafka_open_request((struct koa_str){.data = output->data + at + 4, .size = size},
                                   &header, &api, &rest, &error),
            KOA_OK);
        if (count == 0)
            *ret_first = header;
        at += 4 + size;
    }
    koa_buf_clear(output);
    return count;
}

static enum koa_err receive(struct fixture *f, struct koa_str bytes, struct koa_error *error)
{
    enum koa_err err = koa_kafka_connection_receive(f->connection, bytes, f->now, error);

    if (err != KOA_OK)
        koa_kafka_connection_close(f->connection, error);
    return err;
}

static enum koa_err answer(struct fixture *f, struct koa_kafka_request_header header,
                           const void *response, struct koa_error *error)
{
    struct koa_buf buf = {.limit = 1 << 20};
    enum koa_err err;

    assert_int_equal(koa_kafka_frame_response(&header, response, &buf, error), KOA_OK);
    err = receive(f, (struct koa_str){.data = buf.data, .size = buf.size}, error);
    koa_buf_deinit(&buf);
    return err;
}

/* The same question as if it had come in version 0. */
static struct koa_kafka_request_header hello_0(struct koa_kafka_request_header header)
{
    header.api_version = 0;
    return header;
}

static void answer_versions(struct fixture *f, int16_t version, int32_t id, int16_t highest)
{
    struct koa_kafka_api_range rows[] = {{KOA_KAFKA_API_VERSIONS, 0, 4},
                                         {KOA_KAFKA_DESCRIBE_CLUSTER, 0, highest},
                                         {KOA_KAFKA_METADATA, 40, 41}};
    struct koa_kafka_api_versions_response response = {
        .api_keys = {.rows = rows, .count = KOA_ARRAY_COUNT(rows)}, .finalized_features_epoch = -1};
    struct koa_error error;

    assert_int_equal(answer(f,
                            (struct koa_kafka_request_header){.api_key = KOA_KAFKA_API_VERSIONS,
                                                              .api_version = version,
                                                              .correlation_id = id},
                            &response, &error),
                     KOA_OK);
}

static void make_ready(struct fixture *f)
{
    struct koa_kafka_request_header header = {.correlation_id = -1};

    open_connection(f);
    assert_int_equal(take_requests(f, &header), 1);
    answer_versions(f, header.api_version, header.correlation_id, 1);
    assert_true(koa_kafka_connection_is_ready(f->connection));
}

static void requests_wait_for_the_handshake_and_use_the_highest_common_version(void **state)
{
    struct koa_kafka_describe_cluster_response response = {.cluster_id = KOA_STR("c"),
                                                           .controller_id = 7};
    struct koa_kafka_request_header header = {.correlation_id = -1};
    struct koa_error error;
    struct asked *asked;
    struct fixture f;

    (void) state;
    set_up(&f, 4);
    asked = ask(&f, 0);
    open_connection(&f);
    assert_int_equal(take_requests(&f, &header), 1);
    assert_int_equal(header.api_key, KOA_KAFKA_API_VERSIONS);
    assert_int_equal(header.api_version, 4);
    assert_int_equal(asked->answers, 0);
    answer_versions(&f, 4, header.correlation_id, 1);
    assert_int_equal(take_requests(&f, &header), 1);
    assert_int_equal(header.api_key, KOA_KAFKA_DESCRIBE_CLUSTER);
    assert_int_equal(header.api_version, 1);
    f.now.ms += 25;
    assert_int_equal(answer(&f, header, &response, &error), KOA_OK);
    assert_int_equal(asked->answers, 1);
    assert_int_equal(asked->err, KOA_OK);
    assert_int_equal(asked->controller_id, 7);
    assert_int_equal(asked->elapsed_ms, 25);
    assert_int_equal(f.observed, 2);
    tear_down(&f);
}

static void a_broker_that_does_not_know_our_hello_is_asked_in_its_own_version(void **state)
{
    static const char *const captures[] = {"2.8.2/api_versions-unsupported.response.bin",
                                           "4.3.1/api_versions-unsupported.response.bin"};
    static const int16_t expected[] = {3, 4};

    (void) state;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(captures); i++) {
        struct koa_kafka_request_header header = {.correlation_id = -1};
        struct kit_vector vector;
        struct koa_error error;
        struct fixture f;

        set_up(&f, 4);
        open_connection(&f);
        assert_int_equal(take_requests(&f, &header), 1);
        kit_vector_read(captures[i], &vector);
        vector.bytes[7] = (char) header.correlation_id;
        vector.bytes[6] = vector.bytes[5] = vector.bytes[4] = 0;
        assert_int_equal(
            receive(&f, (struct koa_str){.data = vector.bytes, .size = vector.size}, &error),
            KOA_OK);
        assert_int_equal(take_requests(&f, &header), 1);
        KIT_EXPECT_INT(captures[i], expected[i], header.api_version);
        answer_versions(&f, header.api_version, header.correlation_id, 2);
        assert_int_equal(koa_kafka_connection_version(f.connection, KOA_KAFKA_DESCRIBE_CLUSTER), 2);
        koa_free(vector.bytes);
        tear_down(&f);
    }
}

static void a_broker_that_refuses_every_hello_is_given_up(void **state)
{
    struct koa_kafka_api_versions_response refusal = {.error_code = KOA_KAFKA_UNSUPPORTED_VERSION};
    struct koa_kafka_request_header header = {.correlation_id = -1};
    struct koa_error error;
    struct fixture f;

    (void) state;
    set_up(&f, 4);
    open_connection(&f);
    (void) take_requests(&f, &header);
    assert_int_equal(answer(&f, hello_0(header), &refusal, &error), KOA_OK);
    assert_int_equal(take_requests(&f, &header), 1);
    assert_int_equal(header.api_version, 0);
    assert_int_equal(answer(&f, hello_0(header), &refusal, &error), KOA_ERR_PROTOCOL);
    tear_down(&f);
}

static void an_api_without_a_common_version_fails_alone(void **state)
{
    static const struct koa_kafka_metadata_request metadata = {.topics = {.rows = NULL}};
    struct asked *asked;
    struct fixture f;

    (void) state;
    set_up(&f, 4);
    make_ready(&f);
    asked = &f.asked[0];
    asked->request = (struct koa_kafka_request){.api_key = KOA_KAFKA_METADATA,
                                                .body = &metadata,
                                                .deadline = koa_mono_add_ms(f.now, 1),
                                                .done = on_done};
    koa_kafka_connection_submit(f.connection, &asked->request, f.now);
    assert_int_equal(asked->err, KOA_ERR_UNSUPPORTED);
    KIT_EXPECT_CONTAINS("text", "versions 40 to 41, we speak 0 to 13", asked->text);
    assert_true(koa_kafka_connection_is_ready(f.connection));
    tear_down(&f);
}

static void no_more_go_out_than_the_limit_and_no_more_wait_than_theirs(void **state)
{
    struct koa_kafka_request_header header = {.correlation_id = -1};
    struct fixture f;

    (void) state;
    set_up(&f, 1);
    make_ready(&f);
    for (size_t i = 0; i < REQUESTS; i++)
        (void) ask(&f, i);
    assert_int_equal(take_requests(&f, &header), 1);
    assert_int_equal(f.asked[6].answers, 0);
    assert_int_equal(f.asked[7].answers, 1);
    assert_int_equal(f.asked[7].err, KOA_ERR_LIMIT);
    tear_down(&f);
    for (size_t i = 0; i < REQUESTS; i++)
        KIT_EXPECT_INT("each ends once", 1, f.asked[i].answers);
}

static void a_frozen_broker_costs_one_deadline_and_everything_behind_it_ends(void **state)
{
    struct koa_kafka_request_header header = {.correlation_id = -1};
    struct koa_mono due = {0};
    struct koa_error error;
    struct fixture f;

    (void) state;
    set_up(&f, 1);
    make_ready(&f);
    (void) ask(&f, 0);
    f.now.ms += 100;
    (void) ask(&f, 1);
    (void) take_requests(&f, &header);
    assert_true(koa_kafka_connection_next(f.connection, &due));
    assert_int_equal(due.ms, 1000 + DEADLINE_MS);
    f.now = due;
    assert_int_equal(koa_kafka_connection_tick(f.connection, f.now, &error), KOA_ERR_TIMEOUT);
    KIT_EXPECT_CONTAINS("text", "no answer to describe_cluster within 10000 ms", error.text);
    koa_kafka_connection_close(f.connection, &error);
    assert_int_equal(f.asked[0].err, KOA_ERR_TIMEOUT);
    assert_int_equal(f.asked[1].answers, 1);
    tear_down(&f);
}

static void one_that_waits_in_vain_ends_at_its_own_deadline(void **state)
{
    struct koa_mono due = {0};
    struct koa_error error;
    struct asked *asked;
    struct fixture f;

    (void) state;
    set_up(&f, 1);
    asked = ask(&f, 0);
    assert_true(koa_kafka_connection_next(f.connection, &due));
    f.now = koa_mono_add_ms(due, -1);
    assert_int_equal(koa_kafka_connection_tick(f.connection, f.now, &error), KOA_OK);
    assert_int_equal(asked->answers, 0);
    assert_int_equal(koa_kafka_connection_tick(f.connection, due, &error), KOA_OK);
    assert_int_equal(asked->err, KOA_ERR_TIMEOUT);
    assert_false(koa_kafka_connection_next(f.connection, &due));
    tear_down(&f);
}

static void throttling_is_obeyed(void **state)
{
    struct koa_kafka_describe_cluster_response response = {.throttle_time_ms = 300,
                                                           .cluster_id = KOA_STR("c")};
    struct koa_kafka_request_header header = {.correlation_id = -1};
    struct koa_mono due = {0};
    struct koa_error error;
    struct fixture f;

    (void) state;
    set_up(&f, 4);
    make_ready(&f);
    (void) ask(&f, 0);
    (void) take_requests(&f, &header);
    assert_int_equal(answer(&f, header, &response, &error), KOA_OK);
    (void) ask(&f, 1);
    assert_int_equal(take_requests(&f, &header), 0);
    assert_true(koa_kafka_connection_next(f.connection, &due));
    assert_int_equal(due.ms, f.now.ms + 300);
    f.now = due;
    assert_int_equal(koa_kafka_connection_tick(f.connection, f.now, &error), KOA_OK);
    assert_int_equal(take_requests(&f, &header), 1);
    tear_down(&f);
}

static const struct {
    const char *name;
    const char *bytes;
    size_t size;
} garbage[] = {
    {"a response to no request", "\0\0\0\4\0\0\0\x63", 8},
    {"an impossible length", "\x7f\xff\xff\xff", 4},
    {"a frame without a correlation id", "\0\0\0\2\0\0", 6},
    {"one byte more than the limit", "\0\x10\0\1\0\0\0\1", 8},
    {"a length of nothing", "\0\0\0\0", 4},
    {"a response out of turn", "\0\0\0\5\0\0\0\2\0", 9},
};

static void garbage_ends_the_connection_and_its_requests(void **state)
{
    (void) state;
    KIT_EACH (c, garbage) {
        struct koa_kafka_request_header header = {.correlation_id = -1};
        struct koa_error error;
        struct fixture f;
        enum koa_err err;

        set_up(&f, 4);
        make_ready(&f);
        (void) ask(&f, 0);
        (void) take_requests(&f, &header);
        KIT_EXPECT_INT(c->name, 1, header.correlation_id);
        err = receive(&f, (struct koa_str){.data = c->bytes, .size = c->size}, &error);
        KIT_EXPECT_INT(c->name, KOA_ERR_PROTOCOL, err);
        KIT_EXPECT_INT(c->name, 1, f.asked[0].answers);
        KIT_EXPECT_INT(c->name, KOA_ERR_PROTOCOL, f.asked[0].err);
        tear_down(&f);
    }
}

static const struct {
    const char *name;
    const char *bytes;
    size_t size;
    const char *part;
} malformed[] = {
    {"a response that ends early", "\0\0\0\6\0\0\0\1\0\0", 10, "throttle_time_ms"},
    {"a response with bytes left over",
     "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2c\0\0\0\1\1\0\0\0\0\0\0", 30, "1 bytes left over"},
    {"more brokers than bytes", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\2c\0\0\0\1\xff\xff\xff\xff\7",
     28, "brokers"},
};

/* The request before it and the ones behind it get their answers, on the same connection. */
static void a_malformed_response_fails_its_request_only(void **state)
{
    const struct koa_kafka_describe_cluster_response good = {.cluster_id = KOA_STR("c"),
                                                             .controller_id = 7};

    (void) state;
    KIT_EACH (c, malformed) {
        struct koa_kafka_request_header header = {.correlation_id = -1};
        struct koa_error error;
        struct fixture f;
        char *bytes = koa_calloc(1, c->size);

        memcpy(bytes, c->bytes, c->size);
        set_up(&f, 4);
        make_ready(&f);
        for (size_t i = 0; i < 3; i++)
            (void) ask(&f, i);
        (void) take_requests(&f, &header);
        assert_int_equal(answer(&f, header, &good, &error), KOA_OK);
        bytes[3] = (char) (c->size - 4);
        bytes[7] = (char) ++header.correlation_id;
        KIT_EXPECT_INT(c->name, KOA_OK,
                       receive(&f, (struct koa_str){.data = bytes, .size = c->size}, &error));
        header.correlation_id++;
        assert_int_equal(answer(&f, header, &good, &error), KOA_OK);
        for (size_t i = 0; i < 3; i++)
            KIT_EXPECT_INT(c->name, 1, f.asked[i].answers);
        KIT_EXPECT_INT(c->name, KOA_ERR_PROTOCOL, f.asked[1].err);
        KIT_EXPECT_CONTAINS(c->name, c->part, f.asked[1].text);
        KIT_EXPECT_INT(c->name, 7, f.asked[0].controller_id);
        KIT_EXPECT_INT(c->name, 7, f.asked[2].controller_id);
        assert_true(koa_kafka_connection_is_ready(f.connection));
        koa_free(bytes);
        tear_down(&f);
    }
}

static void a_response_that_decodes_to_too_much_fails_its_request_only(void **state)
{
    struct koa_kafka_describe_cluster_broker *brokers = koa_calloc(20000, sizeof(*brokers));
    struct koa_kafka_describe_cluster_response huge = {
        .cluster_id = KOA_STR("c"), .brokers = {.rows = brokers, .count = 20000}};
    struct koa_kafka_describe_cluster_response good = {.cluster_id = KOA_STR("c")};
    struct koa_kafka_request_header header = {.correlation_id = -1};
    struct koa_error error;
    struct fixture f;

    (void) state;
    assert_true(20000 * sizeof(*brokers) > 1 << 20);
    set_up(&f, 4);
    make_ready(&f);
    (void) ask(&f, 0);
    (void) ask(&f, 1);
    (void) take_requests(&f, &header);
    assert_int_equal(answer(&f, header, &huge, &error), KOA_OK);
    assert_int_equal(f.asked[0].err, KOA_ERR_LIMIT);
    KIT_EXPECT_CONTAINS("text", "memory limit", f.asked[0].text);
    header.correlation_id++;
    assert_int_equal(answer(&f, header, &good, &error), KOA_OK);
    assert_int_equal(f.asked[1].answers, 1);
    assert_int_equal(f.asked[1].err, KOA_OK);
    koa_free(brokers);
    tear_down(&f);
}

static void a_malformed_handshake_ends_the_connection(void **state)
{
    struct koa_kafka_request_header header = {.correlation_id = -1};
    struct koa_error error;
    struct fixture f;

    (void) state;
    set_up(&f, 4);
    (void) ask(&f, 0);
    open_connection(&f);
    (void) take_requests(&f, &header);
    assert_int_equal(header.correlation_id, 0);
    assert_int_equal(receive(&f, KOA_STR("\0\0\0\7\0\0\0\0\0\0\1"), &error), KOA_ERR_PROTOCOL);
    assert_int_equal(f.asked[0].err, KOA_ERR_PROTOCOL);
    tear_down(&f);
}

static void a_closed_connection_can_be_opened_again(void **state)
{
    struct koa_error error;
    struct fixture f;

    (void) state;
    set_up(&f, 4);
    make_ready(&f);
    (void) ask(&f, 0);
    (void) koa_fail(&error, KOA_ERR_CLOSED, "reset");
    koa_kafka_connection_close(f.connection, &error);
    assert_int_equal(f.asked[0].err, KOA_ERR_CLOSED);
    assert_int_equal(koa_kafka_connection_version(f.connection, KOA_KAFKA_DESCRIBE_CLUSTER), -1);
    koa_buf_clear(koa_kafka_connection_output(f.connection));
    make_ready(&f);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_wait_for_the_handshake_and_use_the_highest_common_version),
        cmocka_unit_test(a_broker_that_does_not_know_our_hello_is_asked_in_its_own_version),
        cmocka_unit_test(a_broker_that_refuses_every_hello_is_given_up),
        cmocka_unit_test(an_api_without_a_common_version_fails_alone),
        cmocka_unit_test(no_more_go_out_than_the_limit_and_no_more_wait_than_theirs),
        cmocka_unit_test(a_frozen_broker_costs_one_deadline_and_everything_behind_it_ends),
        cmocka_unit_test(one_that_waits_in_vain_ends_at_its_own_deadline),
        cmocka_unit_test(throttling_is_obeyed),
        cmocka_unit_test(garbage_ends_the_connection_and_its_requests),
        cmocka_unit_test(a_malformed_response_fails_its_request_only),
        cmocka_unit_test(a_response_that_decodes_to_too_much_fails_its_request_only),
        cmocka_unit_test(a_malformed_handshake_ends_the_connection),
        cmocka_unit_test(a_closed_connection_can_be_opened_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Decides what goes on the wire and when, and to whom an answer belongs. Knows no socket and no
 * clock. Version negotiation is negotiation.c's matter, authentication login.c's. */
#include "kafka/connection.h"

#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "kafka/error_code.h"
#include "kafka/frame.h"
#include "kafka/messages/api_versions.h"
#include "kafka/negotiation.h"

enum {
    OUTPUT_LIMIT = 16 * 1024 * 1024, /* a request is at most a few MB: 10,000 partitions */
    THROTTLE_LIMIT_MS = 60 * 1000,   /* a broker that asks for more is not obeyed for ever */
    /* A session is renewed between these shares of its life, as Kafka's own clients do; brokers
     * refuse to do it more than once a second (KIP-368). */
    RENEW_FIRST_PERCENT = 75,
    RENEW_LAST_PERCENT = 85,
    RENEW_SPACING_MS = 1100,
};

enum state { CLOSED, HANDSHAKE, LOGIN, READY };

struct koa_kafka_connection {
    struct koa_kafka_connection_opts opts;
    enum state state;
    struct koa_kafka_framer framer;
    struct koa_buf output;
    struct koa_list_node waiting, in_flight;
    size_t waiting_count, in_flight_count;
    int32_t next_correlation_id;
    struct koa_mono throttled_until;
    struct koa_kafka_versions versions;
    struct koa_kafka_request hello;
    struct koa_kafka_api_versions_request hello_body;
    bool hello_was_repeated;
    int16_t hello_error; /* Kafka's code, when the broker answered the handshake with one */
    int64_t login_timeout_ms;
    struct koa_kafka_login login; /* under way also while ready: the session is renewed */
    struct koa_mono renew_at;     /* when the session ends some time */
    bool has_session_end;
    bool has_answered; /* something after the handshake */
};

struct koa_kafka_connection *
koa_kafka_connection_create(const struct koa_kafka_connection_opts *opts)
{
    struct koa_kafka_connection *connection = koa_calloc(1, sizeof(*connection));

    if (connection == NULL)
        return NULL;
    connection->opts = *opts;
    connection->framer.limit = opts->frame_limit;
    connection->output.limit = OUTPUT_LIMIT;
    koa_list_init(&connection->waiting);
    koa_list_init(&connection->in_flight);
    koa_kafka_versions_clear(&connection->versions);
    connection->login.mechanism = opts->mechanism;
    connection->login.secrets = opts->secrets;
    connection->login.context = opts->secrets_context;
    return connection;
}

void koa_kafka_connection_destroy(struct koa_kafka_connection *connection)
{
    if (connection == NULL)
        return;
    KOA_ASSERT(connection->waiting_count == 0 && connection->in_flight_count == 0);
    koa_kafka_framer_deinit(&connection->framer);
    koa_kafka_login_deinit(&connection->login);
    koa_buf_deinit(&connection->output);
    koa_free(connection);
}

static struct koa_kafka_request *request_of(struct koa_list_node *node)
{
    return KOA_CONTAINER_OF(node, struct koa_kafka_request, node);
}

/* Of a list that is known not to be empty. */
static struct koa_kafka_request *take_first(struct koa_list_node *list)
{
    struct koa_list_node *node = list->next;

    koa_list_remove(node);
    return request_of(node);
}

static void finish(struct koa_kafka_connection *connection, struct koa_kafka_request *request,
                   struct koa_kafka_answer *answer)
{
    answer->api = koa_kafka_api_find(request->api_key);
    answer->version = request->version;
    answer->was_sent = request->bytes > 0;
    answer->request_bytes = request->bytes;
    if (connection->opts.observe != NULL)
        connection->opts.observe(connection->opts.context, answer);
    request->done(request->context, request, answer);
}

static void fail(struct koa_kafka_connection *connection, struct koa_kafka_request *request,
                 const struct koa_error *error)
{
    struct koa_kafka_answer answer = {.error = error};

    finish(connection, request, &answer);
}

void koa_kafka_connection_close(struct koa_kafka_connection *connection,
                                const struct koa_error *error)
{
    size_t in_flight = connection->in_flight_count;
    size_t waiting = connection->waiting_count;

    connection->state = CLOSED;
    koa_kafka_framer_reset(&connection->framer);
    koa_buf_clear(&connection->output);
    koa_kafka_versions_clear(&connection->versions);
    connection->throttled_until = (struct koa_mono){0};
    connection->has_session_end = false;
    /* Only those that were there: `done` may submit anew, which then waits for the next opening. */
    for (; in_flight > 0; in_flight--) {
        connection->in_flight_count--;
        fail(connection, take_first(&connection->in_flight), error);
    }
    koa_kafka_login_reset(&connection->login);
    for (; waiting > 0 && connection->waiting_count > 0; waiting--) {
        connection->waiting_count--;
        fail(connection, take_first(&connection->waiting), error);
    }
}

bool koa_kafka_connection_is_ready(const struct koa_kafka_connection *connection)
{
    return connection->state == READY;
}

size_t koa_kafka_connection_pending(const struct koa_kafka_connection *connection)
{
    return connection->waiting_count + connection->in_flight_count;
}

int16_t koa_kafka_connection_version(const struct koa_kafka_connection *connection, int16_t api_key)
{
    return koa_kafka_versions_get(&connection->versions, api_key);
}

struct koa_buf *koa_kafka_connection_output(struct koa_kafka_connection *connection)
{
    return &connection->output;
}

/* Appends the request to the output and to those in flight. */
static enum koa_err put_on_wire(struct koa_kafka_connection *connection,
                                struct koa_kafka_request *request, struct koa_mono now,
                                struct koa_error *reterr)
{
    struct koa_kafka_request_header header = {
        .api_key = request->api_key,
        .api_version = request->version,
        .correlation_id = connection->next_correlation_id,
        .client_id = {.data = connection->opts.client_id,
                      .size = strlen(connection->opts.client_id)}};
    size_t before = connection->output.size;
    enum koa_err err = koa_kafka_frame_request(&header, request->body, &connection->output, reterr);

    if (err != KOA_OK)
        return err;
    request->bytes = connection->output.size - before;
    request->correlation_id = header.correlation_id;
    request->sent = now;
    connection->next_correlation_id =
        header.correlation_id == INT32_MAX ? 0 : header.correlation_id + 1;
    koa_list_push_back(&connection->in_flight, &request->node);
    connection->in_flight_count++;
    return KOA_OK;
}

/* Sends what may be sent. A request that cannot be (no common version, too large) fails alone. */
static void pump(struct koa_kafka_connection *connection, struct koa_mono now)
{
    while (connection->state == READY && !koa_kafka_login_is_exclusive(&connection->login) &&
           connection->waiting_count > 0 &&
           connection->in_flight_count < connection->opts.in_flight_limit &&
           koa_mono_diff_ms(now, connection->throttled_until) >= 0) {
        struct koa_kafka_request *request = take_first(&connection->waiting);
        struct koa_error error;
        enum koa_err err;

        connection->waiting_count--;
        err = koa_kafka_versions_choose(&connection->versions, request->api_key, &request->version,
                                        &error);
        if (err == KOA_OK)
            err = put_on_wire(connection, request, now, &error);
        if (err != KOA_OK) {
            fail(connection, request, &error);
            if (connection->output.failed)
                return; /* the tick finds it and closes */
        }
    }
}

void koa_kafka_connection_submit(struct koa_kafka_connection *connection,
                                 struct koa_kafka_request *request, struct koa_mono now)
{
    struct koa_error error;

    request->bytes = 0;
    request->version = -1;
    request->sent = (struct koa_mono){0};
    if (connection->waiting_count >= connection->opts.waiting_limit) {
        (void) koa_fail(&error, KOA_ERR_LIMIT, "%zu requests wait for this broker already",
                        connection->waiting_count);
        fail(connection, request, &error);
        return;
    }
    koa_list_push_back(&connection->waiting, &request->node);
    connection->waiting_count++;
    pump(connection, now);
}

static void on_hello(void *context, struct koa_kafka_request *request,
                     const struct koa_kafka_answer *answer)
{
    struct koa_kafka_connection *connection = context;
    const struct koa_kafka_api_versions_response *body = answer->body;

    (void) request;
    if (answer->error != NULL)
        return;
    connection->hello_error = body->error_code;
    if (body->error_code == KOA_KAFKA_NO_ERROR) {
        koa_kafka_versions_learn(&connection->versions, body);
        connection->state = connection->login.mechanism != NULL ? LOGIN : READY;
        if (connection->state == LOGIN)
            koa_kafka_login_begin(&connection->login, connection->hello.deadline);
    }
}

/* ---- authentication */

static enum koa_err send_login(struct koa_kafka_connection *connection,
                               struct koa_kafka_request *request, struct koa_mono now,
                               struct koa_error *reterr)
{
    enum koa_err err = koa_kafka_versions_choose(&connection->versions, request->api_key,
                                                 &request->version, reterr);

    if (err == KOA_OK && request->api_key == KOA_KAFKA_SASL_HANDSHAKE && request->version < 1) {
        err = koa_fail(reterr, KOA_ERR_UNSUPPORTED,
                       "the broker is too old: SASL needs SaslHandshake 1 (Kafka 1.0)");
    }
    return err != KOA_OK ? err : put_on_wire(connection, request, now, reterr);
}

static void note_session(struct koa_kafka_connection *connection, struct koa_mono now)
{
    int64_t lifetime_ms = connection->login.lifetime_ms;
    int64_t percent = RENEW_FIRST_PERCENT + (int64_t) (connection->opts.spread %
                                                       (RENEW_LAST_PERCENT - RENEW_FIRST_PERCENT));
    int64_t delay_ms = lifetime_ms / 100 * percent + lifetime_ms % 100 * percent / 100;

    connection->login.is_done = false;
    connection->state = READY;
    connection->has_session_end = lifetime_ms > 0;
    connection->renew_at =
        koa_mono_add_ms(now, delay_ms > RENEW_SPACING_MS ? delay_ms : RENEW_SPACING_MS);
}

/* Says what the authentication has to say next, if anything. */
static enum koa_err advance_login(struct koa_kafka_connection *connection, struct koa_mono now,
                                  struct koa_error *reterr)
{
    struct koa_kafka_request *request;
    enum koa_err err = koa_kafka_login_step(&connection->login, &request, reterr);

    if (err == KOA_OK && request != NULL)
        return send_login(connection, request, now, reterr);
    if (err == KOA_OK && connection->login.is_done)
        note_session(connection, now);
    return err;
}

/* Requests on the wire stay there: the broker answers them first. */
static enum koa_err renew_session(struct koa_kafka_connection *connection, struct koa_mono now,
                                  struct koa_error *reterr)
{
    connection->has_session_end = false;
    koa_kafka_login_begin(&connection->login, koa_mono_add_ms(now, connection->login_timeout_ms));
    return advance_login(connection, now, reterr);
}

enum koa_err koa_kafka_connection_resume(struct koa_kafka_connection *connection,
                                         struct koa_mono now, struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    if (connection->login.phase != KOA_KAFKA_LOGIN_IDLE)
        err = advance_login(connection, now, reterr);
    if (err == KOA_OK)
        pump(connection, now);
    return err;
}

const char *koa_kafka_connection_hint(const struct koa_kafka_connection *connection)
{
    if (connection->state == HANDSHAKE && !connection->opts.is_encrypted)
        return "a listener that speaks TLS does so: should tls be enabled?";
    if (connection->state == LOGIN)
        return "it did so during the SASL authentication";
    if (connection->state == READY && !connection->has_answered &&
        connection->in_flight_count > 0 && connection->opts.mechanism == NULL)
        return "a listener that asks for SASL does so: should sasl be set?";
    return NULL;
}

static enum koa_err say_hello(struct koa_kafka_connection *connection, int16_t version,
                              struct koa_mono now, struct koa_error *reterr)
{
    connection->hello.version = version;
    return put_on_wire(connection, &connection->hello, now, reterr);
}

enum koa_err koa_kafka_connection_open(struct koa_kafka_connection *connection, struct koa_mono now,
                                       struct koa_mono deadline, struct koa_error *reterr)
{
    connection->state = HANDSHAKE;
    connection->login_timeout_ms = koa_mono_diff_ms(deadline, now);
    connection->has_answered = false;
    connection->hello_was_repeated = false;
    connection->hello_error = KOA_KAFKA_NO_ERROR;
    connection->hello_body = (struct koa_kafka_api_versions_request){
        .client_software_name = KOA_STR("kafka-ops-agent"),
        .client_software_version = {.data = connection->opts.software_version,
                                    .size = strlen(connection->opts.software_version)},
        .node_id = -1};
    connection->hello = (struct koa_kafka_request){.api_key = KOA_KAFKA_API_VERSIONS,
                                                   .body = &connection->hello_body,
                                                   .deadline = deadline,
                                                   .done = on_hello,
                                                   .context = connection};
    return say_hello(connection, KOA_KAFKA_HELLO_VERSION, now, reterr);
}

/* KIP-511: a broker that does not know our version of ApiVersions says so in version 0, and names
 * the versions it knows, if it is not older than 2.4. */
static enum koa_err repeat_hello(struct koa_kafka_connection *connection, struct koa_str frame,
                                 struct koa_mono now, struct koa_error *reterr)
{
    const struct koa_kafka_request_header asked = {.api_key = KOA_KAFKA_API_VERSIONS};
    struct koa_kafka_api_versions_response answer;
    struct koa_arena *arena = koa_arena_create(connection->opts.arena_limit);
    int16_t version = 0;
    enum koa_err err = koa_require_memory(arena, reterr);

    if (err == KOA_OK && connection->hello_was_repeated) {
        err = koa_fail(reterr, KOA_ERR_PROTOCOL,
                       "the broker refuses every version of ApiVersions that it offered");
    }
    if (err == KOA_OK)
        err = koa_kafka_open_response(&asked, frame, arena, &answer, reterr);
    if (err == KOA_OK) {
        version = koa_kafka_hello_version(&answer);
        connection->hello_was_repeated = true;
        koa_list_remove(&connection->hello.node);
        connection->in_flight_count--;
        err = say_hello(connection, version, now, reterr);
    }
    koa_arena_destroy(arena);
    return err;
}

static bool is_refused_hello(const struct koa_kafka_connection *connection,
                             const struct koa_kafka_request *request, struct koa_str frame)
{
    return request == &connection->hello && frame.size >= 6 && frame.data[4] == 0 &&
           frame.data[5] == KOA_KAFKA_UNSUPPORTED_VERSION; /* the first field in every version */
}

static int64_t throttle_of(const struct koa_kafka_api *api, int16_t version, const void *body)
{
    const struct koa_kafka_field *field = api->response->fields;
    int32_t throttle_ms = 0;

    while (field->type != KOA_KAFKA_NONE && strcmp(field->name, "throttle_time_ms") != 0)
        field++;
    if (field->type == KOA_KAFKA_INT32 && version >= field->since)
        memcpy(&throttle_ms, (const char *) body + field->offset, sizeof(throttle_ms));
    if (throttle_ms < 0)
        return 0;
    return throttle_ms < THROTTLE_LIMIT_MS ? throttle_ms : THROTTLE_LIMIT_MS;
}

/* Of the handshake or the authentication: without its answer the connection cannot go on. */
static bool is_own(const struct koa_kafka_connection *connection,
                   const struct koa_kafka_request *request)
{
    return request == &connection->hello || request->api_key == KOA_KAFKA_SASL_HANDSHAKE ||
           request->api_key == KOA_KAFKA_SASL_AUTHENTICATE;
}

/* Hands a decoded response over. One that cannot be read, or takes too much memory, fails its own
 * request alone: the next frame begins where the length of this one says. */
static enum koa_err deliver(struct koa_kafka_connection *connection,
                            struct koa_kafka_request *request, struct koa_str frame,
                            struct koa_mono now, struct koa_error *reterr)
{
    const struct koa_kafka_request_header asked = {.api_key = request->api_key,
                                                   .api_version = request->version};
    const struct koa_kafka_api *api = koa_kafka_api_find(request->api_key);
    struct koa_arena *arena = koa_arena_create(connection->opts.arena_limit);
    void *body = arena != NULL ? koa_arena_alloc(arena, 1, api->response->size) : NULL;
    struct koa_kafka_answer answer = {.elapsed_ms = koa_mono_diff_ms(now, request->sent),
                                      .response_bytes = frame.size + 4};
    enum koa_err err;

    if (body != NULL) {
        err = koa_kafka_open_response(&asked, frame, arena, body, reterr);
    } else {
        err = koa_fail(reterr, KOA_ERR_NOMEM, "no memory for a response to %s", api->name);
    }
    if (err != KOA_OK && is_own(connection, request)) {
        koa_arena_destroy(arena);
        return err;
    }
    if (err == KOA_OK && body != NULL) {
        answer.body = body;
        answer.throttle_ms = throttle_of(api, request->version, body);
    } else {
        answer.error = reterr;
    }
    if (answer.throttle_ms > 0)
        connection->throttled_until = koa_mono_add_ms(now, answer.throttle_ms);
    koa_list_remove(&request->node);
    connection->in_flight_count--;
    connection->has_answered |= connection->state == READY;
    finish(connection, request, &answer);
    koa_arena_destroy(arena);
    return KOA_OK;
}

static enum koa_err take_frame(struct koa_kafka_connection *connection, struct koa_str frame,
                               struct koa_mono now, struct koa_error *reterr)
{
    struct koa_kafka_request *request;
    int32_t id = 0;
    enum koa_err err = koa_kafka_peek_correlation(frame, &id, reterr);

    if (err != KOA_OK)
        return err;
    if (connection->in_flight_count == 0) {
        return koa_fail(reterr, KOA_ERR_PROTOCOL,
                        "the broker sent a response (correlation id %" PRId32 ") to no request",
                        id);
    }
    request = request_of(connection->in_flight.next);
    if (id != request->correlation_id) {
        return koa_fail(reterr, KOA_ERR_PROTOCOL,
                        "the broker answered correlation id %" PRId32 " where %" PRId32 " was next",
                        id, request->correlation_id);
    }
    if (is_refused_hello(connection, request, frame))
        return repeat_hello(connection, frame, now, reterr);
    return deliver(connection, request, frame, now, reterr);
}

enum koa_err koa_kafka_connection_receive(struct koa_kafka_connection *connection,
                                          struct koa_str bytes, struct koa_mono now,
                                          struct koa_error *reterr)
{
    struct koa_str frame = {.data = NULL};
    enum koa_err err = koa_kafka_framer_feed(&connection->framer, bytes, reterr);

    while (err == KOA_OK && connection->state != CLOSED) {
        err = koa_kafka_framer_next(&connection->framer, &frame, reterr);
        if (err != KOA_OK || frame.data == NULL)
            break;
        err = take_frame(connection, frame, now, reterr);
        if (err == KOA_OK && connection->hello_error != KOA_KAFKA_NO_ERROR) {
            err = koa_fail(reterr, KOA_ERR_PROTOCOL, "the broker refuses the handshake: %s (%d)",
                           koa_kafka_error_name(connection->hello_error), connection->hello_error);
        }
        if (err == KOA_OK && connection->login.mechanism != NULL)
            err = advance_login(connection, now, reterr);
    }
    if (err == KOA_OK)
        pump(connection, now);
    return err;
}

/* Those that wait are independent of each other: each ends at its own deadline. */
static void expire_waiting(struct koa_kafka_connection *connection, struct koa_mono now)
{
    size_t left = connection->waiting_count;
    struct koa_error error;

    for (; left > 0 && connection->waiting_count > 0; left--) {
        struct koa_kafka_request *request = take_first(&connection->waiting);

        if (koa_mono_diff_ms(now, request->deadline) < 0) {
            koa_list_push_back(&connection->waiting, &request->node);
            continue;
        }
        connection->waiting_count--;
        (void) koa_fail(&error, KOA_ERR_TIMEOUT, "%s before the request could be sent",
                        connection->state == READY
                            ? "the deadline passed"
                            : "the connection was not ready within the deadline,");
        fail(connection, request, &error);
    }
}

enum koa_err koa_kafka_connection_tick(struct koa_kafka_connection *connection, struct koa_mono now,
                                       struct koa_error *reterr)
{
    if (connection->output.failed)
        return koa_fail(reterr, KOA_ERR_LIMIT, "more than %d bytes wait to be sent", OUTPUT_LIMIT);
    KOA_LIST_FOREACH (node, &connection->in_flight) {
        const struct koa_kafka_request *request = request_of(node);

        if (koa_mono_diff_ms(now, request->deadline) >= 0) {
            return koa_fail(reterr, KOA_ERR_TIMEOUT, "no answer to %s within %" PRId64 " ms",
                            koa_kafka_api_find(request->api_key)->name,
                            koa_mono_diff_ms(now, request->sent));
        }
    }
    if (connection->login.phase != KOA_KAFKA_LOGIN_IDLE &&
        koa_mono_diff_ms(now, connection->login.deadline) >= 0) {
        return koa_fail(reterr, KOA_ERR_TIMEOUT,
                        "the credentials for SASL were not at hand within the deadline");
    }
    if (connection->has_session_end && koa_mono_diff_ms(now, connection->renew_at) >= 0) {
        enum koa_err err = renew_session(connection, now, reterr);

        if (err != KOA_OK)
            return err;
    }
    expire_waiting(connection, now);
    pump(connection, now);
    return KOA_OK;
}

static void consider(struct koa_mono due, bool *any, struct koa_mono *ret_due)
{
    if (!*any || koa_mono_diff_ms(due, *ret_due) < 0)
        *ret_due = due;
    *any = true;
}

bool koa_kafka_connection_next(const struct koa_kafka_connection *connection,
                               struct koa_mono *ret_due)
{
    bool any = false;

    KOA_LIST_FOREACH (node, &connection->in_flight)
        consider(request_of(node)->deadline, &any, ret_due);
    KOA_LIST_FOREACH (node, &connection->waiting)
        consider(request_of(node)->deadline, &any, ret_due);
    if (connection->state == READY && connection->waiting_count > 0 &&
        !koa_kafka_login_is_exclusive(&connection->login) &&
        connection->in_flight_count < connection->opts.in_flight_limit)
        consider(connection->throttled_until, &any, ret_due);
    if (connection->login.phase != KOA_KAFKA_LOGIN_IDLE)
        consider(connection->login.deadline, &any, ret_due);
    if (connection->has_session_end)
        consider(connection->renew_at, &any, ret_due);
    return any;
}

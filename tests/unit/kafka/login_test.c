/* Authentication on a connection, against a broker made of bytes, under virtual time. */
#include "kafka/connection.h"

#include <stdio.h>
#include <string.h>

#include "kit/kit.h"

#include "base/str.h"
#include "crypto/crypto.h"
#include "kafka/error_code.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/describe_cluster.h"

enum { DEADLINE_MS = 10000, LIFETIME_MS = 60000, FRAMES = 8 };

#define PASSWORD "pencil-and-paper"

struct frame {
    struct koa_kafka_request_header header;
    struct koa_buf body; /* what follows the header */
};

struct fixture {
    struct koa_kafka_connection *connection;
    struct koa_mono now;
    struct koa_kafka_request request;
    int answers;
    enum koa_err err;
    char text[KOA_ERROR_TEXT_SIZE];

    struct koa_kafka_identity identity;
    bool is_identity_pending, is_key_pending;
    int keys;
    int16_t handshake_version; /* the highest that the broker offers */

    struct frame frames[FRAMES]; /* taken by take_frames() */
    size_t frame_count;
};

static const struct koa_kafka_describe_cluster_request body = {.endpoint_type = 1};

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

static enum koa_err get_identity(void *context, const struct koa_kafka_identity **ret_identity,
                                 bool *ret_is_pending, struct koa_error *reterr)
{
    struct fixture *f = context;

    (void) reterr;
    *ret_is_pending = f->is_identity_pending;
    *ret_identity = &f->identity;
    return KOA_OK;
}

static enum koa_err get_key(void *context, const struct koa_scram_salt *salt,
                            struct koa_digest *ret_key, bool *ret_is_pending,
                            struct koa_error *reterr)
{
    struct fixture *f = context;
    struct koa_pbkdf2 opts = {.kind = salt->kind,
                              .password = koa_str_from(f->identity.password),
                              .salt = {.data = (const char *) salt->bytes, .size = salt->size},
                              .iterations = salt->iterations};

    (void) reterr;
    f->keys++;
    *ret_is_pending = f->is_key_pending;
    return f->is_key_pending || koa_pbkdf2(&opts, ret_key) ? KOA_OK : KOA_ERR_NOMEM;
}

static void set_up(struct fixture *f, const char *mechanism)
{
    static const struct koa_kafka_secrets secrets = {.identity = get_identity, .key = get_key};
    struct koa_kafka_connection_opts opts = {.client_id = "kafka-ops-agent",
                                             .software_version = "0.1.0",
                                             .frame_limit = 1 << 20,
                                             .arena_limit = 1 << 20,
                                             .in_flight_limit = 4,
                                             .waiting_limit = 6,
                                             .mechanism = koa_kafka_mechanism_find(mechanism),
                                             .secrets = &secrets,
                                             .secrets_context = f};

    memset(f, 0, sizeof(*f));
    f->now.ms = 1000;
    f->handshake_version = 1;
    f->identity = (struct koa_kafka_identity){
        .username = "user", .password = PASSWORD, .token = "token-of-mine"};
    f->connection = koa_kafka_connection_create(&opts);
    assert_non_null(f->connection);
}

static void forget_frames(struct fixture *f)
{
    for (size_t i = 0; i < f->frame_count; i++)
        koa_buf_deinit(&f->frames[i].body);
    f->frame_count = 0;
}

static void tear_down(struct fixture *f)
{
    struct koa_error error;

    (void) koa_fail(&error, KOA_ERR_CANCELLED, "the test is over");
    koa_kafka_connection_close(f->connection, &error);
    koa_kafka_connection_destroy(f->connection);
    forget_frames(f);
}

/* Takes what the client wrote apart. */
static size_t take_frames(struct fixture *f)
{
    struct koa_buf *output = koa_kafka_connection_output(f->connection);

    forget_frames(f);
    for (size_t at = 0; at < output->size;) {
        const unsigned char *length = (const unsigned char *) output->data + at;
        size_t size = (size_t) length[1] << 16 | (size_t) length[2] << 8 | length[3];
        struct frame *frame = &f->frames[f->frame_count++];
        const struct koa_kafka_api *api;
        struct koa_str rest;
        struct koa_error error;

        assert_true(f->frame_count <= FRAMES);
        assert_int_equal(KOA_OK, koa_kafka_open_request(
                                     (struct koa_str){.data = output->data + at + 4, .size = size},
                                     &frame->header, &api, &rest, &error));
        frame->body = (struct koa_buf){.limit = 1 << 20};
        koa_buf_append(&frame->body, rest.data, rest.size);
        at += 4 + size;
    }
    koa_buf_clear(output);
    return f->frame_count;
}

/* The bytes of a SaslAuthenticate of version 2 (compact, and a block of tags behind). */
static struct koa_str auth_bytes(const struct frame *frame)
{
    const unsigned char *data = (const unsigned char *) frame->body.data;
    size_t head = data[0] < 128 ? 1 : 2;
    size_t size = head == 1 ? data[0] : (size_t) (data[0] & 127) + ((size_t) data[1] << 7);

    return (struct koa_str){.data = frame->body.data + head, .size = size - 1};
}

static enum koa_err answer(struct fixture *f, const struct frame *frame, const void *response,
                           struct koa_error *error)
{
    struct koa_buf buf = {.limit = 1 << 20};
    struct koa_kafka_request_header header = frame->header;
    enum koa_err err;

    assert_int_equal(KOA_OK, koa_kafka_frame_response(&header, response, &buf, error));
    err = koa_kafka_connection_receive(
        f->connection, (struct koa_str){.data = buf.data, .size = buf.size}, f->now, error);
    koa_buf_deinit(&buf);
    if (err != KOA_OK)
        koa_kafka_connection_close(f->connection, error);
    return err;
}

static void open_and_hello(struct fixture *f)
{
    struct koa_kafka_api_range rows[] = {{KOA_KAFKA_API_VERSIONS, 0, 4},
                                         {KOA_KAFKA_SASL_HANDSHAKE, 0, f->handshake_version},
                                         {KOA_KAFKA_SASL_AUTHENTICATE, 0, 2},
                                         {KOA_KAFKA_DESCRIBE_CLUSTER, 0, 1}};
    struct koa_kafka_api_versions_response response = {
        .api_keys = {.rows = rows, .count = KOA_ARRAY_COUNT(rows)}, .finalized_features_epoch = -1};
    struct koa_error error = {.text = ""};
    enum koa_err err;

    assert_int_equal(KOA_OK,
                     koa_kafka_connection_open(f->connection, f->now,
                                               koa_mono_add_ms(f->now, DEADLINE_MS), &error));
    assert_int_equal(1, take_frames(f));
    err = answer(f, &f->frames[0], &response, &error);
    f->err = err;
    (void) snprintf(f->text, sizeof(f->text), "%s", error.text);
}

static enum koa_err answer_handshake(struct fixture *f, int16_t code, struct koa_error *error)
{
    struct koa_str offered[] = {KOA_STR("PLAIN"), KOA_STR("SCRAM-SHA-256")};
    struct koa_kafka_sasl_handshake_response response = {
        .error_code = code, .mechanisms = {.rows = offered, .count = 2}};

    KIT_EXPECT_INT("one frame", 1, take_frames(f));
    KIT_EXPECT_INT("handshake", KOA_KAFKA_SASL_HANDSHAKE, f->frames[0].header.api_key);
    return answer(f, &f->frames[0], &response, error);
}

static enum koa_err answer_step(struct fixture *f, struct koa_str bytes, int64_t lifetime_ms,
                                struct koa_error *error)
{
    struct koa_kafka_sasl_authenticate_response response = {.auth_bytes = bytes,
                                                            .session_lifetime_ms = lifetime_ms};

    return answer(f, &f->frames[0], &response, error);
}

static void ask(struct fixture *f)
{
    f->answers = 0;
    f->request = (struct koa_kafka_request){.api_key = KOA_KAFKA_DESCRIBE_CLUSTER,
                                            .body = &body,
                                            .deadline = koa_mono_add_ms(f->now, DEADLINE_MS),
                                            .done = on_done,
                                            .context = f};
    koa_kafka_connection_submit(f->connection, &f->request, f->now);
}

static void log_in(struct fixture *f, int64_t lifetime_ms)
{
    struct koa_error error = {.text = ""};

    open_and_hello(f);
    assert_int_equal(KOA_OK, answer_handshake(f, 0, &error));
    assert_int_equal(1, take_frames(f));
    assert_int_equal(KOA_OK, answer_step(f, KOA_STR(""), lifetime_ms, &error));
    assert_true(koa_kafka_connection_is_ready(f->connection));
}

static void requests_wait_for_the_authentication(void **state)
{
    struct koa_error error = {.text = ""};
    struct fixture f;
    struct koa_str said;

    (void) state;
    set_up(&f, "PLAIN");
    ask(&f);
    open_and_hello(&f);
    KIT_EXPECT("not yet", !koa_kafka_connection_is_ready(f.connection));
    assert_int_equal(KOA_OK, answer_handshake(&f, 0, &error));
    KIT_EXPECT_INT("one step", 1, take_frames(&f));
    KIT_EXPECT_INT("authenticate", KOA_KAFKA_SASL_AUTHENTICATE, f.frames[0].header.api_key);
    KIT_EXPECT_INT("version", 2, f.frames[0].header.api_version);
    said = auth_bytes(&f.frames[0]);
    KIT_EXPECT("RFC 4616", koa_str_equal(said, KOA_STR("\0user\0" PASSWORD)));
    KIT_EXPECT_TEXT("hint", "it did so during the SASL authentication",
                    koa_kafka_connection_hint(f.connection));
    assert_int_equal(KOA_OK, answer_step(&f, KOA_STR(""), 0, &error));
    KIT_EXPECT("ready", koa_kafka_connection_is_ready(f.connection));
    KIT_EXPECT_INT("the request", 1, take_frames(&f));
    KIT_EXPECT_INT("the request", KOA_KAFKA_DESCRIBE_CLUSTER, f.frames[0].header.api_key);
    tear_down(&f);
}

static void nothing_is_said_before_the_secrets_are_there(void **state)
{
    struct koa_error error = {.text = ""};
    struct koa_mono due = {0};
    struct fixture f;

    (void) state;
    set_up(&f, "PLAIN");
    f.is_identity_pending = true;
    open_and_hello(&f);
    KIT_EXPECT_INT("nothing", 0, take_frames(&f));
    KIT_EXPECT("a deadline", koa_kafka_connection_next(f.connection, &due));
    KIT_EXPECT_INT("that of the handshake", f.now.ms + DEADLINE_MS, due.ms);
    assert_int_equal(KOA_OK, koa_kafka_connection_resume(f.connection, f.now, &error));
    KIT_EXPECT_INT("still nothing", 0, take_frames(&f));
    f.is_identity_pending = false;
    assert_int_equal(KOA_OK, koa_kafka_connection_resume(f.connection, f.now, &error));
    KIT_EXPECT_INT("now", 1, take_frames(&f));
    tear_down(&f);

    set_up(&f, "PLAIN");
    f.is_identity_pending = true;
    open_and_hello(&f);
    f.now.ms += DEADLINE_MS;
    KIT_EXPECT_INT("in vain", KOA_ERR_TIMEOUT,
                   koa_kafka_connection_tick(f.connection, f.now, &error));
    KIT_EXPECT_CONTAINS("in vain", "credentials for SASL", error.text);
    tear_down(&f);
}

/* The server's side of SCRAM with SHA-256, from the first message of the client on. */
static void scram_first(struct koa_str client_first, char text[256])
{
    char nonce[128];

    client_first.data += strlen("n,,n=user,");
    client_first.size -= strlen("n,,n=user,");
    assert_true(koa_str_copy(nonce, sizeof(nonce), client_first));
    (void) snprintf(text, 256, "%sSERVER,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", nonce);
}

static void scram_last(struct koa_str client_first, const char *server_first,
                       struct koa_str client_last, char text[128])
{
    unsigned char salt[32];
    size_t size = 0;
    struct koa_pbkdf2 opts = {
        .kind = KOA_DIGEST_SHA256, .password = KOA_STR(PASSWORD), .iterations = 4096};
    struct koa_buf said = {.limit = 4096};
    struct koa_digest salted;
    struct koa_digest key;
    struct koa_digest proof;
    char encoded[64];
    const char *comma = strstr(client_last.data, ",p=");

    assert_true(koa_base64_decode(KOA_STR("W22ZaJ0SNY7soEsUEjb6gQ=="), salt, sizeof(salt), &size));
    opts.salt = (struct koa_str){.data = (const char *) salt, .size = size};
    assert_true(koa_pbkdf2(&opts, &salted));
    koa_buf_printf(&said, "%.*s,%s,%.*s", (int) client_first.size - 3, client_first.data + 3,
                   server_first, (int) (comma - client_last.data), client_last.data);
    assert_true(koa_digest_hmac(KOA_DIGEST_SHA256,
                                (struct koa_str){.data = (const char *) salted.bytes, .size = 32},
                                KOA_STR("Server Key"), &key));
    assert_true(koa_digest_hmac(KOA_DIGEST_SHA256,
                                (struct koa_str){.data = (const char *) key.bytes, .size = 32},
                                (struct koa_str){.data = said.data, .size = said.size}, &proof));
    koa_base64_encode((struct koa_str){.data = (const char *) proof.bytes, .size = 32}, encoded,
                      sizeof(encoded));
    (void) snprintf(text, 128, "v=%s", encoded);
    koa_buf_deinit(&said);
}

static void scram_waits_for_its_key_and_verifies_the_broker(void **state)
{
    struct koa_error error = {.text = ""};
    struct koa_buf client_first = {.limit = 4096};
    char server_first[256];
    char server_last[128];
    struct fixture f;
    struct koa_str said;

    (void) state;
    set_up(&f, "SCRAM-SHA-256");
    f.is_key_pending = true;
    open_and_hello(&f);
    assert_int_equal(KOA_OK, answer_handshake(&f, 0, &error));
    assert_int_equal(1, take_frames(&f));
    said = auth_bytes(&f.frames[0]);
    KIT_EXPECT("first", koa_str_starts(said, KOA_STR("n,,n=user,r=")));
    koa_buf_append(&client_first, said.data, said.size);
    scram_first(said, server_first);
    assert_int_equal(KOA_OK, answer_step(&f, koa_str_from(server_first), 0, &error));
    KIT_EXPECT_INT("waits for the key", 0, take_frames(&f));
    KIT_EXPECT_INT("has asked for it", 1, f.keys);
    f.is_key_pending = false;
    assert_int_equal(KOA_OK, koa_kafka_connection_resume(f.connection, f.now, &error));
    assert_int_equal(1, take_frames(&f));
    scram_last((struct koa_str){.data = client_first.data, .size = client_first.size}, server_first,
               auth_bytes(&f.frames[0]), server_last);
    assert_int_equal(KOA_OK, answer_step(&f, koa_str_from(server_last), 0, &error));
    KIT_EXPECT("ready", koa_kafka_connection_is_ready(f.connection));
    koa_buf_deinit(&client_first);
    tear_down(&f);
}

static void refusals_are_named_and_secrets_withheld(void **state)
{
    static const struct {
        const char *mechanism;
        int16_t handshake, step;
        const char *message; /* the broker's */
        const char *text;
    } cases[] = {
        {"SCRAM-SHA-512", 33, 0, NULL,
         "the broker does not take SASL mechanism SCRAM-SHA-512 here; it takes PLAIN, "
         "SCRAM-SHA-256"},
        {"PLAIN", 34, 0, NULL,
         "the broker does not take SASL here (ILLEGAL_SASL_STATE): is this a listener without "
         "authentication?"},
        {"PLAIN", 42, 0, NULL, "the broker refuses SASL mechanism PLAIN: INVALID_REQUEST (42)"},
        {"PLAIN", 0, 58, "Invalid username or password",
         "authentication by PLAIN as 'user' failed: Invalid username or password "
         "(SASL_AUTHENTICATION_FAILED)"},
        {"PLAIN", 0, 58, "I do not like '" PASSWORD "'",
         "authentication by PLAIN as 'user' failed: (its words repeat the secret and are not "
         "shown) (SASL_AUTHENTICATION_FAILED)"},
        {"OAUTHBEARER", 0, 58, "token-of-mine?",
         "authentication by OAUTHBEARER failed: (its words repeat the secret and are not shown) "
         "(SASL_AUTHENTICATION_FAILED)"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_kafka_sasl_authenticate_response response = {
            .error_code = c->step, .error_message = koa_str_from(c->message)};
        struct koa_error error = {.text = ""};
        struct fixture f;
        enum koa_err err;

        set_up(&f, c->mechanism);
        ask(&f);
        open_and_hello(&f);
        err = answer_handshake(&f, c->handshake, &error);
        if (c->handshake == 0) {
            assert_int_equal(1, take_frames(&f));
            err = answer(&f, &f.frames[0], &response, &error);
        }
        KIT_EXPECT_INT(c->text, KOA_ERR_AUTH, err);
        KIT_EXPECT_TEXT(c->mechanism, c->text, error.text);
        KIT_EXPECT("not worth a quick retry", !error.retriable);
        KIT_EXPECT_TEXT("the request ends with it", c->text, f.text);
        KIT_EXPECT_INT("once", 1, f.answers);
        tear_down(&f);
    }
}

/* RFC 7628, 3.2.3: the reason comes as a challenge, and the refusal after it was acknowledged. */
static void a_refused_token_is_acknowledged_before_it_is_told(void **state)
{
    struct koa_kafka_sasl_authenticate_response refusal = {.error_code = 58};
    struct koa_error error = {.text = ""};
    struct fixture f;

    (void) state;
    set_up(&f, "OAUTHBEARER");
    open_and_hello(&f);
    assert_int_equal(KOA_OK, answer_handshake(&f, 0, &error));
    assert_int_equal(1, take_frames(&f));
    KIT_EXPECT("RFC 7628", koa_str_equal(auth_bytes(&f.frames[0]),
                                         KOA_STR("n,,\1auth=Bearer token-of-mine\1\1")));
    assert_int_equal(KOA_OK, answer_step(&f, KOA_STR("{\"status\":\"invalid_token\"}"), 0, &error));
    assert_int_equal(1, take_frames(&f));
    KIT_EXPECT("acknowledged", koa_str_equal(auth_bytes(&f.frames[0]), KOA_STR("\1")));
    KIT_EXPECT_INT("refused", KOA_ERR_AUTH, answer(&f, &f.frames[0], &refusal, &error));
    KIT_EXPECT_CONTAINS("refused", "OAUTHBEARER failed: invalid_token;", error.text);
    tear_down(&f);
}

static void a_session_is_renewed_behind_the_requests_on_the_wire(void **state)
{
    struct koa_kafka_describe_cluster_response response = {.cluster_id = KOA_STR("c")};
    struct koa_error error = {.text = ""};
    struct koa_mono due = {0};
    struct koa_kafka_request first;
    struct frame early;
    struct fixture f;

    (void) state;
    set_up(&f, "PLAIN");
    log_in(&f, LIFETIME_MS);
    assert_true(koa_kafka_connection_next(f.connection, &due));
    KIT_EXPECT("between 75 and 85 percent", due.ms - f.now.ms >= LIFETIME_MS * 75 / 100 &&
                                                due.ms - f.now.ms <= LIFETIME_MS * 85 / 100);
    f.now = due;
    ask(&f);
    first = f.request;
    (void) first;
    assert_int_equal(1, take_frames(&f));
    early = f.frames[0];
    f.frame_count = 0; /* kept: it is answered later */
    assert_int_equal(KOA_OK, koa_kafka_connection_tick(f.connection, f.now, &error));
    KIT_EXPECT("still ready", koa_kafka_connection_is_ready(f.connection));
    KIT_EXPECT_INT("the handshake goes out at once", 1, take_frames(&f));
    KIT_EXPECT_INT("behind the request", KOA_KAFKA_SASL_HANDSHAKE, f.frames[0].header.api_key);
    {
        struct koa_kafka_request late = {.api_key = KOA_KAFKA_DESCRIBE_CLUSTER,
                                         .body = &body,
                                         .deadline = koa_mono_add_ms(f.now, DEADLINE_MS),
                                         .done = on_done,
                                         .context = &f};
        struct koa_kafka_sasl_handshake_response agreed = {.error_code = 0};
        struct frame handshake = f.frames[0];

        f.frame_count = 0;
        koa_kafka_connection_submit(f.connection, &late, f.now);
        KIT_EXPECT_INT("nothing else goes out meanwhile", 0, take_frames(&f));
        assert_int_equal(KOA_OK, answer(&f, &early, &response, &error));
        KIT_EXPECT_INT("the early one is answered", 1, f.answers);
        assert_int_equal(KOA_OK, answer(&f, &handshake, &agreed, &error));
        assert_int_equal(1, take_frames(&f));
        assert_int_equal(KOA_OK, answer_step(&f, KOA_STR(""), LIFETIME_MS, &error));
        KIT_EXPECT_INT("then the late one", 1, take_frames(&f));
        KIT_EXPECT_INT("then the late one", KOA_KAFKA_DESCRIBE_CLUSTER, f.frames[0].header.api_key);
        assert_int_equal(KOA_OK, answer(&f, &f.frames[0], &response, &error));
        KIT_EXPECT_INT("none was lost", 2, f.answers);
        KIT_EXPECT_INT("none was lost", KOA_OK, f.err);
        koa_buf_deinit(&handshake.body);
    }
    assert_true(koa_kafka_connection_next(f.connection, &due));
    KIT_EXPECT("and again", due.ms - f.now.ms >= LIFETIME_MS * 75 / 100);
    koa_buf_deinit(&early.body);
    tear_down(&f);
}

/* KIP-368: not more than once a second. */
static void short_sessions_are_not_renewed_in_a_storm(void **state)
{
    struct koa_mono due = {0};
    struct fixture f;

    (void) state;
    set_up(&f, "PLAIN");
    log_in(&f, 1);
    assert_true(koa_kafka_connection_next(f.connection, &due));
    KIT_EXPECT_INT("spacing", f.now.ms + 1100, due.ms);
    tear_down(&f);
    set_up(&f, "PLAIN");
    log_in(&f, 0);
    KIT_EXPECT("a session without end", !koa_kafka_connection_next(f.connection, &due));
    tear_down(&f);
    set_up(&f, "PLAIN");
    log_in(&f, INT64_MAX);
    assert_true(koa_kafka_connection_next(f.connection, &due));
    KIT_EXPECT("a session of a liar", due.ms > f.now.ms);
    tear_down(&f);
}

static void a_renewal_that_hangs_ends_the_connection(void **state)
{
    struct koa_error error = {.text = ""};
    struct koa_mono due = {0};
    struct fixture f;

    (void) state;
    set_up(&f, "PLAIN");
    log_in(&f, LIFETIME_MS);
    f.is_identity_pending = true;
    assert_true(koa_kafka_connection_next(f.connection, &due));
    f.now = due;
    assert_int_equal(KOA_OK, koa_kafka_connection_tick(f.connection, f.now, &error));
    ask(&f);
    KIT_EXPECT_INT("requests go on while secrets are fetched", 1, take_frames(&f));
    f.now.ms += DEADLINE_MS;
    KIT_EXPECT_INT("in vain", KOA_ERR_TIMEOUT,
                   koa_kafka_connection_tick(f.connection, f.now, &error));
    koa_kafka_connection_close(f.connection, &error);
    /* The next opening starts from nothing. */
    f.is_identity_pending = false;
    log_in(&f, 0);
    tear_down(&f);
}

static void a_broker_without_framed_sasl_is_too_old(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f, "PLAIN");
    f.handshake_version = 0;
    open_and_hello(&f);
    KIT_EXPECT_INT("code", KOA_ERR_UNSUPPORTED, f.err);
    KIT_EXPECT_CONTAINS("text", "needs SaslHandshake 1", f.text);
    tear_down(&f);
}

static void tokens_that_would_break_the_message_are_refused(void **state)
{
    static const char *const tokens[] = {"", "a b", "a\1b", "a\nb"};

    (void) state;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(tokens); i++) {
        struct fixture f;

        set_up(&f, "OAUTHBEARER");
        f.identity.token = tokens[i];
        open_and_hello(&f);
        KIT_EXPECT_INT(tokens[i], KOA_ERR_AUTH, f.err);
        tear_down(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_wait_for_the_authentication),
        cmocka_unit_test(nothing_is_said_before_the_secrets_are_there),
        cmocka_unit_test(scram_waits_for_its_key_and_verifies_the_broker),
        cmocka_unit_test(refusals_are_named_and_secrets_withheld),
        cmocka_unit_test(a_refused_token_is_acknowledged_before_it_is_told),
        cmocka_unit_test(a_session_is_renewed_behind_the_requests_on_the_wire),
        cmocka_unit_test(short_sessions_are_not_renewed_in_a_storm),
        cmocka_unit_test(a_renewal_that_hangs_ends_the_connection),
        cmocka_unit_test(a_broker_without_framed_sasl_is_too_old),
        cmocka_unit_test(tokens_that_would_break_the_message_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

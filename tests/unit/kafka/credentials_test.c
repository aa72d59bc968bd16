/* Files that change, go bad and come back; passwords that are stretched once; tokens that are
 * fetched. On a real loop with workers: what is decided when is the subject. */
#include "kit/kit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "kafka/credentials.h"
#include "kit/certificate.h"
#include "kit/http_peer.h"
#include "kit/loop_kit.h"

enum { PATH_SIZE = 256, LOG_SIZE = 4096 };

struct fixture {
    struct kit_loop kit;
    struct koa_logger *logger;
    struct koa_http_client *http;
    struct koa_kafka_credentials *credentials;
    struct koa_kafka_security security;
    struct kit_gate changed;
    char *directory;
    char ca[PATH_SIZE], cert[PATH_SIZE], key[PATH_SIZE], secret[PATH_SIZE];

    /* Of the last question. */
    enum koa_err err;
    struct koa_error error;
    bool is_pending;
    char password[64], token[64];
    struct koa_tls_client *tls;
    struct koa_scram_salt salt;
    struct koa_digest stretched;
};

/* Written by workers and the loop, read once all is quiet. */
static char log_text[LOG_SIZE];
static int told;

static void keep_line(void *context, const struct koa_log_line *line)
{
    (void) context;
    told += strcmp(line->event, "kafka.credentials") == 0 && line->level == KOA_LOG_ERROR;
    (void) snprintf(log_text, sizeof(log_text), "%s", line->text);
}

static struct koa_wall no_time(void)
{
    return (struct koa_wall){0};
}

static void on_changed(void *context)
{
    struct fixture *f = context;

    kit_gate_pass(&f->changed);
}

static void write_text(const char *path, const char *text)
{
    char fresh[PATH_SIZE + 8];
    FILE *file;

    (void) snprintf(fresh, sizeof(fresh), "%s.new", path);
    file = fopen(fresh, "we");
    assert_non_null(file);
    (void) fputs(text, file);
    (void) fclose(file);
    assert_int_equal(0, rename(fresh, path));
}

static void create_here(void *message)
{
    struct fixture *f = message;
    struct koa_kafka_credentials_opts opts = {
        .loop = f->kit.loop,
        .workers = f->kit.workers,
        .http = f->http,
        .security = &f->security,
        .name = "prod",
        .log = koa_logger_component(f->logger, "kafka"),
        .fresh_ms = 1,
        .changed = on_changed,
        .context = f,
    };

    assert_int_equal(KOA_OK, koa_kafka_credentials_create(&opts, &f->credentials, &f->error));
}

static void create_http(void *message)
{
    struct fixture *f = message;

    assert_int_equal(
        KOA_OK, koa_http_client_create(f->kit.loop, f->kit.resolver, NULL, &f->http, &f->error));
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){.changed = KIT_GATE_INIT, .directory = kit_temporary_directory()};
    told = 0;
    log_text[0] = '\0';
    kit_loop_start(&f->kit, 0);
    f->logger = koa_logger_create(keep_line, NULL, no_time);
    (void) snprintf(f->ca, PATH_SIZE, "%s/ca", f->directory);
    (void) snprintf(f->cert, PATH_SIZE, "%s/cert", f->directory);
    (void) snprintf(f->key, PATH_SIZE, "%s/key", f->directory);
    (void) snprintf(f->secret, PATH_SIZE, "%s/secret", f->directory);
    kit_make_certificate("agent", f->cert, f->key);
    kit_make_certificate("ca", f->ca, f->secret);
}

static void destroy_here(void *message)
{
    struct fixture *f = message;

    koa_kafka_credentials_destroy(f->credentials);
    koa_http_client_destroy(f->http);
}

static void tear_down(struct fixture *f)
{
    kit_loop_call(&f->kit, destroy_here, f);
    kit_loop_end(&f->kit);
    koa_logger_destroy(f->logger);
    kit_remove_directory(f->directory);
}

static void identity_here(void *message)
{
    struct fixture *f = message;
    const struct koa_kafka_identity *identity = NULL;

    f->is_pending = false;
    f->err = koa_kafka_credentials_secrets.identity(f->credentials, &identity, &f->is_pending,
                                                    &f->error);
    if (f->err != KOA_OK || f->is_pending)
        return;
    (void) koa_str_copy(f->password, sizeof(f->password), koa_str_from(identity->password));
    (void) koa_str_copy(f->token, sizeof(f->token), koa_str_from(identity->token));
}

static void tls_here(void *message)
{
    struct fixture *f = message;

    f->is_pending = false;
    f->err = koa_kafka_credentials_tls(f->credentials, &f->tls, &f->is_pending, &f->error);
}

static void key_here(void *message)
{
    struct fixture *f = message;

    f->is_pending = false;
    f->err = koa_kafka_credentials_secrets.key(f->credentials, &f->salt, &f->stretched,
                                               &f->is_pending, &f->error);
}

/* Asks until the answer is not "pending" any more. `waited`: how often it was. */
static int settle(struct fixture *f, koa_message_fn *ask)
{
    int waited = 0;

    for (;;) {
        int before = kit_gate_count(&f->changed);

        kit_loop_call(&f->kit, ask, f);
        if (!f->is_pending)
            return waited;
        waited++;
        kit_gate_wait(&f->changed, before + 1);
        assert_true(waited < 1000);
    }
}

/* The same, but the answer must come from a look at the files that began after this call. */
static void settle_anew(struct fixture *f, koa_message_fn *ask)
{
    while (settle(f, ask) == 0)
        ; /* within the millisecond that counts as fresh */
}

static void secrets_are_read_again_when_their_file_changes(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    write_text(f.secret, "first-password\n");
    f.security = (struct koa_kafka_security){
        .mechanism = "PLAIN", .username = "u", .password = {.value = "old", .file = f.secret}};
    kit_loop_call(&f.kit, create_here, &f);
    settle(&f, identity_here);
    KIT_EXPECT_TEXT("the file outranks the value", "first-password", f.password);
    write_text(f.secret, "second-password\r\n");
    settle_anew(&f, identity_here);
    KIT_EXPECT_TEXT("read again", "second-password", f.password);
    KIT_EXPECT_INT("told", 0, told);
    (void) unlink(f.secret);
    settle_anew(&f, identity_here);
    settle_anew(&f, identity_here);
    KIT_EXPECT_INT("no error", KOA_OK, f.err);
    KIT_EXPECT_TEXT("what was read stays", "second-password", f.password);
    KIT_EXPECT_INT("told once", 1, told);
    KIT_EXPECT_CONTAINS("told", "prod: the changed certificates and secrets are not used: the file",
                        log_text);
    write_text(f.secret, "third-password");
    settle_anew(&f, identity_here);
    KIT_EXPECT_TEXT("comes back", "third-password", f.password);
    tear_down(&f);
}

static void certificates_are_read_again_and_bad_ones_are_not_used(void **state)
{
    struct koa_tls_client *first;
    struct fixture f;

    (void) state;
    set_up(&f);
    f.security = (struct koa_kafka_security){
        .use_tls = true, .ca_file = f.ca, .cert_file = f.cert, .key_file = f.key};
    kit_loop_call(&f.kit, create_here, &f);
    settle(&f, tls_here);
    assert_int_equal(KOA_OK, f.err);
    assert_non_null(f.tls);
    first = koa_tls_client_ref(f.tls);
    settle_anew(&f, tls_here);
    KIT_EXPECT("files that did not change are not read again", f.tls == first);
    write_text(f.key, "garbage");
    settle_anew(&f, tls_here);
    settle_anew(&f, tls_here);
    KIT_EXPECT_INT("no error", KOA_OK, f.err);
    KIT_EXPECT("the good one stays", f.tls == first);
    KIT_EXPECT_INT("told once", 1, told);
    KIT_EXPECT_CONTAINS("told", "it is not a PEM file; what was read before stays in use",
                        log_text);
    kit_make_certificate("agent", f.cert, f.key);
    settle_anew(&f, tls_here);
    KIT_EXPECT("another one", f.tls != first);
    koa_tls_client_unref(first);
    tear_down(&f);
}

static void without_anything_good_the_reason_is_told(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    f.security = (struct koa_kafka_security){.use_tls = true, .ca_file = "/nowhere/ca"};
    kit_loop_call(&f.kit, create_here, &f);
    settle(&f, tls_here);
    KIT_EXPECT_INT("code", KOA_ERR_TLS, f.err);
    KIT_EXPECT_CONTAINS("text", "ca_file '/nowhere/ca': No such file", f.error.text);
    tear_down(&f);
}

static void a_password_is_stretched_once_for_each_salt(void **state)
{
    struct koa_digest before;
    struct fixture f;

    (void) state;
    set_up(&f);
    write_text(f.secret, "pencil");
    f.security = (struct koa_kafka_security){
        .mechanism = "SCRAM-SHA-256", .username = "u", .password = {.file = f.secret}};
    kit_loop_call(&f.kit, create_here, &f);
    settle(&f, identity_here);
    f.salt = (struct koa_scram_salt){
        .kind = KOA_DIGEST_SHA256, .iterations = 4096, .size = 1, .bytes = {1}};
    KIT_EXPECT_INT("on a worker", 1, settle(&f, key_here));
    before = f.stretched;
    KIT_EXPECT_INT("kept", 0, settle(&f, key_here));
    KIT_EXPECT("the same", memcmp(&before, &f.stretched, sizeof(before)) == 0);
    for (unsigned char i = 2; i < 6; i++) {
        f.salt.bytes[0] = i;
        KIT_EXPECT_INT("another salt", 1, settle(&f, key_here));
    }
    f.salt.bytes[0] = 1;
    KIT_EXPECT_INT("the oldest is forgotten", 1, settle(&f, key_here));
    write_text(f.secret, "another");
    settle_anew(&f, identity_here);
    KIT_EXPECT_INT("another password", 1, settle(&f, key_here));
    KIT_EXPECT("another key", memcmp(&before, &f.stretched, sizeof(before)) != 0);
    tear_down(&f);
}

/* Destroyed while workers are at it: their results go nowhere. */
static void the_end_may_come_at_any_time(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    f.security = (struct koa_kafka_security){.use_tls = true,
                                             .mechanism = "SCRAM-SHA-256",
                                             .username = "u",
                                             .password = {.value = "pencil"}};
    kit_loop_call(&f.kit, create_here, &f);
    settle(&f, identity_here);
    f.salt = (struct koa_scram_salt){
        .kind = KOA_DIGEST_SHA512, .iterations = 400000, .size = 1, .bytes = {1}};
    kit_loop_call(&f.kit, key_here, &f);
    KIT_EXPECT("under way", f.is_pending);
    tear_down(&f);
}

static void expired_tokens_are_not_sent(void **state)
{
    struct fixture f;

    (void) state;
    set_up(&f);
    f.security = (struct koa_kafka_security){
        .mechanism = "OAUTHBEARER",
        .token = {.value = "eyJhbGciOiJub25lIn0.eyJleHAiOjEzMDA4MTkzODB9."}};
    kit_loop_call(&f.kit, create_here, &f);
    settle(&f, identity_here);
    KIT_EXPECT_INT("code", KOA_ERR_AUTH, f.err);
    KIT_EXPECT_TEXT("text", "the OAUTHBEARER token expired at 2011-03-22T18:43:00.000Z",
                    f.error.text);
    tear_down(&f);
}

static const struct {
    const char *name, *answer;
    const char *token; /* NULL: fails */
    const char *part;
} endpoints[] = {
    {"a token",
     "HTTP/1.0 200 OK\r\n\r\n{\"access_token\":\"t1\",\"token_type\":\"Bearer\",\"expires_in\":60}",
     "t1", NULL},
    {"a refusal", "HTTP/1.0 401 No\r\n\r\n{\"error\":\"invalid_client\"}", NULL,
     "the token endpoint answers 401: invalid_client"},
};

static void tokens_are_fetched_once_and_refusals_remembered(void **state)
{
    (void) state;
    KIT_EACH (c, endpoints) {
        struct kit_http_peer *peer = kit_http_peer_start(KIT_HTTP_ANSWERS, c->answer, NULL, NULL);
        char requests[4096];
        char url[64];
        struct fixture f;

        set_up(&f);
        (void) snprintf(url, sizeof(url), "http://127.0.0.1:%d/token", kit_http_peer_port(peer));
        f.security = (struct koa_kafka_security){.mechanism = "OAUTHBEARER",
                                                 .token_url = url,
                                                 .client_id = "agent",
                                                 .client_secret = {.value = "s"},
                                                 .scope = "kafka"};
        kit_loop_call(&f.kit, create_http, &f);
        kit_loop_call(&f.kit, create_here, &f);
        settle(&f, identity_here);
        settle(&f, identity_here);
        KIT_EXPECT(c->name, (f.err == KOA_OK) == (c->token != NULL));
        if (c->token != NULL) {
            KIT_EXPECT_TEXT(c->name, c->token, f.token);
        } else {
            KIT_EXPECT_CONTAINS(c->name, c->part, f.error.text);
        }
        KIT_EXPECT_INT("one request", 1, kit_http_peer_connections(peer));
        kit_http_peer_end(peer, requests, sizeof(requests));
        KIT_EXPECT_CONTAINS("request", "POST /token HTTP/1.1", requests);
        KIT_EXPECT_CONTAINS("request", "Authorization: Basic YWdlbnQ6cw==", requests);
        KIT_EXPECT_CONTAINS("request", "grant_type=client_credentials&scope=kafka", requests);
        tear_down(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(secrets_are_read_again_when_their_file_changes),
        cmocka_unit_test(certificates_are_read_again_and_bad_ones_are_not_used),
        cmocka_unit_test(without_anything_good_the_reason_is_told),
        cmocka_unit_test(a_password_is_stretched_once_for_each_salt),
        cmocka_unit_test(the_end_may_come_at_any_time),
        cmocka_unit_test(expired_tokens_are_not_sent),
        cmocka_unit_test(tokens_are_fetched_once_and_refusals_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

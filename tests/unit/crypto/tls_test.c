/* Sessions against OpenSSL's server side, over memory: who is trusted, and what is said of who is
 * not. */
#include "kit/kit.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crypto/tls.h"
#include "kit/certificate.h"

enum { PATHS = 12, PATH_SIZE = 256, TURNS = 10, WRONG_PASSWORDS = 600 };

static char *directory;

static const char *at(const char *name)
{
    static char paths[PATHS][PATH_SIZE];
    static size_t next;
    char *path = paths[next++ % PATHS];

    (void) snprintf(path, PATH_SIZE, "%s/%s", directory, name);
    return path;
}

static void make(const char *name, const char *names, const char *ca)
{
    char files[4][PATH_SIZE];

    (void) snprintf(files[0], PATH_SIZE, "%s/%s", directory, name);
    (void) snprintf(files[1], PATH_SIZE, "%s/%s.key", directory, name);
    (void) snprintf(files[2], PATH_SIZE, "%s/%s", directory, ca != NULL ? ca : "");
    (void) snprintf(files[3], PATH_SIZE, "%s/%s.key", directory, ca != NULL ? ca : "");
    kit_make(&(struct kit_certificate){.names = names,
                                       .cert_file = files[0],
                                       .key_file = files[1],
                                       .ca_cert_file = ca != NULL ? files[2] : NULL,
                                       .ca_key_file = ca != NULL ? files[3] : NULL,
                                       .is_authority = ca == NULL,
                                       .from_s = strcmp(name, "old") == 0   ? -7200
                                                 : strcmp(name, "new") == 0 ? 3600
                                                                            : -60,
                                       .until_s = strcmp(name, "old") == 0 ? -3600 : 7200});
}

static int set_up(void **state)
{
    (void) state;
    directory = kit_temporary_directory();
    make("ca", NULL, NULL);
    make("other-ca", NULL, NULL);
    make("good", "DNS:kafka-1,DNS:*.example.org,IP:127.0.0.1,IP:::1", "ca");
    make("old", "DNS:kafka-1", "ca");
    make("new", "DNS:kafka-1", "ca");
    make("nameless", NULL, "ca");
    make("client", "DNS:agent", "ca");
    make("foreign-client", "DNS:agent", "other-ca");
    kit_make(&(struct kit_certificate){.names = "DNS:agent",
                                       .cert_file = at("locked"),
                                       .key_file = at("locked.key"),
                                       .key_password = "open sesame"});
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    kit_remove_directory(directory);
    return 0;
}

/* ---- the other side */

struct server {
    SSL_CTX *context;
    SSL *ssl;
    BIO *in, *out;
};

static void start_server(struct server *server, const char *cert, bool wants_certificate,
                         int version)
{
    char path[PATH_SIZE];

    server->context = SSL_CTX_new(TLS_server_method());
    (void) snprintf(path, sizeof(path), "%s/%s", directory, cert);
    assert_int_equal(1, SSL_CTX_use_certificate_chain_file(server->context, path));
    (void) snprintf(path, sizeof(path), "%s/%s.key", directory, cert);
    assert_int_equal(1, SSL_CTX_use_PrivateKey_file(server->context, path, SSL_FILETYPE_PEM));
    (void) SSL_CTX_set_max_proto_version(server->context, version);
    (void) SSL_CTX_set_min_proto_version(server->context, version);
    SSL_CTX_set_security_level(server->context, 0);
    if (wants_certificate) {
        SSL_CTX_set_verify(server->context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           NULL);
        assert_int_equal(1, SSL_CTX_load_verify_file(server->context, at("ca")));
    }
    server->ssl = SSL_new(server->context);
    server->in = BIO_new(BIO_s_mem());
    server->out = BIO_new(BIO_s_mem());
    SSL_set_bio(server->ssl, server->in, server->out);
    SSL_set_accept_state(server->ssl);
}

static void end_server(struct server *server)
{
    SSL_free(server->ssl);
    SSL_CTX_free(server->context);
    ERR_clear_error();
}

/* Carries bytes both ways until the session is ready and nothing moves, or it fails. What the
 * server sent of data goes to `text`. */
static enum koa_err talk(struct koa_tls_session *session, struct server *server, char text[64],
                         struct koa_error *error)
{
    enum koa_err err = KOA_OK;
    size_t size;

    text[0] = '\0';
    for (int i = 0; i < TURNS && err == KOA_OK; i++) {
        struct koa_buf bytes = {.limit = 1 << 20};
        char *data;
        long waiting;

        koa_tls_session_take_output(session, &bytes);
        if (bytes.size > 0)
            assert_int_equal((int) bytes.size, BIO_write(server->in, bytes.data, (int) bytes.size));
        koa_buf_deinit(&bytes);
        (void) SSL_do_handshake(server->ssl);
        waiting = BIO_get_mem_data(server->out, &data);
        err = koa_tls_session_feed(session,
                                   (struct koa_str){.data = data, .size = (size_t) waiting}, error);
        (void) BIO_reset(server->out);
        if (err == KOA_OK && !koa_tls_session_is_ready(session))
            err = koa_tls_session_handshake(session, error);
        if (err == KOA_OK && koa_tls_session_is_ready(session)) {
            err = koa_tls_session_read(session, text, 63, &size, error);
            if (size > 0)
                text[size] = '\0';
        }
    }
    ERR_clear_error();
    return err;
}

struct parties {
    const char *name;
    const char *server;  /* its certificate */
    const char *peer;    /* whom the client expects */
    const char *trusted; /* by the client */
    const char *own;     /* certificate of the client, or NULL */
    bool wants_certificate;
    const char *part; /* of the error; NULL: none */
};

static const struct parties parties[] = {
    {"trusted", "good", "kafka-1", "ca", NULL, false, NULL},
    {"dot at the end", "good", "kafka-1.", "ca", NULL, false, NULL},
    {"wildcard", "good", "b7.example.org", "ca", NULL, false, NULL},
    {"address", "good", "127.0.0.1", "ca", NULL, false, NULL},
    {"address of version 6", "good", "::1", "ca", NULL, false, NULL},
    {"mutual", "good", "kafka-1", "ca", "client", true, NULL},
    {"certificate that nobody asks for", "good", "kafka-1", "ca", "client", false, NULL},
    {"other name", "good", "kafka-2", "ca", NULL, false,
     "is for another name than 'kafka-2': it holds kafka-1, *.example.org, 127.0.0.1, ::1"},
    {"wildcard too deep", "good", "a.b.example.org", "ca", NULL, false, "is for another name than"},
    {"other address", "good", "127.0.0.2", "ca", NULL, false,
     "is for another name than '127.0.0.2'"},
    {"a common name alone", "nameless", "nameless", "ca", NULL, false, NULL},
    {"another common name", "nameless", "kafka-1", "ca", NULL, false,
     "is for another name than 'kafka-1': it holds nameless"},
    {"expired", "old", "kafka-1", "ca", NULL, false, "certificate (/CN=old) expired on 20"},
    {"not yet valid", "new", "kafka-1", "ca", NULL, false, "(/CN=new) is valid from 20"},
    {"unknown authority", "good", "kafka-1", "other-ca", NULL, false,
     "comes from an unknown authority (unable to get local issuer certificate): set ca_file"},
    {"no client certificate", "good", "kafka-1", "ca", NULL, true, "asks for a client certificate"},
    {"client of an unknown authority", "good", "kafka-1", "ca", "foreign-client", true,
     "does not accept our client certificate: unknown authority"},
};

static void check_parties(const struct parties *c, int version)
{
    struct koa_tls_client_opts opts = {.ca_file = at(c->trusted)};
    struct koa_tls_client *client = NULL;
    struct koa_tls_session *session = NULL;
    struct server server;
    struct koa_error error = {.text = ""};
    char key[64];
    char text[64];
    enum koa_err err;

    if (c->own != NULL) {
        (void) snprintf(key, sizeof(key), "%s.key", c->own);
        opts.cert_file = at(c->own);
        opts.key_file = at(key);
    }
    start_server(&server, c->server, c->wants_certificate, version);
    KIT_EXPECT_INT(c->name, KOA_OK, koa_tls_client_create(&opts, &client, &error));
    KIT_EXPECT_INT(c->name, KOA_OK, koa_tls_session_create(client, c->peer, &session, &error));
    koa_tls_client_unref(client); /* the session keeps it */
    err = talk(session, &server, text, &error);
    if (c->part != NULL) {
        KIT_EXPECT_INT(c->name, KOA_ERR_TLS, err);
        KIT_EXPECT_CONTAINS(c->name, c->part, error.text);
    } else {
        KIT_EXPECT_INT(c->name, KOA_OK, err);
        KIT_EXPECT(c->name, koa_tls_session_is_ready(session));
        KIT_EXPECT_INT(c->name, KOA_OK, koa_tls_session_write(session, KOA_STR("ask"), &error));
        KIT_EXPECT_INT(c->name, 4, SSL_write(server.ssl, "tell", 4));
        KIT_EXPECT_INT(c->name, KOA_OK, talk(session, &server, text, &error));
        KIT_EXPECT_INT(c->name, 3, SSL_read(server.ssl, text, 63));
        KIT_EXPECT(c->name, memcmp(text, "ask", 3) == 0);
    }
    koa_tls_session_destroy(session);
    end_server(&server);
}

static void the_peer_must_be_who_it_says(void **state)
{
    (void) state;
    KIT_EACH (c, parties) {
        check_parties(c, TLS1_3_VERSION);
        check_parties(c, TLS1_2_VERSION);
    }
}

static void data_and_the_end_arrive(void **state)
{
    struct koa_tls_client_opts opts = {.ca_file = at("ca")};
    struct koa_tls_client *client = NULL;
    struct koa_tls_session *session = NULL;
    struct server server;
    struct koa_error error;
    char text[64];

    (void) state;
    start_server(&server, "good", false, TLS1_3_VERSION);
    assert_int_equal(KOA_OK, koa_tls_client_create(&opts, &client, &error));
    assert_int_equal(KOA_OK, koa_tls_session_create(client, "kafka-1", &session, &error));
    assert_int_equal(KOA_OK, talk(session, &server, text, &error));
    assert_int_equal(5, SSL_write(server.ssl, "hello", 5));
    {
        char *data;
        long waiting = BIO_get_mem_data(server.out, &data);
        size_t size;

        assert_int_equal(
            KOA_OK, koa_tls_session_feed(
                        session, (struct koa_str){.data = data, .size = (size_t) waiting}, NULL));
        (void) BIO_reset(server.out);
        assert_int_equal(KOA_OK, koa_tls_session_read(session, text, 3, &size, &error));
        KIT_EXPECT_INT("in parts", 3, size);
        assert_int_equal(KOA_OK, koa_tls_session_read(session, text + 3, 60, &size, &error));
        KIT_EXPECT_INT("in parts", 2, size);
        KIT_EXPECT("hello", memcmp(text, "hello", 5) == 0);
    }
    (void) SSL_shutdown(server.ssl);
    KIT_EXPECT_INT("the end", KOA_ERR_CLOSED, talk(session, &server, text, &error));
    koa_tls_session_close(session);
    koa_tls_session_destroy(session);
    koa_tls_client_unref(client);
    end_server(&server);
}

static void what_is_no_tls_is_named(void **state)
{
    static const char *const words[] = {"HTTP/1.1 400 Bad Request\r\n\r\n",
                                        "\x00\x00\x00\x06\x00\x00\x00\x01\x00\x23"};
    struct koa_tls_client_opts opts = {.ca_file = at("ca")};
    struct koa_tls_client *client = NULL;

    (void) state;
    assert_int_equal(KOA_OK, koa_tls_client_create(&opts, &client, NULL));
    for (size_t i = 0; i < KOA_ARRAY_COUNT(words); i++) {
        struct koa_str bytes = {.data = words[i], .size = i == 0 ? strlen(words[i]) : 10};
        struct koa_tls_session *session = NULL;
        struct koa_error error = {.text = ""};

        assert_int_equal(KOA_OK, koa_tls_session_create(client, "kafka-1", &session, &error));
        assert_int_equal(KOA_OK, koa_tls_session_feed(session, bytes, &error));
        KIT_EXPECT_INT("code", KOA_ERR_TLS, koa_tls_session_handshake(session, &error));
        KIT_EXPECT_CONTAINS("text", "does not speak TLS", error.text);
        KIT_EXPECT_CONTAINS("text", "plaintext listener?", error.text);
        koa_tls_session_destroy(session);
    }
    koa_tls_client_unref(client);
}

static void old_versions_are_refused(void **state)
{
    struct koa_tls_client_opts opts = {.ca_file = at("ca")};
    struct koa_tls_client *client = NULL;
    struct koa_tls_session *session = NULL;
    struct server server;
    struct koa_error error = {.text = ""};
    char text[64];

    (void) state;
    start_server(&server, "good", false, TLS1_1_VERSION);
    assert_int_equal(KOA_OK, koa_tls_client_create(&opts, &client, &error));
    assert_int_equal(KOA_OK, koa_tls_session_create(client, "kafka-1", &session, &error));
    KIT_EXPECT_INT("code", KOA_ERR_TLS, talk(session, &server, text, &error));
    KIT_EXPECT_CONTAINS("text", "neither TLS 1.2 nor 1.3", error.text);
    koa_tls_session_destroy(session);
    koa_tls_client_unref(client);
    end_server(&server);
}

static void files_that_do_not_fit_are_named(void **state)
{
    static const struct {
        const char *name, *ca, *cert, *key, *password;
        const char *part; /* NULL: accepted */
    } cases[] = {
        {"the system's authorities", NULL, NULL, NULL, NULL, NULL},
        {"own certificate", "ca", "client", "client.key", NULL, NULL},
        {"key with its password", "ca", "locked", "locked.key", "open sesame", NULL},
        {"key without its password", "ca", "locked", "locked.key", NULL,
         "locked.key': it is encrypted, and key_password is missing or wrong"},
        {"key with another password", "ca", "locked", "locked.key", "wrong",
         "locked.key': it is encrypted, and key_password is missing or wrong"},
        {"no such authorities", "none", NULL, NULL, NULL, "none': No such file or directory"},
        {"no such certificate", "ca", "none", "client.key", NULL, "cert_file '/"},
        {"no such key", "ca", "client", "none", NULL, "key_file '/"},
        {"no PEM", "junk", NULL, NULL, NULL, "junk': it is not a PEM file"},
        {"another key", "ca", "client", "good.key", NULL, "it is not the key of cert_file"},
        {"a certificate alone", "ca", "client", NULL, NULL, "must be set together"},
    };
    FILE *junk = fopen(at("junk"), "we");

    (void) state;
    (void) fputs("not a certificate\n", junk);
    (void) fclose(junk);
    KIT_EACH (c, cases) {
        struct koa_tls_client_opts opts = {.ca_file = c->ca != NULL ? at(c->ca) : "",
                                           .cert_file = c->cert != NULL ? at(c->cert) : NULL,
                                           .key_file = c->key != NULL ? at(c->key) : NULL,
                                           .key_password = c->password};
        struct koa_tls_client *client = NULL;
        struct koa_error error = {.text = ""};
        enum koa_err err = koa_tls_client_create(&opts, &client, &error);

        KIT_EXPECT(c->name, (err == KOA_OK) == (c->part == NULL));
        if (c->part != NULL)
            KIT_EXPECT_CONTAINS(c->name, c->part, error.text);
        koa_tls_client_unref(client);
    }
}

/* One wrong password of 256 leaves bytes whose padding happens to be right. */
static void no_wrong_password_looks_like_another_fault(void **state)
{
    char password[32];
    struct koa_tls_client_opts opts = {.ca_file = at("ca"),
                                       .cert_file = at("locked"),
                                       .key_file = at("locked.key"),
                                       .key_password = password};

    (void) state;
    for (int i = 0; i < WRONG_PASSWORDS; i++) {
        struct koa_tls_client *client = NULL;
        struct koa_error error = {.text = ""};

        (void) snprintf(password, sizeof(password), "wrong %d", i);
        KIT_EXPECT_INT(password, KOA_ERR_TLS, koa_tls_client_create(&opts, &client, &error));
        KIT_EXPECT_CONTAINS(password, "key_password is missing or wrong", error.text);
    }
}

static void memory_that_runs_out_is_an_error(void **state)
{
    struct koa_tls_client_opts opts = {.ca_file = at("ca")};
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_tls_client *client = NULL;
        struct koa_tls_session *session = NULL;

        ok = koa_tls_client_create(&opts, &client, NULL) == KOA_OK &&
             koa_tls_session_create(client, "kafka-1", &session, NULL) == KOA_OK;
        koa_tls_session_destroy(session);
        koa_tls_client_unref(client);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_peer_must_be_who_it_says),
        cmocka_unit_test(data_and_the_end_arrive),
        cmocka_unit_test(what_is_no_tls_is_named),
        cmocka_unit_test(old_versions_are_refused),
        cmocka_unit_test(files_that_do_not_fit_are_named),
        cmocka_unit_test(no_wrong_password_looks_like_another_fault),
        cmocka_unit_test(memory_that_runs_out_is_an_error),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

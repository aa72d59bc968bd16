/* HTTPS: certificates made here, replaced while the server runs, good ones and bad ones. */
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "kit/kit.h"
#include "unit/httpserver/fixture.h"

static struct fixture fixture;
static char *directory;
static char cert_path[300];
static char key_path[300];

/* Writes beside and renames, as a careful administrator does. */
static void write_pem(const char *path, EVP_PKEY *key, X509 *cert)
{
    char beside[320];
    FILE *file;

    (void) snprintf(beside, sizeof(beside), "%s.new", path);
    file = fopen(beside, "we");
    assert_non_null(file);
    if (cert != NULL) {
        assert_int_equal(1, PEM_write_X509(file, cert));
    } else {
        assert_int_equal(1, PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    }
    (void) fclose(file);
    assert_int_equal(0, rename(beside, path));
}

static void make_certificate(const char *name, bool with_key)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *subject = X509_get_subject_name(cert);

    (void) ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    (void) X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    (void) X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    (void) X509_set_pubkey(cert, key);
    (void) X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *) name, -1,
                                      -1, 0);
    (void) X509_set_issuer_name(cert, subject);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    write_pem(cert_path, NULL, cert);
    if (with_key)
        write_pem(key_path, key, NULL);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static void write_garbage(const char *path)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    (void) fputs("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n", file);
    (void) fclose(file);
}

static int set_up(void **state)
{
    struct koa_http_server_opts opts = fixture_opts(&fixture);

    (void) state;
    directory = kit_temporary_directory();
    (void) snprintf(cert_path, sizeof(cert_path), "%s/cert.pem", directory);
    (void) snprintf(key_path, sizeof(key_path), "%s/key.pem", directory);
    make_certificate("first", true);
    opts.settings.cert_file = cert_path;
    opts.settings.key_file = key_path;
    fixture_start(&fixture, &opts);
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    fixture_stop(&fixture);
    kit_remove_directory(directory);
    return 0;
}

/* One TLS connection. */
struct visit {
    int descriptor;
    SSL_CTX *context;
    SSL *session;
    char name[64]; /* of the certificate */
};

static struct visit visit_begin(int highest_version)
{
    struct visit visit = {.descriptor = client_connect(fixture_url(&fixture), false),
                          .context = SSL_CTX_new(TLS_client_method())};
    X509 *cert;

    (void) SSL_CTX_set_max_proto_version(visit.context, highest_version);
    (void) SSL_CTX_set_min_proto_version(visit.context, 0);
    SSL_CTX_set_security_level(visit.context, 0);
    visit.session = SSL_new(visit.context);
    (void) SSL_set_fd(visit.session, visit.descriptor);
    if (SSL_connect(visit.session) != 1)
        return visit;
    cert = SSL_get1_peer_certificate(visit.session);
    (void) X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, visit.name,
                                     sizeof(visit.name));
    X509_free(cert);
    return visit;
}

/* The answer's status; 0: none. */
static int visit_ask(struct visit *visit, const char *path)
{
    char text[2048];
    int size;

    (void) snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    if (SSL_write(visit->session, text, (int) strlen(text)) <= 0)
        return 0;
    size = SSL_read(visit->session, text, sizeof(text) - 1);
    text[size > 0 ? size : 0] = '\0';
    return size > 12 ? (int) strtol(text + 9, NULL, 10) : 0;
}

static void visit_end(struct visit *visit)
{
    SSL_free(visit->session);
    SSL_CTX_free(visit->context);
    (void) close(visit->descriptor);
}

static void expect_certificate(const char *name)
{
    struct visit visit = visit_begin(0);

    KIT_EXPECT_TEXT(name, name, visit.name);
    KIT_EXPECT_INT(name, 200, visit_ask(&visit, "/plain"));
    visit_end(&visit);
}

/* Asks until new connections see `name`. */
static void wait_for_certificate(const char *name)
{
    for (int i = 0; i < 1000; i++) {
        struct visit visit = visit_begin(0);
        bool is_there = strcmp(visit.name, name) == 0;

        visit_end(&visit);
        if (is_there)
            return;
        (void) poll(NULL, 0, 10);
    }
    fail_msg("the certificate '%s' never came", name);
}

static void test_serves(void **state)
{
    (void) state;
    KIT_EXPECT_CONTAINS("scheme", "https://127.0.0.1:", fixture_url(&fixture));
    expect_certificate("first");
}

static void test_versions(void **state)
{
    static const struct {
        const char *name;
        int version;
        bool works;
    } cases[] = {
        {"1.3", TLS1_3_VERSION, true},
        {"1.2", TLS1_2_VERSION, true},
        {"1.1", TLS1_1_VERSION, false},
        {"1.0", TLS1_VERSION, false},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct visit visit = visit_begin(c->version);

        KIT_EXPECT(c->name, (visit.name[0] != '\0') == c->works);
        visit_end(&visit);
    }
}

static void test_plain_text_is_refused(void **state)
{
    struct reply reply = client_get(fixture_url(&fixture), "/plain", "");

    (void) state;
    KIT_EXPECT_INT("no answer", 0, reply.status);
    reply_deinit(&reply);
    expect_certificate("first");
}

static void test_silent_handshake(void **state)
{
    int descriptor = client_connect(fixture_url(&fixture), false);
    bool is_closed = false;

    (void) state;
    client_send(descriptor, "\x16\x03\x01", 3);
    for (int i = 0; i < 100 && !is_closed; i++) {
        fixture_advance_ms(&fixture, 1000);
        is_closed = client_is_closed(descriptor, 50);
    }
    KIT_EXPECT("ends with the head's deadline", is_closed);
    (void) close(descriptor);
}

/* The library reads every head inside TLS first. */
static void test_oversized_heads(void **state)
{
    enum { HEADER_SIZE = 64 << 10 };
    static char text[HEADER_SIZE + 128];
    char answer[2048];
    int start = snprintf(text, sizeof(text), "GET /plain HTTP/1.1\r\nHost: localhost\r\nX: ");

    (void) state;
    memset(text + start, 'a', HEADER_SIZE);
    (void) snprintf(text + start + HEADER_SIZE, 5, "\r\n\r\n");
    for (int is_later = 0; is_later < 2; is_later++) {
        struct visit visit = visit_begin(0);
        size_t size = 0;
        int count = 1;

        if (is_later)
            KIT_EXPECT_INT("before", 200, visit_ask(&visit, "/plain"));
        assert_true(SSL_write(visit.session, text, start + HEADER_SIZE + 4) > 0);
        while (count > 0 && size < sizeof(answer) - 1) {
            count = SSL_read(visit.session, answer + size, (int) (sizeof(answer) - 1 - size));
            size += count > 0 ? (size_t) count : 0;
        }
        answer[size] = '\0';
        KIT_EXPECT_CONTAINS("status", "HTTP/1.1 431 ", answer);
        KIT_EXPECT_CONTAINS("type", "Content-Type: application/json\r\n", answer);
        KIT_EXPECT_CONTAINS("body", "{\"error\":\"Headers too large\",", answer);
        visit_end(&visit);
    }
}

static void test_replacement(void **state)
{
    struct visit waiting = visit_begin(0);
    struct visit idle = visit_begin(0);
    char text[] = "GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char answer[1024];

    (void) state;
    KIT_EXPECT_INT("idle", 200, visit_ask(&idle, "/plain"));
    assert_true(SSL_write(waiting.session, text, (int) sizeof(text) - 1) > 0);
    fixture_wait_tokens(&fixture, 1);
    make_certificate("second", true);
    koa_http_server_look_at_files(fixture.server);
    wait_for_certificate("second");
    expect_certificate("second");
    KIT_EXPECT("idle ones of before end", client_is_closed(idle.descriptor, CLIENT_PATIENCE_MS));
    fixture_finish(&fixture, 0);
    KIT_EXPECT("a request under way is answered",
               SSL_read(waiting.session, answer, sizeof(answer)) > 0);
    KIT_EXPECT("well", strncmp(answer, "HTTP/1.1 200", 12) == 0);
    visit_end(&waiting);
    visit_end(&idle);
}

static void test_replacement_is_noticed(void **state)
{
    (void) state;
    make_certificate("second", true);
    fixture_advance_ms(&fixture, 2000); /* nobody asks to look */
    wait_for_certificate("second");
}

static void look(void)
{
    koa_http_server_look_at_files(fixture.server);
    (void) poll(NULL, 0, 100);
}

static void test_bad_replacements(void **state)
{
    (void) state;
    write_garbage(cert_path);
    look();
    expect_certificate("first");
    make_certificate("second", false); /* does not fit the key */
    look();
    expect_certificate("first");
    (void) unlink(key_path);
    look();
    expect_certificate("first");
    make_certificate("third", true);
    koa_http_server_look_at_files(fixture.server);
    wait_for_certificate("third");
}

static void test_many_replacements(void **state)
{
    (void) state;
    for (int i = 0; i < 10; i++) {
        char name[16];

        (void) snprintf(name, sizeof(name), "number%d", i);
        make_certificate(name, true);
        koa_http_server_look_at_files(fixture.server);
        wait_for_certificate(name);
    }
}

static void test_turned_off_and_on(void **state)
{
    struct koa_http_settings settings = {0};
    struct reply reply;

    (void) state;
    KIT_EXPECT_INT("off", KOA_OK, koa_http_server_reload(fixture.server, &settings, NULL));
    KIT_EXPECT_CONTAINS("scheme", "http://127.0.0.1:", fixture_url(&fixture));
    reply = client_get(fixture_url(&fixture), "/plain", "");
    KIT_EXPECT_INT("plain", 200, reply.status);
    reply_deinit(&reply);
    settings.cert_file = cert_path;
    settings.key_file = key_path;
    KIT_EXPECT_INT("on", KOA_OK, koa_http_server_reload(fixture.server, &settings, NULL));
    expect_certificate("first");
}

static void test_bad_start(void **state)
{
    static const struct {
        const char *name;
        const char *cert, *key;
        enum koa_err err;
        const char *text;
    } cases[] = {
        {"no such file", "/nonexistent/cert.pem", "/nonexistent/key.pem", KOA_ERR_IO,
         "cannot open '/nonexistent/cert.pem'"},
        {"no key", "@", NULL, KOA_ERR_INVALID, "web.tls.key_file"},
        {"empty file", "/dev/null", "/dev/null", KOA_ERR_TLS, "'/dev/null' is not a PEM file"},
        {"a directory", "/", "/", KOA_ERR_IO, "cannot read '/'"},
        {"the key as certificate", "#", "#", KOA_ERR_TLS, "cannot start"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_http_server_opts opts = fixture_opts(&fixture);
        struct koa_http_server *server = NULL;
        struct koa_error error = {.text = ""};

        opts.settings.cert_file = c->cert[0] == '@'   ? cert_path
                                  : c->cert[0] == '#' ? key_path
                                                      : c->cert;
        opts.settings.key_file = c->key != NULL && c->key[0] == '#' ? key_path : c->key;
        KIT_EXPECT_INT(c->name, KOA_OK, koa_http_server_create(&opts, &server, &error));
        KIT_EXPECT_INT(c->name, c->err, koa_http_server_start(server, &error));
        KIT_EXPECT_CONTAINS(c->name, c->text, error.text);
        koa_http_server_destroy(server);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_serves),
        TEST(test_versions),
        TEST(test_plain_text_is_refused),
        TEST(test_silent_handshake),
        TEST(test_oversized_heads),
        TEST(test_replacement),
        TEST(test_replacement_is_noticed),
        TEST(test_bad_replacements),
        TEST(test_many_replacements),
        TEST(test_turned_off_and_on),
        TEST(test_bad_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

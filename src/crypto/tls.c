/* TLS by OpenSSL over memory: what the bytes travel on is others' business. Words for failures are
 * tls_error.c's. */
#include "crypto/tls.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdatomic.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/memory.h"
#include "base/str.h"
#include "crypto/tls_error.h"

enum { PEER_SIZE = 256 }; /* RFC 1035: 253 characters */

struct koa_tls_client {
    atomic_size_t references;
    SSL_CTX *context;
    bool has_own_certificate;
};

struct koa_tls_session {
    struct koa_tls_client *client;
    SSL *ssl;
    BIO *from_wire, *to_wire; /* the session's own through `ssl` */
    struct koa_tls_circumstances circumstances;
    struct koa_error refused; /* why the peer's certificate was not accepted */
    bool has_refused;
    char peer[PEER_SIZE];
};

/* ---- what sessions have in common */

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

struct key_password {
    const char *text; /* NULL: none */
    bool was_asked;   /* so what was read is encrypted */
};

/* Always installed: without it OpenSSL would ask a terminal. */
static int give_password(char *target, int size, int is_for_writing, void *context)
{
    struct key_password *password = context;
    size_t length = password->text != NULL ? strlen(password->text) : 0;

    (void) is_for_writing;
    password->was_asked = true;
    if (length == 0 || size < 0 || length > (size_t) size)
        return -1;
    memcpy(target, password->text,
           length); /* NOLINT(bugprone-not-null-terminated-result): counted */
    return (int) length;
}

static enum koa_err load_authorities(SSL_CTX *context, const struct koa_tls_client_opts *opts,
                                     struct koa_error *reterr)
{
    if (!is_set(opts->ca_file)) {
        /* A machine without any trusts nobody, and each session says so. */
        (void) SSL_CTX_set_default_verify_paths(context);
        ERR_clear_error();
        return KOA_OK;
    }
    if (SSL_CTX_load_verify_file(context, opts->ca_file) != 1)
        return koa_tls_fail_file("ca_file", opts->ca_file, false, reterr);
    return KOA_OK;
}

static enum koa_err load_own(SSL_CTX *context, const struct koa_tls_client_opts *opts,
                             struct koa_error *reterr)
{
    struct key_password password = {.text = opts->key_password};
    enum koa_err err = KOA_OK;

    if (is_set(opts->cert_file) != is_set(opts->key_file))
        return koa_fail(reterr, KOA_ERR_INVALID, "cert_file and key_file must be set together");
    if (!is_set(opts->cert_file))
        return KOA_OK;
    SSL_CTX_set_default_passwd_cb(context, give_password);
    SSL_CTX_set_default_passwd_cb_userdata(context, &password);
    if (SSL_CTX_use_certificate_chain_file(context, opts->cert_file) != 1)
        err = koa_tls_fail_file("cert_file", opts->cert_file, password.was_asked, reterr);
    if (err == KOA_OK &&
        SSL_CTX_use_PrivateKey_file(context, opts->key_file, SSL_FILETYPE_PEM) != 1)
        err = koa_tls_fail_file("key_file", opts->key_file, password.was_asked, reterr);
    SSL_CTX_set_default_passwd_cb_userdata(context, NULL);
    return err;
}

enum koa_err koa_tls_client_create(const struct koa_tls_client_opts *opts,
                                   struct koa_tls_client **ret_client, struct koa_error *reterr)
{
    struct koa_tls_client *client = koa_calloc(1, sizeof(*client));
    enum koa_err err = koa_require_memory(client, reterr);

    if (err != KOA_OK)
        return err;
    atomic_init(&client->references, 1);
    ERR_clear_error();
    client->context = SSL_CTX_new(TLS_client_method());
    err = koa_require_memory(client->context, reterr);
    if (err == KOA_OK) {
        (void) SSL_CTX_set_min_proto_version(client->context, TLS1_2_VERSION);
        (void) SSL_CTX_set_options(client->context,
                                   SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
        (void) SSL_CTX_set_mode(client->context, SSL_MODE_RELEASE_BUFFERS);
        (void) SSL_CTX_set_session_cache_mode(client->context, SSL_SESS_CACHE_OFF);
        err = load_authorities(client->context, opts, reterr);
    }
    if (err == KOA_OK)
        err = load_own(client->context, opts, reterr);
    client->has_own_certificate = is_set(opts->cert_file);
    if (err == KOA_OK)
        *ret_client = KOA_MOVE(client);
    koa_tls_client_unref(client);
    return err;
}

struct koa_tls_client *koa_tls_client_ref(struct koa_tls_client *client)
{
    atomic_fetch_add_explicit(&client->references, 1, memory_order_relaxed);
    return client;
}

void koa_tls_client_unref(struct koa_tls_client *client)
{
    if (client == NULL ||
        atomic_fetch_sub_explicit(&client->references, 1, memory_order_acq_rel) != 1)
        return;
    SSL_CTX_free(client->context);
    koa_free(client);
}

/* ---- sessions */

/* Keeps the first reason: OpenSSL goes on to tell the same of the rest of the chain. */
static int on_certificate(int is_good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct koa_tls_session *session = SSL_get_app_data(ssl);

    if (is_good == 0 && !session->has_refused) {
        session->has_refused = true;
        koa_tls_explain_certificate(X509_STORE_CTX_get_error(store),
                                    X509_STORE_CTX_get_current_cert(store), session->peer,
                                    &session->refused);
    }
    return is_good;
}

/* OpenSSL calls it when the peer asks for a certificate. */
static int on_asked(SSL *ssl, void *context)
{
    struct koa_tls_session *session = context;

    (void) ssl;
    session->circumstances.was_asked_for_one = true;
    return 1;
}

static bool is_numeric(const char *peer)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, peer, address) == 1 || inet_pton(AF_INET6, peer, address) == 1;
}

/* Names are compared without the dot at their end, addresses without their zone. */
static void keep_peer(struct koa_tls_session *session, const char *peer)
{
    size_t size;
    char *zone;

    (void) koa_str_copy(session->peer, sizeof(session->peer), koa_str_from(peer));
    size = strlen(session->peer);
    if (size > 1 && session->peer[size - 1] == '.')
        session->peer[size - 1] = '\0';
    zone = strchr(session->peer, '%');
    if (zone != NULL)
        *zone = '\0';
}

static bool expect_peer(struct koa_tls_session *session)
{
    if (session->peer[0] == '\0')
        return false;
    if (is_numeric(session->peer)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session->ssl), session->peer) == 1;
    }
    SSL_set_hostflags(session->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(session->ssl, session->peer) == 1 &&
           SSL_set_tlsext_host_name(session->ssl, session->peer) == 1;
}

static enum koa_err set_up(struct koa_tls_session *session, struct koa_error *reterr)
{
    session->ssl = SSL_new(session->client->context);
    session->from_wire = BIO_new(BIO_s_mem());
    session->to_wire = BIO_new(BIO_s_mem());
    if (session->ssl == NULL || session->from_wire == NULL || session->to_wire == NULL) {
        BIO_free(session->from_wire);
        BIO_free(session->to_wire);
        ERR_clear_error();
        return koa_require_memory(NULL, reterr);
    }
    SSL_set_bio(session->ssl, session->from_wire, session->to_wire);
    SSL_set_app_data(session->ssl, session);
    SSL_set_verify(session->ssl, SSL_VERIFY_PEER, on_certificate);
    SSL_set_cert_cb(session->ssl, on_asked, session);
    SSL_set_connect_state(session->ssl);
    if (!expect_peer(session)) {
        ERR_clear_error();
        return koa_fail(reterr, KOA_ERR_INVALID, "'%s' is no name that a certificate can hold",
                        session->peer);
    }
    return KOA_OK;
}

static enum koa_err fail_session(struct koa_tls_session *session, struct koa_error *reterr)
{
    if (session->has_refused) {
        ERR_clear_error();
        if (reterr != NULL)
            *reterr = session->refused;
        return session->refused.code;
    }
    return koa_tls_fail(&session->circumstances, reterr);
}

enum koa_err koa_tls_session_handshake(struct koa_tls_session *session, struct koa_error *reterr)
{
    int result;

    ERR_clear_error();
    result = SSL_do_handshake(session->ssl);
    session->circumstances.is_ready = result == 1;
    if (result == 1 || SSL_get_error(session->ssl, result) == SSL_ERROR_WANT_READ)
        return KOA_OK;
    return fail_session(session, reterr);
}

enum koa_err koa_tls_session_create(struct koa_tls_client *client, const char *peer,
                                    struct koa_tls_session **ret_session, struct koa_error *reterr)
{
    struct koa_tls_session *session = koa_calloc(1, sizeof(*session));
    enum koa_err err = koa_require_memory(session, reterr);

    if (err != KOA_OK)
        return err;
    session->client = koa_tls_client_ref(client);
    session->circumstances.has_own_certificate = client->has_own_certificate;
    keep_peer(session, peer);
    err = set_up(session, reterr);
    if (err == KOA_OK)
        err = koa_tls_session_handshake(session, reterr);
    if (err == KOA_OK)
        *ret_session = KOA_MOVE(session);
    koa_tls_session_destroy(session);
    return err;
}

void koa_tls_session_destroy(struct koa_tls_session *session)
{
    if (session == NULL)
        return;
    SSL_free(session->ssl);
    koa_tls_client_unref(session->client);
    koa_free(session);
}

enum koa_err koa_tls_session_feed(struct koa_tls_session *session, struct koa_str bytes,
                                  struct koa_error *reterr)
{
    KOA_ASSERT(bytes.size <= INT_MAX);
    if (bytes.size > 0 &&
        BIO_write(session->from_wire, bytes.data, (int) bytes.size) != (int) bytes.size) {
        ERR_clear_error();
        return koa_require_memory(NULL, reterr);
    }
    return KOA_OK;
}

enum koa_err koa_tls_session_read(struct koa_tls_session *session, void *data, size_t size,
                                  size_t *ret_size, struct koa_error *reterr)
{
    int result;

    KOA_ASSERT(session->circumstances.is_ready);
    *ret_size = 0;
    ERR_clear_error();
    result = SSL_read_ex(session->ssl, data, size, ret_size);
    if (result == 1)
        return KOA_OK;
    switch (SSL_get_error(session->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        return KOA_OK;
    case SSL_ERROR_ZERO_RETURN:
        return koa_fail(reterr, KOA_ERR_CLOSED, "the peer ended the TLS session");
    default:
        return fail_session(session, reterr);
    }
}

enum koa_err koa_tls_session_write(struct koa_tls_session *session, struct koa_str bytes,
                                   struct koa_error *reterr)
{
    size_t written;

    KOA_ASSERT(session->circumstances.is_ready);
    ERR_clear_error();
    /* Into memory, so all of it or nothing. */
    if (bytes.size > 0 && SSL_write_ex(session->ssl, bytes.data, bytes.size, &written) != 1)
        return fail_session(session, reterr);
    return KOA_OK;
}

void koa_tls_session_close(struct koa_tls_session *session)
{
    ERR_clear_error();
    if (session->circumstances.is_ready)
        (void) SSL_shutdown(session->ssl);
    ERR_clear_error();
}

void koa_tls_session_take_output(struct koa_tls_session *session, struct koa_buf *buf)
{
    char *data;
    long size = BIO_get_mem_data(session->to_wire, &data);

    if (size > 0)
        koa_buf_append(buf, data, (size_t) size);
    (void) BIO_reset(session->to_wire);
}

bool koa_tls_session_is_ready(const struct koa_tls_session *session)
{
    return session->circumstances.is_ready;
}

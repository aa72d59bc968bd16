/* Words for what goes wrong with TLS. */
#ifndef CRYPTO_TLS_ERROR_H
#define CRYPTO_TLS_ERROR_H

#include <koa/error.h>
#include <openssl/x509.h>

/* What is known about a session when it fails. */
struct koa_tls_circumstances {
    bool is_ready;
    bool has_own_certificate;
    bool was_asked_for_one;
};

/* From OpenSSL's queue of this thread, which is empty afterwards. */
enum koa_err koa_tls_fail(const struct koa_tls_circumstances *circumstances,
                          struct koa_error *reterr);
/* Why a file could not be used: "cannot use cert_file '/x': ...". The same queue. `is_encrypted`: a
 * password was asked for on the way. */
enum koa_err koa_tls_fail_file(const char *what, const char *path, bool is_encrypted,
                               struct koa_error *reterr);
/* Why a certificate of the peer's chain is not accepted: `code` is X509_V_ERR_*. */
void koa_tls_explain_certificate(int code, X509 *certificate, const char *peer,
                                 struct koa_error *reterr);

#endif

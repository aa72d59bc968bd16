/* Turns OpenSSL's codes into the cause that an operator can act on. */
#include "crypto/tls_error.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"

enum { NAMES_SHOWN = 4, NAMES_SIZE = 256, NAME_SIZE = 128 };

/* ---- alerts and what is not TLS at all */

static const struct {
    int reason;
    const char *text;
} not_tls[] = {
    {SSL_R_WRONG_VERSION_NUMBER, ""}, {SSL_R_HTTP_REQUEST, ""},
    {SSL_R_BAD_RECORD_TYPE, ""},      {SSL_R_PACKET_LENGTH_TOO_LONG, ""},
    {SSL_R_UNEXPECTED_MESSAGE, ""},   {SSL_R_UNEXPECTED_RECORD, ""},
};

/* What a peer says when it wants a certificate that it did not get, or does not like ours. Which of
 * them a peer sends depends on its library and the version of TLS. */
static const struct {
    int reason;
    const char *text;
} refusals[] = {
    {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, "it is required"},
    {SSL_R_SSLV3_ALERT_BAD_CERTIFICATE, "bad certificate"},
    {SSL_R_SSLV3_ALERT_NO_CERTIFICATE, "no certificate"},
    {SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, "unsupported certificate"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED, "certificate revoked"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED, "certificate expired"},
    {SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN, "certificate unknown"},
    {SSL_R_TLSV1_ALERT_UNKNOWN_CA, "unknown authority"},
    {SSL_R_TLSV1_ALERT_ACCESS_DENIED, "access denied"},
    {SSL_R_TLSV1_ALERT_DECRYPT_ERROR, "its proof is wrong"},
    {SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "handshake failure"},
};

static const char *find_refusal(int reason)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(refusals); i++) {
        if (refusals[i].reason == reason)
            return refusals[i].text;
    }
    return NULL;
}

static bool is_not_tls(int reason)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(not_tls); i++) {
        if (not_tls[i].reason == reason)
            return true;
    }
    return false;
}

/* The first of the queue is the cause, what follows are the functions that passed it on. `buffer`
 * is for texts of the system. */
static const char *take_reason(char buffer[NAME_SIZE], int *ret_reason)
{
    unsigned long code = ERR_get_error();
    const char *text = ERR_reason_error_string(code);

    ERR_clear_error();
    *ret_reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    if (ERR_SYSTEM_ERROR(code))
        text = strerror_r(ERR_GET_REASON(code), buffer, NAME_SIZE);
    return text != NULL ? text : "no reason given";
}

enum koa_err koa_tls_fail(const struct koa_tls_circumstances *circumstances,
                          struct koa_error *reterr)
{
    char buffer[NAME_SIZE];
    int reason;
    const char *text = take_reason(buffer, &reason);
    const char *refusal = find_refusal(reason);

    if (!circumstances->is_ready && is_not_tls(reason)) {
        return koa_fail(reterr, KOA_ERR_TLS,
                        "the peer does not speak TLS (%s): is this a plaintext listener?", text);
    }
    if (refusal != NULL && circumstances->was_asked_for_one &&
        !circumstances->has_own_certificate) {
        return koa_fail(reterr, KOA_ERR_TLS,
                        "the peer asks for a client certificate (%s) and none is configured: set "
                        "cert_file and key_file",
                        refusal);
    }
    if (refusal != NULL && circumstances->was_asked_for_one) {
        return koa_fail(reterr, KOA_ERR_TLS, "the peer does not accept our client certificate: %s",
                        refusal);
    }
    if (reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION || reason == SSL_R_UNSUPPORTED_PROTOCOL)
        return koa_fail(reterr, KOA_ERR_TLS, "the peer speaks neither TLS 1.2 nor 1.3 (%s)", text);
    return koa_fail(reterr, KOA_ERR_TLS, "%s", text);
}

/* 0 stands for every library. */
static const struct {
    int library, reason;
    const char *text;
} file_faults[] = {
    {ERR_LIB_PEM, PEM_R_NO_START_LINE, "it is not a PEM file"},
    {ERR_LIB_X509, X509_R_NO_CERTIFICATE_OR_CRL_FOUND, "it is not a PEM file"},
    {0, ERR_R_UNSUPPORTED, "it is not a PEM file"},
    {ERR_LIB_X509, X509_R_KEY_VALUES_MISMATCH, "it is not the key of cert_file"},
    {ERR_LIB_X509, X509_R_KEY_TYPE_MISMATCH, "it is not the key of cert_file"},
};

/* A wrong password of 256 leaves bytes that seem to be decrypted, and what is wrong with them then
 * can be anything. */
static const char *find_file_fault(unsigned long code, bool is_encrypted)
{
    if (is_encrypted && ERR_GET_LIB(code) != ERR_LIB_X509)
        return "it is encrypted, and key_password is missing or wrong";
    for (size_t i = 0; i < KOA_ARRAY_COUNT(file_faults); i++) {
        if ((file_faults[i].library == 0 || file_faults[i].library == ERR_GET_LIB(code)) &&
            file_faults[i].reason == ERR_GET_REASON(code))
            return file_faults[i].text;
    }
    return NULL;
}

enum koa_err koa_tls_fail_file(const char *what, const char *path, bool is_encrypted,
                               struct koa_error *reterr)
{
    unsigned long code = ERR_peek_error();
    char buffer[NAME_SIZE];
    int ignored;
    const char *fault = ERR_SYSTEM_ERROR(code) ? NULL : find_file_fault(code, is_encrypted);
    const char *text = take_reason(buffer, &ignored);

    return koa_fail(reterr, KOA_ERR_TLS, "cannot use %s '%s': %s", what, path,
                    fault != NULL ? fault : text);
}

/* ---- certificates */

static void append_name(const GENERAL_NAME *name, struct koa_buf *names)
{
    char address[INET6_ADDRSTRLEN] = "";
    const unsigned char *bytes;
    int size;

    if (name->type == GEN_DNS) {
        koa_buf_printf(names, "%.*s", ASN1_STRING_length(name->d.dNSName),
                       (const char *) ASN1_STRING_get0_data(name->d.dNSName));
    } else if (name->type == GEN_IPADD) {
        bytes = ASN1_STRING_get0_data(name->d.iPAddress);
        size = ASN1_STRING_length(name->d.iPAddress);
        if (size == 4 || size == 16)
            (void) inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, address, sizeof(address));
        koa_buf_append_text(names, address);
    }
}

/* "a.example, b.example", "a.example and 7 more", or the common name where there is no other. */
static void list_names(X509 *certificate, char text[NAMES_SIZE])
{
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    struct koa_buf names = {.limit = NAMES_SIZE - 1};
    int count = all != NULL ? sk_GENERAL_NAME_num(all) : 0;

    for (int i = 0; i < count && i < NAMES_SHOWN; i++) {
        if (i > 0)
            koa_buf_append_text(&names, ", ");
        append_name(sk_GENERAL_NAME_value(all, i), &names);
    }
    if (count > NAMES_SHOWN)
        koa_buf_printf(&names, " and %d more", count - NAMES_SHOWN);
    if (count == 0) {
        char common[NAME_SIZE] = "";

        (void) X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, common,
                                         sizeof(common));
        koa_buf_printf(&names, "%s", common[0] != '\0' ? common : "no name");
    }
    (void) snprintf(text, NAMES_SIZE, "%s", koa_buf_text(&names));
    koa_buf_deinit(&names);
    GENERAL_NAMES_free(all);
}

/* "2026-11-25 19:00:00 UTC". */
static void format_time(const ASN1_TIME *time, char text[NAME_SIZE])
{
    struct tm tm;

    if (ASN1_TIME_to_tm(time, &tm) != 1 ||
        strftime(text, NAME_SIZE, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
        (void) snprintf(text, NAME_SIZE, "an unreadable time");
}

static void subject_of(X509 *certificate, char text[NAME_SIZE])
{
    (void) X509_NAME_oneline(X509_get_subject_name(certificate), text, NAME_SIZE);
}

void koa_tls_explain_certificate(int code, X509 *certificate, const char *peer,
                                 struct koa_error *reterr)
{
    char subject[NAME_SIZE] = "?";
    char when[NAME_SIZE];
    char names[NAMES_SIZE];

    if (certificate == NULL) {
        (void) koa_fail(reterr, KOA_ERR_TLS, "the peer's certificate: %s",
                        X509_verify_cert_error_string(code));
        return;
    }
    subject_of(certificate, subject);
    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        format_time(X509_get0_notAfter(certificate), when);
        (void) koa_fail(reterr, KOA_ERR_TLS, "the peer's certificate (%s) expired on %s", subject,
                        when);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        format_time(X509_get0_notBefore(certificate), when);
        (void) koa_fail(reterr, KOA_ERR_TLS, "the peer's certificate (%s) is valid from %s only",
                        subject, when);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        list_names(certificate, names);
        (void) koa_fail(reterr, KOA_ERR_TLS,
                        "the peer's certificate is for another name than '%s': it holds %s", peer,
                        names);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        (void) koa_fail(reterr, KOA_ERR_TLS,
                        "the peer's certificate (%s) comes from an unknown authority (%s): set "
                        "ca_file",
                        subject, X509_verify_cert_error_string(code));
        break;
    default:
        (void) koa_fail(reterr, KOA_ERR_TLS, "the peer's certificate (%s) is not accepted: %s",
                        subject, X509_verify_cert_error_string(code));
        break;
    }
}

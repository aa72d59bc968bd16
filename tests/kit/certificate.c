/* X.509 by OpenSSL's own functions: nothing here is shared with the code under test. */
#include "kit/certificate.h"

#include "kit/kit.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

static void *read_pem(const char *path, bool is_key)
{
    FILE *file = fopen(path, "re");
    void *object;

    assert_non_null(file);
    object = is_key ? (void *) PEM_read_PrivateKey(file, NULL, NULL, NULL)
                    : (void *) PEM_read_X509(file, NULL, NULL, NULL);
    (void) fclose(file);
    assert_non_null(object);
    return object;
}

static void extend(X509 *cert, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);

    assert_non_null(extension);
    assert_int_equal(1, X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

static void write_files(const struct kit_certificate *made, X509 *cert, EVP_PKEY *key)
{
    FILE *file = fopen(made->cert_file, "we");

    assert_non_null(file);
    assert_int_equal(1, PEM_write_X509(file, cert));
    (void) fclose(file);
    file = fopen(made->key_file, "we");
    assert_non_null(file);
    if (made->key_password == NULL) {
        assert_int_equal(1, PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL));
    } else {
        assert_int_equal(1,
                         PEM_write_PKCS8PrivateKey(file, key, EVP_aes_128_cbc(), made->key_password,
                                                   (int) strlen(made->key_password), NULL, NULL));
    }
    (void) fclose(file);
}

void kit_make(const struct kit_certificate *made)
{
    static long serial = 1;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    EVP_PKEY *signer = made->ca_key_file != NULL ? read_pem(made->ca_key_file, true) : key;
    X509 *cert = X509_new();
    X509 *issuer = made->ca_cert_file != NULL ? read_pem(made->ca_cert_file, false) : cert;
    const char *slash = strrchr(made->cert_file, '/');
    const char *name = slash != NULL ? slash + 1 : made->cert_file;
    bool is_timed = made->from_s != 0 || made->until_s != 0;

    (void) X509_set_version(cert, 2);
    (void) ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++);
    (void) X509_gmtime_adj(X509_getm_notBefore(cert), is_timed ? made->from_s : -60);
    (void) X509_gmtime_adj(X509_getm_notAfter(cert), is_timed ? made->until_s : 3600);
    (void) X509_set_pubkey(cert, key);
    (void) X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                                      (const unsigned char *) name, -1, -1, 0);
    (void) X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    if (made->is_authority)
        extend(cert, NID_basic_constraints, "critical,CA:TRUE");
    if (made->names != NULL)
        extend(cert, NID_subject_alt_name, made->names);
    assert_true(X509_sign(cert, signer, EVP_sha256()) > 0);
    write_files(made, cert, key);
    if (issuer != cert)
        X509_free(issuer);
    if (signer != key)
        EVP_PKEY_free(signer);
    X509_free(cert);
    EVP_PKEY_free(key);
}

void kit_make_certificate(const char *name, const char *cert_file, const char *key_file)
{
    char names[300];

    (void) snprintf(names, sizeof(names), "DNS:%s", name);
    kit_make(&(struct kit_certificate){
        .names = names, .cert_file = cert_file, .key_file = key_file, .is_authority = false});
}

/* SHA-2, HMAC and PBKDF2 by OpenSSL, chosen by kind. */
#include "crypto/digest.h"

#include <limits.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

static const EVP_MD *find(enum koa_digest_kind kind)
{
    return kind == KOA_DIGEST_SHA256 ? EVP_sha256() : EVP_sha512();
}

size_t koa_digest_size(enum koa_digest_kind kind)
{
    return kind == KOA_DIGEST_SHA256 ? 32 : 64;
}

static const char *bytes_of(struct koa_str text)
{
    return text.size > 0 ? text.data : "";
}

bool koa_digest(enum koa_digest_kind kind, struct koa_str data, struct koa_digest *ret_digest)
{
    unsigned int size = KOA_DIGEST_LIMIT;

    if (EVP_Digest(bytes_of(data), data.size, ret_digest->bytes, &size, find(kind), NULL) != 1)
        return false;
    ret_digest->size = size;
    return true;
}

bool koa_digest_hmac(enum koa_digest_kind kind, struct koa_str key, struct koa_str data,
                     struct koa_digest *ret_digest)
{
    unsigned int size = KOA_DIGEST_LIMIT;

    if (key.size > INT_MAX ||
        HMAC(find(kind), bytes_of(key), (int) key.size, (const unsigned char *) bytes_of(data),
             data.size, ret_digest->bytes, &size) == NULL)
        return false;
    ret_digest->size = size;
    return true;
}

bool koa_pbkdf2(const struct koa_pbkdf2 *opts, struct koa_digest *ret_key)
{
    if (opts->password.size > INT_MAX || opts->salt.size > INT_MAX || opts->iterations < 1)
        return false;
    ret_key->size = koa_digest_size(opts->kind);
    return PKCS5_PBKDF2_HMAC(bytes_of(opts->password), (int) opts->password.size,
                             (const unsigned char *) bytes_of(opts->salt), (int) opts->salt.size,
                             opts->iterations, find(opts->kind), (int) ret_key->size,
                             ret_key->bytes) == 1;
}

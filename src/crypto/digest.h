/* What SCRAM is made of: the two SHA-2 digests by name, HMAC, and PBKDF2. */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <koa/base.h>

enum koa_digest_kind { KOA_DIGEST_SHA256, KOA_DIGEST_SHA512 };

enum { KOA_DIGEST_LIMIT = 64 }; /* bytes of the longest */

struct koa_digest {
    size_t size;
    unsigned char bytes[KOA_DIGEST_LIMIT];
};

size_t koa_digest_size(enum koa_digest_kind kind);
/* False only when memory is out or OpenSSL cannot load the digest; views below INT_MAX. */
KOA_MUST_USE bool koa_digest(enum koa_digest_kind kind, struct koa_str data,
                             struct koa_digest *ret_digest);
KOA_MUST_USE bool koa_digest_hmac(enum koa_digest_kind kind, struct koa_str key,
                                  struct koa_str data, struct koa_digest *ret_digest);

struct koa_pbkdf2 {
    enum koa_digest_kind kind;
    struct koa_str password, salt;
    int iterations;
};

/* RFC 8018 with HMAC, as many bytes as the digest has. About a microsecond an iteration: on a
 * worker. */
KOA_MUST_USE bool koa_pbkdf2(const struct koa_pbkdf2 *opts, struct koa_digest *ret_key);

#endif

/* Digests, HMAC, random bytes, constant-time comparison and password hashes. */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <koa/base.h>
#include <koa/error.h>

enum { KOA_SHA256_SIZE = 32, KOA_SHA256_HEX_SIZE = 65 };

KOA_MUST_USE bool koa_random_bytes(void *target, size_t size);
/* Also for views of different sizes (false); time depends on the sizes only. */
bool koa_constant_time_equal(struct koa_str a, struct koa_str b);
/* False only when memory is out or OpenSSL cannot load the digest. */
KOA_MUST_USE bool koa_sha256(struct koa_str data, unsigned char digest[KOA_SHA256_SIZE]);
KOA_MUST_USE bool koa_hmac_sha256(struct koa_str key, struct koa_str data,
                                  unsigned char digest[KOA_SHA256_SIZE]);
void koa_hex(const unsigned char *bytes, size_t size, char *text); /* 2 * size + 1 characters */
/* RFC 4648 with padding, no blanks. False when `text` is not base64 or does not fit. */
KOA_MUST_USE bool koa_base64_decode(struct koa_str text, unsigned char *target, size_t capacity,
                                    size_t *ret_size);
/* `capacity`: at least (size + 2) / 3 * 4 + 1 (asserted). */
void koa_base64_encode(struct koa_str data, char *text, size_t capacity);

/* A hash that koa_password_verify() can read ($2a$ $2b$ $2y$ bcrypt, $y$ yescrypt, $6$ SHA-512). */
bool koa_password_hash_valid(const char *hash);
/* Takes 50 to 300 ms by design: on a worker only. */
bool koa_password_verify(const char *hash, const char *password);

#endif

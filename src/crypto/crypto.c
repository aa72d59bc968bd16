/* Digests, HMAC, random bytes and comparison from OpenSSL, password hashes from libcrypt. What is
 * signed, compared or stored is decided elsewhere. */
#include "crypto/crypto.h"

#include <limits.h>
#include <string.h>

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/memory.h"
#include "base/str.h"

bool koa_random_bytes(void *target, size_t size)
{
    return size <= INT_MAX && RAND_bytes(target, (int) size) == 1;
}

bool koa_constant_time_equal(struct koa_str a, struct koa_str b)
{
    if (a.size != b.size)
        return false;
    return a.size == 0 || CRYPTO_memcmp(a.data, b.data, a.size) == 0;
}

bool koa_sha256(struct koa_str data, unsigned char digest[KOA_SHA256_SIZE])
{
    unsigned int size = KOA_SHA256_SIZE;

    return EVP_Digest(data.size > 0 ? data.data : "", data.size, digest, &size, EVP_sha256(),
                      NULL) == 1;
}

bool koa_hmac_sha256(struct koa_str key, struct koa_str data, unsigned char digest[KOA_SHA256_SIZE])
{
    unsigned int size = KOA_SHA256_SIZE;

    if (key.size > INT_MAX)
        return false;
    return HMAC(EVP_sha256(), key.size > 0 ? key.data : "", (int) key.size,
                (const unsigned char *) (data.size > 0 ? data.data : ""), data.size, digest,
                &size) != NULL;
}

void koa_hex(const unsigned char *bytes, size_t size, char *text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }
    *text = '\0';
}

/* ---- base64 */

/* The last is the padding. */
static const char alphabet_or_padding[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

/* -1 when `character` is none of the 64. */
static int sextet_of(char character)
{
    const char *found = memchr(alphabet_or_padding, character, 64);

    return found != NULL ? (int) (found - alphabet_or_padding) : -1;
}

/* The value of four characters without padding, or -1. */
static int32_t quartet_of(const char *text, size_t meaningful)
{
    int32_t value = 0;

    for (size_t i = 0; i < 4; i++) {
        int sextet = i < meaningful ? sextet_of(text[i]) : 0;

        if (sextet < 0)
            return -1;
        value = value * 64 + sextet;
    }
    return value;
}

bool koa_base64_decode(struct koa_str text, unsigned char *target, size_t capacity,
                       size_t *ret_size)
{
    size_t padding = 0;
    size_t size;

    if (text.size % 4 != 0)
        return false;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    size = text.size / 4 * 3 - padding;
    if (size > capacity)
        return false;
    for (size_t at = 0, written = 0; at < text.size; at += 4) {
        bool is_last = at + 4 == text.size;
        size_t bytes = is_last ? 3 - padding : 3;
        int32_t value = quartet_of(text.data + at, bytes + 1);

        /* Bits that no byte takes must be zero: one text per value, so that nobody can write the
         * same credential in two ways. */
        if (value < 0 || (value & ((1 << (8 * (3 - bytes))) - 1)) != 0)
            return false;
        for (size_t i = 0; i < bytes; i++)
            target[written++] = (unsigned char) (value >> (16 - 8 * i));
    }
    *ret_size = size;
    return true;
}

void koa_base64_encode(struct koa_str data, char *text, size_t capacity)
{
    KOA_ASSERT(data.size < SIZE_MAX / 2 && capacity >= (data.size + 2) / 3 * 4 + 1);
    for (size_t at = 0; at < data.size; at += 3) {
        size_t bytes = data.size - at < 3 ? data.size - at : 3;
        uint32_t value = 0;

        for (size_t i = 0; i < 3; i++)
            value = value << 8 | (i < bytes ? (unsigned char) data.data[at + i] : 0U);
        for (size_t i = 0; i < 4; i++)
            *text++ = alphabet_or_padding[i <= bytes ? value >> (18 - 6 * i) & 63 : 64];
    }
    *text = '\0';
}

/* ---- passwords */

enum { LONGEST_HASH = 256 };

bool koa_password_hash_valid(const char *hash)
{
    static const char *const prefixes[] = {"$2a$", "$2b$", "$2y$", "$y$", "$6$"};
    bool is_known = false;

    if (hash == NULL || strlen(hash) > LONGEST_HASH)
        return false;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(prefixes); i++)
        is_known = is_known || koa_str_starts(koa_str_from(hash), koa_str_from(prefixes[i]));
    if (!is_known || crypt_checksalt(hash) != CRYPT_SALT_OK)
        return false;
    /* A salt alone passes crypt_checksalt(); a bcrypt hash is 60 characters, the others end with
     * a field of their digest. */
    if (hash[1] == '2')
        return strlen(hash) == 60;
    return strlen(strrchr(hash, '$') + 1) == (hash[1] == 'y' ? 43U : 86U);
}

bool koa_password_verify(const char *hash, const char *password)
{
    struct crypt_data *data;
    const char *actual;
    bool result;

    if (!koa_password_hash_valid(hash) || password == NULL)
        return false;
    data = koa_calloc(1, sizeof(*data)); /* 32 KiB: not on a stack */
    if (data == NULL)
        return false;
    actual = crypt_r(password, hash, data);
    result = actual != NULL && koa_constant_time_equal(koa_str_from(actual), koa_str_from(hash));
    OPENSSL_cleanse(data, sizeof(*data));
    koa_free(data);
    return result;
}

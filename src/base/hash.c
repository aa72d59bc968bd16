/* SipHash-2-4 after its paper, and FNV-1a 64. */
#include "base/hash.h"

#include <string.h>

static struct koa_hash_key process_key;

struct sip {
    uint64_t v0, v1, v2, v3;
};

static uint64_t rotate(uint64_t word, int bits)
{
    return (word << bits) | (word >> (64 - bits));
}

static void mix(struct sip *sip)
{
    sip->v0 += sip->v1;
    sip->v1 = rotate(sip->v1, 13) ^ sip->v0;
    sip->v0 = rotate(sip->v0, 32);
    sip->v2 += sip->v3;
    sip->v3 = rotate(sip->v3, 16) ^ sip->v2;
    sip->v0 += sip->v3;
    sip->v3 = rotate(sip->v3, 21) ^ sip->v0;
    sip->v2 += sip->v1;
    sip->v1 = rotate(sip->v1, 17) ^ sip->v2;
    sip->v2 = rotate(sip->v2, 32);
}

static void absorb(struct sip *sip, uint64_t word)
{
    sip->v3 ^= word;
    mix(sip);
    mix(sip);
    sip->v0 ^= word;
}

/* Little-endian, as the paper defines it; the loop compiles to one load. */
static uint64_t read_word(const unsigned char *bytes, size_t size)
{
    uint64_t word = 0;

    for (size_t i = 0; i < size; i++)
        word |= (uint64_t) bytes[i] << (8 * i);
    return word;
}

uint64_t koa_siphash(struct koa_hash_key key, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    struct sip sip = {
        .v0 = key.words[0] ^ UINT64_C(0x736f6d6570736575),
        .v1 = key.words[1] ^ UINT64_C(0x646f72616e646f6d),
        .v2 = key.words[0] ^ UINT64_C(0x6c7967656e657261),
        .v3 = key.words[1] ^ UINT64_C(0x7465646279746573),
    };
    size_t whole = size - size % 8;

    for (size_t at = 0; at < whole; at += 8)
        absorb(&sip, read_word(bytes + at, 8));
    absorb(&sip, read_word(bytes + whole, size % 8) | (uint64_t) size << 56);
    sip.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        mix(&sip);
    return sip.v0 ^ sip.v1 ^ sip.v2 ^ sip.v3;
}

void koa_hash_seed(struct koa_hash_key key)
{
    process_key = key;
}

struct koa_hash_key koa_hash_process_key(void)
{
    return process_key;
}

uint64_t koa_hash(const void *data, size_t size)
{
    return koa_siphash(process_key, data, size);
}

uint64_t koa_fnv(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

/* SipHash-2-4 (Aumasson, Bernstein 2012), the hash of every table that others' text reaches. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <koa/base.h>

struct koa_hash_key {
    uint64_t words[2];
};

/* The process's key, set once at start by whoever has random bytes; zero until then. What was made
 * under the former key must keep that one. */
void koa_hash_seed(struct koa_hash_key key);
struct koa_hash_key koa_hash_process_key(void);
uint64_t koa_hash(const void *data, size_t size);
uint64_t koa_siphash(struct koa_hash_key key, const void *data, size_t size);

/* FNV-1a 64: for identities that must be the same in every process (fingerprints), never for
 * tables. Start with KOA_FNV_START. */
#define KOA_FNV_START UINT64_C(14695981039346656037)
uint64_t koa_fnv(uint64_t hash, const void *data, size_t size);

#endif

/* Sets of four places, chosen by a keyed hash of the address: a look-up costs the same however many
 * addresses fail, and a flood of addresses pushes out the least guilty of its own set only. */
#include "httpserver/limiter.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { SETS = 256, WAYS = 4 };

struct entry {
    unsigned char address[KOA_HTTP_ADDRESS_SIZE];
    bool is_used;
    double failures; /* drains at the allowed rate */
    struct koa_mono at;
};

struct koa_http_limiter {
    struct entry sets[SETS][WAYS];
};

struct koa_http_limiter *koa_http_limiter_create(void)
{
    return koa_calloc(1, sizeof(struct koa_http_limiter));
}

void koa_http_limiter_destroy(struct koa_http_limiter *limiter)
{
    koa_free(limiter);
}

static void key_of(const unsigned char address[KOA_HTTP_ADDRESS_SIZE],
                   unsigned char key[KOA_HTTP_ADDRESS_SIZE])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

    memcpy(key, address, KOA_HTTP_ADDRESS_SIZE);
    if (memcmp(address, mapped, sizeof(mapped)) != 0)
        memset(key + 8, 0, 8);
}

static double failures_at(const struct entry *entry, int64_t per_minute, struct koa_mono now)
{
    double drained = (double) koa_mono_diff_ms(now, entry->at) * (double) per_minute / 60000.0;

    return fmax(0.0, entry->failures - fmax(0.0, drained));
}

static size_t set_of(const unsigned char key[KOA_HTTP_ADDRESS_SIZE])
{
    return koa_hash(key, KOA_HTTP_ADDRESS_SIZE) % SETS;
}

static bool is_of(const struct entry *entry, const unsigned char key[KOA_HTTP_ADDRESS_SIZE])
{
    return entry->is_used && memcmp(entry->address, key, KOA_HTTP_ADDRESS_SIZE) == 0;
}

int64_t koa_http_limiter_wait_s(const struct koa_http_limiter *limiter,
                                const unsigned char address[KOA_HTTP_ADDRESS_SIZE],
                                int64_t failures_per_minute, struct koa_mono now)
{
    unsigned char key[KOA_HTTP_ADDRESS_SIZE];
    const struct entry *set;

    key_of(address, key);
    set = limiter->sets[set_of(key)];
    for (size_t i = 0; i < WAYS; i++) {
        double excess;

        if (!is_of(&set[i], key))
            continue;
        /* One more must fit below the limit. */
        excess = failures_at(&set[i], failures_per_minute, now) + 1 - (double) failures_per_minute;
        if (excess <= 0)
            return 0;
        return (int64_t) fmax(1.0, ceil(excess * 60.0 / (double) failures_per_minute));
    }
    return 0;
}

void koa_http_limiter_fail(struct koa_http_limiter *limiter,
                           const unsigned char address[KOA_HTTP_ADDRESS_SIZE],
                           int64_t failures_per_minute, struct koa_mono now)
{
    unsigned char key[KOA_HTTP_ADDRESS_SIZE];
    struct entry *set;
    struct entry *chosen;

    key_of(address, key);
    set = limiter->sets[set_of(key)];
    chosen = &set[0];
    for (size_t i = 0; i < WAYS; i++) {
        if (is_of(&set[i], key)) {
            chosen = &set[i];
            break;
        }
        if (failures_at(&set[i], failures_per_minute, now) <
            failures_at(chosen, failures_per_minute, now))
            chosen = &set[i];
    }
    if (!is_of(chosen, key)) {
        *chosen = (struct entry){.is_used = true, .at = now};
        memcpy(chosen->address, key, sizeof(key));
    }
    /* Parallel attempts may go past the limit; they must not add up to an hour's wait. */
    chosen->failures =
        fmin(failures_at(chosen, failures_per_minute, now) + 1, (double) failures_per_minute);
    chosen->at = now;
}

/* Exponential backoff with jitter, as a pure function. */
#include "alerts/backoff.h"

int64_t koa_backoff_ms(int attempt, int64_t retry_after_ms, uint32_t random)
{
    int64_t full = KOA_BACKOFF_FIRST_MS;
    int64_t wait;

    for (int i = 1; i < attempt && full < KOA_BACKOFF_LIMIT_MS; i++)
        full *= 2;
    if (full > KOA_BACKOFF_LIMIT_MS)
        full = KOA_BACKOFF_LIMIT_MS;
    wait = full - (int64_t) (random % (uint32_t) (full / 2 + 1));
    if (retry_after_ms > KOA_RETRY_AFTER_LIMIT_MS)
        retry_after_ms = KOA_RETRY_AFTER_LIMIT_MS;
    return retry_after_ms > wait ? retry_after_ms : wait;
}

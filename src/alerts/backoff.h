/* How long to wait before the next attempt. */
#ifndef ALERTS_BACKOFF_H
#define ALERTS_BACKOFF_H

#include <koa/base.h>

enum {
    KOA_BACKOFF_FIRST_MS = 1000,
    KOA_BACKOFF_LIMIT_MS = 5 * 60 * 1000,
    /* A receiver that asks for more is asked again after an hour. */
    KOA_RETRY_AFTER_LIMIT_MS = 60 * 60 * 1000
};

/* After failed attempt number `attempt` (from 1): doubles from one second to five minutes, of which
 * `random` takes away up to a half, so that receivers are not asked by everybody at once. Never
 * shorter than what the receiver asked for (`retry_after_ms`; -1: it did not). */
int64_t koa_backoff_ms(int attempt, int64_t retry_after_ms, uint32_t random);

#endif

/* What every bounded thing shows of itself: agent/ exports these as metrics. */
#ifndef BASE_LIMIT_H
#define BASE_LIMIT_H

#include <stdatomic.h>

#include <koa/base.h>

/* Written by the owner, read by any thread. */
struct koa_limit_stats {
    const char *name; /* constant: "engine_mailbox" */
    atomic_int_fast64_t used;
    int64_t limit;
    atomic_int_fast64_t dropped; /* refused because the limit was reached */
};

#endif

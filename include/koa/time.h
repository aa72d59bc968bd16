/* Two clocks, two types, so that they cannot be mixed up. Durations are plain `int64_t ..._ms`. */
#ifndef KOA_TIME_H
#define KOA_TIME_H

#include <koa/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A point on the monotonic clock: deadlines and elapsed time. Its zero has no meaning. */
struct koa_mono {
    int64_t ms;
};

/* A point on the wall clock, milliseconds since 1970-01-01 UTC: display and storage only. It jumps
 * when the clock is set. */
struct koa_wall {
    int64_t ms;
};

static inline int64_t koa_mono_diff_ms(struct koa_mono later, struct koa_mono earlier)
{
    return later.ms - earlier.ms;
}

static inline struct koa_mono koa_mono_add_ms(struct koa_mono from, int64_t duration_ms)
{
    from.ms += duration_ms;
    return from;
}

enum { KOA_TIME_TEXT_SIZE = 25 }; /* "2026-11-25T16:01:19.123Z" and its NUL */

/* Writes RFC 3339 in UTC with milliseconds. Years outside 0000..9999 are clamped. */
KOA_API void koa_wall_format(struct koa_wall time, char text[KOA_TIME_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif

#endif

/* Reads the system's clocks; everybody else is told the time. */
#include "loop/clock.h"

#include <time.h>

static int64_t read_ns(clockid_t clock)
{
    struct timespec now = {0};

    (void) clock_gettime(clock, &now);
    return (int64_t) now.tv_sec * 1000000000 + now.tv_nsec;
}

struct koa_mono koa_clock_mono(void)
{
    return (struct koa_mono){.ms = read_ns(CLOCK_MONOTONIC) / 1000000};
}

struct koa_wall koa_clock_wall(void)
{
    return (struct koa_wall){.ms = read_ns(CLOCK_REALTIME) / 1000000};
}

int64_t koa_clock_ticks_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

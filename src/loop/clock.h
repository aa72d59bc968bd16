/* The only place that reads the system's clocks. */
#ifndef LOOP_CLOCK_H
#define LOOP_CLOCK_H

#include <koa/time.h>

struct koa_mono koa_clock_mono(void);
struct koa_wall koa_clock_wall(void);
/* Nanoseconds of the monotonic clock, to measure how long something took. */
int64_t koa_clock_ticks_ns(void);

#endif

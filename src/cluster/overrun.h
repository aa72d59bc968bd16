/* Cycles that take longer than the interval: when that is news. Pure; one thread. */
#ifndef CLUSTER_OVERRUN_H
#define CLUSTER_OVERRUN_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed to begin with. */
struct koa_overrun {
    int64_t left_out; /* cycles, since it began; 0: cycles keep up */
    int in_time;      /* cycles in a row */
};

/* A cycle was due while one was under way. True when that is the first of an overrun. */
bool koa_overrun_left_out(struct koa_overrun *overrun);
/* A cycle has ended, within the interval or not. How many cycles an overrun has cost that is over
 * by it, else 0. */
int64_t koa_overrun_ended(struct koa_overrun *overrun, bool is_in_time);

#endif

/* A heap of timers: pure, driven by whoever knows the time. All schedules, hold times, deadlines
 * and backoffs sit here; the loop arms one system timer for the earliest. */
#ifndef BASE_TIMERS_H
#define BASE_TIMERS_H

#include <koa/base.h>
#include <koa/time.h>

struct koa_timer;

/* Runs on the owner's thread. The timer is unarmed by then and may be armed again or freed. */
typedef void koa_timer_fn(struct koa_timer *timer, struct koa_mono now);

/* Embedded in its owner; zeroed is unarmed. */
struct koa_timer {
    koa_timer_fn *fire;
    struct koa_mono due;
    uint64_t order;  /* timers due at the same time fire in the order of arming */
    size_t position; /* in the heap, from 1; 0: unarmed */
    uint64_t fired;  /* the run that fired it last */
    bool is_held;    /* fired in this run already: waits for the next one */
};

struct koa_timers {
    struct koa_timer **rows;
    size_t count, capacity;
    uint64_t armed;
    uint64_t runs;
    struct koa_mono running_at;
    bool is_running, has_held;
    void (*changed)(void *context); /* optional: the earliest time has changed */
    void *context;
};

void koa_timers_deinit(struct koa_timers *timers);
/* Arms or re-arms. False when memory is out (the timer is unarmed then). */
KOA_MUST_USE bool koa_timers_arm(struct koa_timers *timers, struct koa_timer *timer,
                                 struct koa_mono due, koa_timer_fn *fire);
void koa_timers_disarm(struct koa_timers *timers, struct koa_timer *timer);
bool koa_timer_is_armed(const struct koa_timer *timer);
/* The earliest time; false when none is armed. Not from a timer's function: `changed` tells, after
 * the run. */
bool koa_timers_next(const struct koa_timers *timers, struct koa_mono *ret_due);
/* Fires all that are due at `now`, earliest first, and those that they arm for `now` or before, but
 * each timer at most once a call. Not from a timer's function. Returns how many. */
size_t koa_timers_run(struct koa_timers *timers, struct koa_mono now);

#endif

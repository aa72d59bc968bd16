/* An event loop on one thread: timers, watched descriptors, a mailbox. The engine and the kafka
 * thread are each one of these. */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include <koa/base.h>
#include <koa/error.h>
#include <koa/time.h>

#include "base/limit.h"
#include "base/log.h"
#include "base/timers.h"

struct koa_loop;

struct koa_loop_opts {
    const char *name;     /* of the thread: "engine", "kafka"; at most 15 characters */
    size_t mailbox_limit; /* messages that may wait; 0: 4096 */
    struct koa_log *log;
};

/* No thread yet. */
KOA_MUST_USE enum koa_err koa_loop_create(const struct koa_loop_opts *opts,
                                          struct koa_loop **ret_loop, struct koa_error *reterr);
/* Runs it on a thread of its own, all signals blocked there. */
KOA_MUST_USE enum koa_err koa_loop_start(struct koa_loop *loop, struct koa_error *reterr);
/* Asks the thread to end after the current callback and joins it. Waiting messages are dropped with
 * their `drop` function. Not from the loop's own thread. */
void koa_loop_stop(struct koa_loop *loop);
/* Stops when needed. Watches and timers must be gone by then. */
void koa_loop_destroy(struct koa_loop *loop);
KOA_DEFINE_AUTO(koa_loop, koa_loop_destroy)

/* True on the loop's own thread, and on every thread before it started and after it stopped: then
 * its owner takes it apart. */
bool koa_loop_is_here(const struct koa_loop *loop);

/* On the loop's thread: the time at which this turn began. */
struct koa_mono koa_loop_now(const struct koa_loop *loop);
struct koa_timers *koa_loop_timers(struct koa_loop *loop);
/* koa_timers_arm() with a delay from now. */
KOA_MUST_USE bool koa_loop_after(struct koa_loop *loop, struct koa_timer *timer, int64_t delay_ms,
                                 koa_timer_fn *fire);

/* Any thread: runs `run(message)` on the loop's thread. When the mailbox is full or the loop has
 * ended, `drop(message)` (may be NULL) runs at once on the caller's thread and false is returned.
 */
typedef void koa_message_fn(void *message);
bool koa_loop_post(struct koa_loop *loop, koa_message_fn *run, koa_message_fn *drop, void *message);
/* The same, and waits until it has run: for calls of a host's thread. False: it was dropped. Never
 * from the loop's own thread (asserted). Before the loop started it runs on the caller's thread. */
KOA_MUST_USE bool koa_loop_call(struct koa_loop *loop, koa_message_fn *run, void *message);

/* When the last turn of the loop began: the heartbeat, written every 500 ms at least. Any thread.
 */
struct koa_mono koa_loop_heartbeat(const struct koa_loop *loop);
struct koa_limit_stats *koa_loop_mailbox_stats(struct koa_loop *loop);

#endif

/* Watches one descriptor that somebody else owns (a socket, a pipe, libpq's, curl's). */
#ifndef LOOP_WATCH_H
#define LOOP_WATCH_H

#include "loop/loop.h"

enum koa_watch_events { KOA_WATCH_READ = 1, KOA_WATCH_WRITE = 2 };

struct koa_watch;

/* `events` holds what is ready; after an error on the descriptor all that was asked for. May
 * change or destroy the watch. */
typedef void koa_watch_fn(void *context, unsigned events);

struct koa_watch_opts {
    int descriptor; /* a socket, pipe, terminal or pidfd; becomes non-blocking */
    koa_watch_fn *ready;
    void *context;
};

/* Loop's thread. Watches nothing yet. One watch per descriptor; destroy it before the descriptor is
 * closed. */
KOA_MUST_USE enum koa_err koa_watch_create(struct koa_loop *loop, const struct koa_watch_opts *opts,
                                           struct koa_watch **ret_watch, struct koa_error *reterr);
/* Level-triggered; 0 pauses. */
KOA_MUST_USE enum koa_err koa_watch_set(struct koa_watch *watch, unsigned events,
                                        struct koa_error *reterr);
void koa_watch_destroy(struct koa_watch *watch);

#endif

/* Brings notifications to notifiers: one bounded queue each, in order, with retries. The engine's
 * thread only, except where said. Queues are in memory: a durable outbox, routes, silences and
 * inhibition find their place between the engine's transition and koa_dispatch_send(). */
#ifndef ALERTS_DISPATCH_H
#define ALERTS_DISPATCH_H

#include <koa/metrics.h>

#include "alerts/delivery.h"
#include "alerts/ledger.h"
#include "alerts/rule.h"
#include "base/timers.h"
#include "loop/worker.h"

enum {
    /* Notifications of one notifier that may wait. A receiver that is away for hours while 1,000
     * alerts change is told of the newest; the oldest are dead letters. */
    KOA_DISPATCH_QUEUE = 1000,
    KOA_DISPATCH_NOTIFIERS = 100
};

struct koa_dispatch;

struct koa_dispatch_opts {
    struct koa_delivery_services services;
    struct koa_workers *workers; /* for `send` notifiers */
    struct koa_timers *timers;
    struct koa_mono (*mono)(void);
    struct koa_wall (*wall)(void);
    struct koa_metrics *metrics; /* may be NULL */
};

KOA_MUST_USE enum koa_err koa_dispatch_create(const struct koa_dispatch_opts *opts,
                                              struct koa_dispatch **ret_dispatch,
                                              struct koa_error *reterr);
/* Cancels what is under way; drops what waits. A blocked `send` keeps its memory until it ends. */
void koa_dispatch_destroy(struct koa_dispatch *dispatch);

/* Adds the notifier, or puts it in the place of the one of the same name, whose queue it keeps.
 * Adopts the reference, also on failure (KOA_ERR_LIMIT, KOA_ERR_NOMEM). */
KOA_MUST_USE enum koa_err koa_dispatch_put(struct koa_dispatch *dispatch,
                                           struct koa_notifier *notifier, struct koa_error *reterr);
/* What waits for it is dropped and counted. False when there is none. */
bool koa_dispatch_remove(struct koa_dispatch *dispatch, const char *name);
struct koa_notifier *koa_dispatch_find(struct koa_dispatch *dispatch, const char *name);
/* Walks the notifiers; `position` starts at 0. NULL at the end. */
struct koa_notifier *koa_dispatch_next(struct koa_dispatch *dispatch, size_t *position);

/* Queues a firing or resolved alert for every notifier that wants it. */
void koa_dispatch_send(struct koa_dispatch *dispatch, struct koa_alert_record *record);

/* Deliveries queued, waiting for a retry or under way. */
size_t koa_dispatch_pending(const struct koa_dispatch *dispatch);
/* Notifiers that are at work right now: worth waiting for at a stop. */
size_t koa_dispatch_busy(const struct koa_dispatch *dispatch);
/* Writes gauges (queue length, age of the oldest). */
void koa_dispatch_measure(struct koa_dispatch *dispatch);
/* Runs `changed` after each change of queues or ledger (at most once for many in one turn). */
void koa_dispatch_on_change(struct koa_dispatch *dispatch, void (*changed)(void *context),
                            void *context);
/* The published ledger, or NULL. Any thread; unref with koa_object_unref(). */
KOA_MUST_USE struct koa_ledger_view *koa_dispatch_ledger(struct koa_dispatch *dispatch);

#endif

/* One attempt to deliver one notification, as an asynchronous notifier sees it. The engine's thread
 * only. */
#ifndef ALERTS_DELIVERY_H
#define ALERTS_DELIVERY_H

#include <koa/notifier.h>

#include "base/log.h"
#include "loop/loop.h"

struct koa_http_client;

/* What an asynchronous notifier may use. Given to the dispatcher by agent/. */
struct koa_delivery_services {
    struct koa_loop *loop;
    struct koa_http_client *http;
    struct koa_log *log;      /* of component "alerts" */
    const char *external_url; /* of this agent, for links; "" when it has none */
};

const struct koa_delivery_services *koa_delivery_services(const struct koa_delivery *delivery);
const struct koa_notification *koa_delivery_notification(const struct koa_delivery *delivery);
const char *koa_delivery_notifier(const struct koa_delivery *delivery); /* its configured name */
struct koa_wall koa_delivery_now(const struct koa_delivery *delivery);
int64_t koa_delivery_timeout_ms(const struct koa_delivery *delivery);

/* When the timeout passes or the agent stops, `cancel(context)` runs and must end all work at once;
 * the delivery is gone after it and must not be finished. */
void koa_delivery_on_cancel(struct koa_delivery *delivery, void (*cancel)(void *context),
                            void *context);

/* Ends the attempt, exactly once; the delivery is gone after it. May be called from within `start`.
 * `retry_after_ms`: the receiver asked to wait this long; -1: it did not say. `text`: what
 * happened, for log and ledger; NULL with KOA_DELIVERED. */
void koa_delivery_finish(struct koa_delivery *delivery, enum koa_outcome outcome,
                         int64_t retry_after_ms, const char *text);

#endif

/* What the two halves of the dispatcher share: queues (dispatch.c) and attempts (delivery.c). */
#ifndef ALERTS_DISPATCH_INTERNAL_H
#define ALERTS_DISPATCH_INTERNAL_H

#include "alerts/dispatch.h"
#include "base/list.h"

/* One notifier's queue. */
struct koa_channel {
    struct koa_dispatch *dispatch;
    struct koa_notifier *notifier;
    struct koa_list_node queue; /* the head is tried, the rest waits */
    size_t count;
    struct koa_timer timer;         /* until the head is tried again */
    struct koa_delivery *under_way; /* of the head */
    bool is_pumping;
    char name[129];
};

struct koa_dispatch {
    struct koa_dispatch_opts opts;
    struct koa_channel *channels[KOA_DISPATCH_NOTIFIERS];
    size_t channel_count;
    struct koa_ledger ledger;
    struct koa_published published;
    struct koa_timer publish_timer;
    void (*changed)(void *context);
    void *changed_context;
};

/* Begins an attempt at the head of the channel's queue and makes it the channel's `under_way`; or
 * concludes it at once. */
void koa_delivery_begin(struct koa_channel *channel, struct koa_alert_record *record, int attempt);
/* Ends the attempt without concluding it. A blocked `send` goes on by itself and frees itself. */
void koa_delivery_abandon(struct koa_delivery *delivery);

/* The head's attempt is over. The caller pumps. */
void koa_channel_conclude(struct koa_channel *channel, enum koa_outcome outcome,
                          int64_t retry_after_ms, const char *text);
/* Tries heads until one is under way or waits. */
void koa_channel_pump(struct koa_channel *channel);

#endif

/* One attempt of a notifier: asynchronous on the loop, or blocking on a worker; its timeout, and
 * its one outcome. What follows from an outcome is dispatch.c's decision. */
#include "alerts/delivery.h"

#include <stdio.h>

#include "alerts/dispatch_internal.h"
#include "alerts/notification.h"
#include "base/memory.h"
#include "base/num.h"
#include "base/redact.h"
#include "base/str.h"

enum { KEY_SIZE = 160 /* "notifier:" and a name of at most 128 */ };

/* One attempt. While a worker runs it, the job outlives a timeout. */
struct koa_delivery {
    struct koa_job job;
    struct koa_channel *channel; /* NULL once the attempt has been concluded */
    struct koa_dispatch *dispatch;
    struct koa_notifier *notifier;
    struct koa_notification *note;
    struct koa_timer timer; /* the timeout of a `start` notifier */
    void (*cancel)(void *context);
    void *cancel_context;
    bool is_starting;
    bool is_finished; /* while starting */
    enum koa_outcome outcome;
    int64_t retry_after_ms;
    char text[128];
};

static void free_delivery(struct koa_delivery *delivery)
{
    koa_notification_destroy(delivery->note);
    koa_notifier_unref(delivery->notifier);
    koa_free(delivery);
}

/* Parts the delivery from its channel; the attempt counts as `outcome`. */
static void settle(struct koa_delivery *delivery, enum koa_outcome outcome, int64_t retry_after_ms,
                   const char *text)
{
    struct koa_channel *channel = delivery->channel;

    if (channel == NULL)
        return;
    delivery->channel = NULL;
    koa_timers_disarm(delivery->dispatch->opts.timers, &delivery->timer);
    koa_channel_conclude(channel, outcome, retry_after_ms, text);
}

void koa_delivery_finish(struct koa_delivery *delivery, enum koa_outcome outcome,
                         int64_t retry_after_ms, const char *text)
{
    struct koa_channel *channel = delivery->channel;

    (void) koa_str_copy(delivery->text, sizeof(delivery->text),
                        koa_str_from(text != NULL ? text : ""));
    koa_redact(delivery->text);
    if (delivery->is_starting) {
        delivery->is_finished = true;
        delivery->outcome = outcome;
        delivery->retry_after_ms = retry_after_ms;
        return;
    }
    settle(delivery, outcome, retry_after_ms, delivery->text);
    free_delivery(delivery);
    koa_channel_pump(channel);
}

static void cancel_work(struct koa_delivery *delivery)
{
    if (delivery->cancel != NULL)
        delivery->cancel(delivery->cancel_context);
    delivery->cancel = NULL;
}

static void say_timeout(const struct koa_delivery *delivery, char *text, size_t size)
{
    char duration[KOA_NUM_TEXT_SIZE];

    (void) koa_format_duration(delivery->notifier->spec.settings->timeout_ms, duration);
    (void) snprintf(text, size, "timed out after %s", duration);
}

static void start_timed_out(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_delivery *delivery = KOA_CONTAINER_OF(timer, struct koa_delivery, timer);
    struct koa_channel *channel = delivery->channel;
    char text[64];

    (void) now;
    cancel_work(delivery);
    say_timeout(delivery, text, sizeof(text));
    settle(delivery, KOA_RETRY_LATER, -1, text);
    free_delivery(delivery);
    koa_channel_pump(channel);
}

static void begin_start(struct koa_delivery *delivery)
{
    const struct koa_notifier_spec *spec = &delivery->notifier->spec;
    struct koa_dispatch *dispatch = delivery->dispatch;

    if (!koa_timers_arm(dispatch->opts.timers, &delivery->timer,
                        koa_mono_add_ms(dispatch->opts.mono(), spec->settings->timeout_ms),
                        start_timed_out)) {
        settle(delivery, KOA_RETRY_LATER, -1, "no memory for a timer");
        free_delivery(delivery);
        return;
    }
    delivery->is_starting = true;
    spec->ops->start(spec->config, delivery);
    delivery->is_starting = false;
    if (delivery->is_finished) {
        settle(delivery, delivery->outcome, delivery->retry_after_ms, delivery->text);
        free_delivery(delivery);
    }
}

static void send_work(struct koa_job *job)
{
    struct koa_delivery *delivery = KOA_CONTAINER_OF(job, struct koa_delivery, job);
    const struct koa_notifier_spec *spec = &delivery->notifier->spec;

    delivery->outcome = spec->ops->send(spec->config, spec->context, delivery->note);
}

static void send_done(struct koa_job *job, bool abandoned)
{
    struct koa_delivery *delivery = KOA_CONTAINER_OF(job, struct koa_delivery, job);
    struct koa_channel *channel = delivery->channel;
    char text[64];

    if (channel == NULL)
        return;
    if (abandoned) {
        say_timeout(delivery, text, sizeof(text));
        settle(delivery, KOA_RETRY_LATER, -1, text);
    } else {
        settle(delivery, delivery->outcome, -1,
               delivery->outcome == KOA_DELIVERED ? "" : "the notifier said that it failed");
    }
    koa_channel_pump(channel);
}

static void send_release(struct koa_job *job)
{
    free_delivery(KOA_CONTAINER_OF(job, struct koa_delivery, job));
}

static void begin_send(struct koa_delivery *delivery)
{
    struct koa_dispatch *dispatch = delivery->dispatch;
    char key[KEY_SIZE];
    struct koa_error error;

    delivery->job = (struct koa_job){
        .work = send_work,
        .done = send_done,
        .release = send_release,
        .deadline_ms = delivery->notifier->spec.settings->timeout_ms,
    };
    (void) snprintf(key, sizeof(key), "notifier:%s", delivery->channel->name);
    if (dispatch->opts.workers != NULL &&
        koa_workers_run(dispatch->opts.workers, dispatch->opts.services.loop, key, &delivery->job,
                        &error) == KOA_OK)
        return;
    settle(delivery, KOA_RETRY_LATER, -1,
           dispatch->opts.workers != NULL ? error.text : "there are no workers");
    free_delivery(delivery);
}

/* NULL: memory is out. */
static struct koa_delivery *make_delivery(struct koa_channel *channel,
                                          struct koa_alert_record *record, int attempt)
{
    struct koa_delivery *delivery = koa_calloc(1, sizeof(*delivery));

    if (delivery == NULL)
        return NULL;
    delivery->channel = channel;
    delivery->dispatch = channel->dispatch;
    delivery->notifier = channel->notifier;
    koa_object_ref(&delivery->notifier->object);
    delivery->note = koa_notification_create(record, attempt);
    if (delivery->note == NULL) {
        free_delivery(delivery);
        return NULL;
    }
    return delivery;
}

void koa_delivery_begin(struct koa_channel *channel, struct koa_alert_record *record, int attempt)
{
    struct koa_delivery *delivery = make_delivery(channel, record, attempt);

    if (delivery == NULL) {
        koa_channel_conclude(channel, KOA_RETRY_LATER, -1, "no memory for the attempt");
        return;
    }
    channel->under_way = delivery;
    if (channel->notifier->spec.ops->start != NULL) {
        begin_start(delivery);
    } else {
        begin_send(delivery);
    }
}

void koa_delivery_abandon(struct koa_delivery *delivery)
{
    delivery->channel = NULL;
    koa_timers_disarm(delivery->dispatch->opts.timers, &delivery->timer);
    if (delivery->notifier->spec.ops->start == NULL)
        return;
    cancel_work(delivery);
    free_delivery(delivery);
}

const struct koa_delivery_services *koa_delivery_services(const struct koa_delivery *delivery)
{
    return &delivery->dispatch->opts.services;
}

const struct koa_notification *koa_delivery_notification(const struct koa_delivery *delivery)
{
    return delivery->note;
}

const char *koa_delivery_notifier(const struct koa_delivery *delivery)
{
    return delivery->notifier->spec.settings->name;
}

struct koa_wall koa_delivery_now(const struct koa_delivery *delivery)
{
    return delivery->dispatch->opts.wall();
}

int64_t koa_delivery_timeout_ms(const struct koa_delivery *delivery)
{
    return delivery->notifier->spec.settings->timeout_ms;
}

void koa_delivery_on_cancel(struct koa_delivery *delivery, void (*cancel)(void *context),
                            void *context)
{
    delivery->cancel = cancel;
    delivery->cancel_context = context;
}

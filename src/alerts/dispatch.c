/* Owns the notifiers' queues: what is sent next, when it is tried again and when it is given up.
 * How a notification reaches its receiver is the notifier's business. */
#include "alerts/dispatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alerts/backoff.h"
#include "alerts/notification.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/num.h"
#include "base/redact.h"
#include "base/str.h"
#include "crypto/crypto.h"

enum {
    PUBLISH_DELAY_MS = 100, /* many changes at once are one picture */
    KEY_SIZE = 160          /* "notifier:" and a name of at most 128 */
};

/* One notification that waits for one notifier. */
struct entry {
    struct koa_list_node node;
    struct koa_alert_record *record;
    struct koa_mono queued;
    uint64_t ledger; /* its row */
    int attempts;    /* made so far */
};

struct channel {
    struct koa_dispatch *dispatch;
    struct koa_notifier *notifier;
    struct koa_list_node queue; /* the head is tried, the rest waits */
    size_t count;
    struct koa_timer timer;         /* until the head is tried again */
    struct koa_delivery *under_way; /* of the head */
    bool is_pumping;
    char name[129];
};

/* One attempt. While a worker runs it, the job outlives a timeout. */
struct koa_delivery {
    struct koa_job job;
    struct channel *channel; /* NULL once the attempt has been concluded */
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

struct koa_dispatch {
    struct koa_dispatch_opts opts;
    struct channel *channels[KOA_DISPATCH_NOTIFIERS];
    size_t channel_count;
    struct koa_ledger ledger;
    struct koa_published published;
    struct koa_timer publish_timer;
    void (*changed)(void *context);
    void *changed_context;
};

static void pump(struct channel *channel);

static void publish(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_dispatch *dispatch = KOA_CONTAINER_OF(timer, struct koa_dispatch, publish_timer);
    struct koa_ledger_view *view = koa_ledger_copy(&dispatch->ledger);

    (void) now;
    if (view != NULL)
        koa_published_set(&dispatch->published, &view->object);
    if (dispatch->changed != NULL)
        dispatch->changed(dispatch->changed_context);
}

static void note_change(struct koa_dispatch *dispatch)
{
    if (koa_timer_is_armed(&dispatch->publish_timer))
        return;
    if (!koa_timers_arm(dispatch->opts.timers, &dispatch->publish_timer,
                        koa_mono_add_ms(dispatch->opts.mono(), PUBLISH_DELAY_MS), publish))
        koa_log_warn(dispatch->opts.services.log, "alerts.ledger",
                     "no memory for a timer; the delivery ledger is shown late");
}

static void count(struct channel *channel, const char *outcome)
{
    koa_metrics_count(channel->dispatch->opts.metrics, "kafka_ops_notifications_total", 1,
                      KOA_LABELS({"notifier", channel->name}, {"outcome", outcome}));
}

static bool is_dead(enum koa_ledger_outcome outcome)
{
    return outcome == KOA_LEDGER_UNDELIVERABLE || outcome == KOA_LEDGER_GIVEN_UP ||
           outcome == KOA_LEDGER_DROPPED;
}

/* `wait_ms`: until the next attempt, or -1. */
static void record_outcome(struct channel *channel, const struct entry *entry,
                           enum koa_ledger_outcome outcome, const char *text, int64_t wait_ms)
{
    struct koa_dispatch *dispatch = channel->dispatch;
    struct koa_ledger_row *row = koa_ledger_find(&dispatch->ledger, entry->ledger);
    struct koa_wall now = dispatch->opts.wall();

    count(channel, outcome == KOA_LEDGER_RETRYING ? "retry" : koa_ledger_outcome_name(outcome));
    if (is_dead(outcome)) {
        koa_metrics_count(dispatch->opts.metrics, "kafka_ops_notification_dead_letters_total", 1,
                          KOA_LABELS({"notifier", channel->name}));
        koa_log_error(dispatch->opts.services.log, "notification.dead",
                      "notifier '%s' will not be told that %s is %s (%s): %s", channel->name,
                      entry->record->rule, koa_alert_state_name(entry->record->state),
                      koa_ledger_outcome_name(outcome), text);
    }
    note_change(dispatch);
    if (row == NULL)
        return;
    row->outcome = outcome;
    row->attempt = entry->attempts;
    row->at = now;
    row->next_attempt.ms = wait_ms >= 0 ? now.ms + wait_ms : 0;
    (void) koa_str_copy(row->text, sizeof(row->text), koa_str_from(text));
}

static struct entry *head_of(struct channel *channel)
{
    return koa_list_is_empty(&channel->queue)
               ? NULL
               : KOA_CONTAINER_OF(channel->queue.next, struct entry, node);
}

static void drop_entry(struct channel *channel, struct entry *entry)
{
    koa_list_remove(&entry->node);
    channel->count--;
    koa_alert_record_unref(entry->record);
    koa_free(entry);
}

static void free_delivery(struct koa_delivery *delivery)
{
    koa_notification_destroy(delivery->note);
    koa_notifier_unref(delivery->notifier);
    koa_free(delivery);
}

static void retry_due(struct koa_timer *timer, struct koa_mono now)
{
    (void) now;
    pump(KOA_CONTAINER_OF(timer, struct channel, timer));
}

static uint32_t jitter(void)
{
    uint32_t random = 0;

    return koa_random_bytes(&random, sizeof(random)) ? random : 0;
}

/* The head's attempt is over. The caller pumps. */
static void conclude(struct channel *channel, enum koa_outcome outcome, int64_t retry_after_ms,
                     const char *text)
{
    struct koa_dispatch *dispatch = channel->dispatch;
    struct entry *entry = head_of(channel);
    int64_t wait_ms;

    channel->under_way = NULL;
    if (outcome == KOA_DELIVERED) {
        record_outcome(channel, entry, KOA_LEDGER_DELIVERED, "", -1);
        drop_entry(channel, entry);
        return;
    }
    if (outcome == KOA_UNDELIVERABLE) {
        record_outcome(channel, entry, KOA_LEDGER_UNDELIVERABLE, text, -1);
        drop_entry(channel, entry);
        return;
    }
    if (entry->attempts >= channel->notifier->spec.settings->max_attempts) {
        record_outcome(channel, entry, KOA_LEDGER_GIVEN_UP, text, -1);
        drop_entry(channel, entry);
        return;
    }
    wait_ms = koa_backoff_ms(entry->attempts, retry_after_ms, jitter());
    if (!koa_timers_arm(dispatch->opts.timers, &channel->timer,
                        koa_mono_add_ms(dispatch->opts.mono(), wait_ms), retry_due)) {
        record_outcome(channel, entry, KOA_LEDGER_DROPPED, "no memory for a timer", -1);
        drop_entry(channel, entry);
        return;
    }
    record_outcome(channel, entry, KOA_LEDGER_RETRYING, text, wait_ms);
    koa_log_warn(dispatch->opts.services.log, "notification.retry",
                 "notifier '%s' attempt %d failed: %s; trying again in %" PRId64 " ms",
                 channel->name, entry->attempts, text, wait_ms);
}

/* Parts the delivery from its channel; the attempt counts as `outcome`. */
static void settle(struct koa_delivery *delivery, enum koa_outcome outcome, int64_t retry_after_ms,
                   const char *text)
{
    struct channel *channel = delivery->channel;

    if (channel == NULL)
        return;
    delivery->channel = NULL;
    koa_timers_disarm(delivery->dispatch->opts.timers, &delivery->timer);
    conclude(channel, outcome, retry_after_ms, text);
}

void koa_delivery_finish(struct koa_delivery *delivery, enum koa_outcome outcome,
                         int64_t retry_after_ms, const char *text)
{
    struct channel *channel = delivery->channel;

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
    pump(channel);
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
    struct channel *channel = delivery->channel;
    char text[64];

    (void) now;
    cancel_work(delivery);
    say_timeout(delivery, text, sizeof(text));
    settle(delivery, KOA_RETRY_LATER, -1, text);
    free_delivery(delivery);
    pump(channel);
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
    struct channel *channel = delivery->channel;
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
    pump(channel);
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
static struct koa_delivery *make_delivery(struct channel *channel, const struct entry *entry)
{
    struct koa_delivery *delivery = koa_calloc(1, sizeof(*delivery));

    if (delivery == NULL)
        return NULL;
    delivery->channel = channel;
    delivery->dispatch = channel->dispatch;
    delivery->notifier = channel->notifier;
    koa_object_ref(&delivery->notifier->object);
    delivery->note = koa_notification_create(entry->record, entry->attempts);
    if (delivery->note == NULL) {
        free_delivery(delivery);
        return NULL;
    }
    return delivery;
}

static void attempt(struct channel *channel, struct entry *entry)
{
    struct koa_delivery *delivery;

    entry->attempts++;
    delivery = make_delivery(channel, entry);
    if (delivery == NULL) {
        conclude(channel, KOA_RETRY_LATER, -1, "no memory for the attempt");
        return;
    }
    channel->under_way = delivery;
    if (channel->notifier->spec.ops->start != NULL)
        begin_start(delivery);
    else
        begin_send(delivery);
}

/* Tries heads until one is under way or waits. */
static void pump(struct channel *channel)
{
    struct entry *entry;

    if (channel->is_pumping)
        return;
    channel->is_pumping = true;
    while (channel->under_way == NULL && !koa_timer_is_armed(&channel->timer) &&
           (entry = head_of(channel)) != NULL)
        attempt(channel, entry);
    channel->is_pumping = false;
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

enum koa_err koa_dispatch_create(const struct koa_dispatch_opts *opts,
                                 struct koa_dispatch **ret_dispatch, struct koa_error *reterr)
{
    struct koa_dispatch *dispatch = koa_calloc(1, sizeof(*dispatch));
    enum koa_err err = koa_require_memory(dispatch, reterr);

    if (err != KOA_OK)
        return err;
    dispatch->opts = *opts;
    if (dispatch->opts.services.external_url == NULL)
        dispatch->opts.services.external_url = "";
    koa_published_init(&dispatch->published);
    *ret_dispatch = dispatch;
    return KOA_OK;
}

static struct channel *find_channel(struct koa_dispatch *dispatch, const char *name)
{
    for (size_t i = 0; i < dispatch->channel_count; i++) {
        if (strcmp(dispatch->channels[i]->name, name) == 0)
            return dispatch->channels[i];
    }
    return NULL;
}

/* Ends the attempt under way. A blocked `send` goes on by itself and frees itself. */
static void abandon(struct channel *channel)
{
    struct koa_delivery *delivery = channel->under_way;

    channel->under_way = NULL;
    if (delivery == NULL)
        return;
    delivery->channel = NULL;
    koa_timers_disarm(channel->dispatch->opts.timers, &delivery->timer);
    if (delivery->notifier->spec.ops->start == NULL)
        return;
    cancel_work(delivery);
    free_delivery(delivery);
}

static void destroy_channel(struct channel *channel, const char *reason)
{
    struct entry *entry;

    channel->is_pumping = true;
    koa_timers_disarm(channel->dispatch->opts.timers, &channel->timer);
    abandon(channel);
    while ((entry = head_of(channel)) != NULL) {
        record_outcome(channel, entry, KOA_LEDGER_DROPPED, reason, -1);
        drop_entry(channel, entry);
    }
    koa_notifier_unref(channel->notifier);
    koa_free(channel);
}

void koa_dispatch_destroy(struct koa_dispatch *dispatch)
{
    if (dispatch == NULL)
        return;
    for (size_t i = 0; i < dispatch->channel_count; i++)
        destroy_channel(dispatch->channels[i], "the agent stopped");
    koa_timers_disarm(dispatch->opts.timers, &dispatch->publish_timer);
    koa_published_deinit(&dispatch->published);
    koa_ledger_deinit(&dispatch->ledger);
    koa_free(dispatch);
}

enum koa_err koa_dispatch_put(struct koa_dispatch *dispatch, struct koa_notifier *notifier,
                              struct koa_error *reterr)
{
    const char *name = notifier->spec.settings->name;
    struct channel *channel = find_channel(dispatch, name);

    if (channel != NULL) {
        koa_notifier_unref(channel->notifier);
        channel->notifier = notifier;
        return KOA_OK;
    }
    if (dispatch->channel_count == KOA_DISPATCH_NOTIFIERS) {
        koa_notifier_unref(notifier);
        return koa_fail(reterr, KOA_ERR_LIMIT, "more than %d notifiers", KOA_DISPATCH_NOTIFIERS);
    }
    channel = koa_calloc(1, sizeof(*channel));
    if (channel == NULL) {
        koa_notifier_unref(notifier);
        return koa_require_memory(channel, reterr);
    }
    channel->dispatch = dispatch;
    channel->notifier = notifier;
    koa_list_init(&channel->queue);
    (void) koa_str_copy(channel->name, sizeof(channel->name), koa_str_from(name));
    dispatch->channels[dispatch->channel_count++] = channel;
    return KOA_OK;
}

bool koa_dispatch_remove(struct koa_dispatch *dispatch, const char *name)
{
    for (size_t i = 0; i < dispatch->channel_count; i++) {
        struct channel *channel = dispatch->channels[i];

        if (strcmp(channel->name, name) != 0)
            continue;
        dispatch->channel_count--;
        memmove(&dispatch->channels[i], &dispatch->channels[i + 1],
                (dispatch->channel_count - i) * sizeof(dispatch->channels[0]));
        destroy_channel(channel, "the notifier was removed");
        return true;
    }
    return false;
}

struct koa_notifier *koa_dispatch_find(struct koa_dispatch *dispatch, const char *name)
{
    struct channel *channel = find_channel(dispatch, name);

    return channel != NULL ? channel->notifier : NULL;
}

struct koa_notifier *koa_dispatch_next(struct koa_dispatch *dispatch, size_t *position)
{
    return *position < dispatch->channel_count ? dispatch->channels[(*position)++]->notifier : NULL;
}

static bool wants(const struct koa_notifier_settings *settings,
                  const struct koa_alert_record *record)
{
    if ((int) record->severity > settings->min_severity)
        return false;
    return record->state == KOA_ALERT_FIRING ||
           (record->state == KOA_ALERT_RESOLVED && settings->send_resolved);
}

/* The oldest goes first: what was opened is then still closed. The head may be under way. */
static void make_room(struct channel *channel)
{
    struct koa_list_node *oldest = channel->queue.next;

    if (channel->under_way != NULL)
        oldest = oldest->next;
    else
        koa_timers_disarm(channel->dispatch->opts.timers, &channel->timer);
    record_outcome(channel, KOA_CONTAINER_OF(oldest, struct entry, node), KOA_LEDGER_DROPPED,
                   "the queue was full", -1);
    drop_entry(channel, KOA_CONTAINER_OF(oldest, struct entry, node));
}

static void enqueue(struct channel *channel, struct koa_alert_record *record)
{
    struct koa_dispatch *dispatch = channel->dispatch;
    struct entry *entry = koa_calloc(1, sizeof(*entry));
    struct koa_ledger_row *row;

    if (entry == NULL) {
        count(channel, "dropped");
        koa_log_error(dispatch->opts.services.log, "notification.dead",
                      "no memory to tell notifier '%s' that %s is %s", channel->name, record->rule,
                      koa_alert_state_name(record->state));
        return;
    }
    if (channel->count == KOA_DISPATCH_QUEUE)
        make_room(channel);
    entry->record = koa_alert_record_ref(record);
    entry->queued = dispatch->opts.mono();
    row = koa_ledger_add(&dispatch->ledger);
    if (row != NULL) {
        entry->ledger = row->number;
        row->identity = record->identity;
        row->state = record->state;
        row->at = dispatch->opts.wall();
        (void) koa_str_copy(row->notifier, sizeof(row->notifier), koa_str_from(channel->name));
        (void) koa_str_copy(row->rule, sizeof(row->rule), koa_str_from(record->rule));
    }
    koa_list_push_back(&channel->queue, &entry->node);
    channel->count++;
    note_change(dispatch);
}

void koa_dispatch_send(struct koa_dispatch *dispatch, struct koa_alert_record *record)
{
    for (size_t i = 0; i < dispatch->channel_count; i++) {
        struct channel *channel = dispatch->channels[i];

        if (!wants(channel->notifier->spec.settings, record))
            continue;
        enqueue(channel, record);
        pump(channel);
    }
}

size_t koa_dispatch_pending(const struct koa_dispatch *dispatch)
{
    size_t pending = 0;

    for (size_t i = 0; i < dispatch->channel_count; i++)
        pending += dispatch->channels[i]->count;
    return pending;
}

size_t koa_dispatch_busy(const struct koa_dispatch *dispatch)
{
    size_t busy = 0;

    for (size_t i = 0; i < dispatch->channel_count; i++)
        busy += dispatch->channels[i]->under_way != NULL;
    return busy;
}

void koa_dispatch_measure(struct koa_dispatch *dispatch)
{
    struct koa_metrics *metrics = dispatch->opts.metrics;
    struct koa_mono now = dispatch->opts.mono();

    for (size_t i = 0; i < dispatch->channel_count; i++) {
        struct channel *channel = dispatch->channels[i];
        const struct entry *entry = head_of(channel);
        double age = entry != NULL ? (double) koa_mono_diff_ms(now, entry->queued) / 1000.0 : 0.0;

        koa_metrics_set(metrics, "kafka_ops_notification_queue_length", (double) channel->count,
                        KOA_LABELS({"notifier", channel->name}));
        koa_metrics_set(metrics, "kafka_ops_notification_oldest_seconds", age,
                        KOA_LABELS({"notifier", channel->name}));
    }
}

void koa_dispatch_on_change(struct koa_dispatch *dispatch, void (*changed)(void *context),
                            void *context)
{
    dispatch->changed = changed;
    dispatch->changed_context = context;
}

struct koa_ledger_view *koa_dispatch_ledger(struct koa_dispatch *dispatch)
{
    struct koa_object *object = koa_published_get(&dispatch->published);

    return object != NULL ? KOA_CONTAINER_OF(object, struct koa_ledger_view, object) : NULL;
}

/* Owns the notifiers' queues: what is sent next, when it is tried again and when it is given up.
 * How a notification reaches its receiver is the notifier's business. */
#include "alerts/dispatch_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "alerts/backoff.h"
#include "base/memory.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "metrics/catalog.h"

enum { PUBLISH_DELAY_MS = 100 /* many changes at once are one picture */ };

/* One notification that waits for one notifier. */
struct entry {
    struct koa_list_node node;
    struct koa_alert_record *record;
    struct koa_mono queued;
    uint64_t ledger; /* its row */
    int attempts;    /* made so far */
};

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
                        koa_mono_add_ms(dispatch->opts.mono(), PUBLISH_DELAY_MS), publish)) {
        koa_log_warn(dispatch->opts.services.log, "alerts.ledger",
                     "no memory for a timer; the delivery ledger is shown late");
    }
}

static void count(struct koa_channel *channel, const char *outcome)
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
static void record_outcome(struct koa_channel *channel, const struct entry *entry,
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

static struct entry *head_of(struct koa_channel *channel)
{
    return koa_list_is_empty(&channel->queue)
               ? NULL
               : KOA_CONTAINER_OF(channel->queue.next, struct entry, node);
}

static void drop_entry(struct koa_channel *channel, struct entry *entry)
{
    koa_list_remove(&entry->node);
    channel->count--;
    koa_alert_record_unref(entry->record);
    koa_free(entry);
}

static void retry_due(struct koa_timer *timer, struct koa_mono now)
{
    (void) now;
    koa_channel_pump(KOA_CONTAINER_OF(timer, struct koa_channel, timer));
}

static uint32_t jitter(void)
{
    uint32_t random = 0;

    return koa_random_bytes(&random, sizeof(random)) ? random : 0;
}

void koa_channel_conclude(struct koa_channel *channel, enum koa_outcome outcome,
                          int64_t retry_after_ms, const char *text)
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

void koa_channel_pump(struct koa_channel *channel)
{
    struct entry *entry;

    if (channel->is_pumping)
        return;
    channel->is_pumping = true;
    while (channel->under_way == NULL && !koa_timer_is_armed(&channel->timer) &&
           (entry = head_of(channel)) != NULL)
        koa_delivery_begin(channel, entry->record, ++entry->attempts);
    channel->is_pumping = false;
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

static struct koa_channel *find_channel(struct koa_dispatch *dispatch, const char *name)
{
    for (size_t i = 0; i < dispatch->channel_count; i++) {
        if (strcmp(dispatch->channels[i]->name, name) == 0)
            return dispatch->channels[i];
    }
    return NULL;
}

static void destroy_channel(struct koa_channel *channel, const char *reason)
{
    struct entry *entry;

    channel->is_pumping = true;
    koa_timers_disarm(channel->dispatch->opts.timers, &channel->timer);
    if (channel->under_way != NULL)
        koa_delivery_abandon(channel->under_way);
    channel->under_way = NULL;
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
    struct koa_channel *channel = find_channel(dispatch, name);

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
    koa_metrics_start(dispatch->opts.metrics, KOA_LABELS({"notifier", channel->name}));
    return KOA_OK;
}

bool koa_dispatch_remove(struct koa_dispatch *dispatch, const char *name)
{
    for (size_t i = 0; i < dispatch->channel_count; i++) {
        struct koa_channel *channel = dispatch->channels[i];

        if (strcmp(channel->name, name) != 0)
            continue;
        dispatch->channel_count--;
        memmove(&dispatch->channels[i], &dispatch->channels[i + 1],
                (dispatch->channel_count - i) * sizeof(struct koa_channel *));
        destroy_channel(channel, "the notifier was removed");
        return true;
    }
    return false;
}

struct koa_notifier *koa_dispatch_find(struct koa_dispatch *dispatch, const char *name)
{
    struct koa_channel *channel = find_channel(dispatch, name);

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
static void make_room(struct koa_channel *channel)
{
    struct koa_list_node *oldest = channel->queue.next;

    if (channel->under_way != NULL) {
        oldest = oldest->next;
    } else {
        koa_timers_disarm(channel->dispatch->opts.timers, &channel->timer);
    }
    record_outcome(channel, KOA_CONTAINER_OF(oldest, struct entry, node), KOA_LEDGER_DROPPED,
                   "the queue was full", -1);
    drop_entry(channel, KOA_CONTAINER_OF(oldest, struct entry, node));
}

static void enqueue(struct koa_channel *channel, struct koa_alert_record *record)
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
        struct koa_channel *channel = dispatch->channels[i];

        if (!wants(channel->notifier->spec.settings, record))
            continue;
        enqueue(channel, record);
        koa_channel_pump(channel);
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
        struct koa_channel *channel = dispatch->channels[i];
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

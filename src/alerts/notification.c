/* Makes the texts of a notification once, and answers a notifier's questions about it. */
#include "alerts/notification.h"

#include <inttypes.h>
#include <stdio.h>

#include "alerts/identity.h"
#include "base/memory.h"

enum {
    KEY_SIZE = 64,
    TEXT_SIZE = 1400 /* a message of 1 KiB, a rule's name of 128 and the words around them */
};

struct koa_notification {
    struct koa_alert_record *record;
    int attempt;
    char fingerprint[KOA_FINGERPRINT_SIZE];
    char key[KEY_SIZE];
    char text[TEXT_SIZE];
};

struct koa_notification *koa_notification_create(struct koa_alert_record *record, int attempt)
{
    struct koa_notification *note = koa_calloc(1, sizeof(*note));

    if (note == NULL)
        return NULL;
    note->record = koa_alert_record_ref(record);
    note->attempt = attempt;
    koa_fingerprint_format(record->identity, note->fingerprint);
    (void) snprintf(note->key, sizeof(note->key), "%s-%" PRId64 "-%" PRId32, note->fingerprint,
                    record->starts_at.ms, record->transition);
    (void) snprintf(note->text, sizeof(note->text), "[%s] %s %.128s: %.1024s",
                    koa_alert_state_name(record->state), koa_severity_name(record->severity),
                    record->rule, record->message);
    return note;
}

void koa_notification_destroy(struct koa_notification *note)
{
    if (note == NULL)
        return;
    koa_alert_record_unref(note->record);
    koa_free(note);
}

const struct koa_alert_record *koa_notification_record(const struct koa_notification *note)
{
    return note->record;
}

const char *koa_notification_rule(const struct koa_notification *note)
{
    return note->record->rule;
}

const char *koa_notification_fingerprint(const struct koa_notification *note)
{
    return note->fingerprint;
}

enum koa_severity koa_notification_severity(const struct koa_notification *note)
{
    return note->record->severity;
}

enum koa_alert_state koa_notification_state(const struct koa_notification *note)
{
    return note->record->state;
}

const char *koa_notification_message(const struct koa_notification *note)
{
    return note->record->message;
}

double koa_notification_value(const struct koa_notification *note)
{
    return note->record->has_value ? note->record->value : 0.0;
}

bool koa_notification_threshold(const struct koa_notification *note, double *ret_threshold)
{
    if (note->record->has_threshold)
        *ret_threshold = note->record->threshold;
    return note->record->has_threshold;
}

struct koa_wall koa_notification_starts_at(const struct koa_notification *note)
{
    return note->record->starts_at;
}

struct koa_wall koa_notification_ends_at(const struct koa_notification *note)
{
    return note->record->ends_at;
}

const struct koa_labels *koa_notification_labels(const struct koa_notification *note)
{
    return &note->record->labels;
}

const struct koa_labels *koa_notification_annotations(const struct koa_notification *note)
{
    return &note->record->annotations;
}

const char *koa_notification_idempotency_key(const struct koa_notification *note)
{
    return note->key;
}

int koa_notification_attempt(const struct koa_notification *note)
{
    return note->attempt;
}

const char *koa_notification_text(const struct koa_notification *note)
{
    return note->text;
}

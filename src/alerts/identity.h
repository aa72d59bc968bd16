/* Who an alert is: its rule's name and the labels of what was observed. */
#ifndef ALERTS_IDENTITY_H
#define ALERTS_IDENTITY_H

#include <koa/base.h>

#include "base/arena.h"

enum {
    KOA_FINGERPRINT_SIZE = 17,     /* 16 hex digits and NUL */
    KOA_ALERT_LABELS_LIMIT = 32,   /* labels of one alert; Kafka's families have at most 5 */
    KOA_ALERT_LABEL_BYTES = 1024,  /* one name or value; a Kafka topic's name has at most 249 */
    KOA_ALERT_MESSAGE_BYTES = 1024 /* one message or annotation, as of a check's text */
};

/* Views in `rows`, sorted bytewise by name, without empty values (they equal an absent label); of
 * equal names the last wins. More than KOA_ALERT_LABELS_LIMIT are left out, and `*cut` becomes
 * true. Returns how many. `labels` may be NULL. */
size_t koa_labels_sort(const struct koa_labels *labels,
                       struct koa_label rows[KOA_ALERT_LABELS_LIMIT], bool *cut);

/* A copy in `arena`; a name or value that is too long is cut, and `*cut` becomes true. NULL: the
 * arena is full. */
KOA_MUST_USE struct koa_labels *koa_labels_copy(const struct koa_labels *labels,
                                                struct koa_arena *arena, bool *cut);

/* FNV-1a 64 over the sorted labels with `alertname` = rule among them (name 0xFF value 0xFF), as
 * Alertmanager computes it. Severity is not part of it: one alert may change its severity. `sorted`
 * is in the order of koa_labels_sort(); NULL is none. */
uint64_t koa_alert_identity(const char *rule, const struct koa_labels *sorted);
void koa_fingerprint_format(uint64_t identity, char text[KOA_FINGERPRINT_SIZE]);

/* The value of `name`, or NULL. `labels` may be NULL. */
const char *koa_labels_find(const struct koa_labels *labels, const char *name);

#endif

/* What a notifier gets for one attempt: an alert's transition with its texts. Immutable. */
#ifndef ALERTS_NOTIFICATION_H
#define ALERTS_NOTIFICATION_H

#include <koa/notifier.h>

#include "alerts/record.h"

/* Holds a reference to `record` of its own. NULL when memory is out. */
KOA_MUST_USE struct koa_notification *koa_notification_create(struct koa_alert_record *record,
                                                              int attempt);
void koa_notification_destroy(struct koa_notification *note);
KOA_DEFINE_AUTO(koa_notification, koa_notification_destroy)
const struct koa_alert_record *koa_notification_record(const struct koa_notification *note);

#endif

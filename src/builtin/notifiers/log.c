/* Writes each notification as a line of the component "alerts": firing ones as warnings, those of
 * severity info and the end of an alert as notices. */
#include <koa/notifier.h>

#include "alerts/delivery.h"

static enum koa_log_level level_of(const struct koa_notification *note)
{
    if (koa_notification_state(note) != KOA_ALERT_FIRING)
        return KOA_LOG_NOTICE;
    return koa_notification_severity(note) == KOA_SEVERITY_INFO ? KOA_LOG_NOTICE : KOA_LOG_WARNING;
}

static void start(const void *config, struct koa_delivery *delivery)
{
    const struct koa_notification *note = koa_delivery_notification(delivery);
    enum koa_log_level level = level_of(note);
    const char *event =
        koa_notification_state(note) == KOA_ALERT_FIRING ? "alert.firing" : "alert.resolved";

    (void) config;
    KOA_LOG_AT(koa_delivery_services(delivery)->log, level, event, "%s fingerprint=%s",
               koa_notification_text(note), koa_notification_fingerprint(note));
    koa_delivery_finish(delivery, KOA_DELIVERED, -1, NULL);
}

const struct koa_notifier_ops koa_notifier_log = {
    KOA_OPS_INIT(koa_notifier_ops),
    .name = "log",
    .help = "A line in the agent's own log",
    .start = start,
};

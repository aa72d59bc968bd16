/* The notifier contract: a notifier gets an immutable notification and ends each delivery once.
 *
 * Order, retries with backoff, idempotency and durability belong to the core. Deliveries of one
 * notifier follow each other; a slow receiver delays only itself. */
#ifndef KOA_NOTIFIER_H
#define KOA_NOTIFIER_H

#include <koa/base.h>
#include <koa/error.h>
#include <koa/option.h>
#include <koa/rule.h>
#include <koa/time.h>

#ifdef __cplusplus
extern "C" {
#endif

enum koa_outcome {
    KOA_DELIVERED,
    KOA_RETRY_LATER,  /* the core backs off and tries again, up to max_attempts */
    KOA_UNDELIVERABLE /* never try this one again */
};

/* One alert's transition. Borrowed by the call; a `start` function may keep it until it finishes.
 */
struct koa_notification;

KOA_API const char *koa_notification_rule(const struct koa_notification *note);
KOA_API const char *
koa_notification_fingerprint(const struct koa_notification *note); /* 16 hex digits */
KOA_API enum koa_severity koa_notification_severity(const struct koa_notification *note);
KOA_API enum koa_alert_state
koa_notification_state(const struct koa_notification *note); /* firing or resolved */
KOA_API const char *koa_notification_message(const struct koa_notification *note);
KOA_API double koa_notification_value(const struct koa_notification *note);
KOA_API bool koa_notification_threshold(const struct koa_notification *note, double *ret_threshold);
KOA_API struct koa_wall koa_notification_starts_at(const struct koa_notification *note);
KOA_API struct koa_wall
koa_notification_ends_at(const struct koa_notification *note); /* 0 while firing */
KOA_API const struct koa_labels *koa_notification_labels(const struct koa_notification *note);
KOA_API const struct koa_labels *koa_notification_annotations(const struct koa_notification *note);
/* Same for every attempt of this transition: fingerprint, start, and number of the transition. */
KOA_API const char *koa_notification_idempotency_key(const struct koa_notification *note);
/* 1 for the first attempt. */
KOA_API int koa_notification_attempt(const struct koa_notification *note);
/* One line for people: "[firing] critical system_unhealthy: ...". */
KOA_API const char *koa_notification_text(const struct koa_notification *note);

/* Blocking: on a worker of its own key, under the notifier's timeout. */
typedef enum koa_outcome koa_notifier_send_fn(const void *config, void *context,
                                              const struct koa_notification *note);

/* Asynchronous, for notifiers inside the library: see alerts/delivery.h. */
struct koa_delivery;
typedef void koa_notifier_start_fn(const void *config, struct koa_delivery *delivery);

/* Exactly one of `send` and `start`. */
struct koa_notifier_ops {
    size_t struct_size;
    const char *name;
    const char *help;
    const struct koa_option *options;
    size_t config_size;
    koa_notifier_send_fn *send;
    koa_notifier_start_fn *start;
    enum koa_err (*prepare)(void *config, struct koa_error *reterr); /* optional */
    void (*release)(void *config);                                   /* optional */
};

/* The built-in types. */
extern KOA_API const struct koa_notifier_ops koa_notifier_log;
extern KOA_API const struct koa_notifier_ops koa_notifier_webhook;

#ifdef __cplusplus
}
#endif

#endif

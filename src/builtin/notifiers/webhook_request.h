/* What a webhook sends and how it takes the answer: the pure part of the notifier. */
#ifndef BUILTIN_NOTIFIERS_WEBHOOK_REQUEST_H
#define BUILTIN_NOTIFIERS_WEBHOOK_REQUEST_H

#include <koa/notifier.h>
#include <koa/time.h>

#include "base/buf.h"

enum koa_webhook_format { KOA_WEBHOOK_NATIVE, KOA_WEBHOOK_ALERTMANAGER };

struct koa_webhook_context {
    enum koa_webhook_format format;
    const char *receiver;     /* the notifier's name */
    const char *external_url; /* "" when the agent has none */
    struct koa_wall now;
};

/* The JSON body. `native` is the contract's; `alertmanager` is version 4 of Alertmanager's webhook
 * with this one alert as its group. */
void koa_webhook_body(const struct koa_webhook_context *context,
                      const struct koa_notification *note, struct koa_buf *buf);

/* "v1=" and the hex digits of HMAC-SHA256(key, timestamp + "." + body). False when memory is out.
 */
enum { KOA_WEBHOOK_SIGNATURE_SIZE = 68 };
KOA_MUST_USE bool koa_webhook_sign(const char *key, const char *timestamp, struct koa_str body,
                                   char signature[KOA_WEBHOOK_SIGNATURE_SIZE]);

/* 2xx: delivered. 408, 425, 429 and 5xx: later. Any other: this receiver will never take it. */
enum koa_outcome koa_webhook_outcome(int status);

#endif

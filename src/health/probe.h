/* One run of an asynchronous check. The engine's thread only. */
#ifndef HEALTH_PROBE_H
#define HEALTH_PROBE_H

#include <koa/check.h>

#include "base/log.h"
#include "loop/loop.h"
#include "loop/resolver.h"
#include "loop/worker.h"

/* What an asynchronous check may use. Given to the schedule by agent/. */
struct koa_probe_services {
    struct koa_loop *loop;
    struct koa_workers *workers;
    struct koa_resolver *resolver;
    struct koa_http_client *http; /* httpclient/; health/ only carries the pointer */
    struct koa_store *store;      /* likewise */
    struct koa_log *log;
};

const struct koa_probe_services *koa_probe_services(const struct koa_probe *probe);
struct koa_verdict *koa_probe_verdict(struct koa_probe *probe);
struct koa_mono koa_probe_deadline(const struct koa_probe *probe);
/* The check's own memory across runs (a kept connection): starts NULL. `drop` ends it when the
 * check goes away. */
void *koa_probe_kept(const struct koa_probe *probe);
void koa_probe_keep(struct koa_probe *probe, void *kept, void (*drop)(void *kept));
/* At the deadline, or when the check is removed, `cancel(context)` runs and must end all work at
 * once; the probe is gone after it and must not be finished. */
void koa_probe_on_cancel(struct koa_probe *probe, void (*cancel)(void *context), void *context);
/* Ends the run; the probe is gone after it. */
void koa_probe_finish(struct koa_probe *probe);

#endif

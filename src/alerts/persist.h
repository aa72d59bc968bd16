/* What of the alerts is kept in the store, and under which keys. A store of NULL keeps nothing. */
#ifndef ALERTS_PERSIST_H
#define ALERTS_PERSIST_H

#include "alerts/alert_set.h"
#include "store/store.h"

/* Each is queued and committed by the store; a failure is the store's to report. */
void koa_persist_alert(struct koa_store *store, const struct koa_alert *alert, struct koa_log *log);
void koa_persist_forget(struct koa_store *store, uint64_t identity);
void koa_persist_transition(struct koa_store *store, const struct koa_alert_record *record,
                            struct koa_log *log);
/* Keeps the newest `limit` transitions. */
void koa_persist_trim(struct koa_store *store, size_t limit);
/* How long the agent has been running in all. */
void koa_persist_clock(struct koa_store *store, const struct koa_alert_clock *clock);

/* What was kept. Both functions take the reference to `record`. */
struct koa_persist_loader {
    void *context;
    void (*alert)(void *context, const struct koa_alert_phase *phase,
                  struct koa_alert_record *record);
    void (*transition)(void *context, struct koa_alert_record *record);
    struct koa_log *log;
    /* Results: */
    struct koa_mono running; /* where the agent's own clock stood */
    size_t damaged;          /* rows that could not be read; they are left out */
};

/* Blocks: before the loop starts only. */
KOA_MUST_USE enum koa_err koa_persist_load(struct koa_store *store,
                                           struct koa_persist_loader *loader,
                                           struct koa_error *reterr);

#endif

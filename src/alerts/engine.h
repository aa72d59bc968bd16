/* The rim of alerts/: evaluates the rules on the engine's loop, keeps states, publishes pictures.
 *
 * The engine's thread only (or before the loop starts), except for the last three functions. */
#ifndef ALERTS_ENGINE_H
#define ALERTS_ENGINE_H

#include "alerts/board.h"
#include "alerts/dispatch.h"
#include "alerts/journal.h"
#include "alerts/rule.h"
#include "store/store.h"

struct koa_alerts;

enum { KOA_ALERT_RULES = 1000 };

/* What the rules look at. */
struct koa_alert_inputs {
    void *context;
    struct koa_board *(*board)(void *context); /* a reference, or NULL before the first */
    /* Borrowed for one evaluation; NULL: none. */
    const struct koa_metrics_sources *(*sources)(void *context);
    koa_stale_fn *is_stale; /* may be NULL: never stale */
};

struct koa_alerts_opts {
    struct koa_loop *loop;     /* NULL: nothing runs by itself (tests with `timers` of their own) */
    struct koa_timers *timers; /* NULL: the loop's */
    struct koa_workers *workers; /* NULL: `send` notifiers fail */
    struct koa_store *store;     /* NULL: a restart forgets */
    struct koa_metrics *metrics; /* may be NULL */
    struct koa_http_client *http;
    struct koa_log *log;
    const char *external_url;      /* copied */
    struct koa_mono (*mono)(void); /* NULL: the system's */
    struct koa_wall (*wall)(void); /* NULL: the system's */
    struct koa_alert_inputs inputs;
    int64_t interval_ms;
    size_t history; /* transitions kept */
};

KOA_MUST_USE enum koa_err koa_alerts_create(const struct koa_alerts_opts *opts,
                                            struct koa_alerts **ret_alerts,
                                            struct koa_error *reterr);
/* After koa_alerts_stop(), or when the loop has ended. NULL is nothing. */
void koa_alerts_destroy(struct koa_alerts *alerts);
KOA_DEFINE_AUTO(koa_alerts, koa_alerts_destroy)

/* Reads states and history back. Blocks: before the loop starts, once, before or after rules are
 * added. A state whose rule does not come within a minute of running time is resolved. What cannot
 * be read is left out with a warning; an error means that nothing could be read. */
KOA_MUST_USE enum koa_err koa_alerts_restore(struct koa_alerts *alerts, struct koa_error *reterr);

/* Adopts, also on failure. KOA_ERR_EXISTS: the name is taken; KOA_ERR_LIMIT. */
KOA_MUST_USE enum koa_err koa_alerts_add_rule(struct koa_alerts *alerts, struct koa_rule *rule,
                                              struct koa_error *reterr);
KOA_MUST_USE enum koa_err koa_alerts_add_notifier(struct koa_alerts *alerts,
                                                  struct koa_notifier *notifier,
                                                  struct koa_error *reterr);

/* A whole new configuration, made and checked before. Rules and notifiers of the same name keep
 * alerts and queues; configured ones that are not in it end (firing alerts are resolved); those a
 * host has added stay. */
struct koa_alerts_config {
    int64_t interval_ms;
    size_t history;
    struct koa_rule **rules; /* adopted */
    size_t rule_count;
    struct koa_notifier **notifiers; /* adopted */
    size_t notifier_count;
};
void koa_alerts_configure(struct koa_alerts *alerts, const struct koa_alerts_config *config);

/* Evaluates at once and then every interval. */
void koa_alerts_start(struct koa_alerts *alerts);
/* A health status has changed: evaluates soon, at most once a second. */
void koa_alerts_poke(struct koa_alerts *alerts);
/* Evaluates all rules now. */
void koa_alerts_evaluate(struct koa_alerts *alerts);
/* Ends evaluation and gives deliveries under way `timeout_ms`; then `done` runs, once, on the loop,
 * or at once when nothing is under way. */
void koa_alerts_stop(struct koa_alerts *alerts, int64_t timeout_ms, void (*done)(void *context),
                     void *context);

/* Any thread; each gives a reference, or NULL before the first. The two views end by
 * koa_object_unref(). */
KOA_MUST_USE struct koa_alert_board *koa_alerts_board(struct koa_alerts *alerts);
KOA_MUST_USE struct koa_journal_view *koa_alerts_history(struct koa_alerts *alerts);
KOA_MUST_USE struct koa_ledger_view *koa_alerts_ledger(struct koa_alerts *alerts);

#endif

/* What the files of the engine share: its struct, and steps that both take. */
#ifndef ALERTS_ENGINE_INTERNAL_H
#define ALERTS_ENGINE_INTERNAL_H

#include "alerts/engine.h"

struct koa_orphan;

struct koa_alerts {
    struct koa_alerts_opts opts;
    struct koa_timers *timers;
    char *external_url;
    struct koa_rule *rules[KOA_ALERT_RULES];
    size_t rule_count;
    struct koa_orphan *orphans; /* restored alerts whose rule has not come yet */
    struct koa_dispatch *dispatch;
    struct koa_journal journal;
    struct koa_observations observations;
    struct koa_published board, history;
    struct koa_alert_clock now; /* of the evaluation under way */
    struct koa_mono started;    /* system's clock at creation */
    int64_t running_base_ms;    /* running time at creation */
    struct koa_wall last_check;
    struct koa_mono evaluated; /* when the last evaluation began */
    struct koa_timer evaluate_timer, clock_timer, stop_timer;
    bool is_running;
    bool has_transitions; /* the published history is behind */
    int64_t since_trim;
    struct koa_mono stop_deadline;
    void (*stopped)(void *context);
    void *stopped_context;
};

/* Sets `now` from the system's clocks. */
void koa_alerts_read_clocks(struct koa_alerts *alerts);
void koa_alerts_publish(struct koa_alerts *alerts);
void koa_alerts_evaluate_soon(struct koa_alerts *alerts);
/* For a struct koa_alert_policy; the context is the engine. */
koa_alert_stepped_fn koa_alerts_stepped;
koa_alert_forgotten_fn koa_alerts_forgotten;

/* Resolves what has waited a minute for its rule. */
void koa_alerts_close_orphans(struct koa_alerts *alerts);
void koa_alerts_free_orphans(struct koa_alerts *alerts);

#endif

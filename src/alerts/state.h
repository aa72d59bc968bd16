/* The state machine of one alert: pure, driven by looks and by the agent's running time. */
#ifndef ALERTS_STATE_H
#define ALERTS_STATE_H

#include <koa/rule.h>
#include <koa/time.h>

/* What one evaluation saw of one subject. */
enum koa_look {
    KOA_LOOK_HOLDS,   /* the condition holds */
    KOA_LOOK_BETWEEN, /* it does not, but is not good enough to end a firing alert */
    KOA_LOOK_CLEAR,   /* it does not, or the subject is gone from a fresh source */
    KOA_LOOK_BLIND,   /* could not look */
    KOA_LOOK_COUNT
};

/* What a step did. Everything but NONE must be saved. */
enum koa_alert_step {
    KOA_STEP_NONE,
    KOA_STEP_NOTED, /* a hold time began, paused or went on */
    KOA_STEP_PENDING,
    KOA_STEP_FIRING,
    KOA_STEP_RESOLVED,
    KOA_STEP_CANCELLED, /* pending ended before it fired */
    KOA_STEP_COUNT
};

struct koa_alert_hold {
    int64_t for_ms;         /* the condition must hold this long before the alert fires */
    int64_t keep_firing_ms; /* and must be clear this long before it resolves */
};

/* All times are running time: the agent's own clock that stands still while the agent is down, so
 * that downtime counts towards nothing. Zeroed is inactive. */
struct koa_alert_phase {
    enum koa_alert_state state;
    bool is_clearing;        /* firing, and clear since `since` */
    bool is_blind;           /* the last look was blind; `seen` is the last that was not */
    struct koa_mono since;   /* pending: holds since; firing and clearing: clear since */
    struct koa_mono seen;    /* last look that was not blind */
    struct koa_mono entered; /* the present state */
};

/* One look. Time between the last look that saw and the next one that sees again does not count: an
 * alert neither fires nor resolves by not looking. A resolved alert may become pending again. */
enum koa_alert_step koa_alert_step(struct koa_alert_phase *phase, const struct koa_alert_hold *hold,
                                   enum koa_look look, struct koa_mono now);
const char *koa_alert_step_name(enum koa_alert_step step);

#endif

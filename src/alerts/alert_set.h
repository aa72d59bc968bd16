/* The alerts of one rule: takes in what an evaluation saw and says what changed. */
#ifndef ALERTS_ALERT_SET_H
#define ALERTS_ALERT_SET_H

#include <koa/error.h>
#include <koa/rule.h>

#include "alerts/observations.h"
#include "alerts/record.h"
#include "alerts/settings.h"
#include "alerts/state.h"

enum {
    /* Pending and firing alerts of one rule. More than a person can read is a storm; the rule's
     * last_error and a counter say that there are others. */
    KOA_ALERTS_PER_RULE = 1000,
    /* A resolved alert can still be asked about for this long, running time. */
    KOA_ALERT_RETENTION_MS = 15 * 60 * 1000
};

struct koa_alert {
    uint64_t identity;
    struct koa_alert_phase phase;
    struct koa_alert_record *record; /* never NULL */
    uint64_t round;                  /* in which it was last observed */
};

struct koa_alert_set;

/* Both clocks of one evaluation. `running` stands still while the agent is down. */
struct koa_alert_clock {
    struct koa_mono running;
    struct koa_wall wall;
};

/* What is told of every step but KOA_STEP_NONE, once `alert` is in its new state. After CANCELLED
 * the alert is gone. */
typedef void koa_alert_stepped_fn(void *context, struct koa_alert *alert, enum koa_alert_step step);
/* A resolved alert is forgotten: its saved state can go. */
typedef void koa_alert_forgotten_fn(void *context, const struct koa_alert *alert);

/* Who is evaluated, and who wants to know. */
struct koa_alert_policy {
    const struct koa_rule_settings *settings;
    bool has_threshold;
    double threshold;
    koa_alert_stepped_fn *stepped;
    koa_alert_forgotten_fn *forgotten;
    void *context;
};

KOA_MUST_USE struct koa_alert_set *koa_alert_set_create(size_t limit);
void koa_alert_set_destroy(struct koa_alert_set *set);
KOA_DEFINE_AUTO(koa_alert_set, koa_alert_set_destroy)

/* Pending and firing ones; `set` may be NULL: none. */
size_t koa_alert_set_active(const struct koa_alert_set *set);
bool koa_alert_set_is_active(const struct koa_alert_set *set, uint64_t identity);
/* Alerts that could not be made because of the limit or of memory, in the last evaluation. */
int64_t koa_alert_set_refused(const struct koa_alert_set *set);

/* Takes one evaluation in. What was not observed is clear when the source was fresh, and else what
 * missing_data says. When memory is out for one alert, it stays as it was until the next time. */
void koa_alert_set_apply(struct koa_alert_set *set, const struct koa_alert_policy *policy,
                         struct koa_observations *observations,
                         const struct koa_alert_clock *clock);
/* The rule goes away: firing alerts resolve with `reason` as text, pending ones are cancelled. */
void koa_alert_set_close(struct koa_alert_set *set, const struct koa_alert_policy *policy,
                         const char *reason, const struct koa_alert_clock *clock);

/* Puts back what was saved. Takes the record in every case. KOA_ERR_LIMIT, KOA_ERR_NOMEM. */
KOA_MUST_USE enum koa_err koa_alert_set_restore(struct koa_alert_set *set,
                                                const struct koa_alert_phase *phase,
                                                struct koa_alert_record *record,
                                                struct koa_error *reterr);

/* Walks all alerts, resolved ones too, oldest first; `position` starts at 0. */
struct koa_alert *koa_alert_set_next(const struct koa_alert_set *set, size_t *position);

#endif

/* One configured rule with its alerts, and one configured notifier: what agent/ makes from parsed
 * settings and hands to the engine. */
#ifndef ALERTS_RULE_H
#define ALERTS_RULE_H

#include <koa/notifier.h>
#include <koa/rule.h>

#include "alerts/alert_set.h"
#include "alerts/settings.h"
#include "alerts/view.h"
#include "base/arena.h"

struct koa_rule_spec {
    const struct koa_rule_ops *ops;           /* lives as long as the agent */
    const struct koa_rule_settings *settings; /* in `arena` */
    void *config;                             /* in `arena`, `config_size` bytes */
    void *context;                            /* of the host */
    struct koa_arena *arena;                  /* adopted, also on failure */
    bool is_configured; /* from file or defaults: a reload replaces it. Else a host's. */
};

struct koa_rule {
    struct koa_rule_spec spec;
    bool is_prepared;
    struct koa_alert_set *alerts;
    struct koa_rule_memory memory;
    struct koa_wall last_evaluation; /* 0: never */
    double last_duration_ms;
    char last_error[KOA_RULE_ERROR_SIZE]; /* "" when the last evaluation was whole */
};

/* Runs the type's `prepare`. */
KOA_MUST_USE enum koa_err koa_rule_create(const struct koa_rule_spec *spec,
                                          struct koa_rule **ret_rule, struct koa_error *reterr);
void koa_rule_destroy(struct koa_rule *rule);
KOA_DEFINE_AUTO(koa_rule, koa_rule_destroy)
const char *koa_rule_name(const struct koa_rule *rule);
/* Takes alerts, memory (when the type is the same) and last results over from `old`. */
void koa_rule_inherit(struct koa_rule *rule, struct koa_rule *old);

/* The worst state of its alerts. */
enum koa_alert_state koa_rule_state(const struct koa_rule *rule);

struct koa_notifier_spec {
    const struct koa_notifier_ops *ops;
    const struct koa_notifier_settings *settings; /* in `arena` */
    void *config;                                 /* in `arena` */
    void *context;
    struct koa_arena *arena; /* adopted, also on failure */
    bool is_configured;
};

/* Counted: a delivery under way keeps its notifier after a reload has replaced it. */
struct koa_notifier {
    struct koa_object object;
    struct koa_notifier_spec spec;
    bool is_prepared;
};

KOA_MUST_USE enum koa_err koa_notifier_create(const struct koa_notifier_spec *spec,
                                              struct koa_notifier **ret_notifier,
                                              struct koa_error *reterr);
void koa_notifier_unref(struct koa_notifier *notifier); /* NULL is nothing */
KOA_DEFINE_AUTO(koa_notifier, koa_notifier_unref)

#endif

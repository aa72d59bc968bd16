/* Makes and ends configured rules and notifiers. What they do is in their types and the engine. */
#include "alerts/rule.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/series_key.h"

/* They become label names in what receivers of alerts store. */
static enum koa_err check_labels(const struct koa_rule_settings *settings, struct koa_error *reterr)
{
    for (size_t i = 0; i < settings->labels.count; i++) {
        const char *name = settings->labels.rows[i].key;

        if (!koa_label_name_valid(koa_str_from(name))) {
            return koa_fail(reterr, KOA_ERR_INVALID,
                            "'%.200s' in labels must be the name of a label: letters, digits and "
                            "'_', and no digit first",
                            name);
        }
    }
    return KOA_OK;
}

enum koa_err koa_rule_create(const struct koa_rule_spec *spec, struct koa_rule **ret_rule,
                             struct koa_error *reterr)
{
    struct koa_rule *rule = koa_calloc(1, sizeof(*rule));
    enum koa_err err = koa_require_memory(rule, reterr);

    if (err != KOA_OK) {
        koa_arena_destroy(spec->arena);
        return err;
    }
    rule->spec = *spec;
    rule->alerts = koa_alert_set_create(KOA_ALERTS_PER_RULE);
    err = koa_require_memory(rule->alerts, reterr);
    if (err == KOA_OK)
        err = check_labels(spec->settings, reterr);
    if (err == KOA_OK && spec->ops->evaluate == NULL) {
        err = koa_fail(reterr, KOA_ERR_INVALID, "rule type '%s' has no evaluate function",
                       spec->ops->name);
    }
    if (err == KOA_OK && spec->ops->prepare != NULL)
        err = spec->ops->prepare(spec->config, reterr);
    rule->is_prepared = err == KOA_OK;
    if (err == KOA_OK)
        *ret_rule = KOA_MOVE(rule);
    koa_rule_destroy(rule);
    return err;
}

void koa_rule_destroy(struct koa_rule *rule)
{
    if (rule == NULL)
        return;
    koa_rule_memory_drop(&rule->memory);
    if (rule->is_prepared && rule->spec.ops->release != NULL)
        rule->spec.ops->release(rule->spec.config);
    koa_alert_set_destroy(rule->alerts);
    koa_arena_destroy(rule->spec.arena);
    koa_free(rule);
}

const char *koa_rule_name(const struct koa_rule *rule)
{
    return rule->spec.settings->name;
}

void koa_rule_inherit(struct koa_rule *rule, struct koa_rule *old)
{
    struct koa_alert_set *alerts = rule->alerts;

    rule->alerts = old->alerts;
    old->alerts = alerts;
    rule->last_evaluation = old->last_evaluation;
    rule->last_duration_ms = old->last_duration_ms;
    memcpy(rule->last_error, old->last_error, sizeof(rule->last_error));
    if (rule->spec.ops != old->spec.ops)
        return;
    rule->memory = old->memory;
    old->memory = (struct koa_rule_memory){0};
}

enum koa_alert_state koa_rule_state(const struct koa_rule *rule)
{
    enum koa_alert_state worst = KOA_ALERT_INACTIVE;
    const struct koa_alert *alert;

    for (size_t at = 0; (alert = koa_alert_set_next(rule->alerts, &at)) != NULL;) {
        if (alert->phase.state == KOA_ALERT_FIRING)
            return KOA_ALERT_FIRING;
        if (alert->phase.state == KOA_ALERT_PENDING)
            worst = KOA_ALERT_PENDING;
    }
    return worst;
}

static void destroy_notifier(struct koa_object *object)
{
    struct koa_notifier *notifier = KOA_CONTAINER_OF(object, struct koa_notifier, object);

    if (notifier->is_prepared && notifier->spec.ops->release != NULL)
        notifier->spec.ops->release(notifier->spec.config);
    koa_arena_destroy(notifier->spec.arena);
    koa_free(notifier);
}

enum koa_err koa_notifier_create(const struct koa_notifier_spec *spec,
                                 struct koa_notifier **ret_notifier, struct koa_error *reterr)
{
    struct koa_notifier *notifier = koa_calloc(1, sizeof(*notifier));
    enum koa_err err = koa_require_memory(notifier, reterr);

    if (err != KOA_OK) {
        koa_arena_destroy(spec->arena);
        return err;
    }
    koa_object_init(&notifier->object, destroy_notifier);
    notifier->spec = *spec;
    if ((spec->ops->send == NULL) == (spec->ops->start == NULL)) {
        err =
            koa_fail(reterr, KOA_ERR_INVALID,
                     "notifier type '%s' must have exactly one of send and start", spec->ops->name);
    }
    if (err == KOA_OK && spec->ops->prepare != NULL)
        err = spec->ops->prepare(spec->config, reterr);
    notifier->is_prepared = err == KOA_OK;
    if (err == KOA_OK)
        *ret_notifier = KOA_MOVE(notifier);
    koa_notifier_unref(notifier);
    return err;
}

void koa_notifier_unref(struct koa_notifier *notifier)
{
    if (notifier != NULL)
        koa_object_unref(&notifier->object);
}

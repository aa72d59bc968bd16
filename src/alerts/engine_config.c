/* Which rules and notifiers the engine has: added, replaced by a reload, ended, and joined with the
 * alerts that were kept from an earlier run. */
#include "alerts/engine_internal.h"

#include <string.h>

#include "alerts/persist.h"
#include "base/memory.h"
#include "base/str.h"
#include "metrics/catalog.h"

enum { ORPHAN_GRACE_MS = 60 * 1000 /* for hosts that add rules after the start */ };

/* Restored alerts whose rule has not come yet. */
struct koa_orphan {
    struct koa_orphan *next;
    struct koa_alert_set *alerts;
    enum koa_severity severity;
    char name[129];
};

static void free_orphan(struct koa_orphan *orphan)
{
    koa_alert_set_destroy(orphan->alerts);
    koa_free(orphan);
}

void koa_alerts_free_orphans(struct koa_alerts *alerts)
{
    struct koa_orphan *next;

    for (struct koa_orphan *orphan = alerts->orphans; orphan != NULL; orphan = next) {
        next = orphan->next;
        free_orphan(orphan);
    }
    alerts->orphans = NULL;
}

static void close_alerts(struct koa_alerts *alerts, const struct koa_rule_settings *settings,
                         struct koa_alert_set *set, const char *reason)
{
    struct koa_alert_policy policy = {.settings = settings,
                                      .stepped = koa_alerts_stepped,
                                      .forgotten = koa_alerts_forgotten,
                                      .context = alerts};
    struct koa_alert *alert;

    koa_alert_set_close(set, &policy, reason, &alerts->now);
    for (size_t at = 0; (alert = koa_alert_set_next(set, &at)) != NULL;)
        koa_persist_forget(alerts->opts.store, alert->identity);
}

/* Receivers that were told of them would wait for ever. */
void koa_alerts_close_orphans(struct koa_alerts *alerts)
{
    struct koa_orphan *next;

    if (alerts->now.running.ms - alerts->running_base_ms < ORPHAN_GRACE_MS)
        return;
    for (struct koa_orphan *orphan = alerts->orphans; orphan != NULL; orphan = next) {
        struct koa_rule_settings settings = {.name = orphan->name,
                                             .severity = (int) orphan->severity};

        next = orphan->next;
        close_alerts(alerts, &settings, orphan->alerts, "the rule is no longer configured");
        free_orphan(orphan);
    }
    alerts->orphans = NULL;
}

static struct koa_rule **find_rule(struct koa_alerts *alerts, const char *name)
{
    for (size_t i = 0; i < alerts->rule_count; i++) {
        if (strcmp(koa_rule_name(alerts->rules[i]), name) == 0)
            return &alerts->rules[i];
    }
    return NULL;
}

/* The restored alerts of `rule`, if any wait for it. */
static void adopt_orphan(struct koa_alerts *alerts, struct koa_rule *rule)
{
    for (struct koa_orphan **at = &alerts->orphans; *at != NULL; at = &(*at)->next) {
        struct koa_orphan *orphan = *at;
        struct koa_alert_set *empty = rule->alerts;

        if (strcmp(orphan->name, koa_rule_name(rule)) != 0)
            continue;
        rule->alerts = orphan->alerts;
        orphan->alerts = empty;
        *at = orphan->next;
        free_orphan(orphan);
        return;
    }
}

enum koa_err koa_alerts_add_rule(struct koa_alerts *alerts, struct koa_rule *rule,
                                 struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    if (find_rule(alerts, koa_rule_name(rule)) != NULL) {
        err = koa_fail(reterr, KOA_ERR_EXISTS, "there already is a rule named '%s'",
                       koa_rule_name(rule));
    } else if (alerts->rule_count == KOA_ALERT_RULES) {
        err = koa_fail(reterr, KOA_ERR_LIMIT, "more than %d rules", KOA_ALERT_RULES);
    }
    if (err != KOA_OK) {
        koa_rule_destroy(rule);
        return err;
    }
    adopt_orphan(alerts, rule);
    alerts->rules[alerts->rule_count++] = rule;
    koa_metrics_start(alerts->opts.metrics, KOA_LABELS({"rule", koa_rule_name(rule)}));
    if (alerts->is_running)
        koa_alerts_poke(alerts);
    return KOA_OK;
}

enum koa_err koa_alerts_add_notifier(struct koa_alerts *alerts, struct koa_notifier *notifier,
                                     struct koa_error *reterr)
{
    const char *name = notifier->spec.settings->name;

    if (koa_dispatch_find(alerts->dispatch, name) != NULL) {
        enum koa_err err =
            koa_fail(reterr, KOA_ERR_EXISTS, "there already is a notifier named '%s'", name);

        koa_notifier_unref(notifier);
        return err;
    }
    return koa_dispatch_put(alerts->dispatch, notifier, reterr);
}

static bool is_wanted(const struct koa_alerts_config *config, const char *name)
{
    for (size_t i = 0; i < config->rule_count; i++) {
        if (strcmp(koa_rule_name(config->rules[i]), name) == 0)
            return true;
    }
    return false;
}

static void end_rules(struct koa_alerts *alerts, const struct koa_alerts_config *config)
{
    size_t kept = 0;

    for (size_t i = 0; i < alerts->rule_count; i++) {
        struct koa_rule *rule = alerts->rules[i];

        if (!rule->spec.is_configured || is_wanted(config, koa_rule_name(rule))) {
            alerts->rules[kept++] = rule;
            continue;
        }
        close_alerts(alerts, rule->spec.settings, rule->alerts, "the rule was removed");
        koa_rule_destroy(rule);
    }
    alerts->rule_count = kept;
}

static void put_rules(struct koa_alerts *alerts, const struct koa_alerts_config *config)
{
    struct koa_error error;

    for (size_t i = 0; i < config->rule_count; i++) {
        struct koa_rule *rule = config->rules[i];
        struct koa_rule **old = find_rule(alerts, koa_rule_name(rule));

        if (old != NULL && (*old)->spec.is_configured) {
            koa_rule_inherit(rule, *old);
            koa_rule_destroy(*old);
            *old = rule;
        } else if (koa_alerts_add_rule(alerts, rule, &error) != KOA_OK) {
            koa_log_error(alerts->opts.log, "alerts.configure", "%s; that rule is left out",
                          error.text);
        }
    }
}

static bool notifier_is_wanted(const struct koa_alerts_config *config, const char *name)
{
    for (size_t i = 0; i < config->notifier_count; i++) {
        if (strcmp(config->notifiers[i]->spec.settings->name, name) == 0)
            return true;
    }
    return false;
}

static void put_notifiers(struct koa_alerts *alerts, const struct koa_alerts_config *config)
{
    struct koa_notifier *old;
    struct koa_error error;

    for (size_t at = 0; (old = koa_dispatch_next(alerts->dispatch, &at)) != NULL;) {
        const char *name = old->spec.settings->name;

        if (old->spec.is_configured && !notifier_is_wanted(config, name) &&
            koa_dispatch_remove(alerts->dispatch, name))
            at--;
    }
    for (size_t i = 0; i < config->notifier_count; i++) {
        struct koa_notifier *notifier = config->notifiers[i];
        enum koa_err err;

        old = koa_dispatch_find(alerts->dispatch, notifier->spec.settings->name);
        err = old != NULL && old->spec.is_configured
                  ? koa_dispatch_put(alerts->dispatch, notifier, &error)
                  : koa_alerts_add_notifier(alerts, notifier, &error);
        if (err != KOA_OK) {
            koa_log_error(alerts->opts.log, "alerts.configure", "%s; that notifier is left out",
                          error.text);
        }
    }
}

void koa_alerts_configure(struct koa_alerts *alerts, const struct koa_alerts_config *config)
{
    struct koa_error error;

    koa_alerts_read_clocks(alerts);
    alerts->opts.interval_ms = config->interval_ms;
    if (koa_journal_resize(&alerts->journal, config->history, &error) != KOA_OK) {
        koa_log_warn(alerts->opts.log, "alerts.configure", "%s; the history keeps its length",
                     error.text);
    }
    put_notifiers(alerts, config);
    end_rules(alerts, config);
    put_rules(alerts, config);
    koa_alerts_publish(alerts);
    koa_alerts_evaluate_soon(alerts);
}

/* ---- what was kept ---- */

static struct koa_orphan *orphan_of(struct koa_alerts *alerts,
                                    const struct koa_alert_record *record)
{
    struct koa_orphan *orphan = alerts->orphans;

    while (orphan != NULL && strcmp(orphan->name, record->rule) != 0)
        orphan = orphan->next;
    if (orphan != NULL)
        return orphan;
    orphan = koa_calloc(1, sizeof(*orphan));
    if (orphan == NULL)
        return NULL;
    orphan->alerts = koa_alert_set_create(KOA_ALERTS_PER_RULE);
    if (orphan->alerts == NULL) {
        koa_free(orphan);
        return NULL;
    }
    (void) koa_str_copy(orphan->name, sizeof(orphan->name), koa_str_from(record->rule));
    orphan->severity = record->severity;
    orphan->next = alerts->orphans;
    alerts->orphans = orphan;
    return orphan;
}

static void restore_alert(void *context, const struct koa_alert_phase *phase,
                          struct koa_alert_record *record)
{
    struct koa_alerts *alerts = context;
    struct koa_rule **rule = find_rule(alerts, record->rule);
    struct koa_orphan *orphan = rule == NULL ? orphan_of(alerts, record) : NULL;
    struct koa_error error;
    enum koa_err err;

    if (rule == NULL && orphan == NULL) {
        koa_alert_record_unref(record);
        return;
    }
    err = koa_alert_set_restore(rule != NULL ? (*rule)->alerts : orphan->alerts, phase, record,
                                &error);
    if (err != KOA_OK)
        koa_log_warn(alerts->opts.log, "alerts.load", "%s; a saved alert is left out", error.text);
}

static void restore_transition(void *context, struct koa_alert_record *record)
{
    struct koa_alerts *alerts = context;

    koa_journal_adopt(&alerts->journal, record);
    alerts->has_transitions = true;
}

enum koa_err koa_alerts_restore(struct koa_alerts *alerts, struct koa_error *reterr)
{
    struct koa_persist_loader loader = {
        .context = alerts,
        .alert = restore_alert,
        .transition = restore_transition,
        .log = alerts->opts.log,
    };
    enum koa_err err = koa_persist_load(alerts->opts.store, &loader, reterr);

    alerts->running_base_ms = loader.running.ms;
    alerts->started = alerts->opts.mono();
    koa_alerts_publish(alerts);
    return err;
}

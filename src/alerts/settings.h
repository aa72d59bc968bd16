/* What every rule and every notifier can be told, whatever its type; and the default rules. */
#ifndef ALERTS_SETTINGS_H
#define ALERTS_SETTINGS_H

#include <koa/option.h>
#include <koa/rule.h>

enum koa_missing_data { KOA_MISSING_KEEP, KOA_MISSING_RESOLVE, KOA_MISSING_FIRE };

/* Filled by koa_rule_options beside the type's own rows. */
struct koa_rule_settings {
    const char *name;
    const char *type;
    bool enabled;
    int64_t for_ms;
    int64_t keep_firing_for_ms;
    int missing_data; /* enum koa_missing_data */
    int severity;     /* enum koa_severity */
    struct koa_pairs labels;
    struct koa_pairs annotations; /* values are templates: alerts/template.h */
    const char *message;          /* template; "": the type's own text */
};
extern const struct koa_option koa_rule_options[];

struct koa_notifier_settings {
    const char *name;
    const char *type;
    bool enabled;
    int min_severity; /* enum koa_severity: this one and those above it */
    bool send_resolved;
    int64_t timeout_ms;
    int64_t max_attempts;
};
extern const struct koa_option koa_notifier_options[];

/* The rules of an agent that asked for defaults: `settings` are laid under what the file says of a
 * rule of the same name. */
struct koa_default_rule {
    const char *name;
    const struct koa_setting *rows; /* without the name */
    size_t count;
};
const struct koa_default_rule *koa_default_rules(size_t *ret_count);

#endif

/* The option rows that all rules and all notifiers share, and the default rules as settings. The
 * rows of a type belong to the type. */
#include "alerts/settings.h"

#include <string.h>

#define RULE struct koa_rule_settings
#define NOTIFIER struct koa_notifier_settings

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static const struct koa_choice severities[] = {
    {"critical", KOA_SEVERITY_CRITICAL},
    {"warning", KOA_SEVERITY_WARNING},
    {"info", KOA_SEVERITY_INFO},
    {NULL, 0},
};

static const struct koa_choice missing_policies[] = {
    {"keep", KOA_MISSING_KEEP},
    {"resolve", KOA_MISSING_RESOLVE},
    {"fire", KOA_MISSING_FIRE},
    {NULL, 0},
};

/* Names stand in labels, file keys and URLs' messages. */
static const char *validate_name(const char *value)
{
    size_t length = strlen(value);

    if (length == 0 || length > 128)
        return "a name of 1 to 128 characters";
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char) value[i] < 0x20 || value[i] == 0x7f)
            return "a name without control characters";
    }
    return NULL;
}

const struct koa_option koa_rule_options[] = {
    {KOA_TEXT(RULE, name), .validate = validate_name, .required = true,
     .help = "what the alert is called; editing anything else keeps its state"},
    {KOA_TEXT(RULE, type), .help = "one of the rule types"},
    {KOA_BOOL(RULE, enabled), .fallback = "true", .help = "false removes the rule, also a default"},
    {KOA_DURATION(RULE, for_ms), .key = "for", .fallback = "0s", .maximum = 30.0 * DAY_MS,
     .help = "the condition must hold this long before the alert fires; survives a restart"},
    {KOA_DURATION(RULE, keep_firing_for_ms), .key = "keep_firing_for", .fallback = "0s",
     .maximum = 30.0 * DAY_MS,
     .help = "the condition must be clear this long before the alert resolves"},
    {KOA_CHOICE(RULE, missing_data, missing_policies), .fallback = "keep",
     .help = "what becomes of the alert while its source is stale"},
    {KOA_CHOICE(RULE, severity, severities), .fallback = "warning", .help = "how urgent it is"},
    {KOA_PAIRS(RULE, labels), .help = "added to the labels of each alert of the rule"},
    {KOA_PAIRS(RULE, annotations),
     .help = "texts for people; {{label}}, {{value}} and {{threshold}} are replaced"},
    {KOA_TEXT(RULE, message), .fallback = "",
     .help = "replaces the text of the alert; also knows {{message}}, the type's own"},
    {0},
};

const struct koa_option koa_notifier_options[] = {
    {KOA_TEXT(NOTIFIER, name), .validate = validate_name, .required = true,
     .help = "what the notifier is called in metrics and logs"},
    {KOA_TEXT(NOTIFIER, type), .help = "one of the notifier types"},
    {KOA_BOOL(NOTIFIER, enabled), .fallback = "true", .help = "false removes the notifier"},
    {KOA_CHOICE(NOTIFIER, min_severity, severities), .fallback = "info",
     .help = "alerts below it are not sent"},
    {KOA_BOOL(NOTIFIER, send_resolved), .fallback = "true",
     .help = "whether the end of an alert is sent too"},
    {KOA_DURATION(NOTIFIER, timeout_ms), .key = "timeout", .fallback = "10s", .minimum = 100,
     .maximum = 10 * 60 * 1000, .help = "of one attempt"},
    {KOA_COUNT(NOTIFIER, max_attempts), .fallback = "10", .minimum = 1, .maximum = 1000,
     .help = "then the notification is given up, counted as a dead letter and logged"},
    {0},
};

static const struct koa_setting system_unhealthy[] = {
    {"type", "health_status"},
    {"status", "unhealthy"},
    {"severity", "critical"},
};
static const struct koa_setting system_degraded[] = {
    {"type", "health_status"},
    {"status", "degraded"},
    {"severity", "warning"},
};
/* Health verdicts answered with 503 are counted under another type, so they are not errors here. */
static const struct koa_setting high_error_rate[] = {
    {"type", "error_rate"},
    {"errors", "kafka_ops_errors_total"},
    {"errors_match", "{component: http}"},
    {"requests", "kafka_ops_requests_total"},
    {"window", "5m"},
    {"threshold", "0.05"},
    {"min_events", "20"},
    {"severity", "warning"},
};
static const struct koa_setting high_request_count[] = {
    {"type", "metric_threshold"}, {"metric", "kafka_ops_requests_total"},
    {"function", "increase"},     {"window", "1m"},
    {"aggregate", "sum"},         {"operator", "greater_than"},
    {"threshold", "1000"},        {"severity", "info"},
};

const struct koa_default_rule *koa_default_rules(size_t *ret_count)
{
    static const struct koa_default_rule rules[] = {
        {"system_unhealthy", system_unhealthy, KOA_ARRAY_COUNT(system_unhealthy)},
        {"system_degraded", system_degraded, KOA_ARRAY_COUNT(system_degraded)},
        {"high_error_rate", high_error_rate, KOA_ARRAY_COUNT(high_error_rate)},
        {"high_request_count", high_request_count, KOA_ARRAY_COUNT(high_request_count)},
    };

    *ret_count = KOA_ARRAY_COUNT(rules);
    return rules;
}

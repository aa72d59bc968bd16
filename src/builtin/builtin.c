/* The list of everything that is built in: adding one is a file and a row here. */
#include "builtin/builtin.h"

#include <string.h>

const struct koa_check_ops *const koa_builtin_checks[] = {
    &koa_check_consumer_lag,
    &koa_check_consumer_stalled,
    &koa_check_database,
    &koa_check_disk_space,
    &koa_check_exec,
    &koa_check_kafka,
    &koa_check_log_dir_usage,
    &koa_check_memory,
    &koa_check_offline_partitions,
    &koa_check_probe,
    &koa_check_service,
    &koa_check_under_min_isr,
    &koa_check_under_replicated,
    NULL,
};

const struct koa_rule_ops *const koa_builtin_rules[] = {
    &koa_rule_error_rate,
    &koa_rule_health_status,
    &koa_rule_metric_threshold,
    NULL,
};

const struct koa_notifier_ops *const koa_builtin_notifiers[] = {
    &koa_notifier_log,
    &koa_notifier_webhook,
    NULL,
};

const struct koa_check_ops *koa_builtin_find_check(const char *type)
{
    for (const struct koa_check_ops *const *row = koa_builtin_checks; *row != NULL; row++) {
        if (strcmp((*row)->name, type) == 0)
            return *row;
    }
    return NULL;
}

const struct koa_rule_ops *koa_builtin_find_rule(const char *type)
{
    for (const struct koa_rule_ops *const *row = koa_builtin_rules; *row != NULL; row++) {
        if (strcmp((*row)->name, type) == 0)
            return *row;
    }
    return NULL;
}

const struct koa_notifier_ops *koa_builtin_find_notifier(const char *type)
{
    for (const struct koa_notifier_ops *const *row = koa_builtin_notifiers; *row != NULL; row++) {
        if (strcmp((*row)->name, type) == 0)
            return *row;
    }
    return NULL;
}

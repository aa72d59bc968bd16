/* Decides whether memory is too full. How full it is, and whose limit counts, is memory_usage.c's
 * matter. */
#include <koa/check.h>

#include "builtin/checks/memory_usage.h"
#include "builtin/checks/ratio.h"

struct config {
    double warning;
    double critical;
};

static const struct koa_option options[] = {
    {KOA_NUMBER(struct config, warning), .fallback = "0.8", .minimum = 0, .maximum = 1,
     .help = "share of memory in use from which it is degraded"},
    {KOA_NUMBER(struct config, critical), .fallback = "0.9", .minimum = 0, .maximum = 1,
     .also = "true or false, the flag of every check",
     .help = "share of memory in use from which it is unhealthy"},
    {0},
};

static enum koa_err prepare(void *config, struct koa_error *reterr)
{
    const struct config *limits = config;

    return koa_ratio_check_limits(limits->warning, limits->critical, reterr);
}

static void run(const void *config, void *context, struct koa_verdict *verdict)
{
    const struct config *limits = config;
    struct koa_memory_usage usage;
    struct koa_error error;
    double percent;

    (void) context;
    if (koa_memory_usage_read("", &usage, &error) != KOA_OK) {
        koa_verdict_unknown(verdict, "Cannot read memory usage: %s", error.text);
        return;
    }
    percent = koa_ratio_percent(usage.ratio);
    koa_verdict_detail(verdict, "usage_percent", KOA_VALUE_DOUBLE(percent));
    koa_verdict_detail(verdict, "used_bytes", KOA_VALUE_INT(usage.used_bytes));
    koa_verdict_detail(verdict, "limit_bytes", KOA_VALUE_INT(usage.limit_bytes));
    koa_verdict_detail(verdict, "source", KOA_VALUE_TEXT(usage.source));
    switch (koa_ratio_status(usage.ratio, limits->warning, limits->critical)) {
    case KOA_STATUS_UNHEALTHY:
        koa_verdict_unhealthy(verdict, "High memory usage: %.1f%%", percent);
        break;
    case KOA_STATUS_DEGRADED:
        koa_verdict_degraded(verdict, "High memory usage: %.1f%%", percent);
        break;
    case KOA_STATUS_HEALTHY:
    case KOA_STATUS_UNKNOWN:
    case KOA_STATUS_COUNT:
        koa_verdict_healthy(verdict, "Memory usage OK: %.1f%%", percent);
        break;
    }
}

const struct koa_check_ops koa_check_memory = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "memory",
    .help = "Memory in use, of the machine or of the control group, whichever is fuller",
    .options = options,
    .config_size = sizeof(struct config),
    .timeout = "5s",
    .run = run,
    .prepare = prepare,
};

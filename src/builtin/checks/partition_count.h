/* Checks that count partitions in some bad state, per topic. */
#ifndef BUILTIN_CHECKS_PARTITION_COUNT_H
#define BUILTIN_CHECKS_PARTITION_COUNT_H

#include <koa/check.h>

#include "builtin/checks/name_choice.h"

/* The config of such a check, or its first member. */
struct koa_partition_limits {
    struct koa_name_choice names;
    int64_t warning, critical; /* partitions from which; 0: off */
};

/* The rows of such a check, but for the end. */
#define KOA_PARTITION_LIMITS_OPTIONS(warning_default, critical_default)                            \
    KOA_NAME_CHOICE_OPTIONS(struct koa_partition_limits, "topics"),                                \
        {KOA_COUNT(struct koa_partition_limits, warning), .fallback = (warning_default),           \
         .minimum = 0, .maximum = 1e9, .help = "partitions from which it is degraded; 0: off"},    \
    {                                                                                              \
        KOA_COUNT(struct koa_partition_limits, critical),                                          \
            .fallback = (critical_default), .minimum = 0, .maximum = 1e9,                          \
            .help = "partitions from which it is unhealthy; 0: off"                                \
    }

/* How many of a topic's partitions are in the state. */
typedef int64_t koa_partition_count_fn(const struct koa_snapshot_topic *topic);

struct koa_partition_state {
    koa_partition_count_fn *count;
    const char *detail; /* key of the sum */
    const char *bad;    /* "partitions have no leader", after a number */
    const char *good;   /* "every partition has a leader" */
};

void koa_partition_judge(const struct koa_partition_state *state,
                         const struct koa_partition_limits *limits,
                         const struct koa_snapshot *snapshot, struct koa_wall now,
                         struct koa_verdict *verdict);
/* prepare and release of such a check. */
KOA_MUST_USE enum koa_err koa_partition_prepare(void *config, struct koa_error *reterr);
void koa_partition_release(void *config);

#endif

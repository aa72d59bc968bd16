/* Decides whether partitions can be written and read at all: one without a leader cannot. */
#include <koa/check.h>

#include "builtin/checks/partition_count.h"

static const struct koa_option options[] = {
    {KOA_TEXTS(struct koa_partition_limits, names.include), .key = "include",
     .fallback = "[\".*\"]", .validate = koa_pattern_validate,
     .help = "topics that are looked at: anchored regular expressions"},
    {KOA_TEXTS(struct koa_partition_limits, names.exclude), .key = "exclude",
     .validate = koa_pattern_validate, .help = "topics that are not"},
    {KOA_COUNT(struct koa_partition_limits, warning), .fallback = "0", .minimum = 0, .maximum = 1e9,
     .help = "partitions from which it is degraded; 0: off"},
    {KOA_COUNT(struct koa_partition_limits, critical), .fallback = "1", .minimum = 0,
     .maximum = 1e9, .help = "partitions from which it is unhealthy; 0: off"},
    {0},
};

static int64_t count(const struct koa_snapshot_topic *topic)
{
    return topic->leaderless;
}

static void evaluate(const void *config, const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *verdict)
{
    static const struct koa_partition_state state = {.count = count,
                                                     .detail = "leaderless",
                                                     .bad = "partitions have no leader",
                                                     .good = "Every partition has a leader"};

    koa_partition_judge(&state, config, snapshot, now, verdict);
}

const struct koa_check_ops koa_check_offline_partitions = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "offline_partitions",
    .help = "Partitions without a leader: nobody can write to or read them",
    .options = options,
    .config_size = sizeof(struct koa_partition_limits),
    .timeout = "15s",
    .evaluate = evaluate,
    .prepare = koa_partition_prepare,
    .release = koa_partition_release,
};

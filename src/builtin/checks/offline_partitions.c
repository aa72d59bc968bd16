/* Decides whether partitions can be written and read at all: one without a leader cannot. */
#include <koa/check.h>

#include "builtin/checks/partition_count.h"

static const struct koa_option options[] = {
    KOA_PARTITION_LIMITS_OPTIONS("0", "1"),
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

/* Decides whether writes with acks=all are refused, because fewer replicas are in sync than
 * min.insync.replicas asks for. */
#include <koa/check.h>

#include "builtin/checks/partition_count.h"

static const struct koa_option options[] = {
    KOA_PARTITION_LIMITS_OPTIONS("0", "1"),
    {0},
};

static int64_t count(const struct koa_snapshot_topic *topic)
{
    return topic->has_min_isr ? topic->under_min_isr : 0;
}

static void evaluate(const void *config, const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *verdict)
{
    static const struct koa_partition_state state = {
        .count = count,
        .detail = "under_min_isr",
        .bad = "partitions are below min.insync.replicas",
        .good = "Every partition has min.insync.replicas"};

    koa_partition_judge(&state, config, snapshot, now, verdict);
}

const struct koa_check_ops koa_check_under_min_isr = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "under_min_isr",
    .help = "Partitions that refuse writes with acks=all: fewer replicas in sync than "
            "min.insync.replicas",
    .options = options,
    .config_size = sizeof(struct koa_partition_limits),
    .timeout = "15s",
    .evaluate = evaluate,
    .prepare = koa_partition_prepare,
    .release = koa_partition_release,
};

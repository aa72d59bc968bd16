/* Decides whether too many partitions have fewer replicas in sync than they should. By default that
 * never makes the whole unhealthy: a broker that restarts causes it, and nothing is lost yet. */
#include <koa/check.h>

#include "builtin/checks/partition_count.h"

static const struct koa_option options[] = {
    KOA_PARTITION_LIMITS_OPTIONS("1", "0"),
    {0},
};

static int64_t count(const struct koa_snapshot_topic *topic)
{
    return topic->under_replicated;
}

static void evaluate(const void *config, const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *verdict)
{
    static const struct koa_partition_state state = {.count = count,
                                                     .detail = "under_replicated",
                                                     .bad = "partitions are under-replicated",
                                                     .good = "Every partition is fully replicated"};

    koa_partition_judge(&state, config, snapshot, now, verdict);
}

const struct koa_check_ops koa_check_under_replicated = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "under_replicated",
    .help = "Partitions whose replicas are not all in sync",
    .options = options,
    .config_size = sizeof(struct koa_partition_limits),
    .timeout = "15s",
    .evaluate = evaluate,
    .prepare = koa_partition_prepare,
    .release = koa_partition_release,
};

/* A short list: a cluster moves few partitions at a time. */
#include "sim/reassignment.h"

#include <string.h>

/* move_count: it does not move. */
static size_t find(const struct koa_sim_model *model, size_t partition)
{
    size_t i = 0;

    while (i < model->move_count && model->moves[i].partition != partition)
        i++;
    return i;
}

const struct koa_sim_reassignment *koa_sim_reassignment_find(const struct koa_sim_model *model,
                                                             size_t partition)
{
    size_t at = find(model, partition);

    return at < model->move_count ? &model->moves[at] : NULL;
}

size_t koa_sim_reassignment_union(const struct koa_sim_model *model,
                                  const struct koa_sim_reassignment *move, int32_t *brokers)
{
    const struct koa_sim_partition *partition = &model->partitions[move->partition];
    size_t count = 0;

    for (int32_t i = 0; i < partition->replica_count; i++)
        brokers[count++] = partition->replicas[i];
    for (int32_t i = 0; i < move->replica_count; i++) {
        if (koa_sim_partition_replica(partition, move->replicas[i]) < 0)
            brokers[count++] = move->replicas[i];
    }
    return count;
}

bool koa_sim_reassignment_begin(struct koa_sim_model *model,
                                const struct koa_sim_reassignment *move)
{
    size_t at = find(model, move->partition);

    if (at == KOA_SIM_MOVES_MAX)
        return false;
    if (at == model->move_count)
        model->move_count++;
    model->moves[at] = *move;
    return true;
}

bool koa_sim_reassignment_finish(struct koa_sim_model *model, size_t partition, int64_t now_ms)
{
    size_t at = find(model, partition);
    struct koa_sim_partition *it = &model->partitions[partition];
    struct koa_sim_reassignment done;
    int32_t leader = -1;

    if (at == model->move_count)
        return true;
    done = model->moves[at];
    model->moves[at] = model->moves[--model->move_count];
    memcpy(it->replicas, done.replicas, sizeof(it->replicas));
    it->replica_count = done.replica_count;
    it->in_sync = 0;
    for (int32_t i = 0; i < it->replica_count; i++) {
        if (!koa_sim_model_is_alive(model, it->replicas[i]))
            continue;
        it->in_sync |= 1U << (unsigned) i;
        if (leader < 0 || it->replicas[i] == it->leader)
            leader = it->replicas[i];
    }
    return koa_sim_partition_set_leader(it, now_ms, leader);
}

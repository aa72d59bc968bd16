/* Sizes follow from offsets: every message takes the same. */
#include "sim/storage.h"

#include "sim/draw.h"

enum { MESSAGE_BYTES = 512, BYTES_MIN = 1 << 30, ROOM = 2 };

/* What a disk has beside logs at first. */
static const double other_share = 0.1;

int koa_sim_storage_dir_of(size_t partition)
{
    return (int) (koa_sim_draw_at(0, partition) % KOA_SIM_DIRS);
}

int64_t koa_sim_storage_partition_bytes(const struct koa_sim_partition *partition, int64_t now_ms)
{
    return koa_sim_partition_count(partition, now_ms) * MESSAGE_BYTES;
}

void koa_sim_storage_size(struct koa_sim_model *model)
{
    for (size_t p = 0; p < model->partition_count; p++) {
        const struct koa_sim_partition *partition = &model->partitions[p];

        for (int32_t i = 0; i < partition->replica_count; i++) {
            struct koa_sim_node *node = &model->nodes[partition->replicas[i] - 1];

            node->dirs[koa_sim_storage_dir_of(p)].total_bytes +=
                ROOM * koa_sim_storage_partition_bytes(partition, 0);
        }
    }
    for (int32_t n = 0; n < model->broker_count; n++) {
        for (int d = 0; d < KOA_SIM_DIRS; d++) {
            struct koa_sim_dir *dir = &model->nodes[n].dirs[d];

            dir->total_bytes = (dir->total_bytes / BYTES_MIN + 1) * BYTES_MIN;
        }
    }
}

int64_t koa_sim_storage_log_bytes(const struct koa_sim_model *model, int32_t broker, int dir,
                                  int64_t now_ms)
{
    int64_t bytes = 0;

    for (size_t t = 0; t < model->topic_count; t++) {
        const struct koa_sim_topic *topic = &model->topics[t];

        for (size_t p = topic->first; p < topic->first + (size_t) topic->partitions; p++) {
            if (!topic->is_deleted && koa_sim_storage_dir_of(p) == dir &&
                koa_sim_partition_replica(&model->partitions[p], broker) >= 0)
                bytes += koa_sim_storage_partition_bytes(&model->partitions[p], now_ms);
        }
    }
    return bytes;
}

static int64_t used_bytes(const struct koa_sim_dir *dir, int64_t log_bytes, int64_t now_ms)
{
    int64_t length_ms = dir->fills_until_ms - dir->fills_from_ms;
    double total = (double) dir->total_bytes;
    double from = (double) dir->filled_from_bytes;
    double progress = 1;
    int64_t used;

    if (!dir->is_filling)
        return log_bytes + (int64_t) (other_share * total);
    if (now_ms < dir->fills_until_ms && length_ms > 0)
        progress = (double) (now_ms - dir->fills_from_ms) / (double) length_ms;
    used = (int64_t) (from + (dir->filled_to * total - from) * progress);
    return used > log_bytes ? used : log_bytes;
}

struct koa_sim_space koa_sim_storage_space(const struct koa_sim_dir *dir, int64_t log_bytes,
                                           int64_t now_ms)
{
    int64_t used = used_bytes(dir, log_bytes, now_ms);
    int64_t total = dir->total_bytes > log_bytes ? dir->total_bytes : log_bytes;

    return (struct koa_sim_space){.total_bytes = total,
                                  .usable_bytes = total > used ? total - used : 0};
}

void koa_sim_storage_fill(struct koa_sim_dir *dir, int64_t log_bytes, double share,
                          int64_t duration_ms, int64_t now_ms)
{
    dir->filled_from_bytes = used_bytes(dir, log_bytes, now_ms);
    dir->filled_to = share;
    dir->fills_from_ms = now_ms;
    dir->fills_until_ms = now_ms + duration_ms;
    dir->is_filling = true;
}

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

static double filled_share(const struct koa_sim_dir *dir, int64_t now_ms)
{
    int64_t length_ms = dir->fills_until_ms - dir->fills_from_ms;

    if (now_ms >= dir->fills_until_ms || length_ms <= 0)
        return dir->filled_to;
    return dir->filled_from + (dir->filled_to - dir->filled_from) *
                                  (double) (now_ms - dir->fills_from_ms) / (double) length_ms;
}

int64_t koa_sim_storage_usable_bytes(const struct koa_sim_dir *dir, int64_t used_bytes,
                                     int64_t now_ms)
{
    int64_t other = (int64_t) (other_share * (double) dir->total_bytes);
    int64_t usable;

    if (dir->is_filling)
        return (int64_t) ((1 - filled_share(dir, now_ms)) * (double) dir->total_bytes);
    usable = dir->total_bytes - used_bytes - other;
    return usable > 0 ? usable : 0;
}

void koa_sim_storage_fill(struct koa_sim_dir *dir, double share, int64_t duration_ms,
                          int64_t now_ms)
{
    /* A disk that was not told what it holds is about half full. */
    dir->filled_from = dir->is_filling ? filled_share(dir, now_ms) : 1.0 / ROOM + other_share;
    dir->filled_to = share;
    dir->fills_from_ms = now_ms;
    dir->fills_until_ms = now_ms + duration_ms;
    dir->is_filling = true;
}

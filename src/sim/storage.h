/* The disks of simulated brokers. */
#ifndef SIM_STORAGE_H
#define SIM_STORAGE_H

#include "sim/model.h"

/* Gives every disk a size: about twice what its logs take. */
void koa_sim_storage_size(struct koa_sim_model *model);
/* Which log dir of its brokers a partition of the model lies in. */
int koa_sim_storage_dir_of(size_t partition);
int64_t koa_sim_storage_partition_bytes(const struct koa_sim_partition *partition, int64_t now_ms);
/* What the logs in a log dir of `broker` take: the sum of the sizes that it tells of replicas. */
int64_t koa_sim_storage_log_bytes(const struct koa_sim_model *model, int32_t broker, int dir,
                                  int64_t now_ms);

/* Of a disk's file system. What is neither usable nor taken by logs is other files'. */
struct koa_sim_space {
    int64_t total_bytes, usable_bytes;
};
/* `log_bytes`: what its logs take now. A disk that they outgrow is as large as they are, and full.
 */
struct koa_sim_space koa_sim_storage_space(const struct koa_sim_dir *dir, int64_t log_bytes,
                                           int64_t now_ms);
/* From now on it fills evenly up to this share of the whole, within this time. */
void koa_sim_storage_fill(struct koa_sim_dir *dir, int64_t log_bytes, double share,
                          int64_t duration_ms, int64_t now_ms);

#endif

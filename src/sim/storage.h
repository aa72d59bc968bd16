/* The disks of simulated brokers. */
#ifndef SIM_STORAGE_H
#define SIM_STORAGE_H

#include "sim/model.h"

/* Gives every disk a size: about twice what its logs take. */
void koa_sim_storage_size(struct koa_sim_model *model);
/* Which log dir of its brokers a partition of the model lies in. */
int koa_sim_storage_dir_of(size_t partition);
int64_t koa_sim_storage_partition_bytes(const struct koa_sim_partition *partition, int64_t now_ms);
/* What is free of a disk whose logs take `used_bytes`. */
int64_t koa_sim_storage_usable_bytes(const struct koa_sim_dir *dir, int64_t used_bytes,
                                     int64_t now_ms);
/* From now on it fills evenly up to this share of the whole, within this time. */
void koa_sim_storage_fill(struct koa_sim_dir *dir, double share, int64_t duration_ms,
                          int64_t now_ms);

#endif

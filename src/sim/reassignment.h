/* Partitions that move to other brokers. */
#ifndef SIM_REASSIGNMENT_H
#define SIM_REASSIGNMENT_H

#include "sim/model.h"

enum { KOA_SIM_UNION_MAX = 2 * KOA_SIM_REPLICAS_MAX };

/* The move of a partition of the model, or NULL. */
const struct koa_sim_reassignment *koa_sim_reassignment_find(const struct koa_sim_model *model,
                                                             size_t partition);
/* Old and new replicas, each once, into an array of KOA_SIM_UNION_MAX; returns how many. */
size_t koa_sim_reassignment_union(const struct koa_sim_model *model,
                                  const struct koa_sim_reassignment *move, int32_t *brokers);
/* False: too many at a time. Replaces what the partition was moving to. */
KOA_MUST_USE bool koa_sim_reassignment_begin(struct koa_sim_model *model,
                                             const struct koa_sim_reassignment *move);
/* The new replicas become the replicas; nothing when it does not move. False: memory is out. */
KOA_MUST_USE bool koa_sim_reassignment_finish(struct koa_sim_model *model, size_t partition,
                                              int64_t now_ms);

#endif

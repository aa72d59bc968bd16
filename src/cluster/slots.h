/* Rows that outlive a cycle, under numbers that a snapshot can hold. A row that a cycle did not
 * keep is free again after it. */
#ifndef CLUSTER_SLOTS_H
#define CLUSTER_SLOTS_H

#include <koa/base.h>

struct koa_slots;

/* `limit`: rows at most. NULL when memory is out. */
KOA_MUST_USE struct koa_slots *koa_slots_create(size_t row_size, uint32_t limit);
void koa_slots_destroy(struct koa_slots *slots); /* NULL is nothing */
/* A zeroed row, kept for this cycle. False at the limit, or when memory is out: do without. */
KOA_MUST_USE bool koa_slots_take(struct koa_slots *slots, uint32_t *ret_slot);
/* Keeps it for this cycle. False when it is not in use. */
bool koa_slots_keep(struct koa_slots *slots, uint32_t slot);
/* Valid until the next koa_slots_take(). NULL when it is not in use. */
void *koa_slots_get(const struct koa_slots *slots, uint32_t slot);
/* The cycle is over: rows that it did not keep are free. */
void koa_slots_sweep(struct koa_slots *slots);
size_t koa_slots_used(const struct koa_slots *slots);
size_t koa_slots_bytes(const struct koa_slots *slots);

#endif

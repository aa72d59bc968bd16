/* What clients wrote into a simulated partition: the newest batches, as bytes. */
#ifndef SIM_RECORDS_H
#define SIM_RECORDS_H

#include <koa/base.h>

struct koa_sim_records;

struct koa_sim_batch {
    int64_t base_offset, last_offset;
    struct koa_str bytes;
};

void koa_sim_records_destroy(struct koa_sim_records *records);
/* Appends a batch whose offsets lie behind all others and forgets the oldest beyond the limit;
 * `*records` may be NULL at first. Borrows nothing. False: memory is out. */
KOA_MUST_USE bool koa_sim_records_add(struct koa_sim_records **records,
                                      const struct koa_sim_batch *batch);
/* The first batch that ends at `offset` or behind it; NULL: none. `records` may be NULL. */
const struct koa_sim_batch *koa_sim_records_find(const struct koa_sim_records *records,
                                                 int64_t offset);

#endif

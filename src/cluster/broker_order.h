/* Who is asked for what: things sorted by the broker that has to be asked for them. */
#ifndef CLUSTER_BROKER_ORDER_H
#define CLUSTER_BROKER_ORDER_H

#include "base/arena.h"

/* Brokers that can be asked: ids, rising. */
struct koa_broker_ids {
    const int32_t *rows;
    size_t count;
};

/* Those of the i-th broker are order[first[i]] to order[first[i+1]], rising. */
struct koa_broker_order {
    size_t *first;
    size_t *order; /* indexes of the things */
};

/* `owners`: a broker's id for each of `count` things; those of other brokers are left out. False
 * when memory is out. */
KOA_MUST_USE bool koa_broker_order_make(struct koa_arena *arena, const int32_t *owners,
                                        size_t count, struct koa_broker_ids brokers,
                                        struct koa_broker_order *ret_order);
/* Where `id` stands among them, or belongs. */
bool koa_broker_order_find(struct koa_broker_ids brokers, int32_t id, size_t *ret_index);

#endif

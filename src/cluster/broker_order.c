/* A counting sort by broker. */
#include "cluster/broker_order.h"

bool koa_broker_order_find(struct koa_broker_ids brokers, int32_t id, size_t *ret_index)
{
    size_t low = 0;
    size_t high = brokers.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (brokers.rows[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_index = low;
    return low < brokers.count && brokers.rows[low] == id;
}

bool koa_broker_order_make(struct koa_arena *arena, const int32_t *owners, size_t count,
                           struct koa_broker_ids brokers, struct koa_broker_order *ret_order)
{
    size_t *first = koa_arena_alloc(arena, brokers.count + 2, sizeof(*first));
    size_t *order = koa_arena_alloc(arena, count + 1, sizeof(*order));
    size_t at = 0;

    if (first == NULL || order == NULL)
        return false;
    /* first[i + 2] counts those of broker i, then first[i + 1] is where its next one goes, and at
     * the end where they end. */
    for (size_t i = 0; i < count; i++) {
        if (koa_broker_order_find(brokers, owners[i], &at))
            first[at + 2]++;
    }
    for (size_t i = 2; i <= brokers.count + 1; i++)
        first[i] += first[i - 1];
    for (size_t i = 0; i < count; i++) {
        if (koa_broker_order_find(brokers, owners[i], &at))
            order[first[at + 1]++] = i;
    }
    *ret_order = (struct koa_broker_order){.first = first, .order = order};
    return true;
}

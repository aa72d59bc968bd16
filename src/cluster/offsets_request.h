/* Who is asked for which offsets: a draft's partitions, by leader, in requests of bounded size. */
#ifndef CLUSTER_OFFSETS_REQUEST_H
#define CLUSTER_OFFSETS_REQUEST_H

#include "base/arena.h"
#include "cluster/snapshot.h"
#include "kafka/messages/list_offsets.h"

/* One request: about 250 KB, answered in a few milliseconds. */
enum { KOA_OFFSETS_PER_REQUEST = 10000 };

/* Partitions grouped by leader: those of the i-th broker are order[first[i]] to order[first[i+1]],
 * in order of topic and partition. */
struct koa_leader_order {
    size_t *first;
    size_t *order; /* indexes into the columns */
};

/* `brokers`: ids, rising. False when memory is out. */
KOA_MUST_USE bool koa_leader_order_make(struct koa_arena *arena, const struct koa_snapshot *draft,
                                        const int32_t *brokers, size_t count,
                                        struct koa_leader_order *ret_order);
/* The request for `count` partitions from `order` on; at most KOA_OFFSETS_PER_REQUEST. NULL when
 * memory is out. Names are those of the draft. */
KOA_MUST_USE const struct koa_kafka_list_offsets_request *
koa_offsets_request_make(struct koa_arena *arena, const struct koa_snapshot *draft,
                         const size_t *order, size_t count, int64_t timestamp);

#endif

/* Requests for the offsets of a draft's partitions, of bounded size. */
#ifndef CLUSTER_OFFSETS_REQUEST_H
#define CLUSTER_OFFSETS_REQUEST_H

#include "base/arena.h"
#include "cluster/snapshot.h"
#include "kafka/messages/list_offsets.h"

/* One request: about 2.5 MB. A broker that leads less is asked once for each kind of offset. */
enum { KOA_OFFSETS_PER_REQUEST = 100000 };

struct koa_offsets_wanted {
    int64_t timestamp;         /* or KOA_KAFKA_OFFSET_END, KOA_KAFKA_OFFSET_START */
    bool is_stable;            /* read_committed: the end is the last stable offset */
    const int64_t *timestamps; /* not NULL: each partition's own, instead */
};

/* The request for `count` partitions from `order` on; at most KOA_OFFSETS_PER_REQUEST. NULL when
 * memory is out. Names are those of the draft. */
KOA_MUST_USE const struct koa_kafka_list_offsets_request *
koa_offsets_request_make(struct koa_arena *arena, const struct koa_snapshot *draft,
                         const size_t *order, size_t count, struct koa_offsets_wanted wanted);

#endif

/* How a snapshot comes to be: from metadata, then offsets, then what earlier cycles knew. Pure. */
#ifndef CLUSTER_DRAFT_H
#define CLUSTER_DRAFT_H

#include <koa/error.h>

#include "cluster/name_filter.h"
#include "cluster/snapshot.h"
#include "kafka/messages/list_offsets.h"
#include "kafka/messages/metadata.h"

/* An offset that could not be renewed is shown, as stale, for this many intervals. */
enum { KOA_OFFSET_KEEP_CYCLES = 10 };

/* Topics and partitions of `metadata` that pass `filter`, in order, without offsets. What breaks
 * the rules of names or repeats itself is left out. KOA_ERR_NOMEM. */
KOA_MUST_USE enum koa_err koa_draft_metadata(struct koa_snapshot *draft,
                                             const struct koa_name_filter *filter,
                                             const struct koa_kafka_metadata_response *metadata,
                                             struct koa_error *reterr);
enum koa_draft_offset { KOA_DRAFT_END, KOA_DRAFT_START, KOA_DRAFT_STABLE };

/* Takes the offsets of partitions that `broker` leads. The last stable offset is compared with an
 * end that was asked for before it. Returns how many partitions came with an error, and the last
 * such code. */
size_t koa_draft_offsets(struct koa_snapshot *draft,
                         const struct koa_kafka_list_offsets_response *answer, int32_t broker,
                         enum koa_draft_offset kind, int16_t *ret_error_code);
/* What is known of the same partitions of `previous` (may be NULL) beside their offsets: history,
 * open transactions. Those of a topic that was made anew are others. */
void koa_draft_carry_histories(struct koa_snapshot *draft, const struct koa_snapshot *previous);
/* How old an offset may be, and still be shown. */
struct koa_draft_limits {
    int64_t end_ms, start_ms;
};

/* Fills what is missing from `previous` (may be NULL). Needs `draft->made`. */
void koa_draft_carry_over(struct koa_snapshot *draft, const struct koa_snapshot *previous,
                          struct koa_draft_limits keep);
/* Counts leaders and replicas into the draft's brokers. */
void koa_draft_count(struct koa_snapshot *draft);
/* For a cycle that learned nothing: topics and columns of `previous`, which it keeps alive, with
 * what is too old at `made` taken out. NULL when memory is out. */
KOA_MUST_USE struct koa_snapshot *
koa_draft_repeat(struct koa_snapshot *previous, struct koa_mono made, struct koa_draft_limits keep);

#endif

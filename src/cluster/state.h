/* What changes slowly: log dirs, the topics' configuration and size, reassignments, the
 * controllers' quorum. Learned in slow cycles and shared by the snapshots until the next one.
 * Written while that cycle runs, never again once published. */
#ifndef CLUSTER_STATE_H
#define CLUSTER_STATE_H

#include <koa/error.h>
#include <koa/snapshot.h>

#include "base/arena.h"
#include "base/published.h"
#include "kafka/messages/describe_configs.h"
#include "kafka/messages/describe_log_dirs.h"
#include "kafka/messages/describe_quorum.h"
#include "kafka/messages/list_partition_reassignments.h"

struct koa_snapshot;

struct koa_log_dir_row {
    int32_t broker;
    const char *path;
    const char *error;     /* NULL: it is online */
    int64_t size;          /* bytes of all replicas in it */
    int64_t total, usable; /* of its file system; -1: not told */
    int64_t learned_ms;    /* monotonic */
};

struct koa_topic_state {
    const char *name;
    size_t name_size;
    bool lacks_replicas; /* some are on brokers that are down */
    bool has_bytes;      /* known of all replicas */
    int64_t bytes;
    int64_t bytes_ms; /* when they were learned, monotonic */
    int32_t min_isr;  /* 0: unknown */
    int32_t reassigning;
};

struct koa_voter_row {
    int32_t id;
    bool is_voter; /* else an observer */
    int64_t log_end;
    int64_t lag;
    int64_t last_fetch_ms; /* wall clock; -1: not told */
};

struct koa_state {
    struct koa_object object; /* first: it is shared */
    struct koa_arena *arena;
    struct koa_log_dir_row *log_dirs; /* in order of broker and path */
    size_t log_dir_count, log_dir_capacity;
    struct koa_topic_state *topics; /* in order of name */
    size_t topic_count;
    struct koa_voter_row *voters;
    size_t voter_count;
    int32_t quorum_leader, quorum_epoch; /* -1: unknown */
    bool has_bytes;                      /* every broker told its log dirs, in this cycle */
    bool has_reassignments;
    bool has_quorum;
    bool is_zookeeper; /* brokers that have no quorum API */
};

/* For the topics of `draft`. NULL when memory is out. */
KOA_MUST_USE struct koa_state *koa_state_create(const struct koa_snapshot *draft);
void koa_state_unref(struct koa_state *state); /* NULL is nothing */

/* Each takes an answer; `learned_ms` is monotonic. False when memory is out. */
KOA_MUST_USE bool
koa_state_take_log_dirs(struct koa_state *state, int32_t broker, int64_t learned_ms,
                        const struct koa_kafka_describe_log_dirs_response *answer);
void koa_state_take_configs(struct koa_state *state,
                            const struct koa_kafka_describe_configs_response *answer);
void koa_state_take_reassignments(
    struct koa_state *state, const struct koa_kafka_list_partition_reassignments_response *answer);
KOA_MUST_USE bool koa_state_take_quorum(struct koa_state *state,
                                        const struct koa_kafka_describe_quorum_response *answer);
/* What `previous` (may be NULL) knew and this cycle could not learn: log dirs of brokers that did
 * not answer, not older than `keep_ms`, settings, the quorum. Puts log dirs in order. False when
 * memory is out. */
KOA_MUST_USE bool koa_state_finish(struct koa_state *state, const struct koa_state *previous,
                                   int64_t now_ms, int64_t keep_ms);
/* NULL when absent. */
const struct koa_topic_state *koa_state_find_topic(const struct koa_state *state,
                                                   struct koa_str name);

#endif

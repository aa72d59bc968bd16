/* What the files of one cycle share: the collector's state, and the requests under way. Only
 * collector.c and cycle_*.c include this. */
#ifndef CLUSTER_CYCLE_H
#define CLUSTER_CYCLE_H

#include "cluster/broker_order.h"
#include "cluster/collector.h"
#include "cluster/draft.h"
#include "cluster/group_answer.h"
#include "cluster/group_list.h"
#include "cluster/lag.h"
#include "cluster/roster.h"
#include "kafka/messages/fetch.h"

enum koa_task_kind {
    KOA_TASK_METADATA,
    KOA_TASK_DESCRIBE_CLUSTER,
    KOA_TASK_LIST_GROUPS,
    KOA_TASK_DESCRIBE_GROUPS,
    KOA_TASK_COMMITS,
    KOA_TASK_END,
    KOA_TASK_START,
    KOA_TASK_STABLE,
    KOA_TASK_TIME,
    KOA_TASK_MARKERS,
    KOA_TASK_LOG_DIRS,
    KOA_TASK_CONFIGS,
    KOA_TASK_REASSIGNMENTS,
    KOA_TASK_QUORUM,
    KOA_TASK_PING,
};

/* Groups asked for one by one: brokers before OffsetFetch 8. */
struct koa_group_queue {
    struct koa_group_slice slice;
    size_t next;
};

/* One request under way, in the cycle's arena; those in the background outlive it, on the heap. */
struct koa_task {
    struct koa_kafka_request request;
    struct koa_list_node node; /* in the background */
    int32_t broker;
    enum koa_task_kind kind;
    struct koa_group_slice groups;
    struct koa_group_queue *queue;
    struct koa_marker *marker;
    const size_t *partitions; /* of offsets: indexes into the columns */
    size_t partition_count;
};

struct koa_collector {
    struct koa_collector_opts opts;
    char *name;
    struct koa_roster roster;
    struct koa_snapshot *previous;
    struct koa_lag *lag;
    struct koa_group_list list;
    struct koa_list_node background; /* struct koa_task: those that no phase waits for */
    struct koa_kafka_list_partition_reassignments_request reassignments;
    size_t next_server;  /* of the configuration, for what is passed on */
    uint64_t lacking[2]; /* bits by API key: told once that a broker lacks it */

    enum koa_collector_phase phase;
    bool is_stepping;
    bool is_cancelled;
    size_t pending;
    struct koa_arena *arena; /* of the cycle */
    struct koa_snapshot *draft;
    struct koa_group_answers answers;
    struct koa_state *state; /* of this cycle, if it is a slow one */
    struct koa_mono began, phase_began;
    struct koa_mono slow_due;
    bool has_slow;            /* this cycle asks for what changes slowly */
    bool slow_is_whole;       /* and no broker has failed to tell it */
    bool has_asked_for_lists; /* of groups */
    bool has_retried;         /* groups that moved were asked for again */
    bool is_other_cluster;
    struct koa_collector_report report;
    int64_t requests, errors;
    char last_error[KOA_ERROR_TEXT_SIZE];

    int32_t *candidates; /* for metadata, in the cycle's arena */
    size_t candidate_count, next_candidate;
    size_t first_unheard; /* of the candidates: the first behind the servers that were called */
    bool has_called_servers;
    bool has_heard_refusal;  /* from one of them; it is in `last_error` */
    int32_t metadata_broker; /* who answered last; kept across cycles */

    int32_t *brokers; /* ids that are asked in this phase, rising; in the cycle's arena */
    size_t broker_count;
};

static inline struct koa_broker_ids koa_cycle_brokers(const struct koa_collector *collector)
{
    return (struct koa_broker_ids){.rows = collector->brokers, .count = collector->broker_count};
}

struct koa_mono koa_cycle_now(const struct koa_collector *collector);
/* What went wrong; the last text explains a cycle that learned nothing. */
void koa_cycle_note(struct koa_collector *collector, const char *text);
/* A task of this cycle to be filled and submitted; NULL, and noted, when memory is out. */
KOA_MUST_USE struct koa_task *koa_cycle_task(struct koa_collector *collector, int32_t broker,
                                             enum koa_task_kind kind);
/* Goes on when nothing is waited for any more. */
void koa_cycle_step(struct koa_collector *collector);
/* `body` NULL: there was no memory for it. */
void koa_cycle_submit(struct koa_collector *collector, struct koa_task *task, int16_t api_key,
                      const void *body);
/* Lists in `brokers` who is asked in a phase: those that the cluster names and that answer. */
bool koa_cycle_list_brokers(struct koa_collector *collector);
/* The snapshot whose numbers may be carried over: that of the same cluster, or NULL. */
const struct koa_snapshot *koa_cycle_previous(const struct koa_collector *collector);
struct koa_draft_limits koa_cycle_limits(const struct koa_collector *collector);

/* An API that a broker lacks, or refuses, costs that feature, and is told once. */
void koa_cycle_note_lacking(struct koa_collector *collector, const struct koa_task *task,
                            const char *text);

/* cycle_metadata.c */
KOA_MUST_USE bool koa_cycle_list_candidates(struct koa_collector *collector, bool keep_last);
bool koa_cycle_may_ask_for_metadata(const struct koa_collector *collector);
void koa_cycle_ask_for_metadata(struct koa_collector *collector);
/* Whether several servers of the configuration are next, and there is time to ask them. */
bool koa_cycle_may_call_servers(const struct koa_collector *collector);
/* All of them at once: the first to answer is asked for metadata. */
void koa_cycle_call_servers(struct koa_collector *collector);
/* None of those that were called has answered yet, and some may still. */
bool koa_cycle_is_calling_servers(const struct koa_collector *collector);
/* One has answered, or failed. */
void koa_cycle_hear_server(struct koa_collector *collector, int32_t server,
                           const struct koa_error *error);
void koa_cycle_take_metadata(struct koa_collector *collector, const struct koa_task *task,
                             const struct koa_kafka_metadata_response *answer);

/* cycle_groups.c */
void koa_cycle_list_groups(struct koa_collector *collector);
void koa_cycle_list_groups_of(struct koa_collector *collector, int32_t broker);
void koa_cycle_take_list(struct koa_collector *collector, const struct koa_task *task,
                         const struct koa_kafka_list_groups_response *answer);
void koa_cycle_ask_for_groups(struct koa_collector *collector);
/* Again, those that have another coordinator. False when there is none. */
bool koa_cycle_retry_groups(struct koa_collector *collector);
void koa_cycle_take_groups(struct koa_collector *collector, const struct koa_task *task,
                           const void *body);
/* The next of a queue, after `task` has ended. */
void koa_cycle_next_group(struct koa_collector *collector, const struct koa_task *task);
void koa_cycle_finish_groups(struct koa_collector *collector);

/* cycle_markers.c */
void koa_cycle_ask_for_markers(struct koa_collector *collector);
void koa_cycle_take_markers(struct koa_collector *collector, const struct koa_task *task,
                            const struct koa_kafka_fetch_response *answer);

/* cycle_state.c */
void koa_cycle_ask_for_state(struct koa_collector *collector);
void koa_cycle_take_state(struct koa_collector *collector, const struct koa_task *task,
                          const void *body);
/* The request failed. */
void koa_cycle_lack_state(struct koa_collector *collector, const struct koa_task *task,
                          const struct koa_error *error);
void koa_cycle_finish_state(struct koa_collector *collector);

/* cycle_offsets.c */
void koa_cycle_ask_for_offsets(struct koa_collector *collector);
void koa_cycle_take_offsets(struct koa_collector *collector, const struct koa_task *task,
                            const struct koa_kafka_list_offsets_response *answer);

/* cycle_background.c */

/* Brokers that did not answer lately. One that answers before the groups are listed is asked for
 * its own. */
void koa_cycle_ping(struct koa_collector *collector);
/* A server of the configuration: koa_cycle_hear_server() follows. */
void koa_cycle_call(struct koa_collector *collector, int32_t server);
bool koa_cycle_has_calls(const struct koa_collector *collector);
/* A question that a broker has to pass on to the controller; `body` lives as long as the collector.
 * Not while one of the same kind is under way. */
void koa_cycle_pass_on(struct koa_collector *collector, enum koa_task_kind kind, int16_t api_key,
                       const void *body);

#endif

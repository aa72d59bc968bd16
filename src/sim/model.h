/* What the simulated cluster is: brokers, topics, partitions, groups, and how they move with time.
 * Pure: the same seed, the same events and the same time give the same answer. Times in the model
 * are milliseconds since it began. One thread. */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include <koa/error.h>
#include <koa/time.h>

#include "base/arena.h"
#include "base/map.h"
#include "sim/fault.h"
#include "sim/group.h"
#include "sim/node.h"
#include "sim/partition.h"
#include "sim/versions.h"

enum {
    /* As offsets.topic.num.partitions: each is coordinated by one broker. */
    KOA_SIM_SLOTS = 50,
    /* What events may add to the cluster that was made at the start. */
    KOA_SIM_MORE_TOPICS = 1000,
    KOA_SIM_MORE_PARTITIONS = 20000,
    KOA_SIM_MORE_GROUPS = 1000,
    KOA_SIM_MOVES_MAX = 100, /* partitions that move at one time */
    /* Partitions whose written bytes are kept; in others only the offsets count. */
    KOA_SIM_RECORDED_MAX = 64,
};

struct koa_sim_topic {
    struct koa_str name;
    unsigned char id[16];
    bool is_internal;
    bool is_compacted;
    bool is_deleted;
    size_t first; /* of its partitions, which lie side by side */
    int32_t partitions;
};

struct koa_sim_slot {
    int32_t coordinator; /* broker id; -1: none */
    int32_t former;      /* still lists the groups, until then */
    int64_t former_until_ms;
};

/* A partition on its way to other brokers. */
struct koa_sim_reassignment {
    size_t partition; /* of the model */
    int32_t replicas[KOA_SIM_REPLICAS_MAX];
    int32_t replica_count;
};

struct koa_sim_model {
    struct koa_sim_node *nodes; /* broker id N is nodes[N - 1] */
    int32_t broker_count;
    int32_t controller;
    int32_t controller_epoch;
    struct koa_sim_topic *topics; /* in order of their partitions; deleted ones stay */
    size_t topic_count, topic_capacity;
    struct koa_sim_partition *partitions;
    size_t partition_count, partition_capacity;
    struct koa_sim_group *groups; /* deleted ones stay */
    size_t group_count, group_capacity;
    struct koa_sim_slot slots[KOA_SIM_SLOTS];
    struct koa_sim_reassignment moves[KOA_SIM_MOVES_MAX];
    size_t move_count;
    size_t recorded_count; /* partitions that keep what clients wrote */
    struct koa_sim_fault faults[KOA_SIM_FAULTS_MAX];
    size_t fault_count;
    struct koa_sim_fault fault_taken;
    struct koa_sim_events *events; /* what is still to happen; NULL: nothing */
    struct koa_map *topics_by_name, *topics_by_id, *groups_by_name; /* those that are not deleted */
    struct koa_arena *names;
    enum koa_sim_version version;
    char cluster_id[23]; /* 22 characters of URL-safe base64, as Kafka makes them */
    struct koa_mono began;
    uint64_t random; /* state */
};

struct koa_sim_model_opts {
    int32_t brokers;
    int32_t topics;
    int32_t partitions; /* of all topics together; at least one each */
    int32_t groups;
    int64_t group_partitions; /* of all groups together; at least one each */
    int32_t members;          /* of each group that has some; at least 1 */
    int64_t latency_ms;       /* of every broker */
    enum koa_sim_version version;
    uint64_t seed;
    struct koa_mono now;
};

KOA_MUST_USE enum koa_err koa_sim_model_create(const struct koa_sim_model_opts *opts,
                                               struct koa_sim_model **ret_model,
                                               struct koa_error *reterr);
void koa_sim_model_destroy(struct koa_sim_model *model);
KOA_DEFINE_AUTO(koa_sim_model, koa_sim_model_destroy)

static inline int64_t koa_sim_model_ms(const struct koa_sim_model *model, struct koa_mono now)
{
    return koa_mono_diff_ms(now, model->began);
}

/* NULL when there is none, or no more. */
struct koa_sim_topic *koa_sim_model_find(const struct koa_sim_model *model, struct koa_str name);
struct koa_sim_topic *koa_sim_model_find_id(const struct koa_sim_model *model,
                                            const unsigned char id[16]);
struct koa_sim_group *koa_sim_model_find_group(const struct koa_sim_model *model,
                                               struct koa_str name);
/* NULL: no broker has this id. */
struct koa_sim_node *koa_sim_model_node(const struct koa_sim_model *model, int32_t broker);
/* It is there, as far as the cluster knows. */
bool koa_sim_model_is_alive(const struct koa_sim_model *model, int32_t broker);

/* A run of partitions of one topic. */
struct koa_sim_span {
    const struct koa_sim_topic *topic;
    int32_t from; /* index of the first one in its topic */
    size_t count; /* at least 1 */
};

/* What of [first, first + count) belongs to the topic of `first`. */
struct koa_sim_span koa_sim_model_span(const struct koa_sim_model *model, size_t first,
                                       size_t count);

/* The slot of a group, known or not, as Kafka finds it. */
int32_t koa_sim_slot_of(struct koa_str group);
/* The broker lists the groups of this slot. */
bool koa_sim_model_lists(const struct koa_sim_model *model, int32_t slot, int32_t broker,
                         int64_t now_ms);

struct koa_sim_topic_plan {
    struct koa_str name; /* copied */
    int32_t partitions;
    int32_t replicas; /* 0: three, or as many as there are brokers */
    double rate;      /* of each partition, messages a second */
    int64_t base;     /* end of each at `now_ms` */
};

KOA_MUST_USE enum koa_err koa_sim_model_add_topic(struct koa_sim_model *model,
                                                  const struct koa_sim_topic_plan *plan,
                                                  int64_t now_ms, struct koa_error *reterr);
void koa_sim_model_remove_topic(struct koa_sim_model *model, struct koa_sim_topic *topic);
KOA_MUST_USE enum koa_err koa_sim_model_add_group(struct koa_sim_model *model,
                                                  const struct koa_sim_group_plan *plan,
                                                  int64_t now_ms, struct koa_error *reterr);
void koa_sim_model_remove_group(struct koa_sim_model *model, struct koa_sim_group *group);

#endif

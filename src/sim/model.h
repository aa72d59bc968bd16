/* What the simulated cluster is: brokers, topics, partitions, and offsets that move with time.
 * Pure: the same seed and the same time give the same answer. */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include <koa/error.h>
#include <koa/time.h>

enum { KOA_SIM_REPLICAS_MAX = 3, KOA_SIM_NAME_SIZE = 32 };

struct koa_sim_partition {
    int32_t replicas[KOA_SIM_REPLICAS_MAX]; /* broker ids, the preferred leader first */
    int32_t replica_count;
    int32_t leader; /* broker id */
    double rate;    /* messages a second */
    int64_t base;   /* end offset when the simulation began */
};

struct koa_sim_topic {
    char name[KOA_SIM_NAME_SIZE];
    unsigned char id[16];
    bool is_internal;
    size_t first; /* of its partitions */
    int32_t partitions;
};

struct koa_sim_model {
    int32_t broker_count; /* ids 1 to broker_count */
    struct koa_sim_topic *topics;
    size_t topic_count;
    struct koa_sim_partition *partitions;
    size_t partition_count;
    char cluster_id[23]; /* 22 characters of URL-safe base64, as Kafka makes them */
    struct koa_mono began;
};

struct koa_sim_model_opts {
    int32_t brokers;
    int32_t topics;
    int32_t partitions; /* of all topics together; at least one each */
    uint64_t seed;
    struct koa_mono now;
};

KOA_MUST_USE enum koa_err koa_sim_model_create(const struct koa_sim_model_opts *opts,
                                               struct koa_sim_model **ret_model,
                                               struct koa_error *reterr);
void koa_sim_model_destroy(struct koa_sim_model *model);
KOA_DEFINE_AUTO(koa_sim_model, koa_sim_model_destroy)

/* NULL when there is none. */
const struct koa_sim_topic *koa_sim_model_find(const struct koa_sim_model *model,
                                               struct koa_str name);
const struct koa_sim_topic *koa_sim_model_find_id(const struct koa_sim_model *model,
                                                  const unsigned char id[16]);

/* The log of a partition at `now`. Messages older than an hour are deleted, as retention would. */
int64_t koa_sim_end_offset(const struct koa_sim_model *model,
                           const struct koa_sim_partition *partition, struct koa_mono now);
int64_t koa_sim_start_offset(const struct koa_sim_model *model,
                             const struct koa_sim_partition *partition, struct koa_mono now);

#endif

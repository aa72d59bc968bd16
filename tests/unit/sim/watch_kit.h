/* A collector that watches a simulated cluster: bytes between them, virtual time, no sockets. */
#ifndef UNIT_SIM_WATCH_KIT_H
#define UNIT_SIM_WATCH_KIT_H

#include "cluster/collector.h"
#include "cluster/name_filter.h"
#include "sim_kit.h"

enum {
    WATCH_INTERVAL_MS = 15000,
    WATCH_TIMEOUT_MS = 5000,
    WATCH_PENDING_MAX = 256,
    WATCH_APIS = 128
};

/* A request on its way. */
struct watch_pending {
    struct koa_kafka_request *request;
    struct koa_mono due;
    enum koa_err err; /* how it ends; KOA_OK: with the answer */
    struct koa_kafka_request_header header;
    struct koa_buf bytes;
};

/* Sees every request of the collector when it is made. */
typedef void sim_watch_saw_fn(void *context, int32_t broker,
                              const struct koa_kafka_request *request);

struct watch {
    struct sim_kit kit;
    struct koa_collector *collector;
    struct koa_name_filter *filter;
    struct watch_pending pending[WATCH_PENDING_MAX];
    size_t pending_count;
    struct koa_snapshot *snapshot;
    int64_t cycle_ms; /* how long the last one took */
    /* Requests of the last cycle, by API; among ListOffsets those for the times of records. */
    int asked[WATCH_APIS];
    int asked_times;
    sim_watch_saw_fn *saw; /* may be NULL */
    void *seer;
};

/* 500 groups a request, and every cycle asks for what changes slowly. */
void sim_watch_set_up(struct watch *watch, enum koa_sim_version version);
/* `batch` groups a request, and only the first cycle asks for what changes slowly. */
void sim_watch_set_up_quick(struct watch *watch, enum koa_sim_version version, int64_t batch);
void sim_watch_set_up_with_seed(struct watch *watch, enum koa_sim_version version, uint64_t seed);
/* With a group `reader` that has read everything of `orders`, which nobody writes to any more. */
void sim_watch_set_up_reader(struct watch *watch);
void sim_watch_tear_down(struct watch *watch);
/* Whole cycles; the next one would begin when they end. */
void sim_watch_cycle(struct watch *watch);
void sim_watch_cycles(struct watch *watch, int count);
/* A topic of the last snapshot, which must be there. */
struct koa_snapshot_topic sim_watch_topic(const struct watch *watch, const char *name);
/* A group of the last snapshot, which must be there exactly once. */
struct koa_snapshot_group sim_watch_group(const struct watch *watch, const char *name);
/* One of its topics, which must be there. */
struct koa_snapshot_group_topic sim_watch_group_topic(const struct watch *watch, const char *name,
                                                      const char *topic);
/* Its commit for partition 0 of a topic. */
struct koa_snapshot_commit sim_watch_commit(const struct watch *watch, const char *name,
                                            const char *topic);
bool sim_watch_holds(const struct koa_snapshot_commit *row, enum koa_condition condition);
/* Every field of the last snapshot's brokers, partitions, groups and commits, as text. */
void sim_watch_print(const struct watch *watch, struct koa_buf *text);

#endif

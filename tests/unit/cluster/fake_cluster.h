/* A cluster made of tables: answers a collector's requests, or keeps silent, under virtual time. */
#ifndef UNIT_CLUSTER_FAKE_CLUSTER_H
#define UNIT_CLUSTER_FAKE_CLUSTER_H

#include "cluster/collector.h"

enum {
    FAKE_BROKERS = 3,
    FAKE_SERVERS = 3,
    FAKE_TOPICS = 4,
    FAKE_PARTITIONS = 4,
    FAKE_PENDING = 64,
    FAKE_GROUPS = 40,
    FAKE_COMMITS = 4,
};

enum fake_mode { FAKE_ANSWERS, FAKE_REFUSES, FAKE_IS_FROZEN, FAKE_AT_ONCE, FAKE_LOCKS_OUT };

struct fake_partition {
    int32_t leader; /* 0: no such partition; -1: leaderless */
    int64_t end, start;
    int16_t error;              /* of ListOffsets */
    int64_t stable;             /* last stable offset; 0: the end; -1: not told */
    int64_t first_ms, every_ms; /* record N was written at first_ms + N * every_ms */
};

struct fake_topic {
    const char *name; /* NULL: no such topic */
    struct fake_partition partitions[FAKE_PARTITIONS];
};

struct fake_commit {
    const char *topic; /* NULL: none */
    int32_t partition;
    int64_t offset;
    int64_t lag; /* share groups: as the coordinator counts it */
};

struct fake_group {
    const char *name; /* NULL: no such group */
    const char *type, *state;
    int32_t coordinator, other; /* `other`: a second broker that lists it, wrongly */
    int32_t lister;             /* not 0: listed by this one instead */
    int members;                /* the first has topic `assigned`, others nothing */
    const char *assigned;
    int16_t error; /* of describing and fetching */
    struct fake_commit commits[FAKE_COMMITS];
};

struct fake_cluster {
    struct koa_mono now;
    struct koa_collector *collector;
    struct koa_name_filter *filter;
    enum fake_mode modes[FAKE_BROKERS + 1]; /* by id, from 1; [0] is the configuration's server */
    size_t server_count;                    /* of the configuration */
    enum fake_mode servers[FAKE_SERVERS];   /* instead of modes[0] where there are several */
    bool is_listed[FAKE_BROKERS + 1];
    struct fake_topic topics[FAKE_TOPICS];
    int16_t metadata_error;
    bool lacks_describe_cluster, lacks_metadata;
    bool reverses_answers;
    const char *cluster_id;

    struct fake_group groups[FAKE_GROUPS];
    struct {
        const char *path, *topic; /* NULL: no such folder */
        int64_t size, total, usable;
        int16_t error;
    } log_dirs[FAKE_BROKERS + 1];
    const char *min_isr; /* of every topic; NULL: not told */
    int64_t voter_ends[FAKE_BROKERS + 1];
    size_t reassigning; /* partitions of "orders" */
    bool has_zookeeper, lacks_rights;
    bool is_controller_frozen; /* what has to be passed on to it gets no answer */
    bool has_markers;          /* what Fetch finds are markers, else messages */
    int16_t fetch_error;
    size_t fetches;
    int16_t list_error[FAKE_BROKERS + 1];
    int16_t offset_fetch_version;
    size_t fetched_in_one; /* groups in the largest OffsetFetch */
    size_t times_asked;

    struct {
        int32_t broker;
        struct koa_kafka_request *request;
    } pending[FAKE_PENDING];
    size_t pending_count;
    size_t asked[FAKE_BROKERS + 1][128]; /* requests by broker and API key */
    size_t starts_asked;
    size_t named; /* brokers in the last set_brokers() */
    size_t cycles;
    struct koa_snapshot *snapshot;
    struct koa_collector_report report;
};

/* Three brokers; "orders" has a partition on each, "pay" two on broker 1. */
void fake_set_up(struct fake_cluster *fake);
/* The same, with so many servers in the configuration. */
void fake_set_up_with_servers(struct fake_cluster *fake, size_t count);
/* "shop" at broker 2 with two members, "audit" at broker 3 with none. */
void fake_add_groups(struct fake_cluster *fake);
void fake_tear_down(struct fake_cluster *fake);
/* One cycle to its end, however long that takes in virtual time. Returns how long. */
int64_t fake_cycle(struct fake_cluster *fake);
/* Answers everything that can be answered now. */
void fake_answer(struct fake_cluster *fake);
/* A partition of the last snapshot. Fails the test when it is absent. */
struct koa_snapshot_partition fake_partition(const struct fake_cluster *fake, const char *topic,
                                             int32_t id);
/* A group of the last snapshot, one of its topics, a commit. Each fails the test when absent. */
struct koa_snapshot_group fake_group(const struct fake_cluster *fake, const char *name);
struct koa_snapshot_group_topic fake_group_topic(const struct fake_cluster *fake, const char *name,
                                                 const char *topic);
struct koa_snapshot_commit fake_commit(const struct fake_cluster *fake, const char *name,
                                       const char *topic, int32_t partition);
bool fake_has_group(const struct fake_cluster *fake, const char *name);
/* The answer of `broker` to a request about groups. False: it is about something else. */
bool fake_answer_groups(struct fake_cluster *fake, struct koa_kafka_request *request,
                        int32_t broker);
/* The same of what changes slowly. */
bool fake_answer_state(struct fake_cluster *fake, struct koa_kafka_request *request,
                       int32_t broker);
void fake_end_with(struct koa_kafka_request *request, const void *body);
struct koa_snapshot_broker fake_broker(const struct fake_cluster *fake, int32_t id);

#endif

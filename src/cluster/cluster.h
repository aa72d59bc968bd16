/* One watched Kafka cluster: its collector on the kafka loop, and the snapshot it publishes. */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include <koa/error.h>
#include <koa/metrics.h>
#include <koa/snapshot.h>

#include "base/log.h"
#include "loop/loop.h"
#include "loop/resolver.h"
#include "metrics/source.h"

struct koa_cluster;
struct koa_http_client;
struct koa_kafka_security;

/* Which series of a cluster are exported. */
enum koa_granularity {
    KOA_GRANULARITY_PARTITION, /* all */
    KOA_GRANULARITY_TOPIC,     /* none of a single partition */
    KOA_GRANULARITY_GROUP,     /* and of consumer groups none of a single topic */
};

struct koa_cluster_opts {
    const char *name;                     /* all text is copied */
    const char *const *bootstrap_servers; /* "host:port" */
    size_t bootstrap_count;
    int64_t interval_ms, request_timeout_ms, slow_interval_ms;
    const char *const *topics_include, *const *topics_exclude; /* anchored regular expressions */
    size_t topics_include_count, topics_exclude_count;
    const char *const *groups_include, *const *groups_exclude;
    size_t groups_include_count, groups_exclude_count;
    enum koa_granularity granularity;
    int64_t batch;       /* groups a request; 0: 500 */
    int64_t connections; /* to one broker at most; 0: 1 */
    /* The end-to-end probe; NULL: off. `probe_agent` tells this agent's messages from others'. */
    const char *probe_topic, *probe_agent;
    int64_t probe_interval_ms;
    struct koa_resolver *resolver;             /* of `loop` */
    const struct koa_kafka_security *security; /* NULL: plaintext, no authentication */
    struct koa_workers *workers;               /* with `security` */
    struct koa_http_client *http;              /* of `loop`: fetches tokens; may be NULL */
    struct koa_metrics *metrics; /* kafka_ops_collector_* and kafka_ops_kafka_*; may be NULL */
    struct koa_log *log;         /* of component "cluster" */
    struct koa_log *kafka_log;   /* of the connections: "kafka"; NULL: `log` */
    /* Kafka thread: a snapshot has been published. May be NULL; must not block. */
    void (*published)(void *context, const char *cluster);
    void *context;
};

/* Opens nothing yet. KOA_ERR_INVALID names a server or an expression that cannot be read, or
 * security settings that do not fit together. */
KOA_MUST_USE enum koa_err koa_cluster_create(struct koa_loop *loop,
                                             const struct koa_cluster_opts *opts,
                                             struct koa_cluster **ret_cluster,
                                             struct koa_error *reterr);
/* First cycle now, then every interval. Any thread. */
void koa_cluster_start(struct koa_cluster *cluster);
/* Closes every connection; the last snapshot stays. Any thread but the loop's: it waits. */
void koa_cluster_stop(struct koa_cluster *cluster);
/* Gives the caller's reference up. After the stop, or before the start. Any thread. */
void koa_cluster_unref(struct koa_cluster *cluster);
void koa_cluster_ref(struct koa_cluster *cluster);

/* Any thread. */
const char *koa_cluster_name(const struct koa_cluster *cluster);
/* A reference of the caller's own, or NULL before the first cycle has ended. */
KOA_MUST_USE struct koa_snapshot *koa_cluster_snapshot(struct koa_cluster *cluster);
void koa_snapshot_unref(struct koa_snapshot *snapshot); /* NULL is nothing */
/* One cycle as soon as none is under way; its end is told by `published`. */
void koa_cluster_refresh(struct koa_cluster *cluster);

/* The families of all `clusters` side by side, as one source: a family's samples must stand
 * together. The clusters are borrowed; cursors pin their snapshots. */
KOA_MUST_USE enum koa_err koa_clusters_source_create(struct koa_cluster *const *clusters,
                                                     size_t count,
                                                     struct koa_metrics_source **ret_source,
                                                     struct koa_error *reterr);
void koa_clusters_source_destroy(struct koa_metrics_source *source);

/* Of the last cycle, for /clusters. From the snapshot: */
struct koa_snapshot_cycle {
    double duration_ms;
    int64_t requests, errors;
};
void koa_snapshot_cycle(const struct koa_snapshot *snapshot, struct koa_snapshot_cycle *ret_cycle);
/* Between two cycles, as configured. */
int64_t koa_snapshot_interval_ms(const struct koa_snapshot *snapshot);
/* Bytes that it holds. */
size_t koa_snapshot_memory(const struct koa_snapshot *snapshot);
int32_t koa_snapshot_controller(const struct koa_snapshot *snapshot); /* -1: unknown */

#endif

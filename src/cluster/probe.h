/* The end-to-end probe: a message of our own through each partition of a topic of our own, one
 * partition a broker. Produce with acks=all, then read it back; what comes twice or not at all is
 * counted. A state machine: answers and time in, requests out. One thread. */
#ifndef CLUSTER_PROBE_H
#define CLUSTER_PROBE_H

#include <koa/error.h>
#include <koa/time.h>

#include "base/log.h"
#include "cluster/snapshot.h"
#include "kafka/client.h"

struct koa_cluster_probe;

enum koa_probe_event {
    KOA_PROBE_PRODUCED,   /* acknowledged by all in-sync replicas; `seconds`: since it was sent */
    KOA_PROBE_RECEIVED,   /* read back; `seconds`: since it was sent */
    KOA_PROBE_LOST,       /* acknowledged, and something else stands in its place */
    KOA_PROBE_DUPLICATED, /* read a second time, at another offset */
    KOA_PROBE_FAILED      /* not acknowledged: refused, or no answer in time */
};

struct koa_probe_news {
    enum koa_probe_event event;
    int32_t broker, partition;
    double seconds; /* since the message was sent */
};

struct koa_cluster_probe_ops {
    struct koa_mono (*mono)(void *context);
    struct koa_wall (*wall)(void *context);
    /* As koa_kafka_client_submit() and koa_kafka_client_set_brokers(), of a client of its own: what
     * is measured must not wait behind the collector's requests. */
    void (*submit)(void *context, int32_t broker, struct koa_kafka_request *request);
    void (*set_brokers)(void *context, const struct koa_kafka_address *brokers, size_t count);
    void (*happened)(void *context, const struct koa_probe_news *news);
};

struct koa_cluster_probe_opts {
    const char *cluster, *topic; /* copied */
    const char *agent;           /* tells our messages from those of other agents; copied */
    size_t bootstrap_count;
    int64_t request_timeout_ms;
    const struct koa_cluster_probe_ops *ops;
    void *context;
    struct koa_log *log; /* may be NULL */
};

enum {
    KOA_PROBE_PARTITIONS = 2000, /* as many as brokers can be watched */
    /* The topic's layout is looked at this often, and when a leader has moved. */
    KOA_PROBE_LAYOUT_MS = 60 * 1000,
    /* After a topic could not be created, or its layout not be read. */
    KOA_PROBE_RETRY_MS = 10 * 1000,
    KOA_PROBE_NEXT_MS = 1000, /* before the next server is tried */
};

KOA_MUST_USE enum koa_err koa_cluster_probe_create(const struct koa_cluster_probe_opts *opts,
                                                   struct koa_cluster_probe **ret_probe,
                                                   struct koa_error *reterr);
/* No request may be under way: koa_cluster_probe_cancel(), and end them all. NULL is nothing. */
void koa_cluster_probe_destroy(struct koa_cluster_probe *probe);
/* Nothing more is asked or told. Requests under way must still end. */
void koa_cluster_probe_cancel(struct koa_cluster_probe *probe);
/* Every interval: one message to each partition whose last one is over. */
void koa_cluster_probe_tick(struct koa_cluster_probe *probe);
/* Writes what it knows into a snapshot that is not published yet. False when memory is out. */
bool koa_cluster_probe_fill(const struct koa_cluster_probe *probe, struct koa_snapshot *snapshot);

#endif

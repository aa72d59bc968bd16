/* One cluster's cycle as a state machine: answers and time in, requests and a snapshot out. Knows
 * no socket and no clock, so whole outages run in tests under virtual time. One thread.
 *
 * A cycle: Metadata of all topics from any broker that answers; DescribeCluster from the same, and
 * ListGroups from every broker; members and commits of all groups from their coordinators; then
 * from every leader the ends (every slow interval also starts and last stable offsets), last, so
 * that ends are never older than the commits they are compared with. Each request has a deadline of
 * its own. A broker that failed is not asked again, nor waited for, until it has answered a ping.
 */
#ifndef CLUSTER_COLLECTOR_H
#define CLUSTER_COLLECTOR_H

#include <koa/error.h>
#include <koa/time.h>

#include "base/log.h"
#include "cluster/name_filter.h"
#include "cluster/snapshot.h"
#include "kafka/client.h"

struct koa_collector;

enum koa_collector_phase {
    KOA_PHASE_METADATA,
    KOA_PHASE_GROUPS,
    KOA_PHASE_COMMITS,
    KOA_PHASE_OFFSETS,
    KOA_PHASE_COUNT,
    KOA_PHASE_IDLE = KOA_PHASE_COUNT
};

/* "metadata" and so on, as in the label `phase`. */
const char *koa_collector_phase_name(enum koa_collector_phase phase);

/* How a cycle went, beside the snapshot. */
struct koa_collector_report {
    bool has_failed; /* no metadata */
    int64_t phase_ms[KOA_PHASE_COUNT];
    int64_t duration_ms;
    size_t stale_brokers; /* known, and did not answer */
};

struct koa_collector_ops {
    struct koa_mono (*mono)(void *context);
    struct koa_wall (*wall)(void *context);
    /* As koa_kafka_client_submit() and koa_kafka_client_set_brokers(). */
    void (*submit)(void *context, int32_t broker, struct koa_kafka_request *request);
    /* The version chosen for an API on a broker's connection, or -1. */
    int16_t (*version)(void *context, int32_t broker, int16_t api_key);
    void (*set_brokers)(void *context, const struct koa_kafka_address *brokers, size_t count);
    /* The end of a cycle; a new one may be begun. Adopts the reference; NULL: memory is out. */
    void (*finished)(void *context, struct koa_snapshot *snapshot,
                     const struct koa_collector_report *report);
};

struct koa_collector_opts {
    const char *name; /* of the cluster; copied */
    size_t bootstrap_count;
    int64_t interval_ms, slow_interval_ms, request_timeout_ms;
    int64_t batch;                        /* groups a request */
    const struct koa_name_filter *filter; /* of topics; borrowed */
    const struct koa_name_filter *groups; /* borrowed; NULL: all */
    const struct koa_collector_ops *ops;
    void *context;
    struct koa_log *log; /* may be NULL */
};

KOA_MUST_USE enum koa_err koa_collector_create(const struct koa_collector_opts *opts,
                                               struct koa_collector **ret_collector,
                                               struct koa_error *reterr);
/* No request may be under way: koa_collector_cancel(), and end them all. NULL is nothing. */
void koa_collector_destroy(struct koa_collector *collector);

/* Begins a cycle. False when one is under way: the caller counts an overrun. */
bool koa_collector_begin(struct koa_collector *collector);
bool koa_collector_is_busy(const struct koa_collector *collector);
/* Nothing more is asked or finished. Requests under way must still end. */
void koa_collector_cancel(struct koa_collector *collector);

#endif

/* The collector's own metrics: how the asking goes, beside what was learned. */
#ifndef CLUSTER_TELEMETRY_H
#define CLUSTER_TELEMETRY_H

#include <koa/metrics.h>
#include <koa/time.h>

#include "cluster/collector.h"
#include "cluster/probe.h"

/* Declares the families as the catalog has them. `metrics` may be NULL here and below. */
KOA_MUST_USE enum koa_err koa_cluster_telemetry_register(struct koa_metrics *metrics,
                                                         struct koa_error *reterr);
/* Starts the counters of a cluster, and those of the brokers and partitions of the probe that a
 * snapshot tells of. */
void koa_cluster_telemetry_start(struct koa_metrics *metrics, const char *cluster);
void koa_cluster_telemetry_start_parts(struct koa_metrics *metrics,
                                       const struct koa_snapshot *snapshot);
/* By how much the numbers of watched clusters and topics change. */
void koa_cluster_telemetry_watched(struct koa_metrics *metrics, int clusters, int64_t topics);
void koa_cluster_telemetry_answer(struct koa_metrics *metrics, const char *cluster, int32_t broker,
                                  const struct koa_kafka_answer *answer);
void koa_cluster_telemetry_reconnect(struct koa_metrics *metrics, const char *cluster,
                                     int32_t broker);
void koa_cluster_telemetry_cycle(struct koa_metrics *metrics, const char *cluster,
                                 const struct koa_collector_report *report, struct koa_wall now);
/* The cluster is not watched any more: its gauges say nothing of it. */
void koa_cluster_telemetry_end(struct koa_metrics *metrics, const char *cluster);
/* Age of the last good cycle. Negative: there was none, and nothing is set. */
void koa_cluster_telemetry_age(struct koa_metrics *metrics, const char *cluster, int64_t age_ms);
void koa_cluster_telemetry_overrun(struct koa_metrics *metrics, const char *cluster);

void koa_cluster_telemetry_probe(struct koa_metrics *metrics, const char *cluster,
                                 const struct koa_probe_news *news);

#endif

/* Names and labels of the collector's own metrics. */
#include "cluster/telemetry.h"

#include <stdio.h>

#include "metrics/catalog.h"

#define CYCLE_DURATION "kafka_ops_collector_cycle_duration_seconds"
#define UP "kafka_ops_collector_up"
#define LAST_SUCCESS "kafka_ops_collector_last_success_timestamp_seconds"
#define DATA_AGE "kafka_ops_collector_data_age_seconds"
#define STALE_BROKERS "kafka_ops_collector_stale_brokers"
#define OVERRUNS "kafka_ops_collector_overruns_total"
#define REQUESTS "kafka_ops_kafka_requests_total"
#define REQUEST_DURATION "kafka_ops_kafka_request_duration_seconds"
#define REQUEST_BYTES "kafka_ops_kafka_request_bytes_total"
#define RESPONSE_BYTES "kafka_ops_kafka_response_bytes_total"
#define THROTTLE "kafka_ops_kafka_throttle_seconds_total"
#define RECONNECTS "kafka_ops_kafka_reconnects_total"

#define PROBE_PRODUCED "kafka_ops_probe_produced_total"
#define PROBE_RECEIVED "kafka_ops_probe_received_total"
#define PROBE_LOST "kafka_ops_probe_lost_total"
#define PROBE_DUPLICATED "kafka_ops_probe_duplicated_total"
#define PROBE_FAILED "kafka_ops_probe_failed_total"
#define PROBE_PRODUCE_DURATION "kafka_ops_probe_produce_duration_seconds"
#define PROBE_ROUND_TRIP "kafka_ops_probe_round_trip_duration_seconds"

#define TOPICS "kafka_ops_topics_total"
#define CLUSTERS "kafka_ops_clusters_total"

enum koa_err koa_cluster_telemetry_register(struct koa_metrics *metrics, struct koa_error *reterr)
{
    static const char *const names[] = {
        UP,
        CYCLE_DURATION,
        LAST_SUCCESS,
        DATA_AGE,
        STALE_BROKERS,
        OVERRUNS,
        REQUESTS,
        REQUEST_DURATION,
        REQUEST_BYTES,
        RESPONSE_BYTES,
        THROTTLE,
        RECONNECTS,
        TOPICS,
        CLUSTERS,
        PROBE_PRODUCED,
        PROBE_RECEIVED,
        PROBE_LOST,
        PROBE_DUPLICATED,
        PROBE_FAILED,
        PROBE_PRODUCE_DURATION,
        PROBE_ROUND_TRIP,
    };
    enum koa_err err = KOA_OK;

    for (size_t i = 0; metrics != NULL && i < KOA_ARRAY_COUNT(names) && err == KOA_OK; i++)
        err = koa_metrics_declare(metrics, koa_catalog_find(names[i]), 1, reterr);
    return err;
}

void koa_cluster_telemetry_watched(struct koa_metrics *metrics, int clusters, int64_t topics)
{
    koa_metrics_add(metrics, CLUSTERS, clusters, KOA_NO_LABELS);
    koa_metrics_add(metrics, TOPICS, (double) topics, KOA_NO_LABELS);
}

static const char *broker_name(int32_t broker, char text[16])
{
    if (broker < 0)
        return "bootstrap";
    (void) snprintf(text, 16, "%d", broker);
    return text;
}

static void start_broker(struct koa_metrics *metrics, const char *cluster, int32_t broker)
{
    char text[16];

    koa_metrics_start(metrics,
                      KOA_LABELS({"cluster", cluster}, {"broker", broker_name(broker, text)}));
}

void koa_cluster_telemetry_start(struct koa_metrics *metrics, const char *cluster)
{
    koa_metrics_start(metrics, KOA_LABELS({"cluster", cluster}));
    start_broker(metrics, cluster, -1);
}

void koa_cluster_telemetry_start_parts(struct koa_metrics *metrics,
                                       const struct koa_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->broker_count; i++)
        start_broker(metrics, snapshot->cluster, snapshot->brokers[i].id);
    for (size_t i = 0; i < snapshot->probe_count; i++) {
        char broker[16];
        char partition[16];

        if (snapshot->probes[i].leader < 0)
            continue; /* nothing is sent there */
        (void) snprintf(partition, sizeof(partition), "%d", snapshot->probes[i].partition);
        koa_metrics_start(metrics,
                          KOA_LABELS({"cluster", snapshot->cluster},
                                     {"broker", broker_name(snapshot->probes[i].leader, broker)},
                                     {"partition", partition}));
    }
}

void koa_cluster_telemetry_answer(struct koa_metrics *metrics, const char *cluster, int32_t broker,
                                  const struct koa_kafka_answer *answer)
{
    const struct koa_labels *by_api = KOA_LABELS({"cluster", cluster}, {"api", answer->api->name});
    char text[16];
    const char *name = broker_name(broker, text);
    const char *result = answer->error != NULL ? koa_err_name(answer->error->code) : "ok";

    koa_metrics_count(metrics, REQUESTS, 1,
                      KOA_LABELS({"cluster", cluster}, {"broker", name}, {"api", answer->api->name},
                                 {"result", result}));
    if (answer->was_sent)
        koa_metrics_count(metrics, REQUEST_BYTES, (double) answer->request_bytes, by_api);
    if (answer->error != NULL)
        return;
    koa_metrics_observe(metrics, REQUEST_DURATION, (double) answer->elapsed_ms / 1000.0, by_api);
    koa_metrics_count(metrics, RESPONSE_BYTES, (double) answer->response_bytes, by_api);
    if (answer->throttle_ms > 0) {
        koa_metrics_count(metrics, THROTTLE, (double) answer->throttle_ms / 1000.0,
                          KOA_LABELS({"cluster", cluster}, {"broker", name}));
    }
}

void koa_cluster_telemetry_reconnect(struct koa_metrics *metrics, const char *cluster,
                                     int32_t broker)
{
    char text[16];

    koa_metrics_count(metrics, RECONNECTS, 1,
                      KOA_LABELS({"cluster", cluster}, {"broker", broker_name(broker, text)}));
}

static void observe_phase(struct koa_metrics *metrics, const char *cluster, const char *phase,
                          int64_t duration_ms)
{
    koa_metrics_observe(metrics, CYCLE_DURATION, (double) duration_ms / 1000.0,
                        KOA_LABELS({"cluster", cluster}, {"phase", phase}));
}

void koa_cluster_telemetry_cycle(struct koa_metrics *metrics, const char *cluster,
                                 const struct koa_collector_report *report, struct koa_wall now)
{
    const struct koa_labels *labels = KOA_LABELS({"cluster", cluster});

    koa_metrics_set(metrics, UP, report->has_failed ? 0 : 1, labels);
    koa_metrics_set(metrics, STALE_BROKERS, (double) report->stale_brokers, labels);
    observe_phase(metrics, cluster, "total", report->duration_ms);
    if (report->has_failed)
        return;
    koa_metrics_set(metrics, LAST_SUCCESS, (double) now.ms / 1000.0, labels);
    for (int phase = 0; phase < KOA_PHASE_COUNT; phase++) {
        observe_phase(metrics, cluster, koa_collector_phase_name((enum koa_collector_phase) phase),
                      report->phase_ms[phase]);
    }
}

void koa_cluster_telemetry_end(struct koa_metrics *metrics, const char *cluster)
{
    static const char *const gauges[] = {UP, LAST_SUCCESS, DATA_AGE, STALE_BROKERS};

    for (size_t i = 0; i < KOA_ARRAY_COUNT(gauges); i++)
        koa_metrics_clear(metrics, gauges[i], KOA_LABELS({"cluster", cluster}));
}

void koa_cluster_telemetry_age(struct koa_metrics *metrics, const char *cluster, int64_t age_ms)
{
    if (age_ms >= 0) {
        koa_metrics_set(metrics, DATA_AGE, (double) age_ms / 1000.0,
                        KOA_LABELS({"cluster", cluster}));
    }
}

void koa_cluster_telemetry_overrun(struct koa_metrics *metrics, const char *cluster)
{
    koa_metrics_count(metrics, OVERRUNS, 1, KOA_LABELS({"cluster", cluster}));
}

void koa_cluster_telemetry_probe(struct koa_metrics *metrics, const char *cluster,
                                 const struct koa_probe_news *news)
{
    static const struct {
        const char *counter, *histogram;
    } rows[] = {
        [KOA_PROBE_PRODUCED] = {PROBE_PRODUCED, PROBE_PRODUCE_DURATION},
        [KOA_PROBE_RECEIVED] = {PROBE_RECEIVED, PROBE_ROUND_TRIP},
        [KOA_PROBE_LOST] = {PROBE_LOST, NULL},
        [KOA_PROBE_DUPLICATED] = {PROBE_DUPLICATED, NULL},
        [KOA_PROBE_FAILED] = {PROBE_FAILED, NULL},
    };
    char broker_text[16];
    char partition_text[16];
    const struct koa_labels *labels =
        KOA_LABELS({"cluster", cluster}, {"broker", broker_name(news->broker, broker_text)},
                   {"partition", partition_text});

    (void) snprintf(partition_text, sizeof(partition_text), "%d", news->partition);
    koa_metrics_count(metrics, rows[news->event].counter, 1, labels);
    if (rows[news->event].histogram != NULL)
        koa_metrics_observe(metrics, rows[news->event].histogram, news->seconds, labels);
}

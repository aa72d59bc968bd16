/* /clusters, /clusters/{cluster} and its brokers: the published snapshot. */
#include <stdio.h>

#include "api/answer.h"
#include "api/cluster_view.h"
#include "api/endpoints.h"
#include "base/str.h"
#include "health/engine.h"

bool koa_api_cluster_open(const struct koa_api *api, const struct koa_http_request *request,
                          struct koa_http_response *response, struct koa_api_cluster_view *ret_view)
{
    const char *name = koa_http_request_segment(request, 0);
    struct koa_api_parts *parts = (struct koa_api_parts *) koa_published_get(api->parts);
    char error[256];

    for (size_t i = 0; i < parts->cluster_count; i++) {
        if (koa_text_equal(koa_cluster_name(parts->clusters[i]), name)) {
            *ret_view = (struct koa_api_cluster_view){
                .parts = parts,
                .cluster = parts->clusters[i],
                .snapshot = koa_cluster_snapshot(parts->clusters[i]),
            };
            return true;
        }
    }
    koa_object_unref(&parts->object);
    (void) snprintf(error, sizeof(error), "Cluster %.100s not found", name);
    koa_http_fail(response, 404, error, "/clusters lists the clusters");
    return false;
}

void koa_api_cluster_close(struct koa_api_cluster_view *view)
{
    koa_snapshot_unref(view->snapshot);
    koa_object_unref(&view->parts->object);
}

void koa_api_cluster_write_age(const struct koa_api *api, struct koa_json *json,
                               const struct koa_api_cluster_view *view)
{
    int64_t then_ms = view->snapshot != NULL ? koa_snapshot_time(view->snapshot).ms : 0;

    koa_api_real(json, "snapshot_age_seconds", view->snapshot != NULL,
                 (double) (api->wall().ms - then_ms) / 1000.0);
}

/* Sums of one snapshot; zero where there is none yet. */
struct summary {
    int64_t online, known, stale;
    int64_t partitions;
};

static struct summary summarise(const struct koa_snapshot *snapshot)
{
    struct summary summary = {0};

    if (snapshot == NULL)
        return summary;
    for (size_t i = 0; i < koa_snapshot_broker_count(snapshot); i++) {
        struct koa_snapshot_broker broker;

        koa_snapshot_broker(snapshot, i, &broker);
        summary.known += broker.is_known ? 1 : 0;
        summary.online += broker.is_up ? 1 : 0;
    }
    for (size_t i = 0; i < koa_snapshot_topic_count(snapshot); i++) {
        struct koa_snapshot_topic topic;

        koa_snapshot_topic(snapshot, i, &topic);
        summary.partitions += topic.partitions;
    }
    return summary;
}

static const char *status_word(const struct koa_snapshot *snapshot, const struct summary *summary)
{
    if (snapshot == NULL)
        return koa_status_name(KOA_STATUS_UNKNOWN);
    if (summary->online == 0 || koa_snapshot_error(snapshot) != NULL)
        return koa_status_name(KOA_STATUS_UNHEALTHY);
    return koa_status_name(summary->online < summary->known ? KOA_STATUS_DEGRADED
                                                            : KOA_STATUS_HEALTHY);
}

static void write_stale(struct koa_json *json, const struct koa_snapshot *snapshot)
{
    koa_json_list(json, "stale_brokers");
    for (size_t i = 0; snapshot != NULL && i < koa_snapshot_broker_count(snapshot); i++) {
        struct koa_snapshot_broker broker;

        koa_snapshot_broker(snapshot, i, &broker);
        if (broker.is_known && !broker.is_up)
            koa_json_int(json, NULL, broker.id);
    }
    koa_json_list_end(json);
}

static void write_cycle(struct koa_json *json, const struct koa_snapshot *snapshot)
{
    struct koa_snapshot_cycle cycle = {0};

    if (snapshot != NULL)
        koa_snapshot_cycle(snapshot, &cycle);
    koa_json_object(json, "cycle");
    koa_json_double(json, "duration_ms", cycle.duration_ms);
    koa_json_int(json, "requests", cycle.requests);
    koa_json_int(json, "errors", cycle.errors);
    koa_json_object_end(json);
}

/* CLUSTER's members without the timestamp, into the object that is open. */
static void write_cluster(const struct koa_api *api, struct koa_json *json,
                          struct koa_cluster *cluster, const struct koa_snapshot *snapshot)
{
    struct summary summary = summarise(snapshot);
    int32_t controller = snapshot != NULL ? koa_snapshot_controller(snapshot) : -1;
    int64_t good_ms = snapshot != NULL ? koa_snapshot_good_time(snapshot).ms : 0;

    koa_json_text(json, "name", koa_cluster_name(cluster));
    koa_json_text(json, "cluster_id", snapshot != NULL ? koa_snapshot_cluster_id(snapshot) : "");
    koa_json_text(json, "status", status_word(snapshot, &summary));
    koa_json_int(json, "brokers_online", summary.online);
    koa_json_int(json, "brokers_known", summary.known);
    koa_api_number(json, "controller_id", controller >= 0, controller);
    koa_json_int(json, "topics",
                 snapshot != NULL ? (int64_t) koa_snapshot_topic_count(snapshot) : 0);
    koa_json_int(json, "partitions", summary.partitions);
    koa_json_int(json, "groups",
                 snapshot != NULL ? (int64_t) koa_snapshot_group_count(snapshot) : 0);
    koa_api_real(json, "snapshot_age_seconds", good_ms > 0,
                 (double) (api->wall().ms - good_ms) / 1000.0);
    koa_json_text(json, "error", snapshot != NULL ? koa_snapshot_error(snapshot) : NULL);
    write_stale(json, snapshot);
    write_cycle(json, snapshot);
}

void koa_api_clusters(void *context, const struct koa_http_request *request,
                      struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct koa_api_parts *parts = (struct koa_api_parts *) koa_published_get(api->parts);
    struct koa_json json = koa_api_json(response);

    (void) request;
    koa_json_list(&json, "clusters");
    for (size_t i = 0; i < parts->cluster_count; i++) {
        struct koa_snapshot *snapshot = koa_cluster_snapshot(parts->clusters[i]);

        koa_json_object(&json, NULL);
        write_cluster(api, &json, parts->clusters[i], snapshot);
        koa_json_time(&json, "timestamp", api->wall());
        koa_json_object_end(&json);
        koa_snapshot_unref(snapshot);
    }
    koa_json_list_end(&json);
    koa_json_int(&json, "count", (int64_t) parts->cluster_count);
    koa_api_json_end(api, &json);
    koa_object_unref(&parts->object);
}

void koa_api_cluster(void *context, const struct koa_http_request *request,
                     struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct koa_api_cluster_view view;
    struct koa_json json;

    if (!koa_api_cluster_open(api, request, response, &view))
        return;
    json = koa_api_json(response);
    write_cluster(api, &json, view.cluster, view.snapshot);
    koa_api_json_end(api, &json);
    koa_api_cluster_close(&view);
}

static void write_broker(struct koa_json *json, const struct koa_snapshot_broker *broker)
{
    koa_json_object(json, NULL);
    koa_json_int(json, "id", broker->id);
    koa_json_text(json, "host", broker->host);
    koa_json_int(json, "port", broker->port);
    koa_json_text(json, "rack", broker->rack[0] != '\0' ? broker->rack : NULL);
    koa_json_bool(json, "is_controller", broker->is_controller);
    koa_json_bool(json, "up", broker->is_up);
    koa_json_double(json, "age_seconds", (double) broker->age_ms / 1000.0);
    koa_json_int(json, "leaders", broker->leaders);
    koa_json_int(json, "replicas", broker->replicas);
    koa_json_text(json, "error", broker->error);
    koa_json_object_end(json);
}

void koa_api_cluster_brokers(void *context, const struct koa_http_request *request,
                             struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct koa_api_cluster_view view;
    struct koa_json json;
    int64_t count = 0;

    if (!koa_api_cluster_open(api, request, response, &view))
        return;
    json = koa_api_json(response);
    koa_json_list(&json, "brokers");
    for (size_t i = 0; view.snapshot != NULL && i < koa_snapshot_broker_count(view.snapshot); i++) {
        struct koa_snapshot_broker broker;

        koa_snapshot_broker(view.snapshot, i, &broker);
        if (broker.is_known) {
            write_broker(&json, &broker);
            count++;
        }
    }
    koa_json_list_end(&json);
    koa_json_int(&json, "count", count);
    koa_api_json_end(api, &json);
    koa_api_cluster_close(&view);
}

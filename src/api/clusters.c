/* /clusters, /clusters/{cluster} and its brokers: the published snapshot. */
#include <stdio.h>

#include "api/answer.h"
#include "api/cluster_view.h"
#include "api/endpoints.h"
#include "api/state_view.h"
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

static const char *status_word(const struct koa_api *api, const struct koa_snapshot *snapshot,
                               const struct koa_troubles *counts)
{
    enum koa_status status = KOA_STATUS_HEALTHY;

    if (snapshot == NULL) {
        status = KOA_STATUS_UNKNOWN;
    } else if (counts->brokers_up == 0 || koa_snapshot_error(snapshot) != NULL ||
               koa_snapshot_is_overdue(snapshot, api->wall())) {
        status = KOA_STATUS_UNHEALTHY;
    } else if ((koa_troubles_found(counts) & KOA_TROUBLES_DEGRADED) != 0) {
        status = KOA_STATUS_DEGRADED;
    }
    return koa_status_name(status);
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
    struct koa_troubles counts = {.partitions = 0};
    int32_t controller = snapshot != NULL ? koa_snapshot_controller(snapshot) : -1;
    int64_t good_ms = snapshot != NULL ? koa_snapshot_good_time(snapshot).ms : 0;

    if (snapshot != NULL)
        koa_troubles_count(snapshot, &counts);
    koa_json_text(json, "name", koa_cluster_name(cluster));
    koa_json_text(json, "cluster_id", snapshot != NULL ? koa_snapshot_cluster_id(snapshot) : "");
    koa_json_text(json, "status", status_word(api, snapshot, &counts));
    koa_json_int(json, "brokers_online", counts.brokers_up);
    koa_json_int(json, "brokers_known", counts.brokers_up + counts.brokers_missing);
    koa_api_number(json, "controller_id", controller >= 0, controller);
    koa_json_int(json, "topics",
                 snapshot != NULL ? (int64_t) koa_snapshot_topic_count(snapshot) : 0);
    koa_json_int(json, "partitions", counts.partitions);
    koa_json_int(json, "groups",
                 snapshot != NULL ? (int64_t) koa_snapshot_group_count(snapshot) : 0);
    koa_api_real(json, "snapshot_age_seconds", good_ms > 0,
                 (double) (api->wall().ms - good_ms) / 1000.0);
    koa_json_text(json, "error", snapshot != NULL ? koa_snapshot_error(snapshot) : NULL);
    koa_state_view_write_troubles(json, &counts);
    koa_state_view_write_quorum(json, snapshot);
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

void koa_api_cluster_brokers(void *context, const struct koa_http_request *request,
                             struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct koa_api_cluster_view view;
    struct koa_json json;
    int64_t count;

    if (!koa_api_cluster_open(api, request, response, &view))
        return;
    json = koa_api_json(response);
    count = koa_state_view_write_brokers(&json, view.snapshot);
    koa_json_int(&json, "count", count);
    koa_api_json_end(api, &json);
    koa_api_cluster_close(&view);
}

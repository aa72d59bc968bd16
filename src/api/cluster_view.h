/* A cluster as a request sees it: found by the path's first segment, pinned until it is closed. */
#ifndef API_CLUSTER_VIEW_H
#define API_CLUSTER_VIEW_H

#include "api/answer.h"
#include "cluster/cluster.h"

struct koa_api_cluster_view {
    struct koa_api_parts *parts;
    struct koa_cluster *cluster;
    struct koa_snapshot *snapshot; /* NULL before the first cycle */
};

/* False: the response is a 404 already. */
bool koa_api_cluster_open(const struct koa_api *api, const struct koa_http_request *request,
                          struct koa_http_response *response,
                          struct koa_api_cluster_view *ret_view);
void koa_api_cluster_close(struct koa_api_cluster_view *view);
/* `snapshot_age_seconds`, null before the first cycle. */
void koa_api_cluster_write_age(const struct koa_api *api, struct koa_json *json,
                               const struct koa_api_cluster_view *view);

#endif

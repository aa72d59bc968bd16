/* /clusters/{cluster}/topics and one topic of it: the published snapshot, paged. */
#include <stdio.h>
#include <string.h>

#include "api/cluster_view.h"
#include "api/endpoints.h"
#include "api/pager.h"
#include "api/state_view.h"
#include "base/memory.h"

enum order { ORDER_NAME, ORDER_PARTITIONS, ORDER_TROUBLE };

static const char *const words[] = {
    [ORDER_NAME] = "name", [ORDER_PARTITIONS] = "partitions", [ORDER_TROUBLE] = "trouble"};
static const struct koa_page_orders orders = {
    .words = words, .count = KOA_ARRAY_COUNT(words), .fallback = ORDER_TROUBLE};

static int64_t weigh(const struct koa_snapshot_topic *topic, size_t order)
{
    return order == ORDER_PARTITIONS ? topic->partitions : koa_state_view_weigh(topic);
}

static void write_page(struct koa_json *json, const struct koa_snapshot *snapshot,
                       const struct koa_page *page, struct koa_page_row *rows, size_t count)
{
    struct koa_page_cut cut = koa_page_cut(page, rows, count);

    koa_json_list(json, "topics");
    for (size_t i = cut.first; i < cut.end; i++) {
        struct koa_snapshot_topic topic;

        koa_snapshot_topic(snapshot, rows[i].index, &topic);
        koa_json_object(json, NULL);
        koa_state_view_write_topic(json, &topic);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
    koa_page_write_end(json, page, &cut);
}

void koa_api_cluster_topics(void *context, const struct koa_http_request *request,
                            struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct koa_api_cluster_view view;
    struct koa_page_row *rows;
    struct koa_page page;
    size_t count = 0;
    size_t all;

    if (!koa_page_read(request, response, &orders, &page) ||
        !koa_api_cluster_open(api, request, response, &view))
        return;
    all = view.snapshot != NULL ? koa_snapshot_topic_count(view.snapshot) : 0;
    rows = koa_calloc(all + 1, sizeof(*rows));
    for (size_t i = 0; rows != NULL && i < all; i++) {
        struct koa_snapshot_topic topic;

        koa_snapshot_topic(view.snapshot, i, &topic);
        if (koa_page_finds(&page, topic.name)) {
            rows[count++] = (struct koa_page_row){
                .name = topic.name, .weight = weigh(&topic, page.order), .index = i};
        }
    }
    if (rows == NULL) {
        koa_api_no_memory(response, all);
    } else {
        struct koa_json json = koa_api_json(response);

        write_page(&json, view.snapshot, &page, rows, count);
        koa_api_cluster_write_age(api, &json, &view);
        koa_api_json_end(api, &json);
    }
    koa_free(rows);
    koa_api_cluster_close(&view);
}

void koa_api_cluster_topic(void *context, const struct koa_http_request *request,
                           struct koa_http_response *response)
{
    const struct koa_api *api = context;
    const char *name = koa_http_request_segment(request, 1);
    struct koa_api_cluster_view view;
    bool is_found = false;

    if (!koa_api_cluster_open(api, request, response, &view))
        return;
    for (size_t i = 0;
         view.snapshot != NULL && !is_found && i < koa_snapshot_topic_count(view.snapshot); i++) {
        struct koa_snapshot_topic topic;

        koa_snapshot_topic(view.snapshot, i, &topic);
        is_found = strcmp(topic.name, name) == 0;
        if (is_found) {
            struct koa_json json = koa_api_json(response);

            koa_state_view_write_topic(&json, &topic);
            koa_state_view_write_partitions(&json, view.snapshot, i, topic.partitions);
            koa_api_cluster_write_age(api, &json, &view);
            koa_api_json_end(api, &json);
        }
    }
    if (!is_found) {
        char error[320];

        (void) snprintf(error, sizeof(error), "Topic %.250s not found", name);
        koa_http_fail(response, 404, error, "/clusters/{cluster}/topics lists the topics");
    }
    koa_api_cluster_close(&view);
}

/* /clusters/{cluster}/topics and one topic of it: the published snapshot, paged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/answer.h"
#include "api/cluster_view.h"
#include "api/endpoints.h"
#include "base/memory.h"
#include "base/str.h"

enum { DEFAULT_LIMIT = 100 };

enum order { ORDER_NAME, ORDER_PARTITIONS, ORDER_TROUBLE };

/* What hurts most comes first: leaderless, then under-replicated. */
static int64_t trouble(const struct koa_snapshot_topic *topic)
{
    return (int64_t) topic->leaderless * 1000000 + topic->under_replicated;
}

static int compare_names(const void *a, const void *b)
{
    const struct koa_snapshot_topic *left = a;
    const struct koa_snapshot_topic *right = b;

    return strcmp(left->name, right->name);
}

static int compare_partitions(const void *a, const void *b)
{
    const struct koa_snapshot_topic *left = a;
    const struct koa_snapshot_topic *right = b;

    if (left->partitions != right->partitions)
        return left->partitions > right->partitions ? -1 : 1;
    return compare_names(a, b);
}

static int compare_trouble(const void *a, const void *b)
{
    int64_t left = trouble(a);
    int64_t right = trouble(b);

    if (left != right)
        return left > right ? -1 : 1;
    return compare_names(a, b);
}

static const struct {
    const char *word;
    int (*compare)(const void *a, const void *b);
} orders[] = {
    [ORDER_NAME] = {"name", compare_names},
    [ORDER_PARTITIONS] = {"partitions", compare_partitions},
    [ORDER_TROUBLE] = {"trouble", compare_trouble},
};

/* `limit`, `after`, `sort`, `search` of the query. */
struct page {
    int64_t limit;
    const char *after; /* name of the last topic of the page before; NULL: the first page */
    const char *search;
    enum order order;
};

static bool read_page(const struct koa_http_request *request, struct koa_http_response *response,
                      struct page *page)
{
    const char *sort = koa_http_request_query(request, "sort");

    *page = (struct page){.after = koa_http_request_query(request, "after"),
                          .search = koa_http_request_query(request, "search"),
                          .order = ORDER_TROUBLE};
    if (!koa_api_limit(request, response, DEFAULT_LIMIT, &page->limit))
        return false;
    if (sort == NULL || sort[0] == '\0')
        return true;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(orders); i++) {
        if (strcmp(orders[i].word, sort) == 0) {
            page->order = (enum order) i;
            return true;
        }
    }
    koa_api_invalid(response, "sort", sort, "name, partitions or trouble");
    return false;
}

static void write_topic(struct koa_json *json, const struct koa_snapshot_topic *topic)
{
    koa_json_text(json, "name", topic->name);
    koa_json_bool(json, "is_internal", topic->is_internal);
    koa_json_int(json, "partitions", topic->partitions);
    koa_json_int(json, "leaderless", topic->leaderless);
    koa_json_int(json, "under_replicated", topic->under_replicated);
}

static void write_age(const struct koa_api *api, struct koa_json *json,
                      const struct koa_snapshot *snapshot)
{
    if (snapshot != NULL) {
        koa_json_double(json, "snapshot_age_seconds",
                        (double) (api->wall().ms - koa_snapshot_time(snapshot).ms) / 1000.0);
    } else {
        koa_json_null(json, "snapshot_age_seconds");
    }
}

static void write_page(struct koa_json *json, const struct koa_snapshot_topic *topics, size_t count,
                       const struct page *page)
{
    int64_t shown = 0;
    size_t at = 0;

    while (page->after != NULL && page->after[0] != '\0' && at < count) {
        if (strcmp(topics[at++].name, page->after) == 0)
            break;
    }
    koa_json_list(json, "topics");
    for (; at < count && (page->limit == 0 || shown < page->limit); at++, shown++) {
        koa_json_object(json, NULL);
        write_topic(json, &topics[at]);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
    koa_json_int(json, "count", shown);
    koa_json_int(json, "total_count", (int64_t) count);
    koa_json_text(json, "next", at < count && at > 0 ? topics[at - 1].name : NULL);
}

void koa_api_cluster_topics(void *context, const struct koa_http_request *request,
                            struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct koa_api_cluster_view view;
    struct koa_snapshot_topic *topics;
    struct koa_json json;
    struct page page;
    size_t count = 0;
    size_t all;

    if (!read_page(request, response, &page) ||
        !koa_api_cluster_open(api, request, response, &view))
        return;
    all = view.snapshot != NULL ? koa_snapshot_topic_count(view.snapshot) : 0;
    topics = koa_calloc(all, sizeof(*topics));
    for (size_t i = 0; topics != NULL && i < all; i++) {
        koa_snapshot_topic(view.snapshot, i, &topics[count]);
        if (page.search == NULL || strstr(topics[count].name, page.search) != NULL)
            count++;
    }
    if (count > 0)
        qsort(topics, count, sizeof(*topics), orders[page.order].compare);
    json = koa_api_json(response);
    write_page(&json, topics, count, &page);
    write_age(api, &json, view.snapshot);
    koa_api_json_end(api, &json);
    koa_free(topics);
    koa_api_cluster_close(&view);
}

static void write_offset(struct koa_json *json, const char *key, bool is_known, int64_t offset)
{
    if (is_known) {
        koa_json_int(json, key, offset);
    } else {
        koa_json_null(json, key);
    }
}

static void write_partitions(struct koa_json *json, const struct koa_snapshot *snapshot,
                             size_t topic, int32_t count)
{
    koa_json_list(json, "partition_list");
    for (int32_t i = 0; i < count; i++) {
        struct koa_snapshot_partition partition;

        koa_snapshot_partition(snapshot, topic, (size_t) i, &partition);
        koa_json_object(json, NULL);
        koa_json_int(json, "id", partition.id);
        write_offset(json, "leader", partition.leader >= 0, partition.leader);
        koa_json_int(json, "replicas", partition.replicas);
        koa_json_int(json, "in_sync", partition.in_sync);
        koa_json_bool(json, "is_leader_preferred", partition.is_leader_preferred);
        write_offset(json, "start_offset", partition.has_start_offset, partition.start_offset);
        write_offset(json, "end_offset", partition.has_end_offset, partition.end_offset);
        koa_json_bool(json, "is_stale", partition.is_stale);
        koa_json_double(json, "offset_age_seconds", (double) partition.offset_age_ms / 1000.0);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
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

            write_topic(&json, &topic);
            write_partitions(&json, view.snapshot, i, topic.partitions);
            write_age(api, &json, view.snapshot);
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

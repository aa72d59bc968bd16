/* /clusters/{cluster}/groups and one group of it: the published snapshot, paged. */
#include <stdio.h>

#include "api/cluster_view.h"
#include "api/endpoints.h"
#include "api/group_view.h"
#include "base/memory.h"
#include "base/str.h"

static const struct koa_page_orders orders = {
    .words = koa_group_orders, .count = KOA_GROUP_ORDER_COUNT, .fallback = KOA_GROUP_ORDER_TROUBLE};

static bool read_wish(const struct koa_http_request *request, struct koa_http_response *response,
                      struct koa_group_wish *wish)
{
    const char *type = koa_http_request_query(request, "type");

    *wish = (struct koa_group_wish){.state = koa_http_request_query(request, "state"), .type = -1};
    if (type == NULL || type[0] == '\0')
        return true;
    for (int i = 0; i < KOA_GROUP_TYPE_COUNT; i++) {
        if (koa_text_equal_nocase(koa_group_type_name((enum koa_group_type) i), type)) {
            wish->type = i;
            return true;
        }
    }
    koa_api_invalid(response, "type", type, "classic, consumer, share or streams");
    return false;
}

static void write_groups(struct koa_json *json, const struct koa_snapshot *snapshot,
                         const struct koa_page *page, struct koa_page_row *rows, size_t count)
{
    struct koa_page_cut cut = koa_page_cut(page, rows, count);

    koa_json_list(json, "groups");
    for (size_t i = cut.first; i < cut.end; i++) {
        koa_json_object(json, NULL);
        koa_group_write(json, snapshot, rows[i].index);
        koa_json_object_end(json);
    }
    koa_json_list_end(json);
    koa_page_write_end(json, page, &cut);
}

void koa_api_cluster_groups(void *context, const struct koa_http_request *request,
                            struct koa_http_response *response)
{
    const struct koa_api *api = context;
    struct koa_api_cluster_view view;
    struct koa_group_wish wish;
    struct koa_page_row *rows;
    struct koa_page page;
    size_t all;

    if (!koa_page_read(request, response, &orders, &page) || !read_wish(request, response, &wish) ||
        !koa_api_cluster_open(api, request, response, &view))
        return;
    all = view.snapshot != NULL ? koa_snapshot_group_count(view.snapshot) : 0;
    rows = koa_calloc(all + 1, sizeof(*rows));
    if (rows == NULL) {
        koa_api_no_memory(response, all);
    } else {
        struct koa_json json = koa_api_json(response);
        size_t count = all > 0 ? koa_group_rows(view.snapshot, &page, &wish, rows) : 0;

        write_groups(&json, view.snapshot, &page, rows, count);
        koa_api_cluster_write_age(api, &json, &view);
        koa_api_json_end(api, &json);
    }
    koa_free(rows);
    koa_api_cluster_close(&view);
}

static void answer_group(const struct koa_api *api, struct koa_http_response *response,
                         const struct koa_api_cluster_view *view, const struct koa_page *page,
                         size_t group)
{
    struct koa_snapshot_group row;
    struct koa_page_row *rows;
    struct koa_page_cut cut;
    struct koa_json json;

    koa_snapshot_group(view->snapshot, group, &row);
    rows = koa_calloc(row.topics + 1, sizeof(*rows));
    if (rows == NULL) {
        koa_api_no_memory(response, row.topics);
        return;
    }
    cut = koa_page_cut(page, rows, koa_group_topic_rows(view->snapshot, group, page, rows));
    json = koa_api_json(response);
    koa_group_write(&json, view->snapshot, group);
    koa_json_list(&json, "topic_list");
    for (size_t i = cut.first; i < cut.end; i++)
        koa_group_topic_write(&json, view->snapshot, group, rows[i].index);
    koa_json_list_end(&json);
    koa_page_write_end(&json, page, &cut);
    koa_api_cluster_write_age(api, &json, view);
    koa_api_json_end(api, &json);
    koa_free(rows);
}

void koa_api_cluster_group(void *context, const struct koa_http_request *request,
                           struct koa_http_response *response)
{
    const struct koa_api *api = context;
    const char *name = koa_http_request_segment(request, 1);
    struct koa_api_cluster_view view;
    struct koa_page page;
    size_t group;

    if (!koa_page_read(request, response, &orders, &page) ||
        !koa_api_cluster_open(api, request, response, &view))
        return;
    if (view.snapshot != NULL && koa_group_find(view.snapshot, name, &group)) {
        answer_group(api, response, &view, &page, group);
    } else {
        char error[320];

        (void) snprintf(error, sizeof(error), "Group %.250s not found", name);
        koa_http_fail(response, 404, error, "/clusters/{cluster}/groups lists the groups");
    }
    koa_api_cluster_close(&view);
}

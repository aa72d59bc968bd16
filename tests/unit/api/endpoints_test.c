/* Endpoints over a real listener, with an agent that has measured nothing yet: what queries and
 * bodies may say, and how errors answer. */
#include "api/api.h"

#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "base/json_read.h"
#include "cluster/cluster.h"
#include "kit/kit.h"
#include "loop/clock.h"
#include "metrics/history.h"
#include "unit/httpserver/fixture.h"

enum { REQUEST_SIZE = 1024 };

static struct {
    struct fixture http;
    struct koa_published parts;
    struct koa_api_parts own_parts;
    struct koa_cluster *cluster;
    struct koa_history *history;
    struct koa_api api;
    char level_set[64]; /* "COMPONENT=LEVEL" of the last call */
} f;

static enum koa_err set_log_level(void *agent, const char *component, const char *level,
                                  struct koa_error *reterr)
{
    (void) agent;
    if (strcmp(level, "debug") != 0)
        return koa_fail(reterr, KOA_ERR_INVALID, "there is no level '%s'", level);
    (void) snprintf(f.level_set, sizeof(f.level_set), "%s=%s",
                    component != NULL ? component : "all", level);
    return KOA_OK;
}

static void write_log_levels(void *agent, struct koa_buf *buf)
{
    (void) agent;
    koa_buf_append_text(buf, "{\"kafka\":\"debug\"}");
}

static const struct koa_api_calls calls = {.set_log_level = set_log_level,
                                           .write_log_levels = write_log_levels};

static void keep(struct koa_object *object)
{
    (void) object;
}

static void make_cluster(struct koa_loop *loop)
{
    static const char *const servers[] = {"127.0.0.1:1"};
    struct koa_cluster_opts opts = {.name = "new",
                                    .bootstrap_servers = servers,
                                    .bootstrap_count = 1,
                                    .interval_ms = 15000,
                                    .request_timeout_ms = 5000,
                                    .slow_interval_ms = 60000};
    struct koa_error error;

    if (koa_cluster_create(loop, &opts, &f.cluster, &error) != KOA_OK)
        fail_msg("%s", error.text);
    f.own_parts.clusters = &f.cluster;
    f.own_parts.cluster_count = 1;
}

static int set_up(void **state)
{
    struct koa_http_server_opts opts = fixture_opts(&f.http);
    struct koa_history_opts history = {.retention_ms = 60000, .bytes_limit = 1 << 20};
    struct koa_error error;

    (void) state;
    if (koa_history_create(&history, &f.history, &error) != KOA_OK)
        fail_msg("%s", error.text);
    koa_published_init(&f.parts);
    koa_object_init(&f.own_parts.object, keep);
    koa_published_set(&f.parts, &f.own_parts.object);
    f.api = (struct koa_api){.parts = &f.parts,
                             .history = f.history,
                             .resolution_ms = 15000,
                             .wall = koa_clock_wall,
                             .mono = koa_clock_mono,
                             .calls = &calls};
    opts.routes = koa_api_routes;
    opts.route_count = koa_api_route_count;
    opts.context = &f.api;
    fixture_start(&f.http, &opts);
    make_cluster(f.http.loop);
    return 0;
}

static int tear_down(void **state)
{
    (void) state;
    koa_cluster_stop(f.cluster);
    koa_cluster_unref(f.cluster);
    fixture_stop(&f.http);
    koa_published_deinit(&f.parts);
    koa_history_destroy(f.history);
    return 0;
}

/* A whole answer's status and body. Every body must be JSON that ends with an instant. */
static struct koa_json_value *ask(const char *name, const char *method, const char *path,
                                  const char *body, int expected)
{
    struct koa_json_value *root = NULL;
    char request[REQUEST_SIZE];
    struct koa_error error;
    struct reply reply;
    size_t size = (size_t) snprintf(request, sizeof(request),
                                    "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path);

    if (body != NULL) {
        size += (size_t) snprintf(request + size, sizeof(request) - size,
                                  "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    } else {
        size += (size_t) snprintf(request + size, sizeof(request) - size, "\r\n");
    }
    reply = client_ask(fixture_url(&f.http), request, size);
    KIT_EXPECT_INT(name, expected, reply.status);
    if (koa_json_parse((struct koa_str){.data = reply.body, .size = reply.body_size}, &root,
                       &error) != KOA_OK)
        fail_msg("%s: %s: %.*s", name, error.text, (int) reply.body_size, reply.body);
    KIT_EXPECT(name, koa_json_value_text(koa_json_get(root, "timestamp")) != NULL);
    reply_deinit(&reply);
    return root;
}

static void expect_error(const char *name, const struct koa_json_value *root, const char *error,
                         const char *part)
{
    KIT_EXPECT_INT(name, 3, koa_json_count(root));
    KIT_EXPECT_TEXT(name, error, koa_json_value_text(koa_json_get(root, "error")));
    KIT_EXPECT_CONTAINS(name, part, koa_json_value_text(koa_json_get(root, "message")));
}

/* Values that cannot be read are named, with what is allowed. */
static const struct {
    const char *path, *part;
} bad_queries[] = {
    {"/metrics/history?limit=-1", "limit must be a whole number from 0 to 100000, not '-1'"},
    {"/metrics/history?limit=100001", "not '100001'"},
    {"/metrics/history?limit=%20", "not ' '"},
    {"/metrics/history?limit=1%0a2", "limit must be"},
    {"/metrics/history?name=x&from=yesterday", "from must be a time such as"},
    {"/metrics/history?name=x&from=-1", "from must be"},
    {"/metrics/history?name=x&to=nan", "to must be"},
    {"/metrics/history?name=x&to=1e300", "to must be"},
    {"/metrics/history?name=x&step=0s", "step must be a duration such as"},
    {"/metrics/history?name=x&step=-5s", "step must be"},
    {"/clusters/new/topics?sort=size", "sort must be name, partitions or trouble, not 'size'"},
    {"/clusters/new/topics?limit=many", "limit must be"},
    {"/clusters/new/topics?after=orders", "after must be `next` of a page in the same order"},
};

static void a_query_value_that_cannot_be_read_is_400(void **state)
{
    (void) state;
    KIT_EACH (c, bad_queries) {
        KOA_AUTO(koa_json_value) *root = ask(c->path, "GET", c->path, NULL, 400);

        expect_error(c->path, root, "Invalid parameter", c->part);
    }
}

static void a_value_is_shown_cut_and_without_what_breaks_json(void **state)
{
    char path[512] = "/metrics/history?limit=%22%5c%01";
    KOA_AUTO(koa_json_value) *root = NULL;
    const char *text;

    (void) state;
    memset(path + strlen(path), 'x', 300);
    root = ask("long", "GET", path, NULL, 400);
    text = koa_json_value_text(koa_json_get(root, "message"));
    KIT_EXPECT_CONTAINS("long", "not '\"\\", text);
    assert_true(strlen(text) < 200);
}

static const char *const good_queries[] = {
    "/metrics/history",
    "/metrics/history?limit=",
    "/metrics/history?limit=0",
    "/metrics/history?limit=100000",
    "/metrics/history?name=x&from=2026-11-25T16:00:00Z&to=1795622400.5&step=5m",
    "/metrics/history?name=x&label.a=1&label.b=",
    "/clusters/new/topics?sort=&after=&search=",
    "/clusters/new/topics?sort=name&after=gone&limit=1",
};

static void an_empty_value_is_a_missing_one(void **state)
{
    (void) state;
    KIT_EACH (path, good_queries) {
        KOA_AUTO(koa_json_value) *root = ask(*path, "GET", *path, NULL, 200);
        const char *list = koa_json_get(root, "history") != NULL  ? "history"
                           : koa_json_get(root, "series") != NULL ? "series"
                                                                  : "topics";

        KIT_EXPECT_INT(*path, KOA_JSON_LIST, koa_json_value_type(koa_json_get(root, list)));
        KIT_EXPECT_INT(*path, 0, koa_json_count(koa_json_get(root, list)));
    }
}

static void seventeen_labels_are_too_many(void **state)
{
    struct koa_buf path = {.limit = REQUEST_SIZE / 2};
    KOA_AUTO(koa_json_value) *root = NULL;

    (void) state;
    koa_buf_append_text(&path, "/metrics/history?name=x");
    for (int i = 0; i < 17; i++)
        koa_buf_printf(&path, "&label.l%d=1", i);
    root = ask("17", "GET", koa_buf_text(&path), NULL, 400);
    expect_error("17", root, "Invalid parameter", "at most 16 labels");
    koa_buf_deinit(&path);
}

static void what_is_not_there_is_404_and_says_where_to_look(void **state)
{
    static const struct {
        const char *path, *error, *part;
    } cases[] = {
        {"/clusters/old", "Cluster old not found", "/clusters lists"},
        {"/clusters/old/brokers", "Cluster old not found", "/clusters lists"},
        {"/clusters/new/topics/orders", "Topic orders not found", "lists the topics"},
        {"/clusters/ne%22w", "Cluster ne\"w not found", "/clusters lists"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        KOA_AUTO(koa_json_value) *root = ask(c->path, "GET", c->path, NULL, 404);

        expect_error(c->path, root, c->error, c->part);
    }
}

static void a_cluster_that_was_never_read_is_unknown_not_empty(void **state)
{
    KOA_AUTO(koa_json_value) *root = ask("new", "GET", "/clusters/new", NULL, 200);
    static const char *const nulls[] = {"controller_id", "snapshot_age_seconds", "error"};

    (void) state;
    KIT_EXPECT_TEXT("status", "unknown", koa_json_value_text(koa_json_get(root, "status")));
    KIT_EACH (name, nulls) {
        KIT_EXPECT(*name, koa_json_get(root, *name) != NULL);
        KIT_EXPECT_INT(*name, KOA_JSON_NULL, koa_json_value_type(koa_json_get(root, *name)));
    }
}

static void a_log_level_is_set_by_a_right_body_only(void **state)
{
    static const struct {
        const char *body, *error, *part; /* NULL: accepted */
        const char *set;
    } cases[] = {
        {"{\"level\": \"debug\"}", NULL, NULL, "all=debug"},
        {"{\"level\": \"debug\", \"component\": null}", NULL, NULL, "all=debug"},
        {"{\"level\": \"debug\", \"component\": \"kafka\"}", NULL, NULL, "kafka=debug"},
        {"", "Invalid body", "", ""},
        {"level=debug", "Invalid body", "line 1", ""},
        {"[\"debug\"]", "Invalid body", "expected {", ""},
        {"{\"level\": 7}", "Invalid body", "expected {", ""},
        {"{\"level\": \"debug\", \"component\": 1}", "Invalid body", "expected {", ""},
        {"{\"level\": \"debug\", \"level\": \"info\"}", "Invalid body", "", ""},
        {"{\"level\": \"loud\"}", "Invalid parameter", "there is no level 'loud'", ""},
    };

    (void) state;
    KIT_EACH (c, cases) {
        KOA_AUTO(koa_json_value) *root = NULL;

        f.level_set[0] = '\0';
        root = ask(c->body, "POST", "/-/log-level", c->body, c->error != NULL ? 400 : 200);
        KIT_EXPECT_TEXT(c->body, c->set, f.level_set);
        if (c->error != NULL) {
            expect_error(c->body, root, c->error, c->part);
        } else {
            KIT_EXPECT_TEXT(
                c->body, "debug",
                koa_json_value_text(koa_json_get(koa_json_get(root, "levels"), "kafka")));
        }
    }
}

static void the_list_names_every_row(void **state)
{
    KOA_AUTO(koa_json_value) *root = ask("/", "GET", "/", NULL, 200);
    const struct koa_json_value *endpoints = koa_json_get(root, "endpoints");

    (void) state;
    assert_int_equal(koa_json_count(endpoints), koa_api_route_count);
    for (size_t i = 0; i < koa_api_route_count; i++) {
        const struct koa_json_value *row = koa_json_at(endpoints, i);

        KIT_EXPECT_TEXT("path", koa_api_routes[i].pattern,
                        koa_json_value_text(koa_json_get(row, "path")));
        KIT_EXPECT_INT(koa_api_routes[i].pattern, koa_api_routes[i].methods == KOA_HTTP_GET ? 2 : 1,
                       koa_json_count(koa_json_get(row, "methods")));
    }
}

static void rows_that_change_something_need_the_admin_scope(void **state)
{
    (void) state;
    for (size_t i = 0; i < koa_api_route_count; i++) {
        const struct koa_http_route *route = &koa_api_routes[i];
        bool changes = (route->methods & ~(unsigned) KOA_HTTP_GET) != 0;

        KIT_EXPECT(route->pattern, route->changes == changes);
        KIT_EXPECT(route->pattern, (route->scope == KOA_SCOPE_ADMIN) == changes);
        KIT_EXPECT(route->pattern, route->help[0] != '\0' && route->handle != NULL);
    }
}

static void a_limit_lets_the_newest_pass(void **state)
{
    static const struct {
        const char *name;
        size_t count;
        int64_t limit;
        size_t first;
    } cases[] = {
        {"none kept", 0, 10, 0},      {"all", 5, 0, 0},          {"more than there are", 5, 10, 0},
        {"exactly as many", 5, 5, 0}, {"the last two", 5, 2, 3}, {"the last", 5, 1, 4},
    };

    (void) state;
    KIT_EACH (c, cases)
        KIT_EXPECT_INT(c->name, c->first, koa_api_first(c->count, c->limit));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_value_that_cannot_be_read_is_400),
        cmocka_unit_test(a_value_is_shown_cut_and_without_what_breaks_json),
        cmocka_unit_test(an_empty_value_is_a_missing_one),
        cmocka_unit_test(seventeen_labels_are_too_many),
        cmocka_unit_test(what_is_not_there_is_404_and_says_where_to_look),
        cmocka_unit_test(a_cluster_that_was_never_read_is_unknown_not_empty),
        cmocka_unit_test(a_log_level_is_set_by_a_right_body_only),
        cmocka_unit_test(the_list_names_every_row),
        cmocka_unit_test(rows_that_change_something_need_the_admin_scope),
        cmocka_unit_test(a_limit_lets_the_newest_pass),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

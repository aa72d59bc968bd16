#include "httpserver/router.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "kit/kit.h"

static const struct koa_http_route routes[] = {
    {.pattern = "/", .methods = KOA_HTTP_GET},
    {.pattern = "/health", .methods = KOA_HTTP_GET},
    {.pattern = "/health/checks/{name}", .methods = KOA_HTTP_GET},
    {.pattern = "/alerts/{fingerprint}", .methods = KOA_HTTP_GET},
    {.pattern = "/alerts/history", .methods = KOA_HTTP_GET},
    {.pattern = "/silences", .methods = KOA_HTTP_GET},
    {.pattern = "/silences", .methods = KOA_HTTP_POST},
    {.pattern = "/silences/{id}", .methods = KOA_HTTP_DELETE},
    {.pattern = "/clusters/{c}/topics/{t}", .methods = KOA_HTTP_GET},
    {.pattern = "/-/reload", .methods = KOA_HTTP_POST},
};

static void find(const struct koa_http_router *router, const char *path, unsigned method,
                 struct koa_http_match *match, char memory[256])
{
    static struct koa_http_target target;

    assert_int_equal(KOA_HTTP_TARGET_OK,
                     koa_http_target_parse((struct koa_str){.data = path, .size = strlen(path)},
                                           memory, &target));
    koa_http_router_find(router, &target, method, match);
}

static const struct {
    const char *name;
    const char *path;
    const char *pattern;
    unsigned method;
    bool is_routed;
    const char *allow;
    const char *segments; /* joined by '|' */
} finds[] = {
    {"root", "/", "/", KOA_HTTP_GET, true, "GET, HEAD", ""},
    {"plain", "/health", "/health", KOA_HTTP_GET, true, "GET, HEAD", ""},
    {"HEAD comes with GET", "/health", "/health", KOA_HTTP_HEAD, true, "GET, HEAD", ""},
    {"wrong method", "/health", "/health", KOA_HTTP_POST, false, "GET, HEAD", ""},
    {"unknown method", "/health", "/health", 0, false, "GET, HEAD", ""},
    {"trailing slash", "/health/", NULL, KOA_HTTP_GET, false, "", ""},
    {"other case", "/Health", NULL, KOA_HTTP_GET, false, "", ""},
    {"double slash", "//health", NULL, KOA_HTTP_GET, false, "", ""},
    {"name", "/health/checks/kafka", "/health/checks/{name}", KOA_HTTP_GET, true, "GET, HEAD",
     "kafka|"},
    {"name decoded", "/health/checks/a%2Fb%20c", "/health/checks/{name}", KOA_HTTP_GET, true,
     "GET, HEAD", "a/b c|"},
    {"empty name", "/health/checks/", NULL, KOA_HTTP_GET, false, "", ""},
    {"name missing", "/health/checks", NULL, KOA_HTTP_GET, false, "", ""},
    {"too deep", "/health/checks/a/b", NULL, KOA_HTTP_GET, false, "", ""},
    {"a word wins over a name, wherever it stands", "/alerts/history", "/alerts/history",
     KOA_HTTP_GET, true, "GET, HEAD", ""},
    {"a name elsewhere", "/alerts/abc", "/alerts/{fingerprint}", KOA_HTTP_GET, true, "GET, HEAD",
     "abc|"},
    {"two rows, first", "/silences", "/silences", KOA_HTTP_GET, true, "GET, HEAD, POST", ""},
    {"two rows, second", "/silences", "/silences", KOA_HTTP_POST, true, "GET, HEAD, POST", ""},
    {"two rows, neither", "/silences", "/silences", KOA_HTTP_DELETE, false, "GET, HEAD, POST", ""},
    {"no GET, no HEAD", "/silences/7", "/silences/{id}", KOA_HTTP_HEAD, false, "DELETE", "7|"},
    {"two names", "/clusters/c1/topics/t1", "/clusters/{c}/topics/{t}", KOA_HTTP_GET, true,
     "GET, HEAD", "c1|t1|"},
    {"post only", "/-/reload", "/-/reload", KOA_HTTP_GET, false, "POST", ""},
    {"more segments than any pattern", "/a/b/c/d/e/f/g/h/i/j/k", NULL, KOA_HTTP_GET, false, "", ""},
};

static void test_find(void **state)
{
    KOA_AUTO(koa_http_router) *router = NULL;

    (void) state;
    KIT_EXPECT_INT("create", KOA_OK,
                   koa_http_router_create(routes, KOA_ARRAY_COUNT(routes), &router, NULL));
    KIT_EACH (c, finds) {
        struct koa_http_match match;
        char memory[256];
        char allow[KOA_HTTP_ALLOW_SIZE];
        struct koa_buf segments = {.limit = 256};

        find(router, c->path, c->method, &match, memory);
        KIT_EXPECT_TEXT(c->name, c->pattern, match.pattern);
        KIT_EXPECT(c->name, (match.route != NULL) == c->is_routed);
        if (match.route != NULL) {
            KIT_EXPECT_TEXT(c->name, c->pattern, match.route->pattern);
            KIT_EXPECT(c->name, match.route == &routes[match.index]);
        }
        koa_http_allow_format(match.allowed, allow);
        KIT_EXPECT_TEXT(c->name, c->allow, allow);
        for (size_t i = 0; i < match.segment_count; i++)
            koa_buf_printf(&segments, "%s|", match.segments[i]);
        KIT_EXPECT_TEXT(c->name, c->segments, koa_buf_text(&segments));
        koa_buf_deinit(&segments);
    }
}

static void test_bad_tables(void **state)
{
    static const struct {
        const char *name;
        struct koa_http_route rows[2];
        const char *text;
    } cases[] = {
        {"no slash",
         {{.pattern = "health", .methods = 1}, {.pattern = "/", .methods = 1}},
         "'health' is malformed"},
        {"trailing slash",
         {{.pattern = "/a/", .methods = 1}, {.pattern = "/", .methods = 1}},
         "'/a/' is malformed"},
        {"unclosed name",
         {{.pattern = "/a/{b", .methods = 1}, {.pattern = "/", .methods = 1}},
         "'/a/{b' is malformed"},
        {"unnamed",
         {{.pattern = "/a/{}", .methods = 1}, {.pattern = "/", .methods = 1}},
         "'/a/{}' is malformed"},
        {"too long",
         {{.pattern = "/a/b/c/d/e/f/g/h/i", .methods = 1}, {.pattern = "/", .methods = 1}},
         "malformed"},
        {"none", {{.pattern = NULL, .methods = 1}, {.pattern = "/", .methods = 1}}, "(null)"},
        {"twice, HEAD and GET",
         {{.pattern = "/a", .methods = KOA_HTTP_GET}, {.pattern = "/a", .methods = KOA_HTTP_HEAD}},
         "'/a' stands there twice"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_http_router *router = NULL;
        struct koa_error error = {0};

        KIT_EXPECT_INT(c->name, KOA_ERR_INVALID,
                       koa_http_router_create(c->rows, KOA_ARRAY_COUNT(c->rows), &router, &error));
        KIT_EXPECT_CONTAINS(c->name, c->text, error.text);
        KIT_EXPECT(c->name, router == NULL);
    }
}

static void test_methods(void **state)
{
    (void) state;
    KIT_EXPECT_INT("GET", KOA_HTTP_GET, koa_http_method_parse("GET"));
    KIT_EXPECT_INT("DELETE", KOA_HTTP_DELETE, koa_http_method_parse("DELETE"));
    KIT_EXPECT_INT("lower case is another word", 0, koa_http_method_parse("get"));
    KIT_EXPECT_INT("PUT", 0, koa_http_method_parse("PUT"));
    KIT_EXPECT_TEXT("name", "POST", koa_http_method_name(KOA_HTTP_POST));
    KIT_EXPECT_TEXT("unknown", "other", koa_http_method_name(0));
}

static void test_memory(void **state)
{
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_http_router *router = NULL;

        ok = koa_http_router_create(routes, KOA_ARRAY_COUNT(routes), &router, NULL) == KOA_OK;
        koa_http_router_destroy(router);
    }
    KIT_EXPECT("succeeds at last", ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_bad_tables),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "httpserver/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "kit/kit.h"

/* Each case is parsed in memory of exactly the promised size, so that a sanitizer sees any step
 * beyond it. */
static enum koa_http_target_fault parse(const char *text, char **ret_memory,
                                        struct koa_http_target *target)
{
    struct koa_str raw = {.data = text, .size = strlen(text)};

    *ret_memory = malloc(KOA_HTTP_TARGET_MEMORY(raw.size));
    assert_non_null(*ret_memory);
    return koa_http_target_parse(raw, *ret_memory, target);
}

/* Segments and pairs as one line: "a|b|?n=v&m=" */
static void print(const struct koa_http_target *target, struct koa_buf *text)
{
    koa_buf_clear(text);
    for (size_t i = 0; i < target->segment_count && i < KOA_HTTP_PATH_SEGMENTS; i++)
        koa_buf_printf(text, "%s|", target->segments[i]);
    for (size_t i = 0; i < target->query_count; i++) {
        koa_buf_printf(text, "%s%s=%s", i == 0 ? "?" : "&", target->query[i].name,
                       target->query[i].value);
    }
}

static const struct {
    const char *name;
    const char *raw;
    enum koa_http_target_fault fault;
    const char *path;
    const char *printed;
} targets[] = {
    {"root", "/", KOA_HTTP_TARGET_OK, "/", ""},
    {"root with query", "/?a=1", KOA_HTTP_TARGET_OK, "/", "?a=1"},
    {"one segment", "/health", KOA_HTTP_TARGET_OK, "/health", "health|"},
    {"deep", "/health/checks/kafka", KOA_HTTP_TARGET_OK, "/health/checks/kafka",
     "health|checks|kafka|"},
    {"a trailing slash is an empty segment", "/health/", KOA_HTTP_TARGET_OK, "/health/",
     "health||"},
    {"two slashes", "//health", KOA_HTTP_TARGET_OK, "//health", "|health|"},
    {"escaped letter", "/%68ealth", KOA_HTTP_TARGET_OK, "/%68ealth", "health|"},
    {"an escaped slash stays inside", "/checks/a%2Fb", KOA_HTTP_TARGET_OK, "/checks/a%2Fb",
     "checks|a/b|"},
    {"plus in a path is a plus", "/a+b", KOA_HTTP_TARGET_OK, "/a+b", "a+b|"},
    {"plus in a query is a blank", "/a?n=x+y", KOA_HTTP_TARGET_OK, "/a", "a|?n=x y"},
    {"escaped separators", "/a?n%3D=%26%3d", KOA_HTTP_TARGET_OK, "/a", "a|?n==&="},
    {"no value", "/a?cached", KOA_HTTP_TARGET_OK, "/a", "a|?cached="},
    {"empty pairs are nothing", "/a?&&x=1&", KOA_HTTP_TARGET_OK, "/a", "a|?x=1"},
    {"second equals sign", "/a?x=1=2", KOA_HTTP_TARGET_OK, "/a", "a|?x=1=2"},
    {"question mark in the query", "/a?x=?", KOA_HTTP_TARGET_OK, "/a", "a|?x=?"},
    {"utf-8", "/%C3%A4", KOA_HTTP_TARGET_OK, "/%C3%A4", "\xc3\xa4|"},
    {"absolute form", "http://host:80/health?x=1", KOA_HTTP_TARGET_OK, "/health", "health|?x=1"},
    {"absolute form, other case", "HTTPS://h/a", KOA_HTTP_TARGET_OK, "/a", "a|"},
    {"absolute form without path", "http://host", KOA_HTTP_TARGET_OK, "/", ""},
    {"absolute form, query only", "http://host?x", KOA_HTTP_TARGET_NOT_A_PATH, "", ""},
    {"dots are words", "/../etc", KOA_HTTP_TARGET_OK, "/../etc", "..|etc|"},
    {"empty", "", KOA_HTTP_TARGET_NOT_A_PATH, "", ""},
    {"asterisk", "*", KOA_HTTP_TARGET_NOT_A_PATH, "", ""},
    {"authority", "host:80", KOA_HTTP_TARGET_NOT_A_PATH, "", ""},
    {"other scheme", "ftp://host/", KOA_HTTP_TARGET_NOT_A_PATH, "", ""},
    {"NUL in the path", "/a%00b", KOA_HTTP_TARGET_NUL, "/a%00b", "?"},
    {"NUL in the query", "/a?x=%00", KOA_HTTP_TARGET_NUL, "/a", "?"},
    {"NUL in a name", "/a?%00=1", KOA_HTTP_TARGET_NUL, "/a", "?"},
    {"half an escape", "/a%4", KOA_HTTP_TARGET_ESCAPE, "/a%4", "?"},
    {"a bare percent sign", "/a%", KOA_HTTP_TARGET_ESCAPE, "/a%", "?"},
    {"no hexadecimal digit", "/a%g0", KOA_HTTP_TARGET_ESCAPE, "/a%g0", "?"},
    {"escape across a slash", "/a%2/0", KOA_HTTP_TARGET_ESCAPE, "/a%2/0", "?"},
    {"escape across an ampersand", "/a?x=%2&0", KOA_HTTP_TARGET_ESCAPE, "/a", "?"},
    {"blank", "/a b", KOA_HTTP_TARGET_CHARACTER, "", ""},
    {"control character", "/a\x01", KOA_HTTP_TARGET_CHARACTER, "", ""},
    {"delete", "/a\x7f", KOA_HTTP_TARGET_CHARACTER, "", ""},
    {"bare byte above ASCII", "/\xe4", KOA_HTTP_TARGET_CHARACTER, "", ""},
};

static void test_targets(void **state)
{
    (void) state;
    KIT_EACH (c, targets) {
        struct koa_http_target target;
        struct koa_buf text = {.limit = 4096};
        char *memory;

        KIT_EXPECT_INT(c->name, c->fault, parse(c->raw, &memory, &target));
        KIT_EXPECT_TEXT(c->name, c->path, target.path);
        print(&target, &text);
        if (strcmp(c->printed, "?") != 0)
            KIT_EXPECT_TEXT(c->name, c->printed, koa_buf_text(&text));
        koa_buf_deinit(&text);
        free(memory);
    }
}

static void test_limits(void **state)
{
    struct koa_http_target target;
    struct koa_buf text = {.limit = 4096};
    char *memory;

    (void) state;
    koa_buf_append_text(&text, "/a?");
    for (int i = 0; i < KOA_HTTP_QUERY_PAIRS; i++)
        koa_buf_append_text(&text, "x=1&");
    KIT_EXPECT_INT("32 pairs", KOA_HTTP_TARGET_OK, parse(koa_buf_text(&text), &memory, &target));
    KIT_EXPECT_INT("32 pairs", KOA_HTTP_QUERY_PAIRS, target.query_count);
    free(memory);
    koa_buf_append_text(&text, "y");
    KIT_EXPECT_INT("33 pairs", KOA_HTTP_TARGET_TOO_MANY_PAIRS,
                   parse(koa_buf_text(&text), &memory, &target));
    free(memory);

    koa_buf_clear(&text);
    for (int i = 0; i < 100; i++)
        koa_buf_append_text(&text, "/s");
    KIT_EXPECT_INT("100 segments", KOA_HTTP_TARGET_OK,
                   parse(koa_buf_text(&text), &memory, &target));
    KIT_EXPECT_INT("100 segments", KOA_HTTP_PATH_SEGMENTS + 1, target.segment_count);
    koa_buf_deinit(&text);
    free(memory);
}

static void test_find(void **state)
{
    struct koa_http_target target;
    char *memory;

    (void) state;
    KIT_EXPECT_INT("parse", KOA_HTTP_TARGET_OK, parse("/a?x=1&x=2&y", &memory, &target));
    KIT_EXPECT_TEXT("the first of several", "1", koa_http_target_find(&target, "x"));
    KIT_EXPECT_TEXT("without value", "", koa_http_target_find(&target, "y"));
    KIT_EXPECT_TEXT("absent", NULL, koa_http_target_find(&target, "z"));
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_find),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "httpserver/hygiene.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "kit/kit.h"
#include "metrics/catalog.h"

/* Feeds "Name: value" lines, "\n" between them, as a parser would. */
static enum koa_http_fault feed(struct koa_http_head *head, const char *method, const char *version,
                                const char *lines)
{
    static char memory[8192];
    char *line = memory;

    assert_true(koa_str_copy(memory, sizeof(memory), koa_str_from(lines)));
    koa_http_head_begin(head);
    while (line != NULL && *line != '\0') {
        char *next = strchr(line, '\n');
        char *value = strchr(line, ':');

        if (next != NULL)
            *next++ = '\0';
        assert_non_null(value);
        *value++ = '\0';
        while (*value == ' ')
            value++;
        if (!koa_http_head_field(head, (struct koa_str){.data = line, .size = strlen(line)},
                                 (struct koa_str){.data = value, .size = strlen(value)}))
            break;
        line = next;
    }
    return koa_http_head_end(head, method, version);
}

static const struct {
    const char *name;
    const char *method, *version, *lines;
    enum koa_http_fault fault;
} heads[] = {
    {"plain", "GET", "HTTP/1.1", "Host: a", KOA_HTTP_FAULT_NONE},
    {"HTTP/1.0 without Host", "GET", "HTTP/1.0", "", KOA_HTTP_FAULT_NONE},
    {"no Host", "GET", "HTTP/1.1", "X: 1", KOA_HTTP_FAULT_HOST},
    {"two Hosts", "GET", "HTTP/1.1", "Host: a\nHost: a", KOA_HTTP_FAULT_HOST},
    {"two Hosts, 1.0", "GET", "HTTP/1.0", "Host: a\nhost: b", KOA_HTTP_FAULT_HOST},
    {"empty Host", "GET", "HTTP/1.1", "Host: ", KOA_HTTP_FAULT_HOST},
    {"Host with user", "GET", "HTTP/1.1", "Host: u@a", KOA_HTTP_FAULT_HOST},
    {"Host with path", "GET", "HTTP/1.1", "Host: a/b", KOA_HTTP_FAULT_HOST},
    {"Host, IPv6", "GET", "HTTP/1.1", "Host: [::1]:80", KOA_HTTP_FAULT_NONE},
    {"length on POST", "POST", "HTTP/1.1", "Host: a\nContent-Length: 5", KOA_HTTP_FAULT_NONE},
    {"two lengths", "POST", "HTTP/1.1", "Host: a\nContent-Length: 5\nContent-Length: 6",
     KOA_HTTP_FAULT_LENGTH},
    {"two equal lengths", "POST", "HTTP/1.1", "Host: a\nContent-Length: 5\ncontent-length: 5",
     KOA_HTTP_FAULT_LENGTH},
    {"a list of lengths", "POST", "HTTP/1.1", "Host: a\nContent-Length: 5, 5",
     KOA_HTTP_FAULT_LENGTH},
    {"signed length", "POST", "HTTP/1.1", "Host: a\nContent-Length: +5", KOA_HTTP_FAULT_LENGTH},
    {"negative length", "POST", "HTTP/1.1", "Host: a\nContent-Length: -5", KOA_HTTP_FAULT_LENGTH},
    {"hexadecimal length", "POST", "HTTP/1.1", "Host: a\nContent-Length: 0x5",
     KOA_HTTP_FAULT_LENGTH},
    {"empty length", "POST", "HTTP/1.1", "Host: a\nContent-Length: ", KOA_HTTP_FAULT_LENGTH},
    {"huge length", "POST", "HTTP/1.1", "Host: a\nContent-Length: 99999999999999999999",
     KOA_HTTP_FAULT_BODY_SIZE},
    {"length and chunked", "POST", "HTTP/1.1",
     "Host: a\nContent-Length: 5\nTransfer-Encoding: chunked", KOA_HTTP_FAULT_LENGTH_AND_CODING},
    {"chunked", "POST", "HTTP/1.1", "Host: a\nTransfer-Encoding: chunked", KOA_HTTP_FAULT_CODING},
    {"chunked GET", "GET", "HTTP/1.1", "Host: a\nTransfer-Encoding: chunked", KOA_HTTP_FAULT_BODY},
    {"GET with a body", "GET", "HTTP/1.1", "Host: a\nContent-Length: 1", KOA_HTTP_FAULT_BODY},
    {"GET with length 0", "GET", "HTTP/1.1", "Host: a\nContent-Length: 0", KOA_HTTP_FAULT_NONE},
    {"HEAD with a body", "HEAD", "HTTP/1.1", "Host: a\nContent-Length: 1", KOA_HTTP_FAULT_BODY},
    {"PUT with a body is for the router", "PUT", "HTTP/1.1", "Host: a\nContent-Length: 1",
     KOA_HTTP_FAULT_NONE},
    {"blank before the colon", "GET", "HTTP/1.1", "Host : a", KOA_HTTP_FAULT_NAME},
    {"empty name", "GET", "HTTP/1.1", ": a", KOA_HTTP_FAULT_NAME},
    {"brackets in a name", "GET", "HTTP/1.1", "Host: a\nX[1]: b", KOA_HTTP_FAULT_NAME},
    {"byte above ASCII in a name", "GET", "HTTP/1.1", "Host: a\n\xe4: b", KOA_HTTP_FAULT_NAME},
    {"carriage return in a value", "GET", "HTTP/1.1", "Host: a\nX: b\rc", KOA_HTTP_FAULT_VALUE},
    {"escape character in a value", "GET", "HTTP/1.1", "Host: a\nX: \x1b[0m", KOA_HTTP_FAULT_VALUE},
    {"tab in a value", "GET", "HTTP/1.1", "Host: a\nX: b\tc", KOA_HTTP_FAULT_NONE},
    {"byte above ASCII in a value", "GET", "HTTP/1.1", "Host: a\nX: \xe4", KOA_HTTP_FAULT_NONE},
    {"small method", "get", "HTTP/1.1", "Host: a", KOA_HTTP_FAULT_METHOD},
    {"empty method", "", "HTTP/1.1", "Host: a", KOA_HTTP_FAULT_METHOD},
    {"endless method", "GETGETGETGETGETGETGET", "HTTP/1.1", "Host: a", KOA_HTTP_FAULT_METHOD},
    {"HTTP/1.2", "GET", "HTTP/1.2", "Host: a", KOA_HTTP_FAULT_VERSION},
    {"HTTP/2.0", "GET", "HTTP/2.0", "Host: a", KOA_HTTP_FAULT_VERSION},
    {"no version", "GET", "", "Host: a", KOA_HTTP_FAULT_VERSION},
};

static void test_heads(void **state)
{
    (void) state;
    KIT_EACH (c, heads) {
        struct koa_http_head head;

        KIT_EXPECT_INT(c->name, c->fault, feed(&head, c->method, c->version, c->lines));
    }
}

static void test_facts(void **state)
{
    struct koa_http_head head;

    (void) state;
    KIT_EXPECT_INT("accepted", KOA_HTTP_FAULT_NONE,
                   feed(&head, "POST", "HTTP/1.1",
                        "HOST: a:1\nContent-Length:  17 \nAuthorization: Basic x\n"
                        "Origin: http://a:1\nsec-fetch-site: same-origin"));
    KIT_EXPECT_TEXT("host", "a:1", head.host);
    KIT_EXPECT_INT("length", 17, head.content_length);
    KIT_EXPECT_TEXT("authorization", "Basic x", head.authorization);
    KIT_EXPECT_TEXT("origin", "http://a:1", head.origin);
    KIT_EXPECT_TEXT("site", "same-origin", head.fetch_site);
    (void) feed(&head, "GET", "HTTP/1.1", "Host: a\nAuthorization: A\nAuthorization: B");
    KIT_EXPECT("two of them are none", head.authorization == NULL && head.authorizations == 2);
}

static void test_count(void **state)
{
    struct koa_buf lines = {.limit = 4096};
    struct koa_http_head head;

    (void) state;
    koa_buf_append_text(&lines, "Host: a");
    for (int i = 1; i < KOA_HTTP_HEADERS; i++)
        koa_buf_append_text(&lines, "\nX: y");
    KIT_EXPECT_INT("100", KOA_HTTP_FAULT_NONE,
                   feed(&head, "GET", "HTTP/1.1", koa_buf_text(&lines)));
    koa_buf_append_text(&lines, "\nX: y");
    KIT_EXPECT_INT("101", KOA_HTTP_FAULT_COUNT,
                   feed(&head, "GET", "HTTP/1.1", koa_buf_text(&lines)));
    koa_buf_deinit(&lines);
}

static void test_gaps(void **state)
{
    static const struct {
        const char *name;
        const char *bytes;
        size_t from, to;
        bool is_line_end;
    } cases[] = {
        {"LF", "a\0b", 1, 2, true},
        {"CR LF", "a\0\0b", 1, 3, true},
        {"adjacent", "ab", 1, 1, false},
        {"the rest of a value", "a\0x\0\0b", 1, 5, false},
        {"three NULs", "a\0\0\0b", 1, 4, false},
        {"one letter", "a\0xb", 1, 3, false},
        {"backwards", "ab", 1, 0, false},
    };

    (void) state;
    KIT_EACH (c, cases)
        KIT_EXPECT_INT(c->name, c->is_line_end,
                       koa_http_gap_is_line_end(c->bytes + c->from, c->bytes + c->to));
}

static void test_hosts(void **state)
{
    (void) state;
    KIT_EXPECT("localhost", koa_http_host_is_loopback("localhost"));
    KIT_EXPECT("with port", koa_http_host_is_loopback("LocalHost:8080"));
    KIT_EXPECT("v4", koa_http_host_is_loopback("127.0.0.1:8080"));
    KIT_EXPECT("v6", koa_http_host_is_loopback("[::1]:8080"));
    KIT_EXPECT("a name that begins so", !koa_http_host_is_loopback("localhost.evil.example"));
    KIT_EXPECT("a name that begins like it", !koa_http_host_is_loopback("127.0.0.1.evil.example"));
    KIT_EXPECT("another", !koa_http_host_is_loopback("10.0.0.1"));
    KIT_EXPECT("same", koa_http_origin_is_host("http://a:1", "A:1"));
    KIT_EXPECT("other port", !koa_http_origin_is_host("http://a:2", "a:1"));
    KIT_EXPECT("longer", !koa_http_origin_is_host("http://a:1.evil", "a:1"));
    KIT_EXPECT("null", !koa_http_origin_is_host("null", "a:1"));
    KIT_EXPECT("no host", !koa_http_origin_is_host("http://a", NULL));
}

static void test_table(void **state)
{
    (void) state;
    for (int i = 1; i < KOA_HTTP_FAULT_COUNT_OF_ALL; i++) {
        const struct koa_http_fault_info *info = koa_http_fault_find((enum koa_http_fault) i);

        KIT_EXPECT("status", info->status >= 400 && info->status < 600);
        KIT_EXPECT("reason", info->reason[0] != '\0');
        KIT_EXPECT("text", info->text[0] != '\0');
    }
}

static void test_counted(void **state)
{
    struct koa_str known =
        koa_str_from(koa_catalog_find("kafka_ops_http_rejected_requests_total")->labels);

    (void) state;
    (void) koa_str_split(known, '=', &known);
    for (int fault = KOA_HTTP_FAULT_NONE + 1; fault < KOA_HTTP_FAULT_COUNT_OF_ALL; fault++) {
        const char *reason = koa_http_fault_find((enum koa_http_fault) fault)->reason;
        struct koa_str rest = known;
        bool is_known = false;

        while (rest.size > 0 && !is_known)
            is_known = koa_str_equal_text(koa_str_split(rest, '|', &rest), reason);
        KIT_EXPECT(reason, is_known);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heads),   cmocka_unit_test(test_facts), cmocka_unit_test(test_count),
        cmocka_unit_test(test_gaps),    cmocka_unit_test(test_hosts), cmocka_unit_test(test_table),
        cmocka_unit_test(test_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

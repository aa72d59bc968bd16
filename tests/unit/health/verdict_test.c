/* Verdicts: bounded, printable, redacted. */
#include "health/verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "base/redact.h"
#include "base/str.h"
#include "kit/kit.h"

static void expect_details(const char *name, const char *expected, struct koa_verdict *verdict)
{
    struct koa_buf buf = {.limit = 100000};

    koa_verdict_print_details(verdict, &buf);
    KIT_EXPECT_TEXT(name, expected, koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void starts_undecided(void **state)
{
    struct koa_verdict verdict;

    (void) state;
    koa_verdict_init(&verdict, (struct koa_mono){0});
    KIT_EXPECT_INT("status", KOA_STATUS_UNKNOWN, verdict.status);
    KIT_EXPECT("decided", !verdict.is_decided);
    KIT_EXPECT_TEXT("text", "", verdict.text);
    KIT_EXPECT_INT("no time left", 0, koa_verdict_remaining_ms(&verdict));
    expect_details("none", "{}", &verdict);
    koa_verdict_deinit(&verdict);
}

static void the_last_decision_wins(void **state)
{
    struct koa_verdict verdict;

    (void) state;
    koa_verdict_init(&verdict, (struct koa_mono){INT64_MAX});
    koa_verdict_subjectless(&verdict, "set url");
    KIT_EXPECT("subjectless", verdict.is_subjectless);
    koa_verdict_unhealthy(&verdict, "%d of %s", 3, "them");
    KIT_EXPECT("not any more", !verdict.is_subjectless);
    KIT_EXPECT_TEXT("text", "3 of them", verdict.text);
    koa_verdict_append(&verdict, " (%d)", 7);
    KIT_EXPECT_TEXT("more", "3 of them (7)", verdict.text);
    koa_verdict_degraded(&verdict, "a");
    KIT_EXPECT_INT("degraded", KOA_STATUS_DEGRADED, verdict.status);
    koa_verdict_healthy(&verdict, "b");
    KIT_EXPECT_INT("healthy", KOA_STATUS_HEALTHY, verdict.status);
    KIT_EXPECT("time left", koa_verdict_remaining_ms(&verdict) > 0);
    koa_verdict_deinit(&verdict);
}

static const struct {
    const char *name;
    const char *given, *kept;
} text_cases[] = {
    {"control characters become blanks", "a\nb\tc\x01\x7f", "a b c  "},
    {"bytes that are no UTF-8", "a\xff\xc3(\xe2\x82",
     "a?"
     "?(?"
     "?"},
    {"UTF-8 stays", "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
    {"registered secrets", "login hunter22 failed", "login *** failed"},
    {"passwords of URLs", "postgresql://u:pw12@h/db", "postgresql://u:***@h/db"},
};

static void texts_are_one_clean_line(void **state)
{
    (void) state;
    KIT_EACH (c, text_cases) {
        struct koa_verdict verdict;

        koa_verdict_init(&verdict, (struct koa_mono){0});
        koa_verdict_unhealthy(&verdict, "%s", c->given);
        KIT_EXPECT_TEXT(c->name, c->kept, verdict.text);
        koa_verdict_deinit(&verdict);
    }
}

static void long_texts_are_cut_after_redaction(void **state)
{
    struct koa_verdict verdict;
    char text[3000];

    (void) state;
    memset(text, 'x', sizeof(text));
    memcpy(text + 1020, "hunter22", 8);
    text[sizeof(text) - 1] = '\0';
    koa_verdict_init(&verdict, (struct koa_mono){0});
    koa_verdict_healthy(&verdict, "%s", text);
    KIT_EXPECT_INT("length", 1024, strlen(verdict.text));
    KIT_EXPECT_TEXT("no half of a secret", "***x", verdict.text + 1020);
    koa_verdict_append(&verdict, "more");
    KIT_EXPECT_INT("full", 1024, strlen(verdict.text));
    koa_verdict_healthy(&verdict, "%*s", 1 << 20, "");
    KIT_EXPECT_INT("huge", 1024, strlen(verdict.text));
    koa_verdict_deinit(&verdict);
}

static void details_become_json(void **state)
{
    struct koa_verdict verdict;

    (void) state;
    koa_verdict_init(&verdict, (struct koa_mono){0});
    koa_verdict_detail(&verdict, "flag", KOA_VALUE_BOOL(true));
    koa_verdict_detail(&verdict, "count", KOA_VALUE_INT(5));
    koa_verdict_detail(&verdict, "ratio", KOA_VALUE_DOUBLE(0.5));
    koa_verdict_detail(&verdict, "t\"x", KOA_VALUE_TEXT("hunter22 \"q\""));
    koa_verdict_detail(&verdict, "none", KOA_VALUE_TEXT(NULL));
    koa_verdict_detail(&verdict, "count", KOA_VALUE_INT(6));
    koa_verdict_detail(&verdict, "list",
                       KOA_VALUE_JSON("[1, 2.5, \"hunter22\", {\"k\": null, \"b\": false}]"));
    koa_verdict_detail(&verdict, "broken", KOA_VALUE_JSON("{\"a\":"));
    expect_details("all",
                   "{\"flag\":true,\"count\":6,\"ratio\":0.5,\"t\\\"x\":\"*** \\\"q\\\"\","
                   "\"none\":\"\",\"list\":[1,2.5,\"***\",{\"k\":null,\"b\":false}],"
                   "\"broken\":\"{\\\"a\\\":\"}",
                   &verdict);
    koa_verdict_deinit(&verdict);
}

/* "[[[...]]]", deeper than the writer goes. */
static void deep_details_stay_writable(void **state)
{
    struct koa_verdict verdict;
    char text[64];

    (void) state;
    memset(text, '[', 30);
    memset(text + 30, ']', 30);
    text[60] = '\0';
    koa_verdict_init(&verdict, (struct koa_mono){0});
    koa_verdict_detail(&verdict, "deep", KOA_VALUE_JSON(text));
    expect_details("deep", "{\"deep\":[[[[[[[[[[[[[\"(nested too deeply)\"]]]]]]]]]]]]]}",
                   &verdict);
    koa_verdict_deinit(&verdict);
}

static void details_are_bounded(void **state)
{
    struct koa_verdict verdict;
    struct koa_buf buf = {.limit = 100000};
    KOA_AUTOFREE char *text = koa_calloc(20000, 1);
    KOA_AUTO(koa_json_value) *root = NULL;
    int64_t dropped = 0;
    char key[16];

    (void) state;
    memset(text, 'x', 17000);
    koa_verdict_init(&verdict, (struct koa_mono){0});
    koa_verdict_detail(&verdict, "huge", KOA_VALUE_TEXT(text));
    for (int i = 0; i < 1000; i++) {
        (void) snprintf(key, sizeof(key), "k%d", i);
        koa_verdict_detail(&verdict, key, KOA_VALUE_INT(i));
    }
    koa_verdict_print_details(&verdict, &buf);
    KIT_EXPECT("bounded", !buf.failed && buf.size / 2 < KOA_VERDICT_DETAILS_LIMIT);
    assert_int_equal(KOA_OK, koa_json_parse((struct koa_str){buf.data, buf.size}, &root, NULL));
    KIT_EXPECT("said so", koa_json_value_int(koa_json_get(root, "details_dropped"), &dropped));
    KIT_EXPECT_INT("dropped", 1001 - 256, dropped);
    koa_buf_deinit(&buf);
    koa_verdict_deinit(&verdict);
}

static void survives_lack_of_memory(void **state)
{
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_verdict verdict;

        koa_verdict_init(&verdict, (struct koa_mono){0});
        koa_verdict_healthy(&verdict, "text");
        koa_verdict_detail(&verdict, "a", KOA_VALUE_TEXT("b"));
        koa_verdict_detail(&verdict, "c", KOA_VALUE_JSON("[1,{\"d\":\"e\"}]"));
        KIT_EXPECT_INT("decided in any case", KOA_STATUS_HEALTHY, verdict.status);
        ok = strcmp(verdict.text, "text") == 0 && verdict.dropped == 0;
        koa_verdict_deinit(&verdict);
    }
    KIT_EXPECT("reached the end", ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starts_undecided),
        cmocka_unit_test(the_last_decision_wins),
        cmocka_unit_test(texts_are_one_clean_line),
        cmocka_unit_test(long_texts_are_cut_after_redaction),
        cmocka_unit_test(details_become_json),
        cmocka_unit_test(deep_details_stay_writable),
        cmocka_unit_test(details_are_bounded),
        cmocka_unit_test(survives_lack_of_memory),
    };

    if (!koa_redact_register("hunter22"))
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

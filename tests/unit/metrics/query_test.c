#include "kit/kit.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"
#include "metrics/filter.h"
#include "metrics/key.h"
#include "metrics/query.h"
#include "metrics/registry.h"

enum kind { SEEKING, WALKED, FILTERED, KIND_COUNT };

/* Two registries as sources, of one of three kinds. */
struct fixture {
    struct koa_metrics *metrics[2];
    struct koa_metrics_filter *filter;
    struct koa_metrics_source plain[2];
    struct koa_metrics_source *filtered[2];
    const struct koa_metrics_source *rows[2];
    struct koa_metrics_sources sources;
};

static void fill(struct koa_metrics *first, struct koa_metrics *second)
{
    koa_metrics_set(first, "lag", 5, KOA_LABELS({"group", "payments-1"}, {"topic", "a"}));
    koa_metrics_set(first, "lag", 7, KOA_LABELS({"group", "payments-2"}, {"topic", "a"}));
    koa_metrics_set(first, "lag", 9, KOA_LABELS({"group", "orders"}));
    koa_metrics_count(first, "a_total", 1, KOA_NO_LABELS);
    koa_metrics_time(first, "query", 2, KOA_NO_LABELS);
    koa_metrics_time(first, "query", 4, KOA_NO_LABELS);
    koa_metrics_observe(second, "size", 3, KOA_LABELS({"x", "1"}));
    koa_metrics_set(second, "zz_count", 11, KOA_NO_LABELS);
}

static void set_up(struct fixture *fixture, enum kind kind)
{
    const struct koa_metrics_opts opts = {0};
    const struct koa_metrics_filter_opts filter_opts = {0};
    struct koa_error error;

    *fixture = (struct fixture){0};
    assert_int_equal(koa_metrics_filter_create(&filter_opts, &fixture->filter, &error), KOA_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(koa_metrics_create(&opts, &fixture->metrics[i], &error), KOA_OK);
        fixture->plain[i] = *koa_metrics_source(fixture->metrics[i]);
        if (kind == WALKED)
            fixture->plain[i].seek = NULL;
        assert_int_equal(koa_metrics_filter_wrap(fixture->filter, &fixture->plain[i],
                                                 &fixture->filtered[i], &error),
                         KOA_OK);
        fixture->rows[i] = kind == FILTERED ? fixture->filtered[i] : &fixture->plain[i];
    }
    fixture->sources = (struct koa_metrics_sources){.rows = fixture->rows, .count = 2};
    fill(fixture->metrics[0], fixture->metrics[1]);
}

static void tear_down(struct fixture *fixture)
{
    for (int i = 0; i < 2; i++) {
        koa_metrics_filter_unwrap(fixture->filtered[i]);
        koa_metrics_destroy(fixture->metrics[i]);
    }
    koa_metrics_filter_destroy(fixture->filter);
}

static void print(void *context, const struct koa_sample *sample, double value)
{
    struct koa_buf *buf = context;

    koa_series_key_print(buf, sample);
    koa_buf_printf(buf, " %g|", value);
}

static void a_name_finds_its_family_and_parts_of_histograms(void **state)
{
    static const struct {
        const char *name;
        const char *expected;
    } cases[] = {
        {"a_total", "a_total 1|"},
        {"lag", "lag{group=orders} 9|lag{group=payments-1,topic=a} 5|"
                "lag{group=payments-2,topic=a} 7|"},
        {"query", "query 2|"},
        {"query_count", "query 2|"},
        {"query_sum", "query 6|"},
        {"query_seconds", "query 2|"},
        {"query_seconds_count", "query 2|"},
        {"query_seconds_sum", "query 6|"},
        {"size", "size{x=1} 1|"},
        {"size_sum", "size{x=1} 3|"},
        {"size_seconds", ""},
        {"zz_count", "zz_count 11|"},
        {"zz", ""},
        {"lag_count", ""},
        {"nothing", ""},
        {"_count", ""},
    };

    (void) state;
    for (int kind = 0; kind < KIND_COUNT; kind++) {
        struct fixture fixture;

        set_up(&fixture, (enum kind) kind);
        KIT_EACH (c, cases) {
            struct koa_buf buf = {.limit = 1000};
            size_t count = 0;

            KIT_EXPECT_INT(c->name, KOA_OK,
                           koa_query_each(&fixture.sources, c->name, print, &buf, &count));
            KIT_EXPECT_TEXT(c->name, c->expected, koa_buf_text(&buf));
            koa_buf_deinit(&buf);
        }
        tear_down(&fixture);
    }
}

static void exact_labels_in_any_order_get_one_series(void **state)
{
    struct fixture fixture;
    double value = 0;

    (void) state;
    set_up(&fixture, SEEKING);
    assert_true(koa_query_get(&fixture.sources, "lag",
                              KOA_LABELS({"topic", "a"}, {"group", "payments-2"}), &value));
    KIT_EXPECT_DOUBLE("value", 7, value);
    assert_true(
        koa_query_get(&fixture.sources, "lag", KOA_LABELS({"group", "orders"}, {"x", ""}), &value));
    KIT_EXPECT_DOUBLE("empty is absent", 9, value);
    assert_true(koa_query_get(&fixture.sources, "query_sum", KOA_NO_LABELS, &value));
    KIT_EXPECT_DOUBLE("sum", 6, value);
    KIT_EXPECT("one label is missing", !koa_query_get(&fixture.sources, "lag",
                                                      KOA_LABELS({"group", "payments-2"}), &value));
    KIT_EXPECT("no labels", !koa_query_get(&fixture.sources, "lag", KOA_NO_LABELS, &value));
    tear_down(&fixture);
}

static void matchers_are_anchored_and_absent_is_empty(void **state)
{
    static const struct {
        const char *name;
        struct koa_label match[2];
        size_t count;
        const char *expected;
    } cases[] = {
        {"none",
         {{0}},
         0,
         "lag{group=orders} 9|lag{group=payments-1,topic=a} 5|lag{group=payments-2,topic=a} 7|"},
        {"expression",
         {{"group", "payments-.*"}},
         1,
         "lag{group=payments-1,topic=a} 5|lag{group=payments-2,topic=a} 7|"},
        {"anchored", {{"group", "payments"}}, 1, ""},
        {"alternatives",
         {{"group", "orders|payments-1"}},
         1,
         "lag{group=orders} 9|lag{group=payments-1,topic=a} 5|"},
        {"both",
         {{"group", ".*"}, {"topic", "a"}},
         2,
         "lag{group=payments-1,topic=a} 5|lag{group=payments-2,topic=a} 7|"},
        {"absent", {{"topic", ""}}, 1, "lag{group=orders} 9|"},
    };
    struct fixture fixture;

    (void) state;
    set_up(&fixture, SEEKING);
    KIT_EACH (c, cases) {
        const struct koa_labels match = {.rows = c->match, .count = c->count};
        struct koa_query *query = NULL;
        struct koa_error error;
        struct koa_buf buf = {.limit = 1000};
        size_t count = 0;

        assert_int_equal(koa_query_create("lag", &match, &query, &error), KOA_OK);
        assert_int_equal(koa_query_run(query, &fixture.sources, print, &buf, &count), KOA_OK);
        KIT_EXPECT_TEXT(c->name, c->expected, koa_buf_text(&buf));
        koa_buf_deinit(&buf);
        koa_query_destroy(query);
    }
    tear_down(&fixture);
}

static void bad_queries_are_refused(void **state)
{
    struct koa_query *query = NULL;
    struct koa_error error;

    (void) state;
    KIT_EXPECT_INT("name", KOA_ERR_INVALID, koa_query_create("a-b", KOA_NO_LABELS, &query, &error));
    KIT_EXPECT_INT("label", KOA_ERR_INVALID,
                   koa_query_create("a", KOA_LABELS({"x y", "1"}), &query, &error));
    KIT_EXPECT_INT("expression", KOA_ERR_INVALID,
                   koa_query_create("a", KOA_LABELS({"x", "(1"}), &query, &error));
    KIT_EXPECT_CONTAINS("is named", "(1", error.text);
    KIT_EXPECT("nothing made", query == NULL);
}

static void every_allocation_may_fail(void **state)
{
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_query *query = NULL;
        struct koa_error error;

        ok = koa_query_create("a", KOA_LABELS({"x", "1"}, {"y", "2"}), &query, &error) == KOA_OK;
        koa_query_destroy(query);
    }
    KIT_EXPECT("works in the end", ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_finds_its_family_and_parts_of_histograms),
        cmocka_unit_test(exact_labels_in_any_order_get_one_series),
        cmocka_unit_test(matchers_are_anchored_and_absent_is_empty),
        cmocka_unit_test(bad_queries_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

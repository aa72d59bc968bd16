#include "kit/kit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "metrics/family.h"
#include "metrics/key.h"

static struct koa_metrics *create(const struct koa_metrics_opts *opts)
{
    static const struct koa_metrics_opts defaults = {0};
    struct koa_metrics *metrics = NULL;
    struct koa_error error;

    assert_int_equal(koa_metrics_create(opts != NULL ? opts : &defaults, &metrics, &error), KOA_OK);
    return metrics;
}

/* Every series as "key value\n", in the order of the source. */
static const char *dump(struct koa_metrics *metrics)
{
    static char text[65536];
    const struct koa_metrics_source *source = koa_metrics_source(metrics);
    struct koa_metrics_cursor cursor;
    struct koa_batch batch;
    struct koa_buf buf = {.limit = sizeof(text) - 1};

    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            koa_series_key_print(&buf, &batch.samples[i]);
            if (batch.samples[i].histogram != NULL) {
                koa_buf_printf(&buf, " n=%lu sum=%g\n",
                               (unsigned long) batch.samples[i].histogram->count,
                               batch.samples[i].histogram->sum);
            } else {
                koa_buf_printf(&buf, " %g\n", batch.samples[i].value);
            }
        }
    }
    source->end(source, &cursor);
    assert_false(cursor.failed);
    assert_true(koa_str_copy(text, sizeof(text), koa_str_from(koa_buf_text(&buf))));
    koa_buf_deinit(&buf);
    return text;
}

static void by_name_calls_register_on_first_use(void **state)
{
    struct koa_metrics *metrics = create(NULL);

    (void) state;
    koa_metrics_count(metrics, "b_total", 2, KOA_LABELS({"z", "1"}, {"a", "x"}));
    koa_metrics_count(metrics, "b_total", 0.5, KOA_LABELS({"a", "x"}, {"z", "1"}));
    koa_metrics_count(metrics, "b_total", 1, KOA_NO_LABELS);
    koa_metrics_set(metrics, "a", 42, KOA_NO_LABELS);
    koa_metrics_add(metrics, "a", -2, KOA_NO_LABELS);
    koa_metrics_observe(metrics, "h", 0.2, KOA_NO_LABELS);
    koa_metrics_observe(metrics, "h", 20, KOA_NO_LABELS);
    koa_metrics_time(metrics, "query", 0.1, KOA_LABELS({"db", "main"}));
    KIT_EXPECT_TEXT("all",
                    "a 40\n"
                    "b_total 1\n"
                    "b_total{a=x,z=1} 2.5\n"
                    "h n=2 sum=20.2\n"
                    "query{db=main} n=1 sum=0.1\n",
                    dump(metrics));
    koa_metrics_count(NULL, "x", 1, KOA_NO_LABELS);
    koa_metrics_destroy(metrics);
}

static void a_gauge_without_a_value_is_not_shown_until_it_is_set_again(void **state)
{
    struct koa_metrics *metrics = create(NULL);

    (void) state;
    koa_metrics_set(metrics, "up", 1, KOA_LABELS({"cluster", "a"}));
    koa_metrics_set(metrics, "up", 1, KOA_LABELS({"cluster", "b"}));
    koa_metrics_clear(metrics, "up", KOA_LABELS({"cluster", "a"}));
    KIT_EXPECT_TEXT("one", "up{cluster=b} 1\n", dump(metrics));
    koa_metrics_clear(metrics, "up", KOA_LABELS({"cluster", "b"}));
    KIT_EXPECT_TEXT("none", "", dump(metrics));
    koa_metrics_set(metrics, "up", 0, KOA_LABELS({"cluster", "a"}));
    KIT_EXPECT_TEXT("again", "up{cluster=a} 0\n", dump(metrics));
    koa_metrics_clear(NULL, "up", KOA_NO_LABELS);
    koa_metrics_destroy(metrics);
}

static void families_and_series_come_in_order(void **state)
{
    struct koa_metrics *metrics = create(NULL);
    const struct koa_metrics_source *source = koa_metrics_source(metrics);
    struct koa_metrics_cursor cursor;
    struct koa_batch batch;
    int seen = 0;
    char previous[8] = "";

    (void) state;
    for (int i = 0; i < 1000; i++) {
        char value[8];

        snprintf(value, sizeof(value), "%d", i * 7919 % 1000);
        koa_metrics_set(metrics, "g", i, KOA_LABELS({"n", value}));
    }
    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            struct koa_str value = batch.samples[i].labels[0].value;

            KIT_EXPECT("rising", strcmp(previous, value.data) < 0);
            assert_true(koa_str_copy(previous, sizeof(previous), value));
            seen++;
        }
    }
    source->end(source, &cursor);
    KIT_EXPECT_INT("all", 1000, seen);
    koa_metrics_destroy(metrics);
}

static void series_added_during_a_walk_neither_repeat_nor_hide_others(void **state)
{
    struct koa_metrics *metrics = create(NULL);
    const struct koa_metrics_source *source = koa_metrics_source(metrics);
    struct koa_metrics_cursor cursor;
    struct koa_metrics_cursor other;
    struct koa_batch batch;
    static bool seen[2000];
    int added = 0;

    (void) state;
    memset(seen, 0, sizeof(seen));
    for (int i = 0; i < 1000; i++) {
        char value[8];

        snprintf(value, sizeof(value), "%04d", 2 * i);
        koa_metrics_set(metrics, "g", 2 * i, KOA_LABELS({"n", value}));
    }
    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            int n = (int) batch.samples[i].value;

            KIT_EXPECT("once", !seen[n]);
            seen[n] = true;
        }
        for (int i = 0; i < 20; i++, added++) {
            char value[8];
            int n = (added * 389 % 1000) * 2 + 1;

            snprintf(value, sizeof(value), "%04d", n);
            koa_metrics_set(metrics, "g", n, KOA_LABELS({"n", value}));
        }
        /* Another reader sorts the new ones in. */
        source->begin(source, &other);
        assert_true(source->next(source, &other, &batch));
        source->end(source, &other);
    }
    source->end(source, &cursor);
    for (int i = 0; i < 2000; i += 2)
        KIT_EXPECT("every series that was there at the start", seen[i]);
    koa_metrics_destroy(metrics);
}

static const double other_bounds[] = {1, 2};
static const struct {
    const char *name;
    struct koa_family family;
    enum koa_err err;
    const char *text;
} conflicts[] = {
    {"the same",
     {KOA_FAMILY_INIT, .name = "ops_total", .type = KOA_COUNTER, .help = "Ops"},
     KOA_OK,
     NULL},
    {"other type",
     {KOA_FAMILY_INIT, .name = "ops_total", .type = KOA_GAUGE, .help = "Ops"},
     KOA_ERR_EXISTS,
     "counter"},
    {"other help",
     {KOA_FAMILY_INIT, .name = "ops_total", .type = KOA_COUNTER, .help = "Else"},
     KOA_ERR_EXISTS,
     "Else"},
    {"exported family name",
     {KOA_FAMILY_INIT, .name = "ops", .type = KOA_GAUGE},
     KOA_ERR_EXISTS,
     "ops_total"},
    {"timer like a histogram",
     {KOA_FAMILY_INIT, .name = "query", .type = KOA_TIMER},
     KOA_ERR_EXISTS,
     "query_seconds"},
    {"a histogram's count",
     {KOA_FAMILY_INIT, .name = "query_seconds_count", .type = KOA_GAUGE},
     KOA_ERR_EXISTS,
     "query_seconds"},
    {"other bounds",
     {KOA_FAMILY_INIT, .name = "query_seconds", .type = KOA_HISTOGRAM, .bounds = other_bounds,
      .bound_count = 2},
     KOA_ERR_EXISTS,
     "bounds"},
    {"reserved",
     {KOA_FAMILY_INIT, .name = "kafka_brokers", .type = KOA_GAUGE},
     KOA_ERR_EXISTS,
     "the agent exports itself"},
};

static void a_conflicting_registration_names_both(void **state)
{
    struct koa_metrics *metrics = create(NULL);
    struct koa_error error;

    (void) state;
    assert_int_equal(koa_metrics_register(metrics,
                                          &(struct koa_family){KOA_FAMILY_INIT, .name = "ops_total",
                                                               .type = KOA_COUNTER, .help = "Ops"},
                                          &error),
                     KOA_OK);
    assert_int_equal(
        koa_metrics_register(
            metrics,
            &(struct koa_family){KOA_FAMILY_INIT, .name = "query_seconds", .type = KOA_HISTOGRAM},
            &error),
        KOA_OK);
    assert_int_equal(koa_metrics_reserve(metrics, "kafka_brokers", &error), KOA_OK);
    KIT_EACH (c, conflicts) {
        error.text[0] = '\0';
        KIT_EXPECT_INT(c->name, c->err, koa_metrics_register(metrics, &c->family, &error));
        if (c->text != NULL) {
            KIT_EXPECT_CONTAINS(c->name, c->text, error.text);
            KIT_EXPECT_CONTAINS(c->name, c->family.name, error.text);
        }
    }
    koa_metrics_destroy(metrics);
}

static void a_bad_registration_says_what_is_allowed(void **state)
{
    static const double falling[] = {1, 1};
    static const double infinite[] = {1, INFINITY};
    static const struct {
        const char *name;
        struct koa_family family;
        enum koa_err err;
    } cases[] = {
        {"no name", {KOA_FAMILY_INIT}, KOA_ERR_INVALID},
        {"digit first", {KOA_FAMILY_INIT, .name = "1a"}, KOA_ERR_INVALID},
        {"dash", {KOA_FAMILY_INIT, .name = "a-b"}, KOA_ERR_INVALID},
        {"no size", {.name = "a"}, KOA_ERR_INVALID},
        {"type", {KOA_FAMILY_INIT, .name = "a", .type = KOA_METRIC_TYPE_COUNT}, KOA_ERR_INVALID},
        {"unit", {KOA_FAMILY_INIT, .name = "a", .unit = "m/s"}, KOA_ERR_INVALID},
        {"falling",
         {KOA_FAMILY_INIT, .name = "a", .type = KOA_TIMER, .bounds = falling, .bound_count = 2},
         KOA_ERR_INVALID},
        {"infinite",
         {KOA_FAMILY_INIT, .name = "a", .type = KOA_TIMER, .bounds = infinite, .bound_count = 2},
         KOA_ERR_INVALID},
        {"no bounds",
         {KOA_FAMILY_INIT, .name = "a", .type = KOA_TIMER, .bounds = falling, .bound_count = 0},
         KOA_ERR_RANGE},
    };
    struct koa_metrics *metrics = create(NULL);
    struct koa_error error;

    (void) state;
    KIT_EACH (c, cases) {
        KIT_EXPECT_INT(c->name, c->err, koa_metrics_register(metrics, &c->family, &error));
        KIT_EXPECT(c->name, error.text[0] != '\0');
    }
    koa_metrics_destroy(metrics);
}

static void a_registration_may_follow_the_first_use(void **state)
{
    struct koa_metrics *metrics = create(NULL);
    struct koa_error error;
    const struct koa_family family = {KOA_FAMILY_INIT, .name = "late_total", .type = KOA_COUNTER,
                                      .help = "Said later"};
    const struct koa_family other = {KOA_FAMILY_INIT, .name = "late_total", .type = KOA_COUNTER,
                                     .help = "And again"};

    (void) state;
    koa_metrics_count(metrics, "late_total", 1, KOA_NO_LABELS);
    KIT_EXPECT_INT("first", KOA_OK, koa_metrics_register(metrics, &family, &error));
    KIT_EXPECT_INT("second", KOA_ERR_EXISTS, koa_metrics_register(metrics, &other, &error));
    KIT_EXPECT_TEXT("the series stays", "late_total 1\n", dump(metrics));
    koa_metrics_destroy(metrics);
}

static int64_t log_lines;
static char last_line[1024];

static void keep_line(void *context, const struct koa_log_line *line)
{
    (void) context;
    log_lines++;
    (void) koa_str_copy(last_line, sizeof(last_line), koa_str_from(line->text));
}

static struct koa_wall no_time(void)
{
    return (struct koa_wall){.ms = 1};
}

static void refused_calls_are_counted_and_logged_once(void **state)
{
    struct koa_logger *logger = koa_logger_create(keep_line, NULL, no_time);
    struct koa_metrics *metrics = create(&(struct koa_metrics_opts){
        .series_per_family = 2, .log = koa_logger_component(logger, "metrics")});
    char name[300];

    (void) state;
    log_lines = 0;
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    koa_metrics_set(metrics, "g", 1, KOA_NO_LABELS);
    for (int i = 0; i < 3; i++)
        koa_metrics_count(metrics, "g", 1, KOA_NO_LABELS);
    KIT_EXPECT_INT("one line", 1, log_lines);
    KIT_EXPECT_CONTAINS("that names both types", "gauge", last_line);
    KIT_EXPECT_CONTAINS("that names both types", "counter", last_line);
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a", "1"}));
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a", "2"}));
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a", "2"}));
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a-b", "2"}));
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"__a", "2"}));
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a", "1"}, {"a", "1"}));
    koa_metrics_set(metrics, "bad name", 1, KOA_NO_LABELS);
    koa_metrics_set(metrics, "", 1, KOA_NO_LABELS);
    koa_metrics_set(metrics, name, 1, KOA_NO_LABELS);
    koa_metrics_observe(metrics, "h", 1, KOA_LABELS({"le", "1"}));
    koa_gauge_set(koa_metrics_gauge(metrics, "bad name", KOA_NO_LABELS), 1);
    KIT_EXPECT_TEXT("kept and counted",
                    "g 1\n"
                    "g{a=1} 1\n"
                    "kafka_ops_series_dropped_total{family=g,reason=label} 3\n"
                    "kafka_ops_series_dropped_total{family=g,reason=limit} 2\n"
                    "kafka_ops_series_dropped_total{family=g,reason=type} 3\n"
                    "kafka_ops_series_dropped_total{family=unregistered,reason=label} 1\n"
                    "kafka_ops_series_dropped_total{family=unregistered,reason=name} 4\n",
                    dump(metrics));
    KIT_EXPECT_INT("in the stats too", 3 + 2 + 3 + 3 + 1 + 1,
                   atomic_load(&koa_metrics_stats(metrics)->dropped));
    KIT_EXPECT_INT("used", 7, atomic_load(&koa_metrics_stats(metrics)->used));
    koa_metrics_destroy(metrics);
    koa_logger_destroy(logger);
}

static void limits_of_families_and_of_all_series_hold(void **state)
{
    struct koa_metrics *metrics = create(&(struct koa_metrics_opts){.families = 3, .series = 5});

    (void) state;
    koa_metrics_set(metrics, "a", 1, KOA_NO_LABELS);
    koa_metrics_count(metrics, "a", 1, KOA_NO_LABELS);
    koa_metrics_set(metrics, "b", 1, KOA_NO_LABELS);
    koa_metrics_set(metrics, "c", 1, KOA_NO_LABELS);
    koa_metrics_set(metrics, "a", 1, KOA_LABELS({"x", "1"}));
    koa_metrics_set(metrics, "a", 1, KOA_LABELS({"x", "2"}));
    KIT_EXPECT_TEXT("as many as allowed",
                    "a 1\n"
                    "a{x=1} 1\n"
                    "b 1\n"
                    "kafka_ops_series_dropped_total{family=a,reason=limit} 1\n"
                    "kafka_ops_series_dropped_total{family=a,reason=type} 1\n"
                    "kafka_ops_series_dropped_total{family=unregistered,reason=limit} 1\n",
                    dump(metrics));
    KIT_EXPECT_INT("dropped", 3, atomic_load(&koa_metrics_stats(metrics)->dropped));
    koa_metrics_destroy(metrics);
}

static void the_limit_of_a_family_can_change(void **state)
{
    struct koa_metrics *metrics = create(&(struct koa_metrics_opts){.series_per_family = 1});

    (void) state;
    koa_metrics_set(metrics, "a", 1, KOA_LABELS({"x", "1"}));
    koa_metrics_set(metrics, "a", 1, KOA_LABELS({"x", "2"}));
    koa_metrics_set_series_limit(metrics, 2);
    koa_metrics_set(metrics, "a", 1, KOA_LABELS({"x", "3"}));
    koa_metrics_set_series_limit(metrics, 1);
    koa_metrics_set(metrics, "a", 2, KOA_LABELS({"x", "3"}));
    koa_metrics_set(metrics, "a", 1, KOA_LABELS({"x", "4"}));
    KIT_EXPECT_TEXT("those that exist stay",
                    "a{x=1} 1\n"
                    "a{x=3} 2\n"
                    "kafka_ops_series_dropped_total{family=a,reason=limit} 2\n",
                    dump(metrics));
    koa_metrics_destroy(metrics);
}

static void label_values_are_made_valid_and_cut(void **state)
{
    struct koa_metrics *metrics = create(NULL);
    char value[1100];

    (void) state;
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a", "x\xff"}));
    koa_metrics_add(metrics, "g", 1, KOA_LABELS({"a", "x\xfe"}));
    koa_metrics_add(metrics, "g", 1, KOA_LABELS({"a", "x"}, {"empty", ""}, {"none", NULL}));
    KIT_EXPECT_TEXT("one series for one text", "g{a=x} 1\ng{a=x\xef\xbf\xbd} 2\n", dump(metrics));
    koa_metrics_destroy(metrics);

    metrics = create(NULL);
    memset(value, 'v', sizeof(value));
    memcpy(value + 1022, "\xe2\x82\xac", 3);
    value[sizeof(value) - 1] = '\0';
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a", value}));
    KIT_EXPECT_INT("cut before the character", strlen("g{a=} 1\n") + 1022, strlen(dump(metrics)));
    koa_metrics_destroy(metrics);
}

static void counters_never_go_down(void **state)
{
    struct koa_metrics *metrics = create(NULL);
    struct koa_counter counter = koa_metrics_counter(metrics, "c_total", KOA_NO_LABELS);

    (void) state;
    koa_counter_add(counter, 3);
    koa_counter_add(counter, -1);
    koa_counter_add(counter, NAN);
    koa_counter_add(counter, 0.25);
    koa_counter_add(counter, 1e15);
    KIT_EXPECT_DOUBLE("value", 1e15 + 3.25, koa_cell_value(counter.cell));
    koa_counter_add(counter, INFINITY);
    KIT_EXPECT("even to infinity", isinf(koa_cell_value(counter.cell)));
    koa_metrics_destroy(metrics);
}

static void histograms_keep_buckets_sum_and_extremes(void **state)
{
    static const double bounds[] = {1, 2, 4};
    struct koa_metrics *metrics = create(NULL);
    struct koa_histogram histogram;
    struct koa_histogram_view view;
    uint64_t buckets[4];
    struct koa_error error;
    const struct koa_family family = {KOA_FAMILY_INIT, .name = "h", .type = KOA_HISTOGRAM,
                                      .bounds = bounds, .bound_count = 3};

    (void) state;
    assert_int_equal(koa_metrics_register(metrics, &family, &error), KOA_OK);
    histogram = koa_metrics_histogram(metrics, "h", KOA_NO_LABELS);
    koa_cell_histogram(histogram.cell, buckets, &view);
    KIT_EXPECT_INT("empty", 0, view.count);
    for (int i = 1; i <= 11; i++)
        koa_histogram_observe(histogram, i * 0.5);
    koa_histogram_observe(histogram, NAN);
    koa_cell_histogram(histogram.cell, buckets, &view);
    KIT_EXPECT_INT("count", 11, view.count);
    KIT_EXPECT_INT("upper bounds belong to the bucket", 2, buckets[0]);
    KIT_EXPECT_INT("second", 2, buckets[1]);
    KIT_EXPECT_INT("third", 4, buckets[2]);
    KIT_EXPECT_INT("rest", 3, buckets[3]);
    KIT_EXPECT_DOUBLE("sum", 33, view.sum);
    KIT_EXPECT_DOUBLE("minimum", 0.5, view.minimum);
    KIT_EXPECT_DOUBLE("maximum", 5.5, view.maximum);
    koa_metrics_destroy(metrics);
}

static void quantiles_are_interpolated_and_clamped(void **state)
{
    static const double bounds[] = {1, 2, 4};
    static const uint64_t buckets[] = {10, 10, 0, 0};
    static const uint64_t one[] = {0, 0, 0, 1};
    struct koa_histogram_view view = {.bounds = bounds,
                                      .bound_count = 3,
                                      .buckets = buckets,
                                      .count = 20,
                                      .minimum = 0.5,
                                      .maximum = 1.5};
    struct koa_histogram_view single = {
        .bounds = bounds, .bound_count = 3, .buckets = one, .count = 1, .minimum = 9, .maximum = 9};
    struct koa_histogram_view empty = {.bounds = bounds, .bound_count = 3, .buckets = buckets};
    double value = 0;

    (void) state;
    assert_true(koa_histogram_quantile(&view, 0.5, &value));
    KIT_EXPECT_DOUBLE("median", 1, value);
    assert_true(koa_histogram_quantile(&view, 0.75, &value));
    KIT_EXPECT_DOUBLE("inside, to the maximum", 1.25, value);
    assert_true(koa_histogram_quantile(&view, 0, &value));
    KIT_EXPECT_DOUBLE("lowest", 0.5, value);
    assert_true(koa_histogram_quantile(&view, 1, &value));
    KIT_EXPECT_DOUBLE("highest", 1.5, value);
    assert_true(koa_histogram_quantile(&single, 0.95, &value));
    KIT_EXPECT_DOUBLE("beyond the bounds", 9, value);
    KIT_EXPECT("empty", !koa_histogram_quantile(&empty, 0.5, &value));
    KIT_EXPECT("no quantile", !koa_histogram_quantile(&view, 1.5, &value));
}

static int64_t ticks;

static int64_t read_ticks(void)
{
    return ticks;
}

static double timed(struct koa_metrics *metrics, bool early)
{
    KOA_TIME_SCOPE(metrics, "query");

    ticks += 250000000;
    if (early)
        return 1;
    ticks += 500000000;
    return 2;
}

static void a_time_scope_records_on_every_way_out(void **state)
{
    struct koa_metrics *metrics = create(&(struct koa_metrics_opts){.ticks_ns = read_ticks});

    (void) state;
    (void) timed(metrics, true);
    (void) timed(metrics, false);
    (void) timed(NULL, false);
    KIT_EXPECT_TEXT("both", "query n=2 sum=1\n", dump(metrics));
    koa_metrics_destroy(metrics);
}

static void series_are_counted_by_family(void **state)
{
    struct koa_metrics *metrics = create(NULL);

    (void) state;
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a", "1"}));
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a", "2"}));
    koa_metrics_update_series(metrics);
    KIT_EXPECT_CONTAINS("g", "kafka_ops_series{family=g} 2\n", dump(metrics));
    KIT_EXPECT("memory", koa_metrics_memory(metrics) > 0);
    koa_metrics_destroy(metrics);
}

static void every_allocation_may_fail(void **state)
{
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_metrics *metrics = NULL;
        struct koa_error error;
        const struct koa_metrics_opts opts = {0};
        struct koa_metrics_cursor cursor;
        struct koa_batch batch;
        size_t seen = 0;

        if (koa_metrics_create(&opts, &metrics, &error) != KOA_OK) {
            KIT_EXPECT_INT("code", KOA_ERR_NOMEM, error.code);
            continue;
        }
        koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a", "1"}));
        koa_metrics_set(metrics, "g", 1, KOA_LABELS({"a", "2"}));
        metrics->source.begin(&metrics->source, &cursor);
        while (metrics->source.next(&metrics->source, &cursor, &batch))
            seen += batch.count;
        metrics->source.end(&metrics->source, &cursor);
        ok = seen == 2 && !cursor.failed && atomic_load(&metrics->stats.dropped) == 0;
        koa_metrics_destroy(metrics);
    }
    KIT_EXPECT("works in the end", ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_name_calls_register_on_first_use),
        cmocka_unit_test(a_gauge_without_a_value_is_not_shown_until_it_is_set_again),
        cmocka_unit_test(families_and_series_come_in_order),
        cmocka_unit_test(series_added_during_a_walk_neither_repeat_nor_hide_others),
        cmocka_unit_test(a_conflicting_registration_names_both),
        cmocka_unit_test(a_bad_registration_says_what_is_allowed),
        cmocka_unit_test(a_registration_may_follow_the_first_use),
        cmocka_unit_test(refused_calls_are_counted_and_logged_once),
        cmocka_unit_test(limits_of_families_and_of_all_series_hold),
        cmocka_unit_test(the_limit_of_a_family_can_change),
        cmocka_unit_test(label_values_are_made_valid_and_cut),
        cmocka_unit_test(counters_never_go_down),
        cmocka_unit_test(histograms_keep_buckets_sum_and_extremes),
        cmocka_unit_test(quantiles_are_interpolated_and_clamped),
        cmocka_unit_test(a_time_scope_records_on_every_way_out),
        cmocka_unit_test(series_are_counted_by_family),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

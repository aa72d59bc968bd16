#include "kit/kit.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"
#include "kit/series_kit.h"
#include "metrics/filter.h"
#include "metrics/key.h"
#include "metrics/registry.h"

static struct koa_metrics *create_metrics(void)
{
    const struct koa_metrics_opts opts = {0};
    struct koa_metrics *metrics = NULL;
    struct koa_error error;

    assert_int_equal(koa_metrics_create(&opts, &metrics, &error), KOA_OK);
    koa_metrics_count(metrics, "bytes_total", 1, KOA_LABELS({"client", "a"}, {"topic", "x"}));
    koa_metrics_count(metrics, "bytes_total", 2, KOA_LABELS({"client", "b"}, {"topic", "x"}));
    koa_metrics_count(metrics, "bytes_total", 4, KOA_LABELS({"client", "a"}, {"topic", "y"}));
    koa_metrics_set(metrics, "g", 1, KOA_LABELS({"client", "a"}));
    koa_metrics_set(metrics, "g", 2, KOA_LABELS({"client", "b"}));
    koa_metrics_observe(metrics, "h", 0.1, KOA_LABELS({"client", "a"}));
    koa_metrics_observe(metrics, "h", 3, KOA_LABELS({"client", "b"}));
    koa_metrics_observe(metrics, "h", 30, KOA_LABELS({"client", "b"}));
    koa_metrics_time(metrics, "query", 1, KOA_NO_LABELS);
    return metrics;
}

/* The filtered registry as "key value|...", or "failed". */
static const char *dump(struct koa_metrics *metrics, struct koa_metrics_filter *filter)
{
    static char text[65536];
    struct koa_metrics_source *source = NULL;
    struct koa_metrics_cursor cursor;
    struct koa_batch batch;
    struct koa_buf buf = {.limit = sizeof(text) - 1};
    struct koa_error error;
    bool failed;

    if (koa_metrics_filter_wrap(filter, koa_metrics_source(metrics), &source, &error) != KOA_OK)
        return "failed";
    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            const struct koa_histogram_view *view = batch.samples[i].histogram;

            koa_series_key_print(&buf, &batch.samples[i]);
            if (view != NULL) {
                koa_buf_printf(&buf, " n=%lu sum=%g %g..%g|", (unsigned long) view->count,
                               view->sum, view->minimum, view->maximum);
            } else {
                koa_buf_printf(&buf, " %g|", batch.samples[i].value);
            }
        }
    }
    source->end(source, &cursor);
    failed = cursor.failed || buf.failed;
    koa_metrics_filter_unwrap(source);
    (void) koa_str_copy(text, sizeof(text), koa_str_from(koa_buf_text(&buf)));
    koa_buf_deinit(&buf);
    return failed ? "failed" : text;
}

static void expect_filtered(const char *name, const struct koa_metrics_filter_opts *opts,
                            const char *expected)
{
    struct koa_metrics *metrics = create_metrics();
    struct koa_metrics_filter *filter = NULL;
    struct koa_error error;

    assert_int_equal(koa_metrics_filter_create(opts, &filter, &error), KOA_OK);
    KIT_EXPECT_TEXT(name, expected, dump(metrics, filter));
    KIT_EXPECT_TEXT("a second walk is the same", expected, dump(metrics, filter));
    koa_metrics_filter_destroy(filter);
    koa_metrics_destroy(metrics);
}

#define BYTES                                                                                      \
    "bytes_total{client=a,topic=x} 1|bytes_total{client=a,topic=y} 4|"                             \
    "bytes_total{client=b,topic=x} 2|"
#define GAUGES "g{client=a} 1|g{client=b} 2|"
#define HISTOGRAMS "h{client=a} n=1 sum=0.1 0.1..0.1|h{client=b} n=2 sum=33 3..30|"
#define TIMERS "query n=1 sum=1 1..1|"

static void an_empty_filter_changes_nothing(void **state)
{
    (void) state;
    expect_filtered("all", &(struct koa_metrics_filter_opts){0}, BYTES GAUGES HISTOGRAMS TIMERS);
}

static void excluded_families_are_gone(void **state)
{
    static const char *const exclude[] = {"g", "b.*", "query_seconds"};

    (void) state;
    expect_filtered("by name and expression",
                    &(struct koa_metrics_filter_opts){.exclude = exclude, .exclude_count = 3},
                    HISTOGRAMS);
}

static void series_that_become_equal_are_added_up(void **state)
{
    static const struct koa_label_rule drop[] = {{".*", "client"}};

    (void) state;
    expect_filtered(
        "everywhere", &(struct koa_metrics_filter_opts){.drop_labels = drop, .drop_count = 1},
        "bytes_total{topic=x} 3|bytes_total{topic=y} 4|g 2|h n=3 sum=33.1 0.1..30|" TIMERS);
}

static void only_the_named_family_loses_its_label(void **state)
{
    static const struct koa_label_rule drop[] = {{"g", "client"}, {"h", "nothing"}};

    (void) state;
    expect_filtered("one family",
                    &(struct koa_metrics_filter_opts){.drop_labels = drop, .drop_count = 2},
                    BYTES "g 2|" HISTOGRAMS TIMERS);
}

static void hashed_values_stay_apart_and_hidden(void **state)
{
    static const struct koa_label_rule hash[] = {{"g", "client"}};
    const struct koa_metrics_filter_opts opts = {
        .hash_labels = hash, .hash_count = 1, .hash_key = {{1, 2}}};
    char expected[512];

    (void) state;
    snprintf(expected, sizeof(expected),
             BYTES "g{client=%016llx} 1|g{client=%016llx} 2|" HISTOGRAMS TIMERS,
             (unsigned long long) koa_siphash(opts.hash_key, "a", 1),
             (unsigned long long) koa_siphash(opts.hash_key, "b", 1));
    expect_filtered("hashed", &opts, expected);
}

static void the_first_series_are_kept_and_the_rest_counted(void **state)
{
    static const struct koa_label_rule drop[] = {{"bytes_total", "client"}};
    const struct koa_metrics_filter_opts opts = {
        .series_per_family = 1, .drop_labels = drop, .drop_count = 1};
    struct koa_metrics *metrics = create_metrics();
    struct koa_metrics_filter *filter = NULL;
    struct koa_error error;

    (void) state;
    assert_int_equal(koa_metrics_filter_create(&opts, &filter, &error), KOA_OK);
    KIT_EXPECT_TEXT("first",
                    "bytes_total{topic=x} 3|g{client=a} 1|"
                    "h{client=a} n=1 sum=0.1 0.1..0.1|" TIMERS,
                    dump(metrics, filter));
    KIT_EXPECT_INT("counted", 3, atomic_load(&koa_metrics_filter_stats(filter)->dropped));
    koa_metrics_filter_destroy(filter);
    koa_metrics_destroy(metrics);
}

static void many_series_are_added_up_over_batches(void **state)
{
    static const struct koa_label_rule drop[] = {{"many_total", "i"}, {"also_total", "i"}};
    const struct koa_metrics_filter_opts opts = {.drop_labels = drop, .drop_count = 2};
    const struct koa_metrics_opts metrics_opts = {0};
    struct koa_metrics *metrics = NULL;
    struct koa_metrics_filter *filter = NULL;
    struct koa_error error;
    struct koa_buf expected = {.limit = 65536};

    (void) state;
    assert_int_equal(koa_metrics_create(&metrics_opts, &metrics, &error), KOA_OK);
    assert_int_equal(koa_metrics_filter_create(&opts, &filter, &error), KOA_OK);
    for (int i = 0; i < 1000; i++) {
        char value[16];
        char group[16];

        snprintf(value, sizeof(value), "%d", i);
        snprintf(group, sizeof(group), "%03d", i % 200);
        koa_metrics_count(metrics, "many_total", i, KOA_LABELS({"i", value}, {"group", group}));
        koa_metrics_count(metrics, "also_total", 1, KOA_LABELS({"i", value}));
    }
    koa_buf_append_text(&expected, "also_total 1000|");
    for (int i = 0; i < 200; i++)
        koa_buf_printf(&expected, "many_total{group=%03d} %d|", i, 5 * i + 2000);
    KIT_EXPECT_TEXT("sums", koa_buf_text(&expected), dump(metrics, filter));
    koa_buf_deinit(&expected);
    koa_metrics_filter_destroy(filter);
    koa_metrics_destroy(metrics);
}

/* One sample as the rules of `opts` leave it: families named "c" excluded, values of "topic"
 * hashed, a limit. Rules that drop labels are not known here. */
static void put_filtered(struct koa_buf *buf, const struct koa_sample *sample,
                         const struct koa_metrics_filter_opts *opts)
{
    struct koa_label_view labels[16];
    struct koa_sample shown = *sample;
    char hash[24];

    shown.labels = labels;
    for (size_t i = 0; i < sample->label_count; i++) {
        labels[i] = sample->labels[i];
        if (opts->hash_count == 0 || !koa_str_equal_text(labels[i].name, "topic"))
            continue;
        snprintf(hash, sizeof(hash), "%016llx",
                 (unsigned long long) koa_siphash(opts->hash_key, labels[i].value.data,
                                                  labels[i].value.size));
        labels[i].value = koa_str_from(hash);
    }
    koa_series_key_print(buf, &shown);
    koa_buf_printf(buf, " %g|", sample->value);
}

/* What a source shows, every batch looked at; with `opts` what a filter must leave of it. */
static struct koa_buf list(const struct koa_metrics_source *source,
                           const struct koa_metrics_filter_opts *opts)
{
    static const struct koa_metrics_filter_opts no_rules = {0};
    static const struct koa_family_view none = {0};
    static struct koa_metrics_cursor cursor;
    static struct koa_batch batch;
    struct koa_buf buf = {.limit = (size_t) 4 * 1024 * 1024};
    const struct koa_family_view *family = &none;
    size_t shown = 0;

    opts = opts != NULL ? opts : &no_rules;
    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch)) {
        kit_expect_batch(&batch);
        for (size_t i = 0; i < batch.count; i++) {
            const struct koa_sample *sample = &batch.samples[i];

            shown = sample->family == family ? shown + 1 : 1;
            family = sample->family;
            if ((opts->exclude_count > 0 && koa_str_equal_text(sample->family->name, "c")) ||
                (opts->series_per_family > 0 && shown > opts->series_per_family))
                continue;
            put_filtered(&buf, sample, opts);
        }
    }
    source->end(source, &cursor);
    assert_false(cursor.failed || buf.failed);
    return buf;
}

static void random_series_pass_as_the_rules_say_and_say_what_is_true(void **state)
{
    static const char *const exclude[] = {"c"};
    static const struct koa_label_rule topic[] = {{".*", "topic"}};
    static const struct koa_label_rule events[] = {{"d_events_total|b_total", "partition"}};
    static const struct {
        const char *name;
        struct koa_metrics_filter_opts opts;
    } cases[] = {
        {"nothing", {0}},
        {"exclude", {.exclude = exclude, .exclude_count = 1}},
        {"limit", {.series_per_family = 30}},
        {"hash", {.hash_labels = topic, .hash_count = 1}},
        {"all three",
         {.exclude = exclude,
          .exclude_count = 1,
          .series_per_family = 50,
          .hash_labels = topic,
          .hash_count = 1}},
        {"drop", {.drop_labels = events, .drop_count = 1, .hash_labels = topic, .hash_count = 1}},
    };

    (void) state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct kit_series *series = kit_series_create(seed * 40503);

        KIT_EACH (c, cases) {
            struct koa_metrics_filter *filter = NULL;
            struct koa_metrics_source *source = NULL;
            struct koa_buf expected = list(kit_series_source(series), &c->opts);
            struct koa_buf got;

            assert_int_equal(koa_metrics_filter_create(&c->opts, &filter, NULL), KOA_OK);
            assert_int_equal(
                koa_metrics_filter_wrap(filter, kit_series_source(series), &source, NULL), KOA_OK);
            got = list(source, NULL);
            if (c->opts.drop_count == 0)
                KIT_EXPECT_TEXT(c->name, koa_buf_text(&expected), koa_buf_text(&got));
            koa_buf_deinit(&got);
            koa_buf_deinit(&expected);
            koa_metrics_filter_unwrap(source);
            koa_metrics_filter_destroy(filter);
        }
        kit_series_destroy(series);
    }
}

static void bad_rules_are_refused(void **state)
{
    static const char *const expressions[] = {"a[b"};
    static const struct koa_label_rule label[] = {{"g", "a-b"}};
    static const struct {
        const char *name;
        struct koa_metrics_filter_opts opts;
        enum koa_err err;
    } cases[] = {
        {"expression", {.exclude = expressions, .exclude_count = 1}, KOA_ERR_INVALID},
        {"label", {.drop_labels = label, .drop_count = 1}, KOA_ERR_INVALID},
        {"too many", {.hash_labels = label, .hash_count = 65}, KOA_ERR_RANGE},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_metrics_filter *filter = NULL;
        struct koa_error error;

        KIT_EXPECT_INT(c->name, c->err, koa_metrics_filter_create(&c->opts, &filter, &error));
        KIT_EXPECT(c->name, error.text[0] != '\0' && filter == NULL);
    }
}

static void every_allocation_may_fail(void **state)
{
    static const struct koa_label_rule rules[] = {{"bytes_total", "client"}, {"h", "client"}};
    static const struct koa_label_rule hash[] = {{"g", "client"}};
    const struct koa_metrics_filter_opts opts = {
        .drop_labels = rules, .drop_count = 2, .hash_labels = hash, .hash_count = 1};
    struct koa_metrics *metrics = create_metrics();
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_metrics_filter *filter = NULL;
        struct koa_error error;

        if (koa_metrics_filter_create(&opts, &filter, &error) != KOA_OK) {
            KIT_EXPECT_INT("code", KOA_ERR_NOMEM, error.code);
            continue;
        }
        ok = !koa_text_equal(dump(metrics, filter), "failed") &&
             atomic_load(&koa_metrics_filter_stats(filter)->dropped) == 0;
        koa_metrics_filter_destroy(filter);
    }
    KIT_EXPECT("works in the end", ok);
    koa_metrics_destroy(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_filter_changes_nothing),
        cmocka_unit_test(excluded_families_are_gone),
        cmocka_unit_test(series_that_become_equal_are_added_up),
        cmocka_unit_test(only_the_named_family_loses_its_label),
        cmocka_unit_test(hashed_values_stay_apart_and_hidden),
        cmocka_unit_test(the_first_series_are_kept_and_the_rest_counted),
        cmocka_unit_test(many_series_are_added_up_over_batches),
        cmocka_unit_test(random_series_pass_as_the_rules_say_and_say_what_is_true),
        cmocka_unit_test(bad_rules_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

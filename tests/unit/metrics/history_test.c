#include "history_kit.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/str.h"

static void each_point_keeps_what_was_there(void **state)
{
    struct fixture fixture;
    struct koa_history_view *view;

    (void) state;
    set_up(&fixture, &roomy);
    KIT_EXPECT("nothing before the first", koa_history_get(fixture.history) == NULL);
    koa_metrics_set(fixture.metrics, "g", 1, KOA_LABELS({"a", "1"}));
    sample_at(&fixture, 1000);
    koa_metrics_set(fixture.metrics, "g", 2, KOA_LABELS({"a", "1"}));
    koa_metrics_time(fixture.metrics, "query", 0.5, KOA_NO_LABELS);
    sample_at(&fixture, 2000);
    koa_metrics_set(fixture.metrics, "g", 7, KOA_LABELS({"a", "0"}));
    koa_metrics_time(fixture.metrics, "query", 20, KOA_NO_LABELS);
    sample_at(&fixture, 3000);
    view = koa_history_get(fixture.history);
    KIT_EXPECT_INT("points", 3, koa_history_view_count(view));
    KIT_EXPECT_INT("oldest first", 1000, koa_history_view_time(view, 0).ms);
    KIT_EXPECT_TEXT("first", "g{a=1} 1|", dump(view, 0));
    KIT_EXPECT_TEXT("second", "g{a=1} 2|query n=1 sum=0.5 max=0.5|", dump(view, 1));
    KIT_EXPECT_TEXT("third", "g{a=0} 7|g{a=1} 2|query n=2 sum=20.5 max=20|", dump(view, 2));
    release(view);
    tear_down(&fixture);
}

static void a_view_outlives_the_history(void **state)
{
    struct fixture fixture;
    struct koa_history_view *view;

    (void) state;
    set_up(&fixture, &roomy);
    koa_metrics_set(fixture.metrics, "g", 1, KOA_LABELS({"a", "1"}));
    sample_at(&fixture, 1000);
    view = koa_history_get(fixture.history);
    koa_metrics_set(fixture.metrics, "g", 2, KOA_NO_LABELS);
    sample_at(&fixture, 2000);
    tear_down(&fixture);
    KIT_EXPECT_INT("as it was", 1, koa_history_view_count(view));
    KIT_EXPECT_TEXT("readable", "g{a=1} 1|", dump(view, 0));
    release(view);
}

static void excluded_families_are_not_kept(void **state)
{
    static const char *const exclude[] = {"kafka_.*_offset", "query_seconds", "g"};
    const struct koa_history_opts opts = {
        .retention_ms = 1000000, .bytes_limit = 1000000, .exclude = exclude, .exclude_count = 3};
    static const char *const broken[] = {"g", "a(b"};
    const struct koa_history_opts bad = {.exclude = broken, .exclude_count = 2};
    struct fixture fixture;
    struct koa_history_view *view;
    struct koa_history *none = NULL;
    struct koa_error error;

    (void) state;
    set_up(&fixture, &opts);
    koa_metrics_set(fixture.metrics, "kafka_topic_offset", 1, KOA_NO_LABELS);
    koa_metrics_set(fixture.metrics, "my_kafka_topic_offset", 2, KOA_NO_LABELS);
    koa_metrics_set(fixture.metrics, "g", 3, KOA_NO_LABELS);
    koa_metrics_set(fixture.metrics, "gg", 4, KOA_NO_LABELS);
    koa_metrics_time(fixture.metrics, "query", 4, KOA_NO_LABELS);
    sample_at(&fixture, 1000);
    view = koa_history_get(fixture.history);
    KIT_EXPECT_TEXT("anchored", "gg 4|my_kafka_topic_offset 2|", dump(view, 0));
    release(view);
    tear_down(&fixture);
    KIT_EXPECT_INT("bad expression", KOA_ERR_INVALID, koa_history_create(&bad, &none, &error));
    KIT_EXPECT_CONTAINS("is named", "a(b", error.text);
}

/* What a walk has seen, as "10:x 11:x" and the like. */
struct seen {
    struct koa_buf text;
    const void *x; /* what identifies a=x */
    bool changes_identity;
    size_t asked;
};

static bool wants_g(void *context, const struct koa_family_view *family)
{
    (void) context;
    return koa_str_equal_text(family->name, "g");
}

static bool wants_labelled(void *context, const struct koa_label_view *labels, size_t label_count)
{
    struct seen *seen = context;

    (void) labels;
    seen->asked++;
    return label_count == 1;
}

static void see(void *context, const void *series, const struct koa_sample *sample)
{
    struct seen *seen = context;

    koa_buf_printf(&seen->text, " %.0f:%.*s",
                   sample->histogram != NULL ? sample->histogram->sum : sample->value,
                   (int) sample->labels[0].value.size, sample->labels[0].value.data);
    if (!koa_str_equal_text(sample->labels[0].value, "x"))
        return;
    seen->changes_identity |= seen->x != NULL && seen->x != series;
    seen->x = series;
}

static void a_walk_visits_only_what_is_wanted(void **state)
{
    struct fixture fixture;
    struct koa_history_view *view;
    struct seen seen = {.text.limit = 1000};
    struct koa_history_walk walk = {
        .wants_family = wants_g, .wants = wants_labelled, .visit = see, .context = &seen};

    (void) state;
    set_up(&fixture, &roomy);
    koa_metrics_observe(fixture.metrics, "before", 7, KOA_NO_LABELS);
    for (int i = 0; i < 8; i++) {
        char name[16];

        snprintf(name, sizeof(name), "other%d", i);
        if (i < 4) /* then nothing comes or goes any more */
            koa_metrics_set(fixture.metrics, name, i, KOA_NO_LABELS);
        if (i >= 2)
            koa_metrics_set(fixture.metrics, "g", i, KOA_LABELS({"a", "x"}));
        if (i == 3)
            koa_metrics_set(fixture.metrics, "g", 50, KOA_LABELS({"a", "y"}));
        koa_metrics_set(fixture.metrics, "g", 99, KOA_NO_LABELS);
        sample_at(&fixture, (int64_t) i * 100);
    }
    view = koa_history_get(fixture.history);
    for (size_t i = 0; i < 8; i++)
        assert_true(koa_history_walk_point(&walk, view, i));
    KIT_EXPECT_TEXT("each point", " 2:x 3:x 50:y 4:x 50:y 5:x 50:y 6:x 50:y 7:x 50:y",
                    koa_buf_text(&seen.text));
    KIT_EXPECT("one series is the same at all points", !seen.changes_identity);
    seen.asked = 0;
    koa_buf_clear(&seen.text);
    assert_true(koa_history_walk_point(&walk, view, 6));
    KIT_EXPECT_INT("what points share is looked at once", 0, seen.asked);
    assert_true(koa_history_walk_point(&walk, view, 2));
    KIT_EXPECT_TEXT("in any order", " 6:x 50:y 2:x", koa_buf_text(&seen.text));
    koa_history_walk_deinit(&walk);
    koa_buf_deinit(&seen.text);
    release(view);
    tear_down(&fixture);
}

static void a_walk_visits_histograms(void **state)
{
    struct fixture fixture;
    struct koa_history_view *view;
    struct seen seen = {.text.limit = 1000};
    struct koa_history_walk walk = {
        .wants_family = wants_g, .wants = wants_labelled, .visit = see, .context = &seen};

    (void) state;
    set_up(&fixture, &roomy);
    koa_metrics_observe(fixture.metrics, "a", 5, KOA_NO_LABELS);
    koa_metrics_observe(fixture.metrics, "g", 1, KOA_LABELS({"a", "x"}));
    koa_metrics_observe(fixture.metrics, "g", 2, KOA_LABELS({"a", "y"}));
    sample_at(&fixture, 100);
    view = koa_history_get(fixture.history);
    assert_true(koa_history_walk_point(&walk, view, 0));
    KIT_EXPECT_TEXT("sums", " 1:x 2:y", koa_buf_text(&seen.text));
    koa_history_walk_deinit(&walk);
    koa_buf_deinit(&seen.text);
    release(view);
    tear_down(&fixture);
}

static void many_series_come_back_in_batches(void **state)
{
    struct fixture fixture;
    struct koa_history_view *view;
    struct koa_history_reader *reader;
    const struct koa_metrics_source *source;
    struct koa_metrics_cursor cursor = {0};
    struct koa_batch batch;
    size_t seen = 0;

    (void) state;
    set_up(&fixture, &roomy);
    for (int i = 0; i < 500; i++) {
        char value[16];

        snprintf(value, sizeof(value), "%d", i);
        koa_metrics_observe(fixture.metrics, "h", i, KOA_LABELS({"a", value}));
        koa_metrics_set(fixture.metrics, "z", i, KOA_LABELS({"a", value}));
    }
    sample_at(&fixture, 1);
    view = koa_history_get(fixture.history);
    reader = koa_history_reader_create(view);
    assert_non_null(reader);
    source = koa_history_reader_move(reader, 0);
    assert_non_null(source);
    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch)) {
        for (size_t i = 0; i < batch.count; i++, seen++) {
            double expected = 0;

            assert_int_equal(koa_parse_double(batch.samples[i].labels[0].value, &expected), KOA_OK);
            if (batch.samples[i].histogram != NULL) {
                KIT_EXPECT_DOUBLE("sum", expected, batch.samples[i].histogram->sum);
            } else {
                KIT_EXPECT_DOUBLE("value", expected, batch.samples[i].value);
            }
        }
    }
    source->end(source, &cursor);
    koa_history_reader_destroy(reader);
    KIT_EXPECT_INT("all", 1000, seen);
    release(view);
    tear_down(&fixture);
}

static void series_that_come_and_go_are_right_at_each_point(void **state)
{
    struct fixture fixture;
    struct koa_history_view *view;

    (void) state;
    set_up(&fixture, &roomy);
    for (int i = 0; i < 64; i++) {
        struct koa_metrics *metrics;
        const struct koa_metrics_opts opts = {0};
        struct koa_error error;

        assert_int_equal(koa_metrics_create(&opts, &metrics, &error), KOA_OK);
        for (int bit = 0; bit < 6; bit++) {
            char value[8];

            (void) snprintf(value, sizeof(value), "%d", bit);
            if ((i >> bit & 1) != 0)
                koa_metrics_set(metrics, "g", i, KOA_LABELS({"bit", value}));
        }
        fixture.source = koa_metrics_source(metrics);
        sample_at(&fixture, (int64_t) i * 1000);
        koa_metrics_destroy(metrics);
    }
    view = koa_history_get(fixture.history);
    for (int i = 0; i < 64; i++) {
        struct koa_buf expected = {.limit = 1000};

        for (int bit = 0; bit < 6; bit++) {
            if ((i >> bit & 1) != 0)
                koa_buf_printf(&expected, "g{bit=%d} %d|", bit, i);
        }
        KIT_EXPECT_TEXT("each point", koa_buf_text(&expected), dump(view, (size_t) i));
        koa_buf_deinit(&expected);
    }
    release(view);
    fixture.source = koa_metrics_source(fixture.metrics);
    tear_down(&fixture);
}

static void every_allocation_may_fail(void **state)
{
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        const struct koa_metrics_opts metrics_opts = {0};
        struct fixture fixture = {0};
        struct koa_error error;

        if (koa_metrics_create(&metrics_opts, &fixture.metrics, &error) != KOA_OK)
            continue;
        if (koa_history_create(&roomy, &fixture.history, &error) == KOA_OK) {
            struct koa_history_view *view;

            fixture.source = koa_metrics_source(fixture.metrics);
            fixture.sources = (struct koa_metrics_sources){.rows = &fixture.source, .count = 1};
            koa_metrics_set(fixture.metrics, "g", 1, KOA_LABELS({"a", "1"}));
            sample_at(&fixture, 1000);
            koa_metrics_set(fixture.metrics, "h", 1, KOA_LABELS({"a", "1"}));
            sample_at(&fixture, 2000);
            view = koa_history_get(fixture.history);
            ok = view != NULL && koa_history_view_count(view) == 2 &&
                 strcmp(dump(view, 1), "g{a=1} 1|h{a=1} 1|") == 0;
            release(view);
        }
        tear_down(&fixture);
    }
    KIT_EXPECT("works in the end", ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_point_keeps_what_was_there),
        cmocka_unit_test(a_view_outlives_the_history),
        cmocka_unit_test(excluded_families_are_not_kept),
        cmocka_unit_test(a_walk_visits_only_what_is_wanted),
        cmocka_unit_test(a_walk_visits_histograms),
        cmocka_unit_test(many_series_come_back_in_batches),
        cmocka_unit_test(series_that_come_and_go_are_right_at_each_point),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "history_kit.h"

#include <stdio.h>

#include "base/str.h"

static void old_points_go_by_age(void **state)
{
    const struct koa_history_opts opts = {.retention_ms = 5000, .bytes_limit = 100000000};
    struct fixture fixture;
    struct koa_history_view *view;

    (void) state;
    set_up(&fixture, &opts);
    koa_metrics_set(fixture.metrics, "g", 1, KOA_NO_LABELS);
    for (int64_t ms = 1000; ms <= 20000; ms += 1000)
        sample_at(&fixture, ms);
    view = koa_history_get(fixture.history);
    KIT_EXPECT_INT("points", 6, koa_history_view_count(view));
    KIT_EXPECT_INT("oldest", 15000, koa_history_view_time(view, 0).ms);
    KIT_EXPECT_INT("age is not loss", 0, atomic_load(&koa_history_stats(fixture.history)->dropped));
    release(view);
    tear_down(&fixture);
}

/* `value` of the point that was taken at `ms`. */
static const char *expect_at(int64_t ms)
{
    static char text[64];

    (void) snprintf(text, sizeof(text), "g %g|still 5|", (double) (ms % 7000));
    return text;
}

static void what_is_left_can_be_read_when_older_points_went(void **state)
{
    const struct koa_history_opts opts = {.retention_ms = 250000, .bytes_limit = 100000000};
    struct fixture fixture;

    (void) state;
    set_up(&fixture, &opts);
    koa_metrics_set(fixture.metrics, "still", 5, KOA_NO_LABELS);
    for (int64_t ms = 0; ms < 1000000; ms += 1000) {
        struct koa_history_view *view;
        size_t count;

        koa_metrics_set(fixture.metrics, "g", (double) (ms % 7000), KOA_NO_LABELS);
        sample_at(&fixture, ms);
        view = koa_history_get(fixture.history);
        count = koa_history_view_count(view);
        KIT_EXPECT_INT("not one that is too old", ms < 250000 ? ms / 1000 + 1 : 251, count);
        KIT_EXPECT_TEXT("oldest", expect_at(koa_history_view_time(view, 0).ms), dump(view, 0));
        KIT_EXPECT_TEXT("newest", expect_at(ms), dump(view, count - 1));
        release(view);
    }
    KIT_EXPECT_INT("age is not loss", 0, atomic_load(&koa_history_stats(fixture.history)->dropped));
    tear_down(&fixture);
}

static void series_that_stand_still_cost_nearly_nothing(void **state)
{
    struct fixture fixture;
    int64_t one;

    (void) state;
    set_up(&fixture, &roomy);
    for (int i = 0; i < 1000; i++) {
        char value[16];

        (void) snprintf(value, sizeof(value), "%d", i);
        koa_metrics_set(fixture.metrics, "g", i * 0.7, KOA_LABELS({"a", value}));
    }
    sample_at(&fixture, 0);
    one = atomic_load(&koa_history_stats(fixture.history)->used);
    for (int64_t ms = 1000; ms < 1000000; ms += 1000)
        sample_at(&fixture, ms);
    KIT_EXPECT("a thousand points are less than two",
               atomic_load(&koa_history_stats(fixture.history)->used) < 2 * one);
    tear_down(&fixture);
}

static void the_byte_limit_holds_while_series_come_and_go(void **state)
{
    const struct koa_history_opts opts = {.retention_ms = 1000000, .bytes_limit = 60000};
    struct fixture fixture;
    struct koa_limit_stats *stats;
    struct koa_history_view *view;
    int64_t most = 0;

    (void) state;
    set_up(&fixture, &opts);
    stats = koa_history_stats(fixture.history);
    for (int i = 0; i < 3000; i++) {
        char value[16];

        snprintf(value, sizeof(value), "%d", i % 40);
        koa_metrics_set(fixture.metrics, "g", i, KOA_LABELS({"a", value}));
        koa_metrics_time(fixture.metrics, "t", i, KOA_NO_LABELS);
        sample_at(&fixture, (int64_t) i * 100);
        most = atomic_load(&stats->used) > most ? atomic_load(&stats->used) : most;
    }
    KIT_EXPECT("never above the limit", most <= 60000);
    KIT_EXPECT("used as far as it goes", most > 40000);
    KIT_EXPECT("counted", atomic_load(&stats->dropped) > 50);
    view = koa_history_get(fixture.history);
    KIT_EXPECT("the newest is there",
               koa_history_view_time(view, koa_history_view_count(view) - 1).ms == 299900);
    release(view);
    tear_down(&fixture);
}

static void a_limit_below_one_point_keeps_none(void **state)
{
    const struct koa_history_opts opts = {.retention_ms = 1000000, .bytes_limit = 10};
    struct fixture fixture;
    struct koa_history_view *view;

    (void) state;
    set_up(&fixture, &opts);
    koa_metrics_set(fixture.metrics, "g", 1, KOA_NO_LABELS);
    sample_at(&fixture, 1000);
    view = koa_history_get(fixture.history);
    KIT_EXPECT_INT("none", 0, koa_history_view_count(view));
    release(view);
    tear_down(&fixture);
}

static void set_many(struct fixture *fixture, const char *family, int from, int count)
{
    for (int i = from; i < from + count; i++) {
        char value[32];

        (void) snprintf(value, sizeof(value), "consumer-group-%d", i);
        koa_metrics_set(fixture->metrics, family, i, KOA_LABELS({"consumergroup", value}));
    }
}

static void a_family_too_large_is_left_out_and_told_once(void **state)
{
    struct koa_history_opts opts = {.retention_ms = 10000000, .bytes_limit = 1000000};
    struct fixture fixture;
    struct koa_history_view *view;
    struct koa_error error;

    (void) state;
    set_up(&fixture, &opts);
    set_many(&fixture, "a_large", 0, 5000);
    set_many(&fixture, "b_large", 5000, 3000);
    koa_metrics_set(fixture.metrics, "c_small", 1, KOA_NO_LABELS);
    for (int i = 0; i < 200; i++)
        sample_at(&fixture, (int64_t) i * 1000);
    view = koa_history_get(fixture.history);
    KIT_EXPECT_INT("the others are kept", 200, koa_history_view_count(view));
    KIT_EXPECT_TEXT("at the beginning", "c_small 1|", dump(view, 0));
    KIT_EXPECT_TEXT("and later", "c_small 1|", dump(view, 199));
    release(view);
    KIT_EXPECT("named", koa_str_equal_text(koa_history_take_left_out(fixture.history), "a_large"));
    KIT_EXPECT("both", koa_str_equal_text(koa_history_take_left_out(fixture.history), "b_large"));
    KIT_EXPECT_INT("once", 0, koa_history_take_left_out(fixture.history).size);
    KIT_EXPECT("no text of them stays",
               atomic_load(&koa_history_stats(fixture.history)->used) < 40000);

    opts.bytes_limit = 100000000;
    assert_int_equal(koa_history_configure(fixture.history, &opts, &error), KOA_OK);
    sample_at(&fixture, 200000);
    view = koa_history_get(fixture.history);
    KIT_EXPECT("with more room all are there", count_samples(view, 200) == 8001);
    release(view);
    tear_down(&fixture);
}

static void a_family_that_shrank_is_back_after_a_while(void **state)
{
    const struct koa_history_opts opts = {.retention_ms = 10000000, .bytes_limit = 100000};
    struct koa_metrics_source few = {.name = "few"};
    struct fixture fixture;
    struct koa_history_view *view;
    struct koa_metrics *other;
    const struct koa_metrics_opts metrics_opts = {0};
    struct koa_error error;

    (void) state;
    set_up(&fixture, &opts);
    set_many(&fixture, "g", 0, 1000);
    sample_at(&fixture, 0);
    assert_int_equal(koa_metrics_create(&metrics_opts, &other, &error), KOA_OK);
    koa_metrics_set(other, "g", 7, KOA_NO_LABELS);
    few = *koa_metrics_source(other);
    fixture.source = &few;
    for (int i = 1; i <= 100; i++)
        sample_at(&fixture, (int64_t) i * 1000);
    view = koa_history_get(fixture.history);
    KIT_EXPECT_TEXT("not at once", "", dump(view, 1));
    KIT_EXPECT_TEXT("but then", "g 7|", dump(view, 100));
    release(view);
    koa_metrics_destroy(other);
    tear_down(&fixture);
}

static void families_share_their_labels(void **state)
{
    struct fixture fixture;
    int64_t one;

    (void) state;
    set_up(&fixture, &roomy);
    set_many(&fixture, "f0", 0, 1000);
    sample_at(&fixture, 1000);
    one = atomic_load(&koa_history_stats(fixture.history)->used);
    for (int i = 1; i < 10; i++) {
        char name[16];

        (void) snprintf(name, sizeof(name), "f%d", i);
        set_many(&fixture, name, 0, 1000);
    }
    sample_at(&fixture, 2000);
    /* Their values are not shared. */
    KIT_EXPECT("ten families are not much more than one",
               atomic_load(&koa_history_stats(fixture.history)->used) < 3 * one);
    tear_down(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_points_go_by_age),
        cmocka_unit_test(what_is_left_can_be_read_when_older_points_went),
        cmocka_unit_test(series_that_stand_still_cost_nearly_nothing),
        cmocka_unit_test(the_byte_limit_holds_while_series_come_and_go),
        cmocka_unit_test(a_limit_below_one_point_keeps_none),
        cmocka_unit_test(a_family_too_large_is_left_out_and_told_once),
        cmocka_unit_test(a_family_that_shrank_is_back_after_a_while),
        cmocka_unit_test(families_share_their_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "kit/kit.h"

#include <pthread.h>
#include <stdio.h>

#include "metrics/family.h"

enum { WRITERS = 3, ROUNDS = 20000, SERIES = 300 };

static struct koa_metrics *metrics;
static atomic_bool is_done;

static void *write_series(void *context)
{
    int seed = *(const int *) context;

    for (int i = 0; i < ROUNDS; i++) {
        char value[16];

        snprintf(value, sizeof(value), "%d", (i * 31 + seed) % SERIES);
        koa_metrics_count(metrics, "hits_total", 1, KOA_LABELS({"n", value}));
        koa_metrics_observe(metrics, "size", i % 7, KOA_LABELS({"n", value}));
    }
    return NULL;
}

/* Walks while others write: no torn histogram, no series twice, counters only rise. */
static void *read_series(void *context)
{
    const struct koa_metrics_source *source = koa_metrics_source(metrics);
    double before = 0;
    bool is_last = false;

    (void) context;
    while (!is_last) {
        struct koa_metrics_cursor cursor;
        struct koa_batch batch;
        double sum = 0;

        is_last = atomic_load(&is_done);
        source->begin(source, &cursor);
        while (source->next(source, &cursor, &batch)) {
            for (size_t i = 0; i < batch.count; i++) {
                const struct koa_histogram_view *view = batch.samples[i].histogram;

                if (view == NULL) {
                    sum += batch.samples[i].value;
                } else if (view->count > 0) {
                    assert_true(view->minimum >= 0 && view->maximum <= 6);
                    assert_true(view->minimum <= view->maximum);
                }
            }
        }
        source->end(source, &cursor);
        assert_true(sum >= before);
        before = sum;
    }
    return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
    pthread_t writers[WRITERS];
    pthread_t reader;
    int seeds[WRITERS];
    const struct koa_metrics_opts opts = {0};
    struct koa_error error;
    double total = 0;
    uint64_t observed = 0;

    (void) state;
    assert_int_equal(koa_metrics_create(&opts, &metrics, &error), KOA_OK);
    for (int i = 0; i < WRITERS; i++) {
        seeds[i] = i * 100;
        assert_int_equal(pthread_create(&writers[i], NULL, write_series, &seeds[i]), 0);
    }
    assert_int_equal(pthread_create(&reader, NULL, read_series, NULL), 0);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&is_done, true);
    pthread_join(reader, NULL);
    for (int i = 0; i < SERIES; i++) {
        char value[16];
        struct koa_histogram_view view;
        uint64_t buckets[KOA_METRIC_BOUNDS_LIMIT + 1];

        snprintf(value, sizeof(value), "%d", i);
        total += koa_cell_value(
            koa_metrics_counter(metrics, "hits_total", KOA_LABELS({"n", value})).cell);
        koa_cell_histogram(koa_metrics_histogram(metrics, "size", KOA_LABELS({"n", value})).cell,
                           buckets, &view);
        observed += view.count;
    }
    KIT_EXPECT_DOUBLE("every increment", WRITERS * ROUNDS, total);
    KIT_EXPECT_INT("every observation", WRITERS * ROUNDS, observed);
    KIT_EXPECT_INT("each series once", 2 * SERIES, atomic_load(&koa_metrics_stats(metrics)->used));
    koa_metrics_destroy(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_between_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

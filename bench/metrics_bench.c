/* What metrics cost, beside the least that the machine can do for the same: an atomic add for a
 * counter, a memcpy of the same bytes for a response. Ratios are taken in one run; absolute numbers
 * drift with the machine. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/encoder.h"
#include "loop/clock.h"
#include "metrics/registry.h"

enum {
    ROUNDS = 7, /* the median of these is shown */
    ADDS = 2000000,
    SERIES = 10000,
    RENDERS = 20,
    PIECE = 32768,
    THREADS_LIMIT = 2,
};

/* What a measured loop works on. */
struct work {
    _Alignas(64) atomic_uint_fast64_t floor_cell;
    struct koa_metrics *metrics;
    struct koa_counter counter;
    struct koa_histogram histogram;
};

typedef void loop_fn(struct work *work);

static void add_floor(struct work *work)
{
    for (int i = 0; i < ADDS; i++)
        atomic_fetch_add_explicit(&work->floor_cell, 1, memory_order_relaxed);
}

static void add_handle(struct work *work)
{
    for (int i = 0; i < ADDS; i++)
        koa_counter_add(work->counter, 1);
}

static void add_by_name(struct work *work)
{
    for (int i = 0; i < ADDS; i++)
        koa_metrics_count(work->metrics, "bench_total", 1, KOA_LABELS({"tier", "l1"}));
}

static void observe_handle(struct work *work)
{
    for (int i = 0; i < ADDS; i++)
        koa_histogram_observe(work->histogram, 0.02);
}

struct thread {
    pthread_t id;
    struct work *work;
    loop_fn *loop;
};

static void *run_thread(void *context)
{
    struct thread *thread = context;

    thread->loop(thread->work);
    return NULL;
}

/* Nanoseconds per operation and thread. */
static double measure(struct work *work, loop_fn *loop, int threads)
{
    struct thread rows[THREADS_LIMIT];
    int64_t start = koa_clock_ticks_ns();
    int started = 0;

    for (int i = 0; i < threads; i++) {
        rows[started] = (struct thread){.work = work, .loop = loop};
        if (pthread_create(&rows[started].id, NULL, run_thread, &rows[started]) == 0)
            started++;
    }
    for (int i = 0; i < started; i++)
        pthread_join(rows[i].id, NULL);
    return (double) (koa_clock_ticks_ns() - start) / ADDS;
}

static int compare_doubles(const void *a, const void *b)
{
    double left = *(const double *) a;
    double right = *(const double *) b;

    return (left > right) - (left < right);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(values[0]), compare_doubles);
    return values[ROUNDS / 2];
}

static void bench_adds(struct work *work)
{
    static const struct {
        const char *name;
        loop_fn *loop;
    } rows[] = {
        {"counter add, handle", add_handle},
        {"counter add, by name", add_by_name},
        {"histogram observe, handle", observe_handle},
    };

    for (int threads = 1; threads <= THREADS_LIMIT; threads++) {
        for (size_t i = 0; i < KOA_ARRAY_COUNT(rows); i++) {
            double times[ROUNDS];
            double ratios[ROUNDS];

            for (int round = 0; round < ROUNDS; round++) {
                double floor = measure(work, add_floor, threads);

                times[round] = measure(work, rows[i].loop, threads);
                ratios[round] = times[round] / floor;
            }
            printf("%-28s %d thread%s %8.1f ns  %6.2f x one shared atomic add\n", rows[i].name,
                   threads, threads == 1 ? " " : "s", median(times), median(ratios));
        }
    }
}

static int64_t render(struct koa_metrics *metrics, enum koa_format format, bool gzip, char *target)
{
    const struct koa_metrics_source *source = koa_metrics_source(metrics);
    const struct koa_encoder_opts opts = {
        .format = format, .gzip = gzip, .sources = {.rows = &source, .count = 1}};
    struct koa_encoder *encoder;
    struct koa_error error;
    int64_t total = 0;
    int64_t got;

    if (koa_encoder_create(&opts, &encoder, &error) != KOA_OK)
        return -1;
    while ((got = koa_encoder_read(encoder, target, PIECE)) > 0)
        total += got;
    koa_encoder_destroy(encoder);
    return got < 0 ? -1 : total;
}

static double measure_copy(const char *from, char *to, size_t size)
{
    int64_t start = koa_clock_ticks_ns();

    for (int i = 0; i < RENDERS; i++) {
        for (size_t at = 0; at < size; at += PIECE) {
            memcpy(to, from + at, size - at < PIECE ? size - at : PIECE);
            /* The copy is used: the compiler must not leave it out. */
            __asm__ volatile("" : : "r"(to) : "memory");
        }
    }
    return (double) (koa_clock_ticks_ns() - start) / RENDERS;
}

static bool bench_render(struct koa_metrics *metrics)
{
    static const struct {
        const char *name;
        enum koa_format format;
        bool gzip;
    } rows[] = {
        {"Prometheus text", KOA_FORMAT_PROMETHEUS, false},
        {"OpenMetrics", KOA_FORMAT_OPENMETRICS, false},
        {"JSON", KOA_FORMAT_JSON, false},
        {"Prometheus text, gzip", KOA_FORMAT_PROMETHEUS, true},
    };
    static char target[PIECE];
    int64_t plain = render(metrics, KOA_FORMAT_PROMETHEUS, false, target);
    char *copy = plain > 0 ? calloc(1, (size_t) plain) : NULL;

    if (copy == NULL)
        return false;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(rows); i++) {
        double times[ROUNDS];
        double ratios[ROUNDS];
        int64_t size = 0;

        for (int round = 0; round < ROUNDS; round++) {
            double floor = measure_copy(copy, target, (size_t) plain);
            int64_t start = koa_clock_ticks_ns();

            for (int n = 0; n < RENDERS; n++)
                size = render(metrics, rows[i].format, rows[i].gzip, target);
            times[round] = (double) (koa_clock_ticks_ns() - start) / RENDERS;
            ratios[round] = times[round] / floor;
        }
        printf("%-28s %7lld bytes %8.2f ms  %6.1f ns/series  %6.1f x memcpy of the text\n",
               rows[i].name, (long long) size, median(times) / 1e6, median(times) / SERIES,
               median(ratios));
    }
    free(copy);
    return true;
}

static void fill(struct koa_metrics *metrics)
{
    for (int i = 0; i < SERIES; i++) {
        char topic[32];
        char partition[16];

        (void) snprintf(topic, sizeof(topic), "orders-events-%04d", i / 100);
        (void) snprintf(partition, sizeof(partition), "%d", i % 100);
        koa_metrics_set(
            metrics, "kafka_topic_partition_current_offset", 654435747.0 + i * 7919.0,
            KOA_LABELS({"cluster", "main"}, {"topic", topic}, {"partition", partition}));
    }
}

int main(void)
{
    const struct koa_metrics_opts opts = {.ticks_ns = koa_clock_ticks_ns};
    struct koa_metrics *series = NULL;
    struct work work = {0};
    struct koa_error error;
    bool ok = koa_metrics_create(&opts, &work.metrics, &error) == KOA_OK &&
              koa_metrics_create(&opts, &series, &error) == KOA_OK;

    if (ok) {
        work.counter = koa_metrics_counter(work.metrics, "bench_total", KOA_NO_LABELS);
        work.histogram = koa_metrics_histogram(work.metrics, "bench_seconds", KOA_NO_LABELS);
        fill(series);
        bench_adds(&work);
        printf("\n%d series, read in pieces of %d bytes\n", SERIES, PIECE);
        ok = bench_render(series);
    }
    koa_metrics_destroy(work.metrics);
    koa_metrics_destroy(series);
    return ok ? 0 : 1;
}

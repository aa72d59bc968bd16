/* The calls that change values. A handle call is one or two atomic operations; a by-name call looks
 * the cell up first. Nothing here takes a lock. */
#include <math.h>

#include "metrics/family.h"
#include "metrics/number.h"

/* Whole increments up to this go into an integer, which one atomic add serves; 2^32 of the largest
 * would be needed to wrap it. */
static const double whole_limit = 4294967296.0;

static void add_double(atomic_uint_fast64_t *bits, double delta)
{
    uint_fast64_t old = atomic_load_explicit(bits, memory_order_relaxed);

    while (!atomic_compare_exchange_weak_explicit(
        bits, &old, koa_bits_from_double(koa_double_from_bits(old) + delta), memory_order_relaxed,
        memory_order_relaxed))
        continue;
}

/* Keeps the smaller (`sign` 1) or the larger (-1) number. */
static void keep_extreme(atomic_uint_fast64_t *bits, double number, double sign)
{
    uint_fast64_t old = atomic_load_explicit(bits, memory_order_relaxed);

    while (number * sign < koa_double_from_bits(old) * sign &&
           !atomic_compare_exchange_weak_explicit(bits, &old, koa_bits_from_double(number),
                                                  memory_order_relaxed, memory_order_relaxed))
        continue;
}

void koa_counter_add(struct koa_counter counter, double increment)
{
    if (counter.cell == NULL || !(increment >= 0))
        return;
    if (increment <= whole_limit && !(increment > (double) (uint64_t) increment)) {
        atomic_fetch_add_explicit(&counter.cell->whole, (uint64_t) increment, memory_order_relaxed);
    } else {
        add_double(&counter.cell->bits, increment);
    }
}

void koa_gauge_set(struct koa_gauge gauge, double value)
{
    if (gauge.cell != NULL)
        atomic_store_explicit(&gauge.cell->bits, koa_bits_from_double(value), memory_order_relaxed);
}

void koa_gauge_add(struct koa_gauge gauge, double delta)
{
    if (gauge.cell != NULL)
        add_double(&gauge.cell->bits, delta);
}

static size_t find_bucket(const double *bounds, size_t count, double value)
{
    size_t i = 0;

    while (i < count && value > bounds[i])
        i++;
    return i;
}

void koa_histogram_observe(struct koa_histogram histogram, double value)
{
    struct koa_cell *cell = histogram.cell;

    if (cell == NULL || isnan(value))
        return;
    add_double(&cell->bits, value);
    keep_extreme(&cell->minimum_bits, value, 1);
    keep_extreme(&cell->maximum_bits, value, -1);
    /* Counted last: see koa_cell_histogram(). */
    atomic_fetch_add_explicit(&cell->buckets[find_bucket(cell->bounds, cell->bound_count, value)],
                              1, memory_order_release);
}

struct koa_counter koa_metrics_counter(struct koa_metrics *metrics, const char *name,
                                       const struct koa_labels *labels)
{
    return (struct koa_counter){koa_metrics_cell(metrics, name, KOA_COUNTER, labels)};
}

struct koa_gauge koa_metrics_gauge(struct koa_metrics *metrics, const char *name,
                                   const struct koa_labels *labels)
{
    return (struct koa_gauge){koa_metrics_cell(metrics, name, KOA_GAUGE, labels)};
}

struct koa_histogram koa_metrics_histogram(struct koa_metrics *metrics, const char *name,
                                           const struct koa_labels *labels)
{
    return (struct koa_histogram){koa_metrics_cell(metrics, name, KOA_HISTOGRAM, labels)};
}

struct koa_histogram koa_metrics_timer(struct koa_metrics *metrics, const char *name,
                                       const struct koa_labels *labels)
{
    return (struct koa_histogram){koa_metrics_cell(metrics, name, KOA_TIMER, labels)};
}

void koa_metrics_count(struct koa_metrics *metrics, const char *name, double increment,
                       const struct koa_labels *labels)
{
    koa_counter_add(koa_metrics_counter(metrics, name, labels), increment);
}

void koa_metrics_set(struct koa_metrics *metrics, const char *name, double value,
                     const struct koa_labels *labels)
{
    koa_gauge_set(koa_metrics_gauge(metrics, name, labels), value);
}

void koa_metrics_clear(struct koa_metrics *metrics, const char *name,
                       const struct koa_labels *labels)
{
    struct koa_cell *cell = koa_metrics_cell(metrics, name, KOA_GAUGE, labels);

    if (cell != NULL)
        atomic_store_explicit(&cell->bits, KOA_CELL_ABSENT, memory_order_relaxed);
}

void koa_metrics_add(struct koa_metrics *metrics, const char *name, double delta,
                     const struct koa_labels *labels)
{
    koa_gauge_add(koa_metrics_gauge(metrics, name, labels), delta);
}

void koa_metrics_observe(struct koa_metrics *metrics, const char *name, double value,
                         const struct koa_labels *labels)
{
    koa_histogram_observe(koa_metrics_histogram(metrics, name, labels), value);
}

void koa_metrics_time(struct koa_metrics *metrics, const char *name, double seconds,
                      const struct koa_labels *labels)
{
    koa_histogram_observe(koa_metrics_timer(metrics, name, labels), seconds);
}

static bool has_clock(const struct koa_metrics *metrics)
{
    return metrics != NULL && metrics->opts.ticks_ns != NULL;
}

struct koa_time_scope koa_time_scope_begin(struct koa_metrics *metrics, const char *name)
{
    return (struct koa_time_scope){
        .metrics = metrics,
        .name = name,
        .started_ns = has_clock(metrics) ? metrics->opts.ticks_ns() : 0,
    };
}

void koa_time_scope_end(struct koa_time_scope *scope)
{
    if (!has_clock(scope->metrics))
        return;
    koa_metrics_time(scope->metrics, scope->name,
                     (double) (scope->metrics->opts.ticks_ns() - scope->started_ns) / 1e9,
                     KOA_NO_LABELS);
}

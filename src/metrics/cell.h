/* A series' cells: relaxed atomics that any thread changes and any thread reads. */
#ifndef METRICS_CELL_H
#define METRICS_CELL_H

#include <stdatomic.h>

#include "metrics/series_key.h"
#include "metrics/source.h"

struct koa_metric_family;

/* Lives as long as the registry. One block of memory, `buckets`, labels and key included. */
struct koa_cell {
    struct koa_metric_family *family;
    enum koa_metric_type type;
    uint64_t hash;
    const char *key; /* see series_key.h */
    size_t key_size;
    const struct koa_label_view *labels;
    size_t label_count;
    atomic_uint_fast64_t whole; /* counter: the sum of whole increments */
    atomic_uint_fast64_t bits;  /* of a double. Counter: the other increments; gauge: the value;
                                 * histogram: the sum */
    atomic_uint_fast64_t minimum_bits, maximum_bits;
    const double *bounds;
    size_t bound_count;
    atomic_uint_fast64_t *buckets; /* bound_count + 1 */
};

/* NULL when memory is out. `*ret_size`: bytes. Copies the key. Free with koa_free(). */
KOA_MUST_USE struct koa_cell *koa_cell_create(const struct koa_series_key *key, uint64_t hash,
                                              enum koa_metric_type type, const double *bounds,
                                              size_t bound_count);
size_t koa_cell_bytes(const struct koa_cell *cell);

/* A gauge's bits while it has no value: a NaN that no calculation gives. */
#define KOA_CELL_ABSENT UINT64_C(0x7ff86b6f615f2d2d)

/* Whether there is nothing to show: see koa_metrics_clear(). */
bool koa_cell_is_absent(const struct koa_cell *cell);
/* Of a counter or gauge. */
double koa_cell_value(const struct koa_cell *cell);
/* Fills `ret_view`, whose buckets become `buckets` (bound_count + 1). The count is that of the
 * buckets read; sum, minimum and maximum hold at least those observations. */
void koa_cell_histogram(const struct koa_cell *cell, uint64_t *buckets,
                        struct koa_histogram_view *ret_view);

#endif

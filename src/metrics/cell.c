/* Makes cells and reads them; instruments.c changes them. */
#include "metrics/cell.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "metrics/number.h"

/* The parts of a cell's block, one behind the other. */
struct layout {
    size_t buckets, labels, key, end;
};

static struct layout lay_out(size_t bucket_count, size_t label_count, size_t key_size)
{
    struct layout layout;

    layout.buckets = sizeof(struct koa_cell);
    layout.labels = layout.buckets + bucket_count * sizeof(atomic_uint_fast64_t);
    layout.key = layout.labels + label_count * sizeof(struct koa_label_view);
    layout.end = layout.key + key_size;
    return layout;
}

static size_t bucket_count_of(enum koa_metric_type type, size_t bound_count)
{
    return type == KOA_HISTOGRAM || type == KOA_TIMER ? bound_count + 1 : 0;
}

struct koa_cell *koa_cell_create(const struct koa_series_key *key, uint64_t hash,
                                 enum koa_metric_type type, const double *bounds,
                                 size_t bound_count)
{
    size_t bucket_count = bucket_count_of(type, bound_count);
    struct layout layout = lay_out(bucket_count, key->label_count, key->size);
    char *block = koa_calloc(1, layout.end);
    struct koa_cell *cell = (struct koa_cell *) (void *) block;
    struct koa_label_view *labels;
    char *at;

    if (block == NULL)
        return NULL;
    labels = (struct koa_label_view *) (void *) (block + layout.labels);
    memcpy(block + layout.key, key->data, key->size);
    cell->type = type;
    cell->hash = hash;
    cell->key = block + layout.key;
    cell->key_size = key->size;
    cell->labels = labels;
    cell->label_count = key->label_count;
    cell->bounds = bounds;
    cell->bound_count = bound_count;
    cell->buckets = (atomic_uint_fast64_t *) (void *) (block + layout.buckets);
    atomic_init(&cell->minimum_bits, koa_bits_from_double(INFINITY));
    atomic_init(&cell->maximum_bits, koa_bits_from_double(-INFINITY));
    at = block + layout.key + key->name_size + 1;
    for (size_t i = 0; i < key->label_count; i++) {
        labels[i].name = (struct koa_str){at, strlen(at)};
        at += labels[i].name.size + 1;
        labels[i].value = (struct koa_str){at, strlen(at)};
        at += labels[i].value.size + 1;
    }
    return cell;
}

size_t koa_cell_bytes(const struct koa_cell *cell)
{
    return lay_out(bucket_count_of(cell->type, cell->bound_count), cell->label_count,
                   cell->key_size)
        .end;
}

static double load_double(const atomic_uint_fast64_t *bits)
{
    return koa_double_from_bits(atomic_load_explicit(bits, memory_order_relaxed));
}

bool koa_cell_is_absent(const struct koa_cell *cell)
{
    return cell->type == KOA_GAUGE &&
           atomic_load_explicit(&cell->bits, memory_order_relaxed) == KOA_CELL_ABSENT;
}

double koa_cell_value(const struct koa_cell *cell)
{
    if (cell->type == KOA_COUNTER) {
        return (double) atomic_load_explicit(&cell->whole, memory_order_relaxed) +
               load_double(&cell->bits);
    }
    return load_double(&cell->bits);
}

void koa_cell_histogram(const struct koa_cell *cell, uint64_t *buckets,
                        struct koa_histogram_view *ret_view)
{
    uint64_t count = 0;

    /* A writer counts last, with release: whatever is counted here is in the sums below. */
    for (size_t i = 0; i <= cell->bound_count; i++) {
        buckets[i] = atomic_load_explicit(&cell->buckets[i], memory_order_acquire);
        count += buckets[i];
    }
    *ret_view = (struct koa_histogram_view){
        .bounds = cell->bounds,
        .bound_count = cell->bound_count,
        .buckets = buckets,
        .count = count,
        .sum = load_double(&cell->bits),
        .minimum = load_double(&cell->minimum_bits),
        .maximum = load_double(&cell->maximum_bits),
    };
}

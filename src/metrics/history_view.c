/* Reads what the history keeps: points as sources, single series through time. Everything here is
 * immutable and counted, so any thread may read as long as it holds the view. */
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/history_rows.h"
#include "metrics/number.h"

struct position {
    size_t row, cell;
    struct koa_histogram_view histograms[];
};

enum {
    BATCH_HISTOGRAMS =
        (KOA_CURSOR_SIZE - sizeof(struct position)) / sizeof(struct koa_histogram_view)
};

size_t koa_history_series_cells(const struct koa_history_series *series)
{
    return series->is_histogram ? KOA_HISTOGRAM_EXTRA_CELLS + series->bound_count + 1 : 1;
}

void koa_history_family_unref(struct koa_history_family *family)
{
    if (atomic_fetch_sub_explicit(&family->references, 1, memory_order_acq_rel) == 1)
        koa_free(family);
}

void koa_history_series_unref(struct koa_history_series *series)
{
    if (atomic_fetch_sub_explicit(&series->references, 1, memory_order_acq_rel) != 1)
        return;
    koa_history_family_unref(series->family);
    koa_free(series);
}

void koa_history_schema_unref(struct koa_history_schema *schema)
{
    if (schema == NULL ||
        atomic_fetch_sub_explicit(&schema->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < schema->count; i++)
        koa_history_series_unref(schema->rows[i]);
    koa_free(schema);
}

void koa_history_point_destroy(struct koa_object *object)
{
    struct koa_history_point *point = KOA_CONTAINER_OF(object, struct koa_history_point, object);

    koa_history_schema_unref(point->schema);
    koa_free(point);
}

void koa_history_view_destroy(struct koa_object *object)
{
    struct koa_history_view *view = KOA_CONTAINER_OF(object, struct koa_history_view, object);

    for (size_t i = 0; i < view->count; i++)
        koa_object_unref(&view->points[i]->object);
    koa_free(view);
}

size_t koa_history_view_count(const struct koa_history_view *view)
{
    return view->count;
}

struct koa_wall koa_history_view_time(const struct koa_history_view *view, size_t point)
{
    return view->points[point]->time;
}

static void begin(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    struct koa_history_point *point = source->context;

    memset(cursor, 0, sizeof(*cursor));
    koa_object_ref(&point->object);
    cursor->pinned = &point->object;
}

static void view_histogram(const struct koa_history_series *series, const uint64_t *cells,
                           struct koa_histogram_view *ret_view)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= series->bound_count; i++)
        count += cells[KOA_HISTOGRAM_EXTRA_CELLS + i];
    *ret_view = (struct koa_histogram_view){
        .bounds = series->bounds,
        .bound_count = series->bound_count,
        .buckets = cells + KOA_HISTOGRAM_EXTRA_CELLS,
        .count = count,
        .sum = koa_double_from_bits(cells[0]),
        .minimum = koa_double_from_bits(cells[1]),
        .maximum = koa_double_from_bits(cells[2]),
    };
}

/* `histogram` is the caller's memory for the one that the sample may have. */
static void view_series(const struct koa_history_series *series, const uint64_t *cells,
                        struct koa_sample *ret_sample, struct koa_histogram_view *histogram)
{
    *ret_sample = (struct koa_sample){
        .family = &series->family->view,
        .labels = series->labels,
        .label_count = series->label_count,
    };
    if (series->is_histogram) {
        view_histogram(series, cells, histogram);
        ret_sample->histogram = histogram;
    } else {
        ret_sample->value = koa_double_from_bits(cells[0]);
    }
}

static bool next(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                 struct koa_batch *batch)
{
    const struct koa_history_point *point = source->context;
    struct position *position = (struct position *) (void *) cursor->state;
    size_t histograms = 0;

    batch->count = 0;
    while (position->row < point->schema->count && batch->count < KOA_BATCH_SAMPLES) {
        const struct koa_history_series *series = point->schema->rows[position->row];

        if (series->is_histogram && histograms == BATCH_HISTOGRAMS)
            break;
        view_series(series, point->cells + position->cell, &batch->samples[batch->count],
                    &position->histograms[histograms]);
        histograms += series->is_histogram ? 1 : 0;
        position->row++;
        position->cell += koa_history_series_cells(series);
        batch->count++;
    }
    return batch->count > 0;
}

static void end(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    (void) source;
    koa_object_unref(cursor->pinned);
    cursor->pinned = NULL;
}

void koa_history_view_source(const struct koa_history_view *view, size_t point,
                             struct koa_metrics_source *ret_source)
{
    *ret_source = (struct koa_metrics_source){.name = "history",
                                              .context = view->points[point],
                                              .begin = begin,
                                              .next = next,
                                              .end = end};
}

/* Which series of the schema are wanted, and where their cells begin. */
static bool find_places(struct koa_history_walk *walk, const struct koa_history_schema *schema)
{
    struct koa_history_place *places = koa_calloc(schema->count + 1, sizeof(*places));
    size_t cell = 0;

    if (places == NULL)
        return false;
    koa_history_walk_deinit(walk);
    walk->places = places;
    walk->schema = schema;
    for (size_t i = 0; i < schema->count; i++) {
        const struct koa_history_series *series = schema->rows[i];

        if (walk->wants(walk->context, &series->family->view, series->labels, series->label_count))
            places[walk->count++] = (struct koa_history_place){.series = series, .cell = cell};
        cell += koa_history_series_cells(series);
    }
    return true;
}

bool koa_history_walk_point(struct koa_history_walk *walk, const struct koa_history_view *view,
                            size_t point)
{
    const struct koa_history_point *at = view->points[point];

    if (walk->schema != at->schema && !find_places(walk, at->schema))
        return false;
    for (size_t i = 0; i < walk->count; i++) {
        struct koa_histogram_view histogram;
        struct koa_sample sample;

        view_series(walk->places[i].series, at->cells + walk->places[i].cell, &sample, &histogram);
        walk->visit(walk->context, walk->places[i].series, &sample);
    }
    return true;
}

void koa_history_walk_deinit(struct koa_history_walk *walk)
{
    koa_free(walk->places);
    walk->places = NULL;
    walk->schema = NULL;
    walk->count = 0;
}

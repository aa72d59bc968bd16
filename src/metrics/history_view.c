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

static uint64_t view_histogram(const struct koa_history_series *series, const uint64_t *cells,
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
    return count;
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
        struct koa_sample *sample = &batch->samples[batch->count];
        const uint64_t *cells = point->cells + position->cell;

        if (series->is_histogram && histograms == BATCH_HISTOGRAMS)
            break;
        *sample = (struct koa_sample){
            .family = &series->family->view,
            .labels = series->labels,
            .label_count = series->label_count,
        };
        if (series->is_histogram) {
            (void) view_histogram(series, cells, &position->histograms[histograms]);
            sample->histogram = &position->histograms[histograms++];
        } else {
            sample->value = koa_double_from_bits(cells[0]);
        }
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

static bool has_row(const struct koa_history_series **rows, size_t count,
                    const struct koa_history_series *series)
{
    for (size_t i = 0; i < count; i++) {
        if (rows[i] == series)
            return true;
    }
    return false;
}

/* Adds the family's series of one schema. They stand side by side. */
static size_t find_in_schema(const struct koa_history_schema *schema, struct koa_str family,
                             const struct koa_history_series **rows, size_t found, size_t limit)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct koa_history_series *series = schema->rows[i];

        if (!koa_str_equal(series->family->view.name, family))
            continue;
        if (has_row(rows, found < limit ? found : limit, series))
            continue;
        if (found < limit)
            rows[found] = series;
        found++;
    }
    return found;
}

size_t koa_history_view_find(const struct koa_history_view *view, struct koa_str family,
                             const struct koa_history_series **ret_rows, size_t limit)
{
    const struct koa_history_schema *last = NULL;
    size_t found = 0;

    for (size_t i = view->count; i-- > 0 && found <= limit;) {
        if (view->points[i]->schema != last)
            found = find_in_schema(view->points[i]->schema, family, ret_rows, found, limit);
        last = view->points[i]->schema;
    }
    return found;
}

const struct koa_label_view *koa_history_series_labels(const struct koa_history_series *series,
                                                       size_t *ret_count)
{
    *ret_count = series->label_count;
    return series->labels;
}

/* Finds the cell of the reader's series in a schema it has not seen yet. */
static void locate(struct koa_history_reader *reader, const struct koa_history_schema *schema)
{
    reader->schema = schema;
    reader->cell = 0;
    for (size_t i = 0; i < schema->count; i++) {
        if (schema->rows[i] == reader->series) {
            reader->is_there = true;
            return;
        }
        reader->cell += koa_history_series_cells(schema->rows[i]);
    }
    reader->is_there = false;
}

bool koa_history_reader_value(struct koa_history_reader *reader,
                              const struct koa_history_view *view, size_t point, double *ret_value)
{
    const struct koa_history_point *at = view->points[point];
    struct koa_histogram_view histogram;

    if (reader->schema != at->schema)
        locate(reader, at->schema);
    if (!reader->is_there)
        return false;
    if (reader->series->is_histogram) {
        *ret_value = (double) view_histogram(reader->series, at->cells + reader->cell, &histogram);
    } else {
        *ret_value = koa_double_from_bits(at->cells[reader->cell]);
    }
    return true;
}

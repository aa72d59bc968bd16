/* Reads what the history keeps: points as sources, single series through time. Everything here is
 * immutable and counted, so any thread may read as long as it holds the view. */
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/history_values.h"
#include "metrics/number.h"

struct position {
    size_t run, row;
    struct koa_histogram_view histograms[];
};

enum {
    BATCH_HISTOGRAMS =
        (KOA_CURSOR_SIZE - sizeof(struct position)) / sizeof(struct koa_histogram_view)
};

struct koa_history_reader {
    struct koa_history_view *view;
    struct koa_history_values values;
    struct koa_metrics_source source;
};

size_t koa_history_cells(bool is_histogram, size_t bound_count)
{
    return is_histogram ? KOA_HISTOGRAM_EXTRA_CELLS + bound_count + 1 : 1;
}

static size_t cells_of(const struct koa_history_run *run)
{
    return koa_history_cells(run->is_histogram, run->bound_count);
}

void koa_history_family_unref(struct koa_history_family *family)
{
    if (atomic_fetch_sub_explicit(&family->references, 1, memory_order_acq_rel) == 1)
        koa_free(family);
}

void koa_history_labels_unref(struct koa_history_labels *labels)
{
    if (atomic_fetch_sub_explicit(&labels->references, 1, memory_order_acq_rel) == 1)
        koa_free(labels);
}

void koa_history_run_unref(struct koa_history_run *run)
{
    if (run == NULL || atomic_fetch_sub_explicit(&run->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < run->count; i++)
        koa_history_labels_unref(run->rows[i]);
    koa_history_family_unref(run->family);
    koa_free(run);
}

void koa_history_layout_unref(struct koa_history_layout *layout)
{
    if (atomic_fetch_sub_explicit(&layout->references, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < layout->count; i++)
        koa_history_run_unref(layout->runs[i]);
    koa_free(layout);
}

void koa_history_point_destroy(struct koa_object *object)
{
    struct koa_history_point *point = KOA_CONTAINER_OF(object, struct koa_history_point, object);

    koa_history_layout_unref(point->layout);
    if (point->before != NULL)
        koa_object_unref(&point->before->object);
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
    (void) source;
    memset(cursor, 0, sizeof(*cursor));
}

static void view_histogram(const struct koa_history_run *run, const uint64_t *cells,
                           struct koa_histogram_view *ret_view)
{
    uint64_t count = 0;

    for (size_t i = 0; i <= run->bound_count; i++)
        count += cells[KOA_HISTOGRAM_EXTRA_CELLS + i];
    *ret_view = (struct koa_histogram_view){
        .bounds = run->bounds,
        .bound_count = run->bound_count,
        .buckets = cells + KOA_HISTOGRAM_EXTRA_CELLS,
        .count = count,
        .sum = koa_double_from_bits(cells[0]),
        .minimum = koa_double_from_bits(cells[1]),
        .maximum = koa_double_from_bits(cells[2]),
    };
}

/* `histogram` is the caller's memory for the one that the sample may have. */
static void view_series(const struct koa_history_run *run, size_t row, const uint64_t *cells,
                        struct koa_sample *ret_sample, struct koa_histogram_view *histogram)
{
    *ret_sample = (struct koa_sample){
        .family = &run->family->view,
        .labels = run->rows[row]->views,
        .label_count = run->rows[row]->count,
    };
    if (run->is_histogram) {
        view_histogram(run, cells, histogram);
        ret_sample->histogram = histogram;
    } else {
        ret_sample->value = koa_double_from_bits(cells[0]);
    }
}

static bool next(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                 struct koa_batch *batch)
{
    const struct koa_history_values *values = source->context;
    const struct koa_history_layout *layout = values->point->layout;
    struct position *position = (struct position *) (void *) cursor->state;
    size_t histograms = 0;

    batch->count = 0;
    while (position->run < layout->count && batch->count < KOA_BATCH_SAMPLES) {
        const struct koa_history_run *run = layout->runs[position->run];

        if (position->row == run->count) {
            position->run++;
            position->row = 0;
            continue;
        }
        if (run->is_histogram && histograms == BATCH_HISTOGRAMS)
            break;
        view_series(run, position->row,
                    values->track.cells + values->places[position->run].first +
                        position->row * cells_of(run),
                    &batch->samples[batch->count], &position->histograms[histograms]);
        histograms += run->is_histogram ? 1 : 0;
        position->row++;
        batch->count++;
    }
    return batch->count > 0;
}

static void end(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    (void) source;
    (void) cursor;
}

struct koa_history_reader *koa_history_reader_create(struct koa_history_view *view)
{
    struct koa_history_reader *reader = koa_calloc(1, sizeof(*reader));

    if (reader == NULL)
        return NULL;
    reader->view = view;
    koa_object_ref(&view->object);
    reader->source = (struct koa_metrics_source){
        .name = "history", .context = &reader->values, .begin = begin, .next = next, .end = end};
    return reader;
}

void koa_history_reader_destroy(struct koa_history_reader *reader)
{
    if (reader == NULL)
        return;
    koa_history_values_deinit(&reader->values);
    koa_object_unref(&reader->view->object);
    koa_free(reader);
}

const struct koa_metrics_source *koa_history_reader_move(struct koa_history_reader *reader,
                                                         size_t point)
{
    return koa_history_values_move(&reader->values, reader->view->points[point]) ? &reader->source
                                                                                 : NULL;
}

static void forget_choice(struct koa_history_walk *walk)
{
    koa_free(walk->rows);
    walk->rows = NULL;
    walk->run = NULL;
    walk->count = 0;
}

/* Which series of the run are wanted. */
static bool choose(struct koa_history_walk *walk, const struct koa_history_run *run)
{
    size_t *rows = koa_calloc(run->count + 1, sizeof(*rows));

    forget_choice(walk);
    if (rows == NULL)
        return false;
    walk->rows = rows;
    walk->run = run;
    for (size_t i = 0; i < run->count; i++) {
        if (walk->wants(walk->context, run->rows[i]->views, run->rows[i]->count))
            rows[walk->count++] = i;
    }
    return true;
}

static struct koa_history_values *start_walk(struct koa_history_walk *walk)
{
    if (walk->values == NULL)
        walk->values = koa_calloc(1, sizeof(*walk->values));
    if (walk->values != NULL) {
        walk->values->wants_family = walk->wants_family;
        walk->values->context = walk->context;
    }
    return walk->values;
}

static void visit_run(struct koa_history_walk *walk, const uint64_t *cells)
{
    for (size_t i = 0; i < walk->count; i++) {
        size_t row = walk->rows[i];
        struct koa_histogram_view histogram;
        struct koa_sample sample;

        view_series(walk->run, row, cells + row * cells_of(walk->run), &sample, &histogram);
        walk->visit(walk->context, walk->run->rows[row], &sample);
    }
}

bool koa_history_walk_point(struct koa_history_walk *walk, const struct koa_history_view *view,
                            size_t point)
{
    struct koa_history_point *at = view->points[point];
    const struct koa_history_values *values = start_walk(walk);

    if (values == NULL || !koa_history_values_move(walk->values, at))
        return false;
    for (size_t i = 0; i < at->layout->count; i++) {
        const struct koa_history_run *run = at->layout->runs[i];

        if (!values->places[i].is_wanted)
            continue;
        if (walk->run != run && !choose(walk, run))
            return false;
        visit_run(walk, values->track.cells + values->places[i].first);
    }
    return true;
}

void koa_history_walk_deinit(struct koa_history_walk *walk)
{
    forget_choice(walk);
    if (walk->values != NULL)
        koa_history_values_deinit(walk->values);
    koa_free(walk->values);
    walk->values = NULL;
}

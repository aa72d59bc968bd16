/* Reads what the history keeps: points as sources, single series through time. Everything here is
 * immutable and counted, so any thread may read as long as it holds the view. */
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/history_rows.h"
#include "metrics/number.h"

struct position {
    size_t run, row, cell;
    struct koa_histogram_view histograms[];
};

enum {
    BATCH_HISTOGRAMS =
        (KOA_CURSOR_SIZE - sizeof(struct position)) / sizeof(struct koa_histogram_view)
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

void koa_history_point_destroy(struct koa_object *object)
{
    struct koa_history_point *point = KOA_CONTAINER_OF(object, struct koa_history_point, object);

    for (size_t i = 0; i < point->run_count; i++)
        koa_history_run_unref(point->runs[i]);
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
    const struct koa_history_point *point = source->context;
    struct position *position = (struct position *) (void *) cursor->state;
    size_t histograms = 0;

    batch->count = 0;
    while (position->run < point->run_count && batch->count < KOA_BATCH_SAMPLES) {
        const struct koa_history_run *run = point->runs[position->run];

        if (position->row == run->count) {
            position->run++;
            position->row = 0;
            continue;
        }
        if (run->is_histogram && histograms == BATCH_HISTOGRAMS)
            break;
        view_series(run, position->row, point->cells + position->cell,
                    &batch->samples[batch->count], &position->histograms[histograms]);
        histograms += run->is_histogram ? 1 : 0;
        position->row++;
        position->cell += cells_of(run);
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

/* Which series of the run are wanted. */
static bool choose(struct koa_history_walk *walk, const struct koa_history_run *run)
{
    size_t *rows = koa_calloc(run->count + 1, sizeof(*rows));

    koa_history_walk_deinit(walk);
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

bool koa_history_walk_point(struct koa_history_walk *walk, const struct koa_history_view *view,
                            size_t point)
{
    const struct koa_history_point *at = view->points[point];
    const uint64_t *cells = at->cells;

    for (size_t i = 0; i < at->run_count; i++) {
        const struct koa_history_run *run = at->runs[i];
        size_t width = cells_of(run);

        if (walk->wants_family(walk->context, &run->family->view)) {
            if (walk->run != run && !choose(walk, run))
                return false;
            for (size_t k = 0; k < walk->count; k++) {
                struct koa_histogram_view histogram;
                struct koa_sample sample;

                view_series(run, walk->rows[k], cells + walk->rows[k] * width, &sample, &histogram);
                walk->visit(walk->context, run->rows[walk->rows[k]], &sample);
            }
        }
        cells += run->count * width;
    }
    return true;
}

void koa_history_walk_deinit(struct koa_history_walk *walk)
{
    koa_free(walk->rows);
    walk->rows = NULL;
    walk->run = NULL;
    walk->count = 0;
}

/* Fills one point from the sources: which series it has, in which order, with which values. What of
 * it is the same as in the point before is found without building a key, and shared. */
#include "metrics/history_column.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/number.h"

enum {
    FIRST_ROWS = 64,
    LEFT_OUT_SAMPLINGS = 64, /* until a family is tried again: half an hour by default */
};

static size_t cells_of(const struct koa_history_span *span)
{
    return koa_history_cells(span->is_histogram, span->bound_count);
}

static bool is_too_large(const struct koa_history_column *column)
{
    return column->cell_count * sizeof(uint64_t) +
                   column->row_count * sizeof(struct koa_history_labels *) >
               column->bytes_limit ||
           column->text_bytes > column->text_limit;
}

/* ---- what is likely to come next */

static struct koa_history_layout *last_layout(const struct koa_history_column *column)
{
    return column->last->point != NULL ? column->last->point->layout : NULL;
}

/* The run of the family in the last point: most often the next one. NULL: it has none. */
static const struct koa_history_run *find_run(const struct koa_history_column *column,
                                              const struct koa_history_family *family,
                                              size_t *ret_index)
{
    const struct koa_history_layout *last = last_layout(column);
    size_t count = last != NULL ? last->count : 0;

    for (size_t i = 0; i < count; i++) {
        size_t index = (column->likely_run + i) % count;

        if (last->runs[index]->family == family) {
            *ret_index = index;
            return last->runs[index];
        }
    }
    return NULL;
}

static bool same_labels(const struct koa_history_labels *labels, const struct koa_sample *sample)
{
    if (labels->count != sample->label_count)
        return false;
    for (size_t i = 0; i < sample->label_count; i++) {
        if (!koa_str_equal(labels->views[i].value, sample->labels[i].value) ||
            !koa_str_equal(labels->views[i].name, sample->labels[i].name))
            return false;
    }
    return true;
}

/* A reference to the sample's labels; NULL when memory is out. */
static struct koa_history_labels *find_labels(struct koa_history_column *column,
                                              const struct koa_sample *sample)
{
    const struct koa_history_run *run = column->likely;
    size_t row = column->likely_row;
    struct koa_history_labels *labels;

    if (run != NULL && row < run->count && same_labels(run->rows[row], sample)) {
        labels = run->rows[row];
        atomic_fetch_add_explicit(&labels->references, 1, memory_order_relaxed);
        column->likely_row++;
        return labels;
    }
    labels = koa_history_get_labels(column->texts, sample);
    /* When one went, the row behind it is this one; when one came, the row is yet to come. */
    if (run != NULL && row + 1 < run->count && run->rows[row + 1] == labels)
        column->likely_row = row + 2;
    return labels;
}

/* ---- a column that becomes too large */

static void remove_span(struct koa_history_column *column, size_t index)
{
    struct koa_history_span *span = &column->spans[index];
    size_t cells = cells_of(span) * span->count;
    size_t first_row = 0;
    size_t first_cell = 0;
    size_t end_row;
    size_t end_cell;

    for (size_t i = 0; i < index; i++) {
        first_row += column->spans[i].count;
        first_cell += cells_of(&column->spans[i]) * column->spans[i].count;
    }
    end_row = first_row + span->count;
    end_cell = first_cell + cells;
    for (size_t i = first_row; i < end_row; i++) {
        if (--column->rows[i]->uses == 0)
            column->text_bytes -= column->rows[i]->bytes;
        koa_history_drop_labels(column->texts, column->rows[i]);
    }
    koa_free(span->bounds);
    memmove(column->rows + first_row, column->rows + end_row,
            (column->row_count - end_row) * sizeof(struct koa_history_labels *));
    memmove(column->cells + first_cell, column->cells + end_cell,
            (column->cell_count - end_cell) * sizeof(*column->cells));
    memmove(span, span + 1, (column->span_count - index - 1) * sizeof(*span));
    column->row_count -= end_row - first_row;
    column->cell_count -= cells;
    column->span_count--;
}

/* What the column would be smaller without the span, whose rows are `rows`. */
static size_t weigh(const struct koa_history_span *span, struct koa_history_labels *const *rows)
{
    size_t bytes =
        span->count * (cells_of(span) * sizeof(uint64_t) + sizeof(struct koa_history_labels *));

    for (size_t i = 0; i < span->count; i++)
        bytes += rows[i]->uses == 1 ? rows[i]->bytes : 0;
    return bytes;
}

static void leave_out_largest(struct koa_history_column *column)
{
    struct koa_history_family *family;
    size_t largest = 0;
    size_t most = 0;
    size_t row = 0;

    for (size_t i = 0; i < column->span_count; i++) {
        size_t bytes = weigh(&column->spans[i], column->rows + row);

        if (bytes >= most) {
            largest = i;
            most = bytes;
        }
        row += column->spans[i].count;
    }
    family = column->spans[largest].family;
    for (size_t i = column->span_count; i-- > 0;) {
        if (column->spans[i].family == family)
            remove_span(column, i);
    }
    family->left_out_for = LEFT_OUT_SAMPLINGS;
    if (!family->is_told)
        column->texts->untold++;
    if (column->family == family)
        column->is_excluded = true;
}

/* ---- samples */

static void enter_family(struct koa_history_column *column, const struct koa_family_view *view)
{
    column->view = view;
    column->family = NULL;
    column->is_excluded = koa_patterns_match_family(column->exclude, view);
    if (column->is_excluded)
        return;
    column->family = koa_history_get_family(column->texts, view);
    if (column->family == NULL) {
        column->failed = true;
        return;
    }
    column->is_excluded = column->family->left_out_for > 0;
    if (column->is_excluded) {
        column->family->left_out_for--;
        return;
    }
    column->likely = find_run(column, column->family, &column->likely_run);
    column->likely_row = 0;
}

static bool same_histogram(const struct koa_history_span *span,
                           const struct koa_histogram_view *histogram)
{
    if (histogram == NULL || !span->is_histogram)
        return (histogram != NULL) == span->is_histogram;
    return span->bound_count == histogram->bound_count &&
           (span->bound_count == 0 ||
            memcmp(span->bounds, histogram->bounds, span->bound_count * sizeof(double)) == 0);
}

static bool copy_bounds(struct koa_history_span *span, const struct koa_histogram_view *histogram)
{
    span->is_histogram = true;
    span->bound_count = histogram->bound_count;
    span->bounds = koa_calloc(histogram->bound_count, sizeof(double));
    if (span->bounds != NULL && histogram->bound_count > 0)
        memcpy(span->bounds, histogram->bounds, histogram->bound_count * sizeof(double));
    return span->bounds != NULL;
}

/* The span that the sample belongs to, the last one or a new one; NULL when memory is out. */
static struct koa_history_span *enter_span(struct koa_history_column *column,
                                           const struct koa_sample *sample)
{
    struct koa_history_span *span =
        column->span_count > 0 ? &column->spans[column->span_count - 1] : NULL;

    if (span != NULL && span->family == column->family && same_histogram(span, sample->histogram))
        return span;
    if (column->spans == NULL || column->span_count == column->span_capacity) {
        size_t capacity = column->span_capacity > 0 ? column->span_capacity * 2 : FIRST_ROWS;
        struct koa_history_span *spans = koa_realloc_array(column->spans, capacity, sizeof(*spans));

        if (spans == NULL)
            return NULL;
        column->spans = spans;
        column->span_capacity = capacity;
    }
    span = &column->spans[column->span_count];
    *span = (struct koa_history_span){.family = column->family};
    if (sample->histogram != NULL && !copy_bounds(span, sample->histogram))
        return NULL;
    column->span_count++;
    return span;
}

static bool make_room(struct koa_history_column *column, size_t cells)
{
    if (column->row_count == column->row_capacity) {
        size_t capacity = column->row_capacity > 0 ? column->row_capacity * 2 : FIRST_ROWS;
        struct koa_history_labels **rows =
            koa_realloc_array(column->rows, capacity, sizeof(struct koa_history_labels *));

        if (rows == NULL)
            return false;
        column->rows = rows;
        column->row_capacity = capacity;
    }
    if (column->cells == NULL || column->cell_capacity - column->cell_count < cells) {
        size_t capacity = (column->cell_capacity + cells) * 2;
        uint64_t *grown = koa_realloc_array(column->cells, capacity, sizeof(uint64_t));

        if (grown == NULL)
            return false;
        column->cells = grown;
        column->cell_capacity = capacity;
    }
    return true;
}

static void write_cells(uint64_t *cells, const struct koa_sample *sample)
{
    const struct koa_histogram_view *histogram = sample->histogram;

    if (histogram == NULL) {
        cells[0] = koa_bits_from_double(sample->value);
        return;
    }
    cells[0] = koa_bits_from_double(histogram->sum);
    cells[1] = koa_bits_from_double(histogram->minimum);
    cells[2] = koa_bits_from_double(histogram->maximum);
    memcpy(cells + KOA_HISTOGRAM_EXTRA_CELLS, histogram->buckets,
           (histogram->bound_count + 1) * sizeof(uint64_t));
}

static void add_sample(struct koa_history_column *column, const struct koa_sample *sample)
{
    struct koa_history_span *span = enter_span(column, sample);
    size_t width = span != NULL ? cells_of(span) : 0;
    struct koa_history_labels *labels;

    column->failed = span == NULL || !make_room(column, width);
    labels = column->failed ? NULL : find_labels(column, sample);
    if (labels == NULL) {
        column->failed = true;
        return;
    }
    if (labels->uses++ == 0)
        column->text_bytes += labels->bytes;
    write_cells(column->cells + column->cell_count, sample);
    column->rows[column->row_count++] = labels;
    column->cell_count += width;
    span->count++;
    while (column->span_count > 0 && is_too_large(column))
        leave_out_largest(column);
}

void koa_history_column_fill(struct koa_history_column *column,
                             const struct koa_metrics_source *source)
{
    struct koa_metrics_cursor cursor = {0};
    struct koa_batch batch;

    column->view = NULL;
    source->begin(source, &cursor);
    while (!column->failed && source->next(source, &cursor, &batch)) {
        for (size_t i = 0; i < batch.count && !column->failed; i++) {
            if (column->view == NULL || batch.samples[i].family != column->view)
                enter_family(column, batch.samples[i].family);
            if (!column->is_excluded && !column->failed)
                add_sample(column, &batch.samples[i]);
        }
    }
    source->end(source, &cursor);
    column->failed = column->failed || cursor.failed;
}

/* ---- the point */

static struct koa_history_run *make_run(const struct koa_history_span *span,
                                        struct koa_history_labels *const *rows)
{
    size_t row_bytes = span->count * sizeof(struct koa_history_labels *);
    size_t bound_bytes = span->bound_count * sizeof(double);
    struct koa_history_run *run = koa_calloc(1, sizeof(*run) + row_bytes + bound_bytes);
    double *bounds;

    if (run == NULL)
        return NULL;
    bounds = (double *) (void *) (run->rows + span->count);
    run->bounds = bounds;
    atomic_init(&run->references, 1);
    run->family = span->family;
    atomic_fetch_add_explicit(&run->family->references, 1, memory_order_relaxed);
    if (bound_bytes > 0)
        memcpy(bounds, span->bounds, bound_bytes);
    run->bound_count = span->bound_count;
    run->is_histogram = span->is_histogram;
    run->count = span->count;
    for (size_t i = 0; i < span->count; i++) {
        run->rows[i] = rows[i];
        atomic_fetch_add_explicit(&rows[i]->references, 1, memory_order_relaxed);
    }
    return run;
}

static bool is_same_run(const struct koa_history_run *run, const struct koa_history_span *span,
                        struct koa_history_labels *const *rows)
{
    return run->count == span->count && run->is_histogram == span->is_histogram &&
           run->bound_count == span->bound_count &&
           (span->bound_count == 0 ||
            memcmp(run->bounds, span->bounds, span->bound_count * sizeof(double)) == 0) &&
           memcmp(run->rows, rows, span->count * sizeof(struct koa_history_labels *)) == 0;
}

/* The last point's run when nothing came or went, else a new one. A reference either way. */
static struct koa_history_run *get_run(struct koa_history_column *column,
                                       const struct koa_history_span *span,
                                       struct koa_history_labels *const *rows)
{
    const struct koa_history_run *found = find_run(column, span->family, &column->likely_run);

    if (found != NULL && is_same_run(found, span, rows)) {
        struct koa_history_run *run = last_layout(column)->runs[column->likely_run];

        atomic_fetch_add_explicit(&run->references, 1, memory_order_relaxed);
        return run;
    }
    return make_run(span, rows);
}

static struct koa_history_layout *make_layout(struct koa_history_column *column)
{
    struct koa_history_layout *layout =
        koa_calloc(1, sizeof(*layout) + column->span_count * sizeof(struct koa_history_run *));
    size_t row = 0;

    if (layout == NULL)
        return NULL;
    atomic_init(&layout->references, 1);
    column->likely_run = 0;
    for (size_t i = 0; i < column->span_count; i++) {
        struct koa_history_run *run = get_run(column, &column->spans[i], column->rows + row);

        if (run == NULL) {
            koa_history_layout_unref(layout);
            return NULL;
        }
        layout->runs[layout->count++] = run;
        row += column->spans[i].count;
    }
    return layout;
}

/* The last point's layout when its runs are the same. A reference either way. */
static struct koa_history_layout *get_layout(struct koa_history_column *column)
{
    struct koa_history_layout *layout = make_layout(column);
    struct koa_history_layout *last = last_layout(column);

    if (layout == NULL || last == NULL || last->count != layout->count ||
        memcmp(last->runs, layout->runs, layout->count * sizeof(struct koa_history_run *)) != 0)
        return layout;
    koa_history_layout_unref(layout);
    atomic_fetch_add_explicit(&last->references, 1, memory_order_relaxed);
    return last;
}

struct koa_history_point *koa_history_column_finish(struct koa_history_column *column,
                                                    struct koa_wall now, bool is_first)
{
    struct koa_history_layout *layout = column->failed ? NULL : get_layout(column);
    struct koa_history_point *point;

    if (layout == NULL)
        return NULL;
    point = koa_history_point_create(column->last, layout, column->cells, is_first);
    koa_history_layout_unref(layout);
    if (point != NULL)
        point->time = now;
    return point;
}

void koa_history_column_deinit(struct koa_history_column *column)
{
    for (size_t i = 0; i < column->row_count; i++) {
        column->rows[i]->uses = 0;
        koa_history_labels_unref(column->rows[i]);
    }
    for (size_t i = 0; i < column->span_count; i++)
        koa_free(column->spans[i].bounds);
    koa_free(column->spans);
    koa_free(column->rows);
    koa_free(column->cells);
}

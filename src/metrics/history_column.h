/* One point of the history in the making. The writer's. */
#ifndef METRICS_HISTORY_COLUMN_H
#define METRICS_HISTORY_COLUMN_H

#include "metrics/history_texts.h"
#include "metrics/history_values.h"
#include "metrics/pattern.h"

/* The series of a family that were seen, in a row. */
struct koa_history_span {
    struct koa_history_family *family;
    double *bounds; /* owned */
    size_t bound_count;
    bool is_histogram;
    size_t count;
};

struct koa_history_column {
    struct koa_history_texts *texts;
    const struct koa_patterns *exclude;
    const struct koa_history_values *last; /* the point before */
    size_t bytes_limit;                    /* of cells and rows */
    size_t text_limit;                     /* of the labels in it */

    struct koa_history_span *spans;
    size_t span_count, span_capacity;
    struct koa_history_labels **rows; /* of all spans; a reference each */
    size_t row_count, row_capacity;
    uint64_t *cells;
    size_t cell_count, cell_capacity;
    size_t text_bytes; /* each of the labels once */
    bool failed;       /* memory ran out */

    const struct koa_family_view *view; /* of the sample before, and what is known of it */
    struct koa_history_family *family;
    bool is_excluded;
    /* Where the last point has the series that is likely to come next. */
    const struct koa_history_run *likely;
    size_t likely_run, likely_row;
};

/* Adds all series of a source; when the column becomes larger than its limits, the family
 * that makes it smallest is left out, of two the later one. */
void koa_history_column_fill(struct koa_history_column *column,
                             const struct koa_metrics_source *source);
/* The point; NULL when memory is or was out. Runs that the last point has too are shared; with
 * `is_first` nothing else is. */
KOA_MUST_USE struct koa_history_point *
koa_history_column_finish(struct koa_history_column *column, struct koa_wall now, bool is_first);
void koa_history_column_deinit(struct koa_history_column *column);

#endif

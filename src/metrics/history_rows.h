/* The parts of the history, shared by its writer (history.c) and its readers (history_view.c). All
 * but `references` is constant once a point is published. */
#ifndef METRICS_HISTORY_ROWS_H
#define METRICS_HISTORY_ROWS_H

#include "base/published.h"
#include "metrics/history.h"

/* What all series of a family share: one block, its texts included. The help is that of the first
 * sample. */
struct koa_history_family {
    atomic_size_t references;
    struct koa_family_view view;
    size_t bytes;
    /* The writer's. */
    int left_out_for; /* samplings that still go by without it */
    bool is_told;     /* that it is left out */
};

/* The labels of a series, shared by all points and families that have the same. One block. */
struct koa_history_labels {
    atomic_size_t references;
    struct koa_str key; /* sizes and texts: identifies them */
    size_t bytes;
    size_t count;
    size_t uses; /* the writer's: in the column under way */
    struct koa_label_view views[];
};

/* The series of one family that a point has, in order. Points share it as long as none comes or
 * goes. One block, bounds included. */
struct koa_history_run {
    atomic_size_t references;
    size_t points; /* the writer's: of those kept */
    struct koa_history_family *family;
    const double *bounds;
    size_t bound_count;
    bool is_histogram;
    size_t count;
    struct koa_history_labels *rows[];
};

/* One column of values, run after run. A scalar is one cell (a double's bits); a histogram is sum,
 * minimum, maximum, then its buckets. One block. */
struct koa_history_point {
    struct koa_object object;
    struct koa_wall time;
    size_t run_count, cell_count;
    struct koa_history_run **runs;
    uint64_t *cells;
};

struct koa_history_view {
    struct koa_object object;
    size_t count;
    struct koa_history_point *points[];
};

enum { KOA_HISTOGRAM_EXTRA_CELLS = 3 };

/* Cells of one series. */
size_t koa_history_cells(bool is_histogram, size_t bound_count);
void koa_history_family_unref(struct koa_history_family *family);
void koa_history_labels_unref(struct koa_history_labels *labels);
void koa_history_run_unref(struct koa_history_run *run);
void koa_history_view_destroy(struct koa_object *object);
void koa_history_point_destroy(struct koa_object *object);

#endif

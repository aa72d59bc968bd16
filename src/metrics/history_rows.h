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
};

/* One series, shared by all points that have it. One block, labels, bounds and key
 * included. */
struct koa_history_series {
    atomic_size_t references;
    struct koa_history_family *family;
    const struct koa_label_view *labels;
    size_t label_count;
    const double *bounds;
    size_t bound_count;
    bool is_histogram;
    struct koa_str key; /* type, bounds, name, labels: identifies it */
    size_t bytes;
};

/* Which series a point has, in which order. Points in a row share one as long as nothing comes or
 * goes. */
struct koa_history_schema {
    atomic_size_t references;
    size_t points; /* the writer's: of those kept */
    size_t count;
    size_t cell_count;
    struct koa_history_series *rows[];
};

/* One column of values. A scalar is one cell (a double's bits); a histogram is sum, minimum,
 * maximum, then its buckets. */
struct koa_history_point {
    struct koa_object object;
    struct koa_wall time;
    struct koa_history_schema *schema;
    uint64_t cells[];
};

/* A series that a walk visits. */
struct koa_history_place {
    const struct koa_history_series *series;
    size_t cell;
};

struct koa_history_view {
    struct koa_object object;
    size_t count;
    struct koa_history_point *points[];
};

enum { KOA_HISTOGRAM_EXTRA_CELLS = 3 };

void koa_history_family_unref(struct koa_history_family *family);
size_t koa_history_series_cells(const struct koa_history_series *series);
void koa_history_series_unref(struct koa_history_series *series);
void koa_history_schema_unref(struct koa_history_schema *schema);
void koa_history_view_destroy(struct koa_object *object);
void koa_history_point_destroy(struct koa_object *object);

#endif

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
    size_t layouts; /* the writer's: of points that are kept */
    struct koa_history_family *family;
    const double *bounds;
    size_t bound_count;
    bool is_histogram;
    size_t count;
    struct koa_history_labels *rows[];
};

/* All runs of a point, in order; shared like them. One block. */
struct koa_history_layout {
    atomic_size_t references;
    size_t points; /* the writer's: of those kept */
    size_t count;
    struct koa_history_run *runs[];
};

/* The values of a point, run after run (history_codec.h). One block. */
struct koa_history_point {
    struct koa_object object;
    struct koa_wall time;
    struct koa_history_layout *layout;
    struct koa_history_point
        *before; /* whose values its own are told by; NULL: it is a first one */
    size_t size;
    uint8_t bytes[];
};

struct koa_history_view {
    struct koa_object object;
    size_t count;
    struct koa_history_point *points[];
};

/* A point is read by reading those before it, and they go together: so there are never more than
 * this, an hour by default. */
enum { KOA_HISTORY_CHAIN_POINTS = 120 };

/* Cells of one series. */
size_t koa_history_cells(bool is_histogram, size_t bound_count);
void koa_history_family_unref(struct koa_history_family *family);
void koa_history_labels_unref(struct koa_history_labels *labels);
void koa_history_run_unref(struct koa_history_run *run);
void koa_history_layout_unref(struct koa_history_layout *layout);
void koa_history_view_destroy(struct koa_object *object);
void koa_history_point_destroy(struct koa_object *object);

#endif

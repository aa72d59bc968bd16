/* The values of one point of the history after the other: written by the history, read by whoever
 * holds the points. */
#ifndef METRICS_HISTORY_VALUES_H
#define METRICS_HISTORY_VALUES_H

#include "base/buf.h"
#include "metrics/history_codec.h"
#include "metrics/history_rows.h"

/* Where the cells of a run are. */
struct koa_history_place {
    size_t first;
    bool is_wanted; /* false: it has none */
};

/* Zero it, set the filter if there is one. */
struct koa_history_values {
    koa_history_wants_family_fn *wants_family; /* NULL: all */
    void *context;

    struct koa_history_point *point;  /* a reference; NULL: none yet */
    struct koa_history_place *places; /* of its runs */
    struct koa_history_track track;
    size_t cell_count;
};

void koa_history_values_deinit(struct koa_history_values *values);
/* To any point; the one behind the last costs least. False when memory is out: then it is at none.
 */
KOA_MUST_USE bool koa_history_values_move(struct koa_history_values *values,
                                          struct koa_history_point *point);
/* Bytes in use. */
size_t koa_history_values_size(const struct koa_history_values *values);

/* A new point of these runs and cells. `last`, without a filter, is at the point before, whose
 * values those of the new one are told by; `is_first`: they are not. References to the layout and
 * the point before; NULL when memory is out. */
KOA_MUST_USE struct koa_history_point *
koa_history_point_create(const struct koa_history_values *last, struct koa_history_layout *layout,
                         const uint64_t *cells, bool is_first);

#endif

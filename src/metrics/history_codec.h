/* How a row of cells is written as what changed since the point before, and read again. Knows
 * nothing of points. */
#ifndef METRICS_HISTORY_CODEC_H
#define METRICS_HISTORY_CODEC_H

#include "base/buf.h"

/* Series of one family, one after the other. A series of one cell is a double's bits; of more,
 * three such (sum, minimum, maximum) and then counts. */
struct koa_history_shape {
    size_t count; /* of series */
    size_t width; /* cells of each */
};

enum { KOA_HISTOGRAM_EXTRA_CELLS = 3 };

/* The cells of a point, and by how much each had changed there: what comes next is most often the
 * same again. All zero before the first point. */
struct koa_history_track {
    uint64_t *cells;
    int64_t *steps;
};

enum { KOA_HISTORY_CELL_BYTES = 12 }; /* of one cell, or of the number before a row, at most */

/* Appends `cells`, told by what they were; NULLs: by nothing, as a first point. */
void koa_history_encode(struct koa_buf *out, struct koa_history_shape shape, const uint64_t *cells,
                        struct koa_history_track before);
/* Moves `track` on to the cells that were written with it; with `is_first`, to those of a first
 * point. False when `bytes` are not what was written. */
KOA_MUST_USE bool koa_history_decode(const uint8_t *bytes, size_t size,
                                     struct koa_history_shape shape, bool is_first,
                                     struct koa_history_track track);

/* Whole numbers in seven bits a byte, lowest first (LEB128). */
void koa_history_put_number(struct koa_buf *out, uint64_t number);
/* Moves `*at` behind the number. False when it does not end before `end`. */
KOA_MUST_USE bool koa_history_take_number(const uint8_t **at, const uint8_t *end,
                                          uint64_t *ret_number);

#endif

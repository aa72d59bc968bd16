/* Samples of counters over a sliding window: how much each has grown, resets taken out. Pure. */
#ifndef BUILTIN_RULES_WINDOW_H
#define BUILTIN_RULES_WINDOW_H

#include <koa/base.h>
#include <koa/time.h>

enum {
    /* Points in time that are kept: a window is known to a sixtieth of its length. */
    KOA_WINDOW_POINTS = 64,
    /* Series of one rule: 1 MiB of points. */
    KOA_WINDOW_SERIES = 2000
};

struct koa_window;

/* NULL when memory is out. */
KOA_MUST_USE struct koa_window *koa_window_create(int64_t window_ms);
void koa_window_destroy(struct koa_window *window);

/* One sampling: begin, one koa_window_add() for each series that is there, end. */
void koa_window_begin(struct koa_window *window, struct koa_mono now);
/* `is_counter`: one that appears after the first sampling began at 0 meanwhile; any other number
 * begins where it is first seen. `*ret_increase` is the growth over the window, or over the time
 * that is known. False when the series does not fit (limit, memory). */
bool koa_window_add(struct koa_window *window, struct koa_str key, double value, bool is_counter,
                    double *ret_increase);
/* Keeps the point in time, forgets series that were not seen for a whole window. */
void koa_window_end(struct koa_window *window);

/* During and after a sampling: how far back the increases go, at least the window once it is full.
 */
int64_t koa_window_span_ms(const struct koa_window *window);
bool koa_window_is_full(const struct koa_window *window);
size_t koa_window_series(const struct koa_window *window);

#endif

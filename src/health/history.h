/* The last boards. One writer, the engine; readers get an immutable view. */
#ifndef HEALTH_HISTORY_H
#define HEALTH_HISTORY_H

#include "base/limit.h"
#include "base/published.h"
#include "health/board.h"

struct koa_board_history;
/* Starts with struct koa_object. */
struct koa_board_history_view;

enum {
    KOA_BOARD_HISTORY_DEFAULT = 1000,
    /* Of texts and details that the kept boards hold between them: a thousand results with all
     * details they may have would be 17 MB. */
    KOA_BOARD_HISTORY_BYTES = 8 * 1024 * 1024
};

/* Keeps up to `limit` boards (at least 1). NULL when memory is out. */
KOA_MUST_USE struct koa_board_history *koa_board_history_create(size_t limit);
void koa_board_history_destroy(struct koa_board_history *history);
/* Takes a reference of its own. A board that shows the same statuses as the newest, less than a
 * second later, takes its place: checks that answer one after the other make one entry. When memory
 * is out the board is not kept. Writer's thread. */
void koa_board_history_append(struct koa_board_history *history, struct koa_board *board);
/* Keeps up to `limit` boards from now on (at least 1): of those there are, the newest. Writer's
 * thread. */
void koa_board_history_resize(struct koa_board_history *history, size_t limit);
/* A reference of the caller's own (koa_object_unref() on its first member), or NULL while there is
 * nothing. Any thread. */
KOA_MUST_USE struct koa_board_history_view *
koa_board_history_get(struct koa_board_history *history);
void koa_board_history_view_unref(struct koa_board_history_view *view);
KOA_DEFINE_AUTO(koa_board_history_view, koa_board_history_view_unref)
/* Boards, oldest first, and one of them, borrowed from the view. NULL is an empty view. */
size_t koa_board_history_view_count(const struct koa_board_history_view *view);
const struct koa_board *koa_board_history_view_at(const struct koa_board_history_view *view,
                                                  size_t index);
struct koa_limit_stats *koa_board_history_stats(struct koa_board_history *history); /* boards */

#endif

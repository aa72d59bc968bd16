/* Keeps the last boards as one immutable list that is made anew for each entry: copying a thousand
 * pointers once a second is cheaper than anything that readers would have to lock. Results are
 * shared between boards, so an entry costs what has changed. */
#include "health/history.h"

#include <string.h>

#include "base/memory.h"

enum { SAME_ENTRY_MS = 1000 };

struct koa_board_history_view {
    struct koa_object object;
    size_t count;
    size_t bytes;           /* of all rows; what neighbours share counts once */
    struct koa_wall opened; /* when the newest entry was first made */
    struct koa_board *rows[];
};

struct koa_board_history {
    struct koa_published published;
    struct koa_limit_stats stats;
};

struct koa_board_history *koa_board_history_create(size_t limit)
{
    struct koa_board_history *history = koa_calloc(1, sizeof(*history));

    if (history == NULL)
        return NULL;
    koa_published_init(&history->published);
    history->stats.name = "health_history";
    history->stats.limit = (int64_t) limit;
    return history;
}

void koa_board_history_destroy(struct koa_board_history *history)
{
    if (history == NULL)
        return;
    koa_published_deinit(&history->published);
    koa_free(history);
}

static void free_view(struct koa_object *object)
{
    struct koa_board_history_view *view =
        KOA_CONTAINER_OF(object, struct koa_board_history_view, object);

    for (size_t i = 0; i < view->count; i++)
        koa_board_unref(view->rows[i]);
    koa_free(view);
}

/* What `board` holds and its `neighbour` does not. */
static size_t own_bytes(const struct koa_board *board, const struct koa_board *neighbour)
{
    size_t bytes = sizeof(void *) * koa_board_count(board);

    for (size_t i = 0; i < koa_board_count(board); i++) {
        const struct koa_result *result = koa_board_result(board, i);

        if (koa_board_result(neighbour, i) != result) {
            bytes += sizeof(struct koa_result_object) + strlen(result->message) +
                     strlen(result->details);
        }
    }
    return bytes;
}

static bool takes_place(const struct koa_board_history_view *old, const struct koa_board *board)
{
    int64_t age_ms;

    if (old == NULL || old->count == 0)
        return false;
    age_ms = koa_board_time(board).ms - old->opened.ms;
    return age_ms >= 0 && age_ms < SAME_ENTRY_MS &&
           koa_board_equal(old->rows[old->count - 1], board);
}

/* Drops from the front what count or bytes do not allow; returns the first row to keep. */
static size_t first_kept(const struct koa_board_history_view *old, size_t kept,
                         const struct koa_board *added, size_t limit, size_t *bytes)
{
    size_t first = 0;

    while (first < kept && (kept - first >= limit || *bytes > KOA_BOARD_HISTORY_BYTES)) {
        *bytes -= own_bytes(old->rows[first], first + 1 < kept ? old->rows[first + 1] : added);
        first++;
    }
    return first;
}

/* Publishes the first `kept` rows of `old` and `board` behind them, as far as the limits allow.
 * `bytes` is what all of these hold. False when memory is out: nothing has changed then. */
static bool publish(struct koa_board_history *history, const struct koa_board_history_view *old,
                    size_t kept, struct koa_board *board, size_t bytes)
{
    size_t first = first_kept(old, kept, board, (size_t) history->stats.limit, &bytes);
    struct koa_board_history_view *view =
        koa_calloc(1, sizeof(*view) + (kept - first + 1) * sizeof(struct koa_board *));

    if (view == NULL)
        return false;
    koa_object_init(&view->object, free_view);
    for (size_t i = first; i < kept; i++)
        view->rows[view->count++] = old->rows[i];
    view->rows[view->count++] = board;
    for (size_t i = 0; i < view->count; i++)
        koa_board_ref(view->rows[i]);
    view->bytes = bytes;
    view->opened = old != NULL && kept < old->count ? old->opened : koa_board_time(board);
    atomic_store(&history->stats.used, (int64_t) view->count);
    koa_published_set(&history->published, &view->object);
    return true;
}

void koa_board_history_append(struct koa_board_history *history, struct koa_board *board)
{
    struct koa_board_history_view *old = koa_board_history_get(history);
    size_t kept = old != NULL ? old->count : 0;
    size_t bytes = old != NULL ? old->bytes : 0;

    if (takes_place(old, board)) {
        bytes -= own_bytes(old->rows[kept - 1], kept > 1 ? old->rows[kept - 2] : NULL);
        kept--;
    }
    bytes += own_bytes(board, kept > 0 ? old->rows[kept - 1] : NULL);
    if (!publish(history, old, kept, board, bytes))
        (void) atomic_fetch_add(&history->stats.dropped, 1);
    koa_board_history_view_unref(old);
}

void koa_board_history_resize(struct koa_board_history *history, size_t limit)
{
    struct koa_board_history_view *old = koa_board_history_get(history);

    history->stats.limit = (int64_t) limit;
    if (old != NULL && old->count > limit) {
        /* Without memory the next entry trims. */
        (void) publish(history, old, old->count - 1, old->rows[old->count - 1], old->bytes);
    }
    koa_board_history_view_unref(old);
}

struct koa_board_history_view *koa_board_history_get(struct koa_board_history *history)
{
    struct koa_object *object = koa_published_get(&history->published);

    return object != NULL ? KOA_CONTAINER_OF(object, struct koa_board_history_view, object) : NULL;
}

void koa_board_history_view_unref(struct koa_board_history_view *view)
{
    if (view != NULL)
        koa_object_unref(&view->object);
}

size_t koa_board_history_view_count(const struct koa_board_history_view *view)
{
    return view != NULL ? view->count : 0;
}

const struct koa_board *koa_board_history_view_at(const struct koa_board_history_view *view,
                                                  size_t index)
{
    return index < koa_board_history_view_count(view) ? view->rows[index] : NULL;
}

struct koa_limit_stats *koa_board_history_stats(struct koa_board_history *history)
{
    return &history->stats;
}

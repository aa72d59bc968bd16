/* Decides what is kept of the points that are made (history_column.c), and for how long. */
#include "metrics/history.h"

#include <string.h>

#include "base/memory.h"
#include "metrics/history_column.h"

enum {
    FIRST_POINTS = 64,
    SWEEP_POINTS = 64, /* points between two searches for labels that no point has any more */
    POINTS_MIN = 32,   /* that fit, whatever the number of series: a quarter of an hour */
    TEXTS_SHARE = 8,   /* a point's labels take at most one of so many parts of the bytes */
    CHAIN_SHARE = 8,   /* and so do the values of points that are told by each other */
};

struct koa_history {
    struct koa_history_opts opts;
    struct koa_patterns *exclude;
    struct koa_limit_stats stats;
    struct koa_history_texts texts;
    int64_t point_bytes;
    size_t unswept;
    struct koa_history_point **points; /* oldest first; the first of all is a first point */
    size_t count, capacity;
    size_t aged;                    /* of them: only there because later ones are told by them */
    struct koa_history_values last; /* of the newest point */
    size_t chain_points, chain_bytes;
    struct koa_published view;
};

enum koa_err koa_history_create(const struct koa_history_opts *opts,
                                struct koa_history **ret_history, struct koa_error *reterr)
{
    struct koa_history *history = koa_calloc(1, sizeof(*history));
    enum koa_err err = koa_require_memory(history, reterr);

    if (err != KOA_OK)
        return err;
    history->opts = *opts;
    history->stats.name = "metrics_history";
    history->stats.limit = opts->bytes_limit;
    koa_published_init(&history->view);
    if (!koa_history_texts_init(&history->texts))
        err = koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the metrics history");
    if (err == KOA_OK)
        err = koa_patterns_create(opts->exclude, opts->exclude_count, &history->exclude, reterr);
    if (err == KOA_OK) {
        *ret_history = history;
    } else {
        koa_history_destroy(history);
    }
    return err;
}

void koa_history_destroy(struct koa_history *history)
{
    if (history == NULL)
        return;
    koa_published_deinit(&history->view);
    koa_history_values_deinit(&history->last);
    for (size_t i = 0; i < history->count; i++)
        koa_object_unref(&history->points[i]->object);
    koa_free(history->points);
    koa_history_texts_deinit(&history->texts);
    koa_patterns_destroy(history->exclude);
    koa_free(history);
}

enum koa_err koa_history_configure(struct koa_history *history, const struct koa_history_opts *opts,
                                   struct koa_error *reterr)
{
    struct koa_patterns *exclude = NULL;
    enum koa_err err = koa_patterns_create(opts->exclude, opts->exclude_count, &exclude, reterr);

    if (err != KOA_OK)
        return err;
    koa_patterns_destroy(history->exclude);
    history->exclude = exclude;
    history->opts = *opts;
    history->stats.limit = opts->bytes_limit;
    koa_history_admit_all(&history->texts);
    return KOA_OK;
}

struct koa_limit_stats *koa_history_stats(struct koa_history *history)
{
    return &history->stats;
}

struct koa_str koa_history_take_left_out(struct koa_history *history)
{
    return koa_history_take_untold(&history->texts);
}

struct koa_history_view *koa_history_get(struct koa_history *history)
{
    struct koa_object *object = koa_published_get(&history->view);

    return object != NULL ? KOA_CONTAINER_OF(object, struct koa_history_view, object) : NULL;
}

static size_t run_bytes(const struct koa_history_run *run)
{
    return sizeof(*run) + run->count * sizeof(struct koa_history_labels *) +
           run->bound_count * sizeof(run->bounds[0]);
}

static size_t layout_bytes(const struct koa_history_layout *layout)
{
    return sizeof(*layout) + layout->count * sizeof(struct koa_history_run *);
}

static size_t point_bytes(const struct koa_history_point *point)
{
    return sizeof(*point) + point->size;
}

static void count_layout(struct koa_history *history, struct koa_history_layout *layout)
{
    if (layout->points++ > 0)
        return;
    history->point_bytes += (int64_t) layout_bytes(layout);
    for (size_t i = 0; i < layout->count; i++) {
        if (layout->runs[i]->layouts++ == 0)
            history->point_bytes += (int64_t) run_bytes(layout->runs[i]);
    }
}

static void discount_layout(struct koa_history *history, struct koa_history_layout *layout)
{
    if (--layout->points > 0)
        return;
    history->point_bytes -= (int64_t) layout_bytes(layout);
    for (size_t i = 0; i < layout->count; i++) {
        if (--layout->runs[i]->layouts == 0)
            history->point_bytes -= (int64_t) run_bytes(layout->runs[i]);
    }
}

/* Adopts the point. */
static bool append_point(struct koa_history *history, struct koa_history_point *point)
{
    if (history->count == history->capacity) {
        size_t capacity = history->capacity > 0 ? history->capacity * 2 : FIRST_POINTS;
        struct koa_history_point **points =
            koa_realloc_array(history->points, capacity, sizeof(struct koa_history_point *));

        if (points == NULL) {
            koa_object_unref(&point->object);
            return false;
        }
        history->points = points;
        history->capacity = capacity;
    }
    history->points[history->count++] = point;
    history->point_bytes += (int64_t) point_bytes(point);
    count_layout(history, point->layout);
    return true;
}

/* At least `count` points, and those that are told by them. */
static size_t drop_oldest(struct koa_history *history, size_t count)
{
    while (count < history->count && history->points[count]->before != NULL)
        count++;
    for (size_t i = 0; i < count; i++) {
        struct koa_history_point *point = history->points[i];

        history->point_bytes -= (int64_t) point_bytes(point);
        discount_layout(history, point->layout);
        koa_object_unref(&point->object);
    }
    history->count -= count;
    history->aged = history->aged > count ? history->aged - count : 0;
    memmove(history->points, history->points + count,
            history->count * sizeof(struct koa_history_point *));
    if (history->count == 0)
        koa_history_values_deinit(&history->last);
    return count;
}

static int64_t bytes_used(const struct koa_history *history)
{
    return history->point_bytes + history->texts.bytes +
           (int64_t) koa_history_values_size(&history->last);
}

/* Without memory the view of before stays. */
static void publish(struct koa_history *history)
{
    size_t count = history->count - history->aged;
    struct koa_history_view *view =
        koa_calloc(1, sizeof(*view) + count * sizeof(struct koa_history_point *));

    if (view == NULL)
        return;
    koa_object_init(&view->object, koa_history_view_destroy);
    view->count = count;
    for (size_t i = 0; i < count; i++) {
        view->points[i] = history->points[history->aged + i];
        koa_object_ref(&view->points[i]->object);
    }
    koa_published_set(&history->view, &view->object);
}

static void sweep(struct koa_history *history)
{
    history->unswept = 0;
    koa_history_sweep_labels(&history->texts);
}

static void drop_aged(struct koa_history *history, struct koa_wall now)
{
    size_t whole;

    history->aged = 0;
    while (history->aged < history->count &&
           history->points[history->aged]->time.ms < now.ms - history->opts.retention_ms)
        history->aged++;
    /* What newer ones are told by stays. */
    whole = history->aged;
    while (whole > 0 && whole < history->count && history->points[whole]->before != NULL)
        whole--;
    if (whole > 0)
        (void) drop_oldest(history, whole);
}

static void keep_limits(struct koa_history *history, struct koa_wall now)
{
    drop_aged(history, now);
    if (++history->unswept >= SWEEP_POINTS || bytes_used(history) > history->opts.bytes_limit)
        sweep(history);
    while (history->count > 0 && bytes_used(history) > history->opts.bytes_limit) {
        /* An eighth at once: a sweep for each point would cost too much. */
        size_t count = drop_oldest(history, history->count / 8 + 1);

        atomic_fetch_add(&history->stats.dropped, (int64_t) count);
        /* The view of before still holds what was dropped. */
        publish(history);
        sweep(history);
    }
    atomic_store(&history->stats.used, bytes_used(history));
}

/* Whether the next point begins a chain. */
static bool is_first(const struct koa_history *history)
{
    return history->last.point == NULL || history->chain_points >= KOA_HISTORY_CHAIN_POINTS ||
           history->chain_bytes > (size_t) history->opts.bytes_limit / CHAIN_SHARE;
}

/* NULL when memory is out. The history owns it. */
static const struct koa_history_point *take_point(struct koa_history *history,
                                                  const struct koa_metrics_sources *sources,
                                                  struct koa_wall now)
{
    struct koa_history_column column = {
        .texts = &history->texts,
        .exclude = history->exclude,
        .last = &history->last,
        .bytes_limit = (size_t) history->opts.bytes_limit / POINTS_MIN,
        .text_limit = (size_t) history->opts.bytes_limit / TEXTS_SHARE};
    struct koa_history_point *point;

    for (size_t i = 0; i < sources->count && !column.failed; i++)
        koa_history_column_fill(&column, sources->rows[i]);
    point = koa_history_column_finish(&column, now, is_first(history));
    if (point != NULL && !append_point(history, point))
        point = NULL;
    koa_history_column_deinit(&column);
    return point;
}

void koa_history_sample(struct koa_history *history, const struct koa_metrics_sources *sources,
                        struct koa_wall now)
{
    const struct koa_history_point *point = take_point(history, sources, now);

    if (point == NULL) {
        atomic_fetch_add(&history->stats.dropped, 1);
    } else {
        history->chain_points = point->before == NULL ? 1 : history->chain_points + 1;
        history->chain_bytes = (point->before == NULL ? 0 : history->chain_bytes) + point->size;
        if (!koa_history_values_move(&history->last, history->points[history->count - 1]))
            koa_history_values_deinit(&history->last); /* the next point begins a chain */
    }
    keep_limits(history, now);
    publish(history);
}

/* A ring of points in time, and for each series its running total at each of them. A total never
 * falls: where the counter does, it has begun anew, and what it had before is added on. */
#include "builtin/rules/window.h"

#include <math.h>

#include "base/map.h"
#include "base/memory.h"

struct series {
    double raw;   /* as last seen */
    double added; /* totals of earlier lives */
    struct koa_mono seen;
    double totals[KOA_WINDOW_POINTS]; /* at each point of the ring */
};

struct koa_window {
    int64_t window_ms;
    struct koa_map *series; /* key -> struct series */
    struct koa_mono times[KOA_WINDOW_POINTS];
    size_t first, count;
    struct koa_mono now; /* of the sampling under way */
    size_t baseline;     /* slot that increases are measured from, when count > 0 */
};

struct koa_window *koa_window_create(int64_t window_ms)
{
    struct koa_window *window = koa_calloc(1, sizeof(*window));

    if (window == NULL)
        return NULL;
    window->window_ms = window_ms;
    window->series = koa_map_create(KOA_WINDOW_SERIES);
    if (window->series != NULL)
        return window;
    koa_free(window);
    return NULL;
}

void koa_window_destroy(struct koa_window *window)
{
    if (window == NULL)
        return;
    koa_map_destroy(window->series, koa_free);
    koa_free(window);
}

static size_t slot(const struct koa_window *window, size_t index)
{
    return (window->first + index) % KOA_WINDOW_POINTS;
}

void koa_window_begin(struct koa_window *window, struct koa_mono now)
{
    window->now = now;
    /* The newest point that is at least a window old is the one to measure from. */
    while (window->count > 1 &&
           koa_mono_diff_ms(now, window->times[slot(window, 1)]) >= window->window_ms) {
        window->first = slot(window, 1);
        window->count--;
    }
    window->baseline = window->first;
}

static struct series *make_series(struct koa_window *window, struct koa_str key, double value,
                                  bool is_counter)
{
    struct series *series = koa_calloc(1, sizeof(*series));
    double before = is_counter && window->count > 0 ? 0.0 : value;

    if (series == NULL)
        return NULL;
    if (koa_map_put(window->series, key, series, NULL) != KOA_OK) {
        koa_free(series);
        return NULL;
    }
    for (size_t i = 0; i < KOA_WINDOW_POINTS; i++)
        series->totals[i] = before;
    series->raw = value;
    return series;
}

bool koa_window_add(struct koa_window *window, struct koa_str key, double value, bool is_counter,
                    double *ret_increase)
{
    struct series *series = koa_map_find(window->series, key);
    double total;

    if (isnan(value))
        return false;
    if (series == NULL)
        series = make_series(window, key, value, is_counter);
    if (series == NULL)
        return false;
    if (value < series->raw)
        series->added += series->raw;
    series->raw = value;
    series->seen = window->now;
    total = series->added + value;
    *ret_increase =
        window->count > 0 ? total - series->totals[window->baseline] : total - series->totals[0];
    return true;
}

/* More often than a sixtieth of the window adds nothing that is worth its memory. */
static bool is_point_due(const struct koa_window *window)
{
    int64_t distance_ms = window->window_ms / (KOA_WINDOW_POINTS - 4);

    return window->count == 0 ||
           koa_mono_diff_ms(window->now, window->times[slot(window, window->count - 1)]) >=
               (distance_ms > 0 ? distance_ms : 1);
}

void koa_window_end(struct koa_window *window)
{
    bool keeps_point = is_point_due(window);
    size_t position = 0;
    struct koa_str key;
    size_t target;
    void *value;

    if (keeps_point && window->count == KOA_WINDOW_POINTS) {
        window->first = slot(window, 1);
        window->count--;
    }
    target = slot(window, window->count);
    while (koa_map_next(window->series, &position, &key, &value)) {
        struct series *series = value;

        if (koa_mono_diff_ms(window->now, series->seen) > window->window_ms) {
            (void) koa_map_remove(window->series, key);
            koa_free(series);
        } else if (keeps_point) {
            series->totals[target] = series->added + series->raw;
        }
    }
    if (!keeps_point)
        return;
    window->times[target] = window->now;
    window->count++;
}

int64_t koa_window_span_ms(const struct koa_window *window)
{
    return window->count > 0 ? koa_mono_diff_ms(window->now, window->times[window->first]) : 0;
}

bool koa_window_is_full(const struct koa_window *window)
{
    return window->count > 0 && koa_window_span_ms(window) >= window->window_ms;
}

size_t koa_window_series(const struct koa_window *window)
{
    return koa_map_count(window->series);
}

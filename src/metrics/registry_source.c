/* Walks the registry in batches. Between batches nothing is held: the position is the family and
 * the last series shown, both of which live as long as the registry, so series that are added
 * meanwhile neither repeat nor hide others. */
#include <string.h>

#include "base/str.h"
#include "metrics/family.h"

struct position {
    struct koa_metric_family *family;   /* NULL before the first */
    const struct koa_family_view *view; /* as it was when the family was entered */
    struct koa_cell *last;
    size_t used;                      /* of `room` */
    _Alignas(8) unsigned char room[]; /* histograms of the present batch */
};

_Static_assert(sizeof(struct position) + sizeof(struct koa_histogram_view) +
                       (KOA_METRIC_BOUNDS_LIMIT + 1) * sizeof(uint64_t) <=
                   KOA_CURSOR_SIZE,
               "one histogram with the most bounds fits a cursor");

static struct position *position_of(struct koa_metrics_cursor *cursor)
{
    return (struct position *) (void *) cursor->state;
}

/* Index of the first family whose name is greater than `name`. */
static size_t family_after(const struct koa_metrics *metrics, struct koa_str name)
{
    size_t low = 0;
    size_t high = metrics->family_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (koa_str_compare(metrics->sorted[middle]->view->name, name) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool enter_family(struct koa_metrics_cursor *cursor, struct koa_metric_family *family)
{
    struct position *position = position_of(cursor);

    position->family = family;
    position->view = family->view;
    position->last = NULL;
    cursor->failed = cursor->failed || !koa_family_sort_locked(family);
    return !cursor->failed;
}

/* Goes to the next family that has series; false when there is none, or memory is out. */
static bool enter_next_family(struct koa_metrics *metrics, struct koa_metrics_cursor *cursor)
{
    struct position *position = position_of(cursor);
    size_t at = position->family != NULL ? family_after(metrics, position->view->name) : 0;

    while (at < metrics->family_count && metrics->sorted[at]->cell_count == 0)
        at++;
    if (at == metrics->family_count)
        return false;
    return enter_family(cursor, metrics->sorted[at]);
}

/* Index of the first sorted series behind the last one shown. */
static size_t cell_after(const struct position *position)
{
    const struct koa_metric_family *family = position->family;
    size_t low = 0;
    size_t high = family->sorted_count;

    if (position->last == NULL)
        return 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct koa_cell *cell = family->cells[middle];

        if (koa_str_compare((struct koa_str){cell->key, cell->key_size},
                            (struct koa_str){position->last->key, position->last->key_size}) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* False when the histogram no longer fits this batch. */
static bool fill_histogram(struct position *position, const struct koa_cell *cell,
                           struct koa_sample *sample)
{
    size_t room = KOA_CURSOR_SIZE - offsetof(struct position, room);
    size_t needed = sizeof(struct koa_histogram_view) + (cell->bound_count + 1) * sizeof(uint64_t);
    struct koa_histogram_view *view;

    if (needed > room - position->used)
        return false;
    view = (struct koa_histogram_view *) (void *) (position->room + position->used);
    koa_cell_histogram(cell, (uint64_t *) (void *) (view + 1), view);
    position->used += needed;
    sample->histogram = view;
    return true;
}

/* False when the batch is full. */
static bool fill_sample(struct position *position, struct koa_cell *cell, struct koa_batch *batch)
{
    struct koa_sample *sample = &batch->samples[batch->count];

    *sample = (struct koa_sample){
        .family = position->view, .labels = cell->labels, .label_count = cell->label_count};
    if (cell->type == KOA_COUNTER || cell->type == KOA_GAUGE) {
        sample->value = koa_cell_value(cell);
    } else if (!fill_histogram(position, cell, sample)) {
        return false;
    }
    position->last = cell;
    batch->count++;
    return true;
}

static bool next_locked(struct koa_metrics *metrics, struct koa_metrics_cursor *cursor,
                        struct koa_batch *batch)
{
    struct position *position = position_of(cursor);
    bool has_family = position->family != NULL || enter_next_family(metrics, cursor);

    while (has_family) {
        for (size_t at = cell_after(position); at < position->family->sorted_count; at++) {
            if (koa_cell_is_absent(position->family->cells[at]))
                continue;
            if (batch->count == KOA_BATCH_SAMPLES ||
                !fill_sample(position, position->family->cells[at], batch))
                return true;
        }
        has_family = enter_next_family(metrics, cursor);
    }
    return batch->count > 0;
}

static void begin(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    (void) source;
    memset(cursor, 0, sizeof(*cursor));
}

static bool next(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                 struct koa_batch *batch)
{
    struct koa_metrics *metrics = source->context;
    bool has_more;

    batch->count = 0;
    position_of(cursor)->used = 0;
    if (cursor->failed)
        return false;
    pthread_mutex_lock(&metrics->mutex);
    has_more = next_locked(metrics, cursor, batch);
    pthread_mutex_unlock(&metrics->mutex);
    return has_more;
}

static bool seek(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                 struct koa_str name)
{
    struct koa_metrics *metrics = source->context;
    struct koa_metric_family *family;
    bool has_series;

    pthread_mutex_lock(&metrics->mutex);
    family = koa_map_find(metrics->families, name);
    has_series = family != NULL && family->cell_count > 0 && enter_family(cursor, family);
    pthread_mutex_unlock(&metrics->mutex);
    return has_series;
}

static void end(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    (void) source;
    (void) cursor;
}

void koa_registry_source_init(struct koa_metrics *metrics)
{
    metrics->source = (struct koa_metrics_source){.name = "registry",
                                                  .context = metrics,
                                                  .begin = begin,
                                                  .next = next,
                                                  .end = end,
                                                  .seek = seek};
}

const struct koa_metrics_source *koa_metrics_source(struct koa_metrics *metrics)
{
    return &metrics->source;
}

/* A point tells the values of each of its runs by those that the run had in the point before; a run
 * that was not there, and all of a first point, by nothing. So to read a point is to read those
 * before it up to a first one, which are few, and reading on costs one. */
#include "metrics/history_values.h"

#include <string.h>

#include "base/memory.h"

static struct koa_history_shape shape_of(const struct koa_history_run *run)
{
    return (struct koa_history_shape){
        .count = run->count, .width = koa_history_cells(run->is_histogram, run->bound_count)};
}

static size_t cells_of(const struct koa_history_run *run)
{
    struct koa_history_shape shape = shape_of(run);

    return shape.count * shape.width;
}

/* Where the last layout had the run; NULL when it had none. Runs keep their order, so `*index` is
 * where it is likely to be. */
static const struct koa_history_place *find_place(const struct koa_history_values *values,
                                                  const struct koa_history_run *run, size_t *index)
{
    const struct koa_history_layout *layout = values->point != NULL ? values->point->layout : NULL;

    for (size_t i = 0; layout != NULL && i < layout->count; i++) {
        size_t at = (*index + i) % layout->count;

        if (layout->runs[at] == run) {
            *index = at + 1;
            return &values->places[at];
        }
    }
    return NULL;
}

static struct koa_history_track track_at(const struct koa_history_track *track, size_t first)
{
    return (struct koa_history_track){.cells = track->cells + first, .steps = track->steps + first};
}

/* ---- reading */

static void release(struct koa_history_values *values)
{
    if (values->point != NULL)
        koa_object_unref(&values->point->object);
    values->point = NULL;
    koa_free(values->places);
    koa_free(values->track.cells);
    koa_free(values->track.steps);
    values->places = NULL;
    values->track = (struct koa_history_track){0};
    values->cell_count = 0;
}

void koa_history_values_deinit(struct koa_history_values *values)
{
    release(values);
}

size_t koa_history_values_size(const struct koa_history_values *values)
{
    size_t places = values->point != NULL ? values->point->layout->count : 0;

    return values->cell_count * (sizeof(uint64_t) + sizeof(int64_t)) +
           places * sizeof(struct koa_history_place);
}

static bool allocate(struct koa_history_values *values, const struct koa_history_layout *layout)
{
    values->places = koa_calloc(layout->count + 1, sizeof(*values->places));
    if (values->places == NULL)
        return false;
    for (size_t i = 0; i < layout->count; i++) {
        const struct koa_history_run *run = layout->runs[i];
        bool is_wanted = values->wants_family == NULL ||
                         values->wants_family(values->context, &run->family->view);

        values->places[i] =
            (struct koa_history_place){.first = values->cell_count, .is_wanted = is_wanted};
        values->cell_count += is_wanted ? cells_of(run) : 0;
    }
    values->track.cells = koa_calloc(values->cell_count + 1, sizeof(*values->track.cells));
    values->track.steps = koa_calloc(values->cell_count + 1, sizeof(*values->track.steps));
    return values->track.cells != NULL && values->track.steps != NULL;
}

/* Gives the runs of another layout their places; those that stay keep their values. */
static bool rearrange(struct koa_history_values *values, const struct koa_history_layout *layout)
{
    struct koa_history_values old = *values;
    size_t likely = 0;

    values->point = NULL;
    values->places = NULL;
    values->track = (struct koa_history_track){0};
    values->cell_count = 0;
    if (!allocate(values, layout)) {
        release(&old);
        return false;
    }
    for (size_t i = 0; i < layout->count; i++) {
        const struct koa_history_place *place = find_place(&old, layout->runs[i], &likely);
        struct koa_history_track to = track_at(&values->track, values->places[i].first);
        size_t count = cells_of(layout->runs[i]);

        if (place == NULL || !place->is_wanted || count == 0)
            continue;
        memcpy(to.cells, old.track.cells + place->first, count * sizeof(to.cells[0]));
        memcpy(to.steps, old.track.steps + place->first, count * sizeof(to.steps[0]));
    }
    release(&old);
    return true;
}

/* Before the bytes of a run: their number, and in the lowest bit whether nothing is before them. */
static void put_size(struct koa_buf *out, size_t size, bool is_first)
{
    koa_history_put_number(out, (uint64_t) size << 1 | (is_first ? 1 : 0));
}

static void read_runs(struct koa_history_values *values, const struct koa_history_point *point)
{
    const uint8_t *at = point->bytes;
    const uint8_t *end = point->bytes + point->size;

    for (size_t i = 0; i < point->layout->count; i++) {
        const struct koa_history_place *place = &values->places[i];
        uint64_t number = 0;
        bool ok = koa_history_take_number(&at, end, &number) && number >> 1 <= (size_t) (end - at);

        KOA_ASSERT(ok);
        ok = !place->is_wanted ||
             koa_history_decode(at, number >> 1, shape_of(point->layout->runs[i]),
                                (number & 1) != 0, track_at(&values->track, place->first));
        KOA_ASSERT(ok);
        at += number >> 1;
    }
}

/* One point on. */
static bool advance(struct koa_history_values *values, struct koa_history_point *point)
{
    if ((values->point == NULL || values->point->layout != point->layout) &&
        !rearrange(values, point->layout)) {
        release(values);
        return false;
    }
    read_runs(values, point);
    koa_object_ref(&point->object);
    if (values->point != NULL)
        koa_object_unref(&values->point->object);
    values->point = point;
    return true;
}

bool koa_history_values_move(struct koa_history_values *values, struct koa_history_point *point)
{
    struct koa_history_point *path[KOA_HISTORY_CHAIN_POINTS];
    size_t count = 0;

    for (; point != NULL && point != values->point; point = point->before) {
        KOA_ASSERT(count < KOA_HISTORY_CHAIN_POINTS);
        path[count++] = point;
    }
    while (count > 0) {
        if (!advance(values, path[--count]))
            return false;
    }
    return true;
}

/* ---- writing */

static void write_runs(struct koa_buf *out, const struct koa_history_values *last,
                       const struct koa_history_layout *layout, const uint64_t *cells,
                       bool is_first)
{
    struct koa_buf row = {.limit = out->limit};
    size_t likely = 0;

    for (size_t i = 0; i < layout->count; i++) {
        const struct koa_history_run *run = layout->runs[i];
        const struct koa_history_place *place = is_first ? NULL : find_place(last, run, &likely);
        struct koa_history_track before = {0};

        if (place != NULL)
            before = track_at(&last->track, place->first);
        koa_buf_clear(&row);
        koa_history_encode(&row, shape_of(run), cells, before);
        put_size(out, row.size, place == NULL);
        koa_buf_append(out, koa_buf_text(&row), row.size);
        out->failed = out->failed || row.failed;
        cells += cells_of(run);
    }
    koa_buf_deinit(&row);
}

static size_t bytes_limit(const struct koa_history_layout *layout)
{
    size_t limit = KOA_HISTORY_CELL_BYTES;

    for (size_t i = 0; i < layout->count; i++)
        limit += (cells_of(layout->runs[i]) + 1) * KOA_HISTORY_CELL_BYTES;
    return limit;
}

struct koa_history_point *koa_history_point_create(const struct koa_history_values *last,
                                                   struct koa_history_layout *layout,
                                                   const uint64_t *cells, bool is_first)
{
    struct koa_buf bytes = {.limit = bytes_limit(layout)};
    struct koa_history_point *point = NULL;

    write_runs(&bytes, last, layout, cells, is_first);
    if (!bytes.failed)
        point = koa_calloc(1, sizeof(*point) + bytes.size);
    if (point != NULL) {
        koa_object_init(&point->object, koa_history_point_destroy);
        point->layout = layout;
        atomic_fetch_add_explicit(&layout->references, 1, memory_order_relaxed);
        if (!is_first && last->point != NULL) {
            point->before = last->point;
            koa_object_ref(&point->before->object);
        }
        point->size = bytes.size;
        memcpy(point->bytes, koa_buf_text(&bytes), bytes.size);
    }
    koa_buf_deinit(&bytes);
    return point;
}

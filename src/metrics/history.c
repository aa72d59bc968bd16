/* Takes samples and decides what is kept. A point is one column of numbers; the texts of its series
 * are shared with all other points, so a day of samples costs little more than its numbers. */
#include "metrics/history.h"

#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/str.h"
#include "metrics/history_rows.h"
#include "metrics/number.h"
#include "metrics/pattern.h"

enum {
    FAMILIES_LIMIT = 20000,
    SERIES_LIMIT = 4000000, /* the registry's and a large cluster's */
    KEY_LIMIT = 1024 * 1024,
    FIRST_ROWS = 64,
    SWEEP_POINTS = 64, /* points between two searches for series that no point has any more */
};

struct koa_history {
    struct koa_history_opts opts;
    struct koa_patterns *exclude;
    struct koa_limit_stats stats;
    struct koa_map *families; /* type and name -> family */
    struct koa_map *series;   /* key -> series */
    struct koa_buf key;
    int64_t text_bytes; /* of families and series */
    int64_t point_bytes;
    size_t unswept;
    struct koa_history_point **points; /* oldest first */
    size_t count, capacity;
    struct koa_published view;
};

/* A point in the making. */
struct column {
    struct koa_history_series **rows;
    size_t row_count, row_capacity;
    uint64_t *cells;
    size_t cell_count, cell_capacity;
    const struct koa_family_view *family; /* the last one seen, and what is known of it */
    bool is_excluded;
    struct koa_history_family *known;
    bool failed;
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
    history->key.limit = KEY_LIMIT;
    koa_published_init(&history->view);
    history->families = koa_map_create(FAMILIES_LIMIT);
    history->series = koa_map_create(SERIES_LIMIT);
    if (history->families == NULL || history->series == NULL)
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

static void forget_family(void *value)
{
    koa_history_family_unref(value);
}

static void forget_series(void *value)
{
    koa_history_series_unref(value);
}

void koa_history_destroy(struct koa_history *history)
{
    if (history == NULL)
        return;
    koa_published_deinit(&history->view);
    for (size_t i = 0; i < history->count; i++)
        koa_object_unref(&history->points[i]->object);
    koa_free(history->points);
    koa_map_destroy(history->series, forget_series);
    koa_map_destroy(history->families, forget_family);
    koa_patterns_destroy(history->exclude);
    koa_buf_deinit(&history->key);
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
    return KOA_OK;
}

struct koa_limit_stats *koa_history_stats(struct koa_history *history)
{
    return &history->stats;
}

struct koa_history_view *koa_history_get(struct koa_history *history)
{
    struct koa_object *object = koa_published_get(&history->view);

    return object != NULL ? KOA_CONTAINER_OF(object, struct koa_history_view, object) : NULL;
}

/* Copies `text` to `*at` and moves on. */
static struct koa_str copy_text(char **at, struct koa_str text)
{
    struct koa_str copy = {*at, text.size};

    if (text.size > 0)
        memcpy(*at, text.data, text.size);
    *at += text.size;
    return copy;
}

static struct koa_history_family *make_family(const struct koa_family_view *view)
{
    size_t bytes =
        sizeof(struct koa_history_family) + view->name.size + view->help.size + view->unit.size;
    struct koa_history_family *family = koa_calloc(1, bytes);
    char *at = (char *) (family + 1);

    if (family == NULL)
        return NULL;
    atomic_init(&family->references, 1);
    family->bytes = bytes;
    family->view.type = view->type;
    family->view.name = copy_text(&at, view->name);
    family->view.help = copy_text(&at, view->help);
    family->view.unit = copy_text(&at, view->unit);
    return family;
}

/* The history's own of that family, or NULL without memory. */
static struct koa_history_family *get_family(struct koa_history *history,
                                             const struct koa_family_view *view)
{
    struct koa_history_family *family;
    struct koa_str key;

    koa_buf_clear(&history->key);
    koa_buf_append_char(&history->key, (char) view->type);
    koa_buf_append(&history->key, view->name.data, view->name.size);
    if (history->key.failed)
        return NULL;
    key = (struct koa_str){history->key.data, history->key.size};
    family = koa_map_find(history->families, key);
    if (family != NULL)
        return family;
    family = make_family(view);
    if (family == NULL)
        return NULL;
    if (koa_map_put(history->families, key, family, NULL) != KOA_OK) {
        koa_history_family_unref(family);
        return NULL;
    }
    history->text_bytes += (int64_t) family->bytes;
    return family;
}

static void append_text(struct koa_buf *key, struct koa_str text)
{
    koa_buf_append(key, &text.size, sizeof(text.size));
    koa_buf_append(key, text.data, text.size);
}

static bool build_key(struct koa_history *history, const struct koa_sample *sample)
{
    struct koa_buf *key = &history->key;

    koa_buf_clear(key);
    koa_buf_append_char(key, (char) sample->family->type);
    if (sample->histogram != NULL) {
        append_text(key, (struct koa_str){(const char *) sample->histogram->bounds,
                                          sample->histogram->bound_count * sizeof(double)});
    }
    append_text(key, sample->family->name);
    for (size_t i = 0; i < sample->label_count; i++) {
        append_text(key, sample->labels[i].name);
        append_text(key, sample->labels[i].value);
    }
    return !key->failed;
}

static struct koa_history_series *make_series(const struct koa_buf *key,
                                              const struct koa_sample *sample,
                                              struct koa_history_family *family)
{
    const struct koa_histogram_view *histogram = sample->histogram;
    size_t bound_count = histogram != NULL ? histogram->bound_count : 0;
    size_t bytes = sizeof(struct koa_history_series) +
                   sample->label_count * sizeof(struct koa_label_view) +
                   bound_count * sizeof(double) + key->size;
    struct koa_history_series *series;
    struct koa_label_view *labels;
    double *bounds;
    char *at;

    for (size_t i = 0; i < sample->label_count; i++)
        bytes += sample->labels[i].name.size + sample->labels[i].value.size;
    series = koa_calloc(1, bytes);
    if (series == NULL)
        return NULL;
    labels = (struct koa_label_view *) (series + 1);
    bounds = (double *) (labels + sample->label_count);
    at = (char *) (bounds + bound_count);
    atomic_init(&series->references, 1);
    series->bytes = bytes;
    series->family = family;
    atomic_fetch_add_explicit(&family->references, 1, memory_order_relaxed);
    series->labels = labels;
    series->label_count = sample->label_count;
    series->is_histogram = histogram != NULL;
    series->bounds = bounds;
    series->bound_count = bound_count;
    if (bound_count > 0)
        memcpy(bounds, histogram->bounds, bound_count * sizeof(double));
    for (size_t i = 0; i < sample->label_count; i++) {
        labels[i].name = copy_text(&at, sample->labels[i].name);
        labels[i].value = copy_text(&at, sample->labels[i].value);
    }
    series->key = copy_text(&at, (struct koa_str){key->data, key->size});
    return series;
}

static struct koa_history_series *get_series(struct koa_history *history,
                                             const struct koa_sample *sample,
                                             struct koa_history_family *family)
{
    struct koa_history_series *series;
    struct koa_str key;

    if (!build_key(history, sample))
        return NULL;
    key = (struct koa_str){history->key.data, history->key.size};
    series = koa_map_find(history->series, key);
    if (series != NULL)
        return series;
    series = make_series(&history->key, sample, family);
    if (series == NULL)
        return NULL;
    if (koa_map_put(history->series, key, series, NULL) != KOA_OK) {
        koa_history_series_unref(series);
        return NULL;
    }
    history->text_bytes += (int64_t) series->bytes;
    return series;
}

static bool same_histogram(const struct koa_history_series *series,
                           const struct koa_histogram_view *histogram)
{
    if (histogram == NULL || !series->is_histogram)
        return (histogram != NULL) == series->is_histogram;
    return series->bound_count == histogram->bound_count &&
           memcmp(series->bounds, histogram->bounds, series->bound_count * sizeof(double)) == 0;
}

/* Whether `series` is that of `sample`: cheaper than building its key. */
static bool is_series_of(const struct koa_history_series *series, const struct koa_sample *sample,
                         const struct koa_history_family *family)
{
    if (series->family != family || series->label_count != sample->label_count ||
        !same_histogram(series, sample->histogram))
        return false;
    for (size_t i = 0; i < sample->label_count; i++) {
        if (!koa_str_equal(series->labels[i].value, sample->labels[i].value) ||
            !koa_str_equal(series->labels[i].name, sample->labels[i].name))
            return false;
    }
    return true;
}

static bool make_room(struct column *column, size_t cells)
{
    if (column->row_count == column->row_capacity) {
        size_t capacity = column->row_capacity > 0 ? column->row_capacity * 2 : FIRST_ROWS;
        struct koa_history_series **rows =
            koa_realloc_array(column->rows, capacity, sizeof(struct koa_history_series *));

        if (rows == NULL)
            return false;
        column->rows = rows;
        column->row_capacity = capacity;
    }
    if (column->cells == NULL || column->cell_capacity - column->cell_count < cells) {
        size_t capacity = (column->cell_capacity + cells) * 2;
        uint64_t *grown = koa_realloc_array(column->cells, capacity, sizeof(uint64_t));

        if (grown == NULL)
            return false;
        column->cells = grown;
        column->cell_capacity = capacity;
    }
    return true;
}

static void write_cells(uint64_t *cells, const struct koa_sample *sample)
{
    const struct koa_histogram_view *histogram = sample->histogram;

    if (histogram == NULL) {
        cells[0] = koa_bits_from_double(sample->value);
        return;
    }
    cells[0] = koa_bits_from_double(histogram->sum);
    cells[1] = koa_bits_from_double(histogram->minimum);
    cells[2] = koa_bits_from_double(histogram->maximum);
    memcpy(cells + KOA_HISTOGRAM_EXTRA_CELLS, histogram->buckets,
           (histogram->bound_count + 1) * sizeof(uint64_t));
}

/* `likely` is the series that stood here in the last point, or NULL. */
static void add_sample(struct koa_history *history, struct column *column,
                       const struct koa_sample *sample, struct koa_history_series *likely)
{
    struct koa_history_series *series = likely;
    size_t cells;

    if (likely == NULL || !is_series_of(likely, sample, column->known))
        series = get_series(history, sample, column->known);
    if (series == NULL) {
        column->failed = true;
        return;
    }
    cells = koa_history_series_cells(series);
    if (!make_room(column, cells)) {
        column->failed = true;
        return;
    }
    write_cells(column->cells + column->cell_count, sample);
    column->rows[column->row_count++] = series;
    column->cell_count += cells;
}

static void enter_family(struct koa_history *history, struct column *column,
                         const struct koa_family_view *family)
{
    column->family = family;
    column->is_excluded = koa_patterns_match_family(history->exclude, family);
    if (column->is_excluded)
        return;
    column->known = get_family(history, family);
    column->failed = column->failed || column->known == NULL;
}

static void fill_from_source(struct koa_history *history, struct column *column,
                             const struct koa_metrics_source *source)
{
    const struct koa_history_schema *last =
        history->count > 0 ? history->points[history->count - 1]->schema : NULL;
    struct koa_metrics_cursor cursor = {0};
    struct koa_batch batch;

    column->family = NULL;
    source->begin(source, &cursor);
    while (!column->failed && source->next(source, &cursor, &batch)) {
        for (size_t i = 0; i < batch.count && !column->failed; i++) {
            struct koa_history_series *likely = last != NULL && column->row_count < last->count
                                                    ? last->rows[column->row_count]
                                                    : NULL;

            if (column->family == NULL || batch.samples[i].family != column->family)
                enter_family(history, column, batch.samples[i].family);
            if (!column->is_excluded && !column->failed)
                add_sample(history, column, &batch.samples[i], likely);
        }
    }
    source->end(source, &cursor);
    column->failed = column->failed || cursor.failed;
}

static size_t schema_bytes(const struct koa_history_schema *schema)
{
    return sizeof(*schema) + schema->count * sizeof(struct koa_history_series *);
}

static size_t point_bytes(const struct koa_history_point *point)
{
    return sizeof(*point) + point->schema->cell_count * sizeof(point->cells[0]);
}

/* The last point's schema when nothing came or went, else a new one. A reference either way. */
static struct koa_history_schema *get_schema(const struct koa_history *history,
                                             const struct column *column)
{
    struct koa_history_schema *schema =
        history->count > 0 ? history->points[history->count - 1]->schema : NULL;
    size_t bytes = column->row_count * sizeof(struct koa_history_series *);

    if (schema != NULL && schema->count == column->row_count &&
        (bytes == 0 || memcmp(schema->rows, column->rows, bytes) == 0)) {
        atomic_fetch_add_explicit(&schema->references, 1, memory_order_relaxed);
        return schema;
    }
    schema = koa_calloc(1, sizeof(*schema) + bytes);
    if (schema == NULL)
        return NULL;
    atomic_init(&schema->references, 1);
    schema->count = column->row_count;
    schema->cell_count = column->cell_count;
    for (size_t i = 0; i < column->row_count; i++) {
        schema->rows[i] = column->rows[i];
        atomic_fetch_add_explicit(&schema->rows[i]->references, 1, memory_order_relaxed);
    }
    return schema;
}

static struct koa_history_point *make_point(const struct koa_history *history,
                                            const struct column *column, struct koa_wall now)
{
    struct koa_history_schema *schema = get_schema(history, column);
    struct koa_history_point *point = NULL;

    if (schema != NULL)
        point = koa_calloc(1, sizeof(*point) + column->cell_count * sizeof(point->cells[0]));
    if (point == NULL) {
        koa_history_schema_unref(schema);
        return NULL;
    }
    koa_object_init(&point->object, koa_history_point_destroy);
    point->time = now;
    point->schema = schema;
    if (column->cell_count > 0)
        memcpy(point->cells, column->cells, column->cell_count * sizeof(point->cells[0]));
    return point;
}

/* Adopts the point. */
static bool append_point(struct koa_history *history, struct koa_history_point *point)
{
    if (history->count == history->capacity) {
        size_t capacity = history->capacity > 0 ? history->capacity * 2 : FIRST_ROWS;
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
    if (point->schema->points++ == 0)
        history->point_bytes += (int64_t) schema_bytes(point->schema);
    return true;
}

static void drop_oldest(struct koa_history *history, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct koa_history_point *point = history->points[i];

        history->point_bytes -= (int64_t) point_bytes(point);
        if (--point->schema->points == 0)
            history->point_bytes -= (int64_t) schema_bytes(point->schema);
        koa_object_unref(&point->object);
    }
    history->count -= count;
    memmove(history->points, history->points + count,
            history->count * sizeof(struct koa_history_point *));
}

/* Forgets series that no point has any more: only the map holds them. */
static void sweep(struct koa_history *history)
{
    size_t at = 0;
    void *value;

    history->unswept = 0;
    while (koa_map_next(history->series, &at, NULL, &value)) {
        struct koa_history_series *series = value;

        if (atomic_load_explicit(&series->references, memory_order_acquire) > 1)
            continue;
        history->text_bytes -= (int64_t) series->bytes;
        (void) koa_map_remove(history->series, series->key);
        koa_history_series_unref(series);
    }
}

static int64_t bytes_used(const struct koa_history *history)
{
    return history->point_bytes + history->text_bytes;
}

/* Without memory the view of before stays. */
static void publish(struct koa_history *history)
{
    struct koa_history_view *view =
        koa_calloc(1, sizeof(*view) + history->count * sizeof(struct koa_history_point *));

    if (view == NULL)
        return;
    koa_object_init(&view->object, koa_history_view_destroy);
    view->count = history->count;
    for (size_t i = 0; i < history->count; i++) {
        view->points[i] = history->points[i];
        koa_object_ref(&view->points[i]->object);
    }
    koa_published_set(&history->view, &view->object);
}

static void keep_limits(struct koa_history *history, struct koa_wall now)
{
    size_t aged = 0;

    while (aged < history->count &&
           history->points[aged]->time.ms < now.ms - history->opts.retention_ms)
        aged++;
    if (aged > 0)
        drop_oldest(history, aged);
    if (++history->unswept >= SWEEP_POINTS || bytes_used(history) > history->opts.bytes_limit)
        sweep(history);
    while (history->count > 0 && bytes_used(history) > history->opts.bytes_limit) {
        /* An eighth at once: a sweep for each point would cost too much. */
        size_t count = history->count / 8 + 1;

        drop_oldest(history, count);
        atomic_fetch_add(&history->stats.dropped, (int64_t) count);
        /* The view of before still holds what was dropped. */
        publish(history);
        sweep(history);
    }
    atomic_store(&history->stats.used, bytes_used(history));
}

void koa_history_sample(struct koa_history *history, const struct koa_metrics_sources *sources,
                        struct koa_wall now)
{
    struct column column = {0};
    struct koa_history_point *point = NULL;

    for (size_t i = 0; i < sources->count && !column.failed; i++)
        fill_from_source(history, &column, sources->rows[i]);
    if (!column.failed)
        point = make_point(history, &column, now);
    if (point == NULL || !append_point(history, point))
        atomic_fetch_add(&history->stats.dropped, 1);
    koa_free(column.rows);
    koa_free(column.cells);
    keep_limits(history, now);
    publish(history);
}

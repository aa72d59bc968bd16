/* Finds a series for a call, makes it when it is new, and counts what is refused. Only the first
 * call for a series, and refused calls, take the mutex. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/family.h"

static const char dropped_family[] = "kafka_ops_series_dropped_total";

/* What a call asks for. */
struct request {
    const char *name;
    enum koa_metric_type type;
    struct koa_series_key key;
    uint64_t hash;
};

/* Why it was refused. Logged once a family and reason, and after the mutex is released, because the
 * log's sink may count its lines here. */
struct refusal {
    enum koa_drop reason;
    bool is_new;
    struct koa_error error;
};

static struct koa_cell *make_cell_locked(struct koa_metrics *metrics, const struct request *request,
                                         struct refusal *refusal);

static struct koa_cell *refuse(struct refusal *refusal, enum koa_drop reason, const char *format,
                               ...) KOA_PRINTF(3, 4);
static struct koa_cell *refuse(struct refusal *refusal, enum koa_drop reason, const char *format,
                               ...)
{
    va_list args;

    refusal->reason = reason;
    va_start(args, format);
    vsnprintf(refusal->error.text, sizeof(refusal->error.text), format, args);
    va_end(args);
    return NULL;
}

static enum koa_drop drop_from_error(enum koa_err err)
{
    if (err == KOA_ERR_NOMEM)
        return KOA_DROP_MEMORY;
    return err == KOA_ERR_LIMIT ? KOA_DROP_LIMIT : KOA_DROP_TYPE;
}

/* The family, made by its first use when there is none. */
static struct koa_metric_family *get_family_locked(struct koa_metrics *metrics,
                                                   const struct request *request,
                                                   struct refusal *refusal)
{
    struct koa_family known = {.name = request->name, .type = request->type};
    struct koa_metric_family *family = koa_map_find_text(metrics->families, request->name);
    enum koa_err err;

    if (family != NULL && family->is_reserved) {
        refuse(refusal, KOA_DROP_TYPE, "'%s' is a name that the agent exports itself",
               request->name);
        return NULL;
    }
    if (family != NULL && family->view->type != request->type) {
        refuse(refusal, KOA_DROP_TYPE, "the metric '%s' is a %s, it was used as a %s",
               request->name, koa_metric_type_name(family->view->type),
               koa_metric_type_name(request->type));
        return NULL;
    }
    if (family != NULL)
        return family;
    err = koa_family_add_locked(metrics, &known, &family, &refusal->error);
    if (err != KOA_OK) {
        refusal->reason = drop_from_error(err);
        return NULL;
    }
    family->is_implicit = true;
    return family;
}

static bool reserve_cells(struct koa_metric_family *family)
{
    size_t capacity = family->cell_capacity > 0 ? family->cell_capacity * 2 : 4;
    struct koa_cell **cells;

    if (family->cell_count < family->cell_capacity)
        return true;
    cells = koa_realloc_array(family->cells, capacity, sizeof(struct koa_cell *));
    if (cells == NULL)
        return false;
    family->cells = cells;
    family->cell_capacity = capacity;
    return true;
}

static struct koa_cell *make_cell_locked(struct koa_metrics *metrics, const struct request *request,
                                         struct refusal *refusal)
{
    bool has_buckets = request->type == KOA_HISTOGRAM || request->type == KOA_TIMER;
    struct koa_metric_family *family;
    struct koa_cell *cell = NULL;
    size_t limit;

    if (!koa_series_key_labels_valid(&request->key, has_buckets)) {
        return refuse(refusal, KOA_DROP_LABEL,
                      "a series of '%s' has a label that is not well-formed, reserved or twice",
                      request->name);
    }
    family = get_family_locked(metrics, request, refusal);
    if (family == NULL)
        return NULL;
    limit = family->series_limit > 0 ? family->series_limit : metrics->opts.series_per_family;
    /* The counter of refused calls has at most one series per family and reason. */
    if (request->name != dropped_family && family->cell_count >= limit) {
        return refuse(refusal, KOA_DROP_LIMIT,
                      "the metric '%s' has reached its limit of %zu series", request->name, limit);
    }
    if (request->name != dropped_family && metrics->index.count >= metrics->opts.series) {
        return refuse(refusal, KOA_DROP_LIMIT,
                      "no new series of '%s': the limit of %zu series in all is reached",
                      request->name, metrics->opts.series);
    }
    if (koa_cell_index_reserve(&metrics->index) && reserve_cells(family)) {
        cell = koa_cell_create(&request->key, request->hash, request->type, family->bounds,
                               family->bound_count);
    }
    if (cell == NULL)
        return refuse(refusal, KOA_DROP_MEMORY, "no memory for a series of '%s'", request->name);
    cell->family = family;
    family->cells[family->cell_count++] = cell;
    metrics->cell_bytes += (int64_t) koa_cell_bytes(cell);
    koa_cell_index_add(&metrics->index, cell);
    atomic_store(&metrics->stats.used, (int64_t) metrics->index.count);
    return cell;
}

static struct koa_cell *find(struct koa_metrics *metrics, const struct request *request)
{
    return koa_cell_index_find(&metrics->index, request->hash, request->key.data,
                               request->key.size);
}

/* Adds one to kafka_ops_series_dropped_total. What the counter itself is refused shows in the
 * stats alone. */
static void count_drop_locked(struct koa_metrics *metrics, struct koa_metric_family *family,
                              enum koa_drop reason)
{
    static const char *const reasons[KOA_DROP_COUNT] = {"name", "type", "label", "limit", "memory"};
    /* A family that does not exist has a name from outside: it must not make series without end. */
    const char *name = family != NULL ? family->view->name.data : "unregistered";
    const struct koa_labels *labels = KOA_LABELS({"family", name}, {"reason", reasons[reason]});
    struct request request = {.name = dropped_family, .type = KOA_COUNTER};
    struct refusal ignored = {0};
    struct koa_cell *cell = NULL;

    atomic_fetch_add(&metrics->stats.dropped, 1);
    if (koa_series_key_init(&request.key, dropped_family, labels) == KOA_OK) {
        request.hash = koa_series_key_hash(&request.key);
        cell = find(metrics, &request);
        if (cell == NULL)
            cell = make_cell_locked(metrics, &request, &ignored);
    }
    koa_counter_add((struct koa_counter){cell}, 1);
    koa_series_key_deinit(&request.key);
}

static void note_refusal_locked(struct koa_metrics *metrics, const char *name,
                                struct refusal *refusal)
{
    struct koa_metric_family *family = koa_map_find_text(metrics->families, name);
    bool *is_logged =
        family != NULL ? &family->is_logged[refusal->reason] : &metrics->is_logged[refusal->reason];

    refusal->is_new = !*is_logged;
    *is_logged = true;
    count_drop_locked(metrics, family, refusal->reason);
}

/* The slow path: the series is new, or will be refused. */
static struct koa_cell *make_cell(struct koa_metrics *metrics, const struct request *request,
                                  enum koa_err key_err)
{
    struct refusal refusal = {0};
    struct koa_cell *cell = NULL;

    pthread_mutex_lock(&metrics->mutex);
    if (key_err == KOA_ERR_NOMEM) {
        refuse(&refusal, KOA_DROP_MEMORY, "no memory for a series of '%s'", request->name);
    } else if (key_err != KOA_OK) {
        refuse(&refusal, KOA_DROP_LABEL, "a series of '%s' has a label without name, or over %d",
               request->name, KOA_METRIC_LABELS_LIMIT);
    } else if (!koa_metric_name_valid(request->name)) {
        refuse(&refusal, KOA_DROP_NAME, "'%.*s' is no metric name", KOA_METRIC_NAME_LIMIT,
               request->name);
    } else {
        cell = find(metrics, request);
    }
    /* The key leaves the type out: a series of another type is refused by its family. */
    if (refusal.error.text[0] == '\0' && (cell == NULL || cell->type != request->type))
        cell = make_cell_locked(metrics, request, &refusal);
    if (cell == NULL)
        note_refusal_locked(metrics, request->name, &refusal);
    pthread_mutex_unlock(&metrics->mutex);
    if (cell == NULL && refusal.is_new) {
        koa_log_warn(metrics->opts.log, "metrics.dropped",
                     "%s; it is dropped and counted, further ones without a line",
                     refusal.error.text);
    }
    return cell;
}

struct koa_cell *koa_metrics_cell(struct koa_metrics *metrics, const char *name,
                                  enum koa_metric_type type, const struct koa_labels *labels)
{
    struct request request;
    struct koa_cell *cell = NULL;
    enum koa_err err;

    if (metrics == NULL || name == NULL)
        return NULL;
    request.name = name;
    request.type = type;
    err = koa_series_key_init(&request.key, name, labels);
    if (err == KOA_OK) {
        request.hash = koa_series_key_hash(&request.key);
        cell = find(metrics, &request);
    }
    if (cell == NULL || cell->type != type)
        cell = make_cell(metrics, &request, err);
    koa_series_key_deinit(&request.key);
    return cell;
}

static int compare_cells(const void *a, const void *b)
{
    const struct koa_cell *left = *(struct koa_cell *const *) a;
    const struct koa_cell *right = *(struct koa_cell *const *) b;

    return koa_str_compare((struct koa_str){left->key, left->key_size},
                           (struct koa_str){right->key, right->key_size});
}

bool koa_family_sort_locked(struct koa_metric_family *family)
{
    size_t old = family->sorted_count;
    size_t count = family->cell_count - old;
    size_t end = family->cell_count;
    struct koa_cell **added;

    if (count == 0)
        return true;
    added = koa_calloc(count, sizeof(struct koa_cell *));
    if (added == NULL)
        return false;
    memcpy(added, family->cells + old, count * sizeof(struct koa_cell *));
    qsort(added, count, sizeof(struct koa_cell *), compare_cells);
    /* From the back, so that nothing is overwritten before it is moved. */
    while (count > 0) {
        if (old > 0 && compare_cells(&family->cells[old - 1], &added[count - 1]) > 0) {
            family->cells[--end] = family->cells[--old];
        } else {
            family->cells[--end] = added[--count];
        }
    }
    family->sorted_count = family->cell_count;
    koa_free(added);
    return true;
}

void koa_metrics_update_series(struct koa_metrics *metrics)
{
    for (size_t i = 0;; i++) {
        const char *name = NULL;
        size_t count = 0;

        pthread_mutex_lock(&metrics->mutex);
        if (i < metrics->family_count) {
            name = metrics->sorted[i]->view->name.data;
            count = metrics->sorted[i]->cell_count;
        }
        pthread_mutex_unlock(&metrics->mutex);
        if (name == NULL)
            break;
        if (count > 0) {
            koa_metrics_set(metrics, "kafka_ops_series", (double) count,
                            KOA_LABELS({"family", name}));
        }
    }
}

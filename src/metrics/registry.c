/* Decides which families and series exist: names, types, limits, and what is refused. Values are
 * changed by instruments.c and walked by registry_source.c. */
#include "metrics/registry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/family.h"

enum {
    DEFAULT_SERIES_PER_FAMILY = 1000000,
    DEFAULT_FAMILIES = 10000,
    DEFAULT_SERIES = 2000000,
    FAMILY_BYTES = 4096, /* name, help, bounds, and help once more when it is said later */
};

const double koa_default_bounds[] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
const size_t koa_default_bound_count = KOA_ARRAY_COUNT(koa_default_bounds);

const char *koa_metric_type_name(enum koa_metric_type type)
{
    static const char *const names[KOA_METRIC_TYPE_COUNT] = {"counter", "gauge", "histogram",
                                                             "timer"};

    return names[type];
}

enum koa_err koa_metrics_create(const struct koa_metrics_opts *opts,
                                struct koa_metrics **ret_metrics, struct koa_error *reterr)
{
    struct koa_metrics *metrics = koa_calloc(1, sizeof(*metrics));
    enum koa_err err = koa_require_memory(metrics, reterr);

    if (err != KOA_OK)
        return err;
    metrics->opts = *opts;
    if (metrics->opts.series_per_family == 0)
        metrics->opts.series_per_family = DEFAULT_SERIES_PER_FAMILY;
    if (metrics->opts.families == 0)
        metrics->opts.families = DEFAULT_FAMILIES;
    if (metrics->opts.series == 0)
        metrics->opts.series = DEFAULT_SERIES;
    metrics->stats.name = "metrics_series";
    metrics->stats.limit = (int64_t) metrics->opts.series;
    pthread_mutex_init(&metrics->mutex, NULL);
    metrics->families = koa_map_create(metrics->opts.families);
    metrics->claims = koa_map_create(metrics->opts.families * KOA_CLAIMS_LIMIT);
    metrics->arena = koa_arena_create(metrics->opts.families * FAMILY_BYTES);
    koa_registry_source_init(metrics);
    if (metrics->families == NULL || metrics->claims == NULL || metrics->arena == NULL) {
        koa_metrics_destroy(metrics);
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the metrics registry");
    }
    *ret_metrics = metrics;
    return KOA_OK;
}

void koa_metrics_destroy(struct koa_metrics *metrics)
{
    if (metrics == NULL)
        return;
    for (size_t i = 0; i < metrics->family_count; i++)
        koa_free(metrics->sorted[i]->cells);
    koa_free(metrics->sorted);
    koa_cell_index_deinit(&metrics->index);
    koa_map_destroy(metrics->families, NULL);
    koa_map_destroy(metrics->claims, NULL);
    koa_arena_destroy(metrics->arena);
    pthread_mutex_destroy(&metrics->mutex);
    koa_free(metrics);
}

void koa_metrics_set_series_limit(struct koa_metrics *metrics, size_t series_per_family)
{
    pthread_mutex_lock(&metrics->mutex);
    metrics->opts.series_per_family =
        series_per_family > 0 ? series_per_family : DEFAULT_SERIES_PER_FAMILY;
    pthread_mutex_unlock(&metrics->mutex);
}

struct koa_limit_stats *koa_metrics_stats(struct koa_metrics *metrics)
{
    return &metrics->stats;
}

int64_t koa_metrics_memory(struct koa_metrics *metrics)
{
    int64_t bytes;

    pthread_mutex_lock(&metrics->mutex);
    bytes = metrics->cell_bytes + (int64_t) koa_arena_held(metrics->arena);
    pthread_mutex_unlock(&metrics->mutex);
    return bytes;
}

/* Families. */

size_t koa_family_claims(const char *name, enum koa_metric_type type,
                         char claims[KOA_CLAIMS_LIMIT][KOA_CLAIM_SIZE])
{
    static const char *const suffixes[] = {"", "_bucket", "_count", "_sum"};
    const char *middle = type == KOA_TIMER ? "_seconds" : "";
    size_t count = 0;
    size_t size = strlen(name);

    snprintf(claims[count++], KOA_CLAIM_SIZE, "%s", name);
    if (type == KOA_GAUGE)
        return count;
    if (type == KOA_COUNTER) {
        /* OpenMetrics names the family without _total and the sample with it. */
        if (size > 6 && strcmp(name + size - 6, "_total") == 0) {
            (void) koa_str_copy(claims[count++], KOA_CLAIM_SIZE, (struct koa_str){name, size - 6});
        } else {
            snprintf(claims[count++], KOA_CLAIM_SIZE, "%s_total", name);
        }
        return count;
    }
    for (size_t i = type == KOA_TIMER ? 0 : 1; i < KOA_ARRAY_COUNT(suffixes); i++)
        snprintf(claims[count++], KOA_CLAIM_SIZE, "%s%s%s", name, middle, suffixes[i]);
    return count;
}

/* Takes the names that the family will be exported under, all or none. */
static enum koa_err claim_names(struct koa_metrics *metrics, const char *name,
                                enum koa_metric_type type, struct koa_metric_family *family,
                                struct koa_error *reterr)
{
    char claims[KOA_CLAIMS_LIMIT][KOA_CLAIM_SIZE];
    size_t count = koa_family_claims(name, type, claims);
    enum koa_err err = KOA_OK;
    size_t taken = 0;

    for (size_t i = 0; i < count; i++) {
        const struct koa_metric_family *other = koa_map_find_text(metrics->claims, claims[i]);

        if (other != NULL && other->is_reserved) {
            return koa_fail(reterr, KOA_ERR_EXISTS,
                            "the %s '%s' would be exported as '%s', which the agent exports itself",
                            koa_metric_type_name(type), name, claims[i]);
        }
        if (other != NULL) {
            return koa_fail(reterr, KOA_ERR_EXISTS,
                            "the %s '%s' would be exported as '%s', which the %s '%s' is already",
                            koa_metric_type_name(type), name, claims[i],
                            koa_metric_type_name(other->view->type), other->view->name.data);
        }
    }
    for (; taken < count && err == KOA_OK; taken++)
        err = koa_map_put(metrics->claims, koa_str_from(claims[taken]), family, NULL);
    if (err == KOA_OK)
        return KOA_OK;
    while (taken-- > 0)
        (void) koa_map_remove(metrics->claims, koa_str_from(claims[taken]));
    return koa_fail(reterr, err, "no room for the names of the %s '%s'", koa_metric_type_name(type),
                    name);
}

static const struct koa_family_view *make_view(struct koa_metrics *metrics,
                                               const struct koa_family *family)
{
    struct koa_family_view *view = koa_arena_alloc(metrics->arena, 1, sizeof(*view));
    const char *name = koa_arena_strdup(metrics->arena, family->name);
    const char *help = koa_arena_strdup(metrics->arena, family->help != NULL ? family->help : "");
    const char *unit = koa_arena_strdup(metrics->arena, family->unit != NULL ? family->unit : "");

    if (view == NULL || name == NULL || help == NULL || unit == NULL)
        return NULL;
    *view = (struct koa_family_view){.name = koa_str_from(name),
                                     .help = koa_str_from(help),
                                     .unit = koa_str_from(unit),
                                     .type = family->type};
    return view;
}

static bool copy_bounds(struct koa_metrics *metrics, const struct koa_family *known,
                        struct koa_metric_family *family)
{
    const double *bounds = known->bounds != NULL ? known->bounds : koa_default_bounds;
    size_t count = known->bounds != NULL ? known->bound_count : koa_default_bound_count;

    if (known->type != KOA_HISTOGRAM && known->type != KOA_TIMER)
        return true;
    family->bounds = koa_arena_alloc(metrics->arena, count, sizeof(double));
    if (family->bounds == NULL)
        return false;
    memcpy(family->bounds, bounds, count * sizeof(double));
    family->bound_count = count;
    return true;
}

static bool insert_sorted(struct koa_metrics *metrics, struct koa_metric_family *family)
{
    size_t at = metrics->family_count;

    if (at == metrics->family_capacity) {
        size_t capacity = at > 0 ? at * 2 : 64;
        struct koa_metric_family **rows =
            koa_realloc_array(metrics->sorted, capacity, sizeof(struct koa_metric_family *));

        if (rows == NULL)
            return false;
        metrics->sorted = rows;
        metrics->family_capacity = capacity;
    }
    for (; at > 0 && koa_str_compare(family->view->name, metrics->sorted[at - 1]->view->name) < 0;
         at--)
        metrics->sorted[at] = metrics->sorted[at - 1];
    metrics->sorted[at] = family;
    metrics->family_count++;
    return true;
}

enum koa_err koa_family_add_locked(struct koa_metrics *metrics, const struct koa_family *known,
                                   struct koa_metric_family **ret_family, struct koa_error *reterr)
{
    struct koa_metric_family *family;
    enum koa_err err;

    if (metrics->family_count >= metrics->opts.families) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "no room for '%s': %zu metric families exist",
                        known->name, metrics->family_count);
    }
    family = koa_arena_alloc(metrics->arena, 1, sizeof(*family));
    if (family != NULL)
        family->view = make_view(metrics, known);
    if (family == NULL || family->view == NULL || !copy_bounds(metrics, known, family))
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the metric '%s'", known->name);
    family->series_limit = known->series_limit;
    err = claim_names(metrics, known->name, known->type, family, reterr);
    if (err != KOA_OK)
        return err;
    if (koa_map_put(metrics->families, family->view->name, family, NULL) != KOA_OK ||
        !insert_sorted(metrics, family)) {
        char claims[KOA_CLAIMS_LIMIT][KOA_CLAIM_SIZE];
        size_t count = koa_family_claims(known->name, known->type, claims);

        (void) koa_map_remove(metrics->families, family->view->name);
        for (size_t i = 0; i < count; i++)
            (void) koa_map_remove(metrics->claims, koa_str_from(claims[i]));
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the metric '%s'", known->name);
    }
    *ret_family = family;
    return KOA_OK;
}

static enum koa_err check_family(const struct koa_family *family, struct koa_error *reterr)
{
    if (!koa_metric_name_valid(family->name)) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "'%.*s' is no metric name: letters, digits, _ and :, not a digit first, at "
                        "most %d bytes",
                        KOA_METRIC_NAME_LIMIT, family->name != NULL ? family->name : "",
                        KOA_METRIC_NAME_LIMIT);
    }
    if ((int) family->type < 0 || family->type >= KOA_METRIC_TYPE_COUNT) {
        return koa_fail(reterr, KOA_ERR_INVALID, "metric '%s' has the unknown type %d",
                        family->name, (int) family->type);
    }
    if (family->help != NULL && strlen(family->help) > KOA_METRIC_HELP_LIMIT) {
        return koa_fail(reterr, KOA_ERR_RANGE, "the help of metric '%s' is longer than %d bytes",
                        family->name, KOA_METRIC_HELP_LIMIT);
    }
    if (family->unit != NULL && family->unit[0] != '\0' &&
        !koa_label_name_valid(koa_str_from(family->unit))) {
        return koa_fail(reterr, KOA_ERR_INVALID, "metric '%s': '%.*s' is no unit", family->name,
                        KOA_METRIC_NAME_LIMIT, family->unit);
    }
    if (family->bounds == NULL)
        return KOA_OK;
    if (family->bound_count < 1 || family->bound_count > KOA_METRIC_BOUNDS_LIMIT) {
        return koa_fail(reterr, KOA_ERR_RANGE, "metric '%s' has %zu bounds, allowed are 1 to %d",
                        family->name, family->bound_count, KOA_METRIC_BOUNDS_LIMIT);
    }
    for (size_t i = 0; i < family->bound_count; i++) {
        if (!isfinite(family->bounds[i]) ||
            (i > 0 && !(family->bounds[i] > family->bounds[i - 1]))) {
            return koa_fail(reterr, KOA_ERR_INVALID,
                            "the bounds of metric '%s' must be finite and rise (number %zu: %g)",
                            family->name, i + 1, family->bounds[i]);
        }
    }
    return KOA_OK;
}

static bool same_bounds(const struct koa_metric_family *family, const struct koa_family *known)
{
    const double *bounds = known->bounds != NULL ? known->bounds : koa_default_bounds;
    size_t count = known->bounds != NULL ? known->bound_count : koa_default_bound_count;

    if (known->type != KOA_HISTOGRAM && known->type != KOA_TIMER)
        return true;
    return count == family->bound_count &&
           memcmp(bounds, family->bounds, count * sizeof(double)) == 0;
}

/* A second registration: the same, or more about a family that its first use made. */
static enum koa_err register_again(struct koa_metrics *metrics, struct koa_metric_family *family,
                                   const struct koa_family *known, struct koa_error *reterr)
{
    const struct koa_family_view *view = family->view;

    if (family->is_reserved) {
        return koa_fail(reterr, KOA_ERR_EXISTS, "'%s' is a name that the agent exports itself",
                        known->name);
    }
    if (view->type != known->type || !same_bounds(family, known) ||
        (!family->is_implicit &&
         (!koa_str_equal_text(view->help, known->help != NULL ? known->help : "") ||
          !koa_str_equal_text(view->unit, known->unit != NULL ? known->unit : "")))) {
        return koa_fail(reterr, KOA_ERR_EXISTS,
                        "the metric '%s' is registered as %s '%s' with %zu bounds, cannot be %s "
                        "'%s' with %zu bounds",
                        known->name, koa_metric_type_name(view->type), view->help.data,
                        family->bound_count, koa_metric_type_name(known->type),
                        known->help != NULL ? known->help : "", known->bound_count);
    }
    if (!family->is_implicit)
        return KOA_OK;
    view = make_view(metrics, known);
    if (view == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the metric '%s'", known->name);
    family->view = view;
    family->is_implicit = false;
    if (known->series_limit > 0)
        family->series_limit = known->series_limit;
    return KOA_OK;
}

enum koa_err koa_metrics_register(struct koa_metrics *metrics, const struct koa_family *family,
                                  struct koa_error *reterr)
{
    struct koa_family known = {0};
    struct koa_metric_family *existing;
    enum koa_err err;

    if (metrics == NULL || family == NULL || family->struct_size < sizeof(size_t))
        return koa_fail(reterr, KOA_ERR_INVALID, "no registry, or no family with its struct_size");
    memcpy(&known, family,
           family->struct_size < sizeof(known) ? family->struct_size : sizeof(known));
    err = check_family(&known, reterr);
    if (err != KOA_OK)
        return err;
    pthread_mutex_lock(&metrics->mutex);
    existing = koa_map_find_text(metrics->families, known.name);
    if (existing != NULL) {
        err = register_again(metrics, existing, &known, reterr);
    } else {
        err = koa_family_add_locked(metrics, &known, &existing, reterr);
    }
    pthread_mutex_unlock(&metrics->mutex);
    return err;
}

enum koa_err koa_metrics_reserve(struct koa_metrics *metrics, const char *name,
                                 struct koa_error *reterr)
{
    struct koa_family known = {.name = name, .type = KOA_GAUGE};
    struct koa_metric_family *family;
    enum koa_err err = check_family(&known, reterr);

    if (err != KOA_OK)
        return err;
    pthread_mutex_lock(&metrics->mutex);
    family = koa_map_find_text(metrics->families, name);
    if (family == NULL) {
        err = koa_family_add_locked(metrics, &known, &family, reterr);
    } else if (!family->is_reserved) {
        err = koa_fail(reterr, KOA_ERR_EXISTS, "the metric '%s' is in use", name);
    }
    if (err == KOA_OK && family != NULL) /* the second follows; an analyser cannot see it */
        family->is_reserved = true;
    pthread_mutex_unlock(&metrics->mutex);
    return err;
}

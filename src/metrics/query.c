/* Walks only what may hold the answer: a source that can seek is asked for the few families that a
 * name may stand for, another is walked until the family has passed. */
#include "metrics/query.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/pattern.h"
#include "metrics/registry.h"
#include "metrics/series_key.h"

enum part { PART_COUNT, PART_SUM };

/* A family that the name may stand for. */
struct candidate {
    struct koa_str family;
    bool is_scalar; /* else only a histogram or timer */
    bool is_timer;  /* the name had _seconds at its end */
    enum part part;
};

enum { CANDIDATES_LIMIT = 5 }; /* the name, with and without _seconds, twice */

struct search {
    struct candidate candidates[CANDIDATES_LIMIT];
    size_t candidate_count;
    koa_query_fn *each;
    void *context;
    size_t found;
    bool failed;
};

static bool take_suffix(struct koa_str *name, struct koa_str suffix)
{
    if (name->size <= suffix.size ||
        memcmp(name->data + name->size - suffix.size, suffix.data, suffix.size) != 0)
        return false;
    name->size -= suffix.size;
    return true;
}

static void add_candidate(struct search *search, struct candidate candidate)
{
    search->candidates[search->candidate_count++] = candidate;
}

static void add_histogram(struct search *search, struct koa_str name, enum part part)
{
    struct koa_str timer = name;

    add_candidate(search, (struct candidate){.family = name, .part = part});
    if (take_suffix(&timer, KOA_STR("_seconds")))
        add_candidate(search, (struct candidate){.family = timer, .part = part, .is_timer = true});
}

static void start_search(struct search *search, const char *name)
{
    struct koa_str whole = koa_str_from(name);
    struct koa_str base = whole;

    add_candidate(search, (struct candidate){.family = whole, .is_scalar = true});
    add_histogram(search, whole, PART_COUNT);
    if (take_suffix(&base, KOA_STR("_count"))) {
        add_histogram(search, base, PART_COUNT);
    } else if (take_suffix(&base, KOA_STR("_sum"))) {
        add_histogram(search, base, PART_SUM);
    }
}

/* NULL when the family is none of those asked for. */
static const struct candidate *find_candidate(const struct search *search,
                                              const struct koa_family_view *family)
{
    bool is_scalar = family->type == KOA_COUNTER || family->type == KOA_GAUGE;

    for (size_t i = 0; i < search->candidate_count; i++) {
        const struct candidate *candidate = &search->candidates[i];

        if (candidate->is_scalar == is_scalar &&
            (!candidate->is_timer || family->type == KOA_TIMER) &&
            koa_str_equal(candidate->family, family->name))
            return candidate;
    }
    return NULL;
}

static double value_of(const struct koa_sample *sample, enum part part)
{
    if (sample->histogram == NULL)
        return sample->value;
    return part == PART_SUM ? sample->histogram->sum : (double) sample->histogram->count;
}

/* Reads on until the first family that was asked for has passed. */
static void read_on(struct search *search, const struct koa_metrics_source *source,
                    struct koa_metrics_cursor *cursor, bool has_sought)
{
    const struct koa_family_view *family = NULL;
    const struct candidate *candidate = NULL;
    struct koa_batch batch;

    while (source->next(source, cursor, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            const struct koa_sample *sample = &batch.samples[i];

            if (sample->family != family) {
                if (candidate != NULL || (family != NULL && has_sought))
                    return;
                family = sample->family;
                candidate = find_candidate(search, family);
            }
            if (candidate == NULL)
                continue;
            search->found++;
            search->each(search->context, sample, value_of(sample, candidate->part));
        }
    }
}

static void search_source(struct search *search, const struct koa_metrics_source *source)
{
    size_t tries = source->seek != NULL ? search->candidate_count : 1;

    for (size_t i = 0; i < tries; i++) {
        struct koa_metrics_cursor cursor = {0};
        size_t before = search->found;

        /* The first two are the same family. */
        if (i == 1)
            continue;
        source->begin(source, &cursor);
        if (source->seek == NULL) {
            read_on(search, source, &cursor, false);
        } else if (source->seek(source, &cursor, search->candidates[i].family)) {
            read_on(search, source, &cursor, true);
        }
        search->failed = search->failed || cursor.failed;
        source->end(source, &cursor);
        if (search->found > before)
            return;
    }
}

enum koa_err koa_query_each(const struct koa_metrics_sources *sources, const char *name,
                            koa_query_fn *each, void *context, size_t *ret_count)
{
    struct search search = {.each = each, .context = context};

    start_search(&search, name);
    for (size_t i = 0; i < sources->count; i++)
        search_source(&search, sources->rows[i]);
    *ret_count = search.found;
    return search.failed ? KOA_ERR_NOMEM : KOA_OK;
}

static struct koa_str label_value(const struct koa_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->label_count; i++) {
        if (koa_str_equal_text(sample->labels[i].name, name))
            return sample->labels[i].value;
    }
    return (struct koa_str){0};
}

struct get {
    const struct koa_labels *labels;
    bool is_found;
    double value;
};

static void compare(void *context, const struct koa_sample *sample, double value)
{
    struct get *get = context;
    size_t given = 0;

    for (size_t i = 0; get->labels != NULL && i < get->labels->count; i++) {
        const struct koa_label *label = &get->labels->rows[i];

        if (!koa_str_equal(label_value(sample, label->name), koa_str_from(label->value)))
            return;
        given += label->value != NULL && label->value[0] != '\0';
    }
    for (size_t i = 0; i < sample->label_count; i++)
        given -= sample->labels[i].value.size > 0;
    if (given != 0)
        return;
    get->is_found = true;
    get->value = value;
}

bool koa_query_get(const struct koa_metrics_sources *sources, const char *name,
                   const struct koa_labels *labels, double *ret_value)
{
    struct get get = {.labels = labels};
    size_t count;

    if (koa_query_each(sources, name, compare, &get, &count) != KOA_OK || !get.is_found)
        return false;
    *ret_value = get.value;
    return true;
}

struct koa_query {
    char *name;
    char *labels[KOA_METRIC_LABELS_LIMIT];
    size_t count;
    struct koa_patterns *values;
};

static enum koa_err copy_matchers(struct koa_query *query, const struct koa_labels *match,
                                  struct koa_error *reterr)
{
    const char *values[KOA_METRIC_LABELS_LIMIT];
    size_t count = match != NULL ? match->count : 0;

    if (count > KOA_METRIC_LABELS_LIMIT) {
        return koa_fail(reterr, KOA_ERR_RANGE, "%zu label matchers, at most %d are allowed", count,
                        KOA_METRIC_LABELS_LIMIT);
    }
    for (; query->count < count; query->count++) {
        const struct koa_label *label = &match->rows[query->count];

        if (!koa_label_name_valid(koa_str_from(label->name))) {
            return koa_fail(reterr, KOA_ERR_INVALID, "'%.200s' is no label name",
                            label->name != NULL ? label->name : "");
        }
        values[query->count] = label->value != NULL ? label->value : "";
        query->labels[query->count] = koa_strdup(label->name);
        if (query->labels[query->count] == NULL)
            return koa_require_memory(NULL, reterr);
    }
    return koa_patterns_create(values, count, &query->values, reterr);
}

enum koa_err koa_query_create(const char *name, const struct koa_labels *match,
                              struct koa_query **ret_query, struct koa_error *reterr)
{
    struct koa_query *query;
    enum koa_err err;

    if (!koa_metric_name_valid(name)) {
        return koa_fail(reterr, KOA_ERR_INVALID, "'%.200s' is no metric name",
                        name != NULL ? name : "");
    }
    query = koa_calloc(1, sizeof(*query));
    err = koa_require_memory(query, reterr);
    if (err != KOA_OK)
        return err;
    query->name = koa_strdup(name);
    err = koa_require_memory(query->name, reterr);
    if (err == KOA_OK)
        err = copy_matchers(query, match, reterr);
    if (err == KOA_OK) {
        *ret_query = query;
    } else {
        koa_query_destroy(query);
    }
    return err;
}

void koa_query_destroy(struct koa_query *query)
{
    if (query == NULL)
        return;
    koa_free(query->name);
    for (size_t i = 0; i < query->count; i++)
        koa_free(query->labels[i]);
    koa_patterns_destroy(query->values);
    koa_free(query);
}

struct run {
    const struct koa_query *query;
    koa_query_fn *each;
    void *context;
    size_t count;
};

static void match_sample(void *context, const struct koa_sample *sample, double value)
{
    struct run *run = context;

    for (size_t i = 0; i < run->query->count; i++) {
        if (!koa_pattern_matches(run->query->values, i, label_value(sample, run->query->labels[i])))
            return;
    }
    run->count++;
    run->each(run->context, sample, value);
}

enum koa_err koa_query_run(const struct koa_query *query, const struct koa_metrics_sources *sources,
                           koa_query_fn *each, void *context, size_t *ret_count)
{
    struct run run = {.query = query, .each = each, .context = context};
    size_t all;
    enum koa_err err = koa_query_each(sources, query->name, match_sample, &run, &all);

    *ret_count = run.count;
    return err;
}

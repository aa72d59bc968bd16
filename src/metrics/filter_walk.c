/* Walks a source through a filter. Most families pass as they are. One that loses a label is
 * gathered whole first, because series that become equal need not stand side by side. */
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/str.h"
#include "metrics/filter_rules.h"

enum {
    BATCH_LIMIT = 1024 * 1024,       /* labels of one batch whose values are hashed */
    GATHER_LIMIT = 64 * 1024 * 1024, /* of one family that is gathered; series beyond it go */
    HASH_SIZE = 16,
};

/* What the rules say about the present family. */
struct verdict {
    bool is_excluded;
    const char *drop[KOA_FILTER_RULES_LIMIT];
    size_t drop_count;
    const char *hash[KOA_FILTER_RULES_LIMIT];
    size_t hash_count;
};

struct merged {
    const struct koa_label_view *labels;
    size_t label_count;
    double value;
    struct koa_histogram_view *histogram;
    uint64_t *buckets;
};

/* A family that is gathered. Two views take turns, so that one family's pointer is not the next
 * one's. */
struct gathering {
    struct koa_arena *arena;
    struct koa_map *map;
    struct koa_family_view views[2];
    size_t view;
    size_t position; /* of the map, while its rows are handed out */
    bool is_open;
};

/* Behind the cursor of a filtered source. */
struct walk {
    struct koa_metrics_cursor cursor;
    struct koa_batch rest; /* what the inner source has shown and nobody has looked at, from `at` */
    size_t at;
    bool is_done;
    const struct koa_family_view *family;
    struct verdict verdict;
    size_t shown; /* series of the family */
    struct koa_arena *arena;
    struct koa_buf key;
    struct gathering gathering;
};

static struct walk *walk_of(const struct koa_metrics_cursor *cursor)
{
    struct walk *walk;

    memcpy(&walk, cursor->state, sizeof(struct walk *));
    return walk;
}

static void destroy_walk(struct walk *walk)
{
    if (walk == NULL)
        return;
    koa_arena_destroy(walk->arena);
    koa_arena_destroy(walk->gathering.arena);
    koa_map_destroy(walk->gathering.map, NULL);
    koa_buf_deinit(&walk->key);
    koa_free(walk);
}

void koa_filter_begin(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    const struct koa_filter_context *context = source->context;
    struct walk *walk = koa_calloc(1, sizeof(*walk));

    memset(cursor, 0, sizeof(*cursor));
    if (walk != NULL)
        walk->arena = koa_arena_create(BATCH_LIMIT);
    if (walk == NULL || walk->arena == NULL) {
        destroy_walk(walk);
        cursor->failed = true;
        return;
    }
    walk->key.limit = BATCH_LIMIT;
    memcpy(cursor->state, &walk, sizeof(struct walk *));
    context->inner->begin(context->inner, &walk->cursor);
}

void koa_filter_end(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    const struct koa_filter_context *context = source->context;
    struct walk *walk = walk_of(cursor);

    if (walk == NULL)
        return;
    context->inner->end(context->inner, &walk->cursor);
    destroy_walk(walk);
    memset(cursor->state, 0, sizeof(struct walk *));
}

bool koa_filter_seek(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                     struct koa_str family)
{
    const struct koa_filter_context *context = source->context;
    struct walk *walk = walk_of(cursor);

    return walk != NULL && context->inner->seek(context->inner, &walk->cursor, family);
}

static size_t collect_labels(const struct koa_filter_labels *rules,
                             const struct koa_family_view *family,
                             const char *labels[KOA_FILTER_RULES_LIMIT])
{
    size_t count = 0;

    for (size_t i = 0; i < rules->count; i++) {
        if (koa_pattern_matches_family(rules->families, i, family))
            labels[count++] = rules->labels[i];
    }
    return count;
}

static void enter_family(const struct koa_metrics_filter *filter, struct walk *walk,
                         const struct koa_family_view *family)
{
    struct verdict *verdict = &walk->verdict;

    walk->family = family;
    walk->shown = 0;
    verdict->is_excluded = koa_patterns_match_family(filter->exclude, family);
    verdict->drop_count = collect_labels(&filter->drop, family, verdict->drop);
    verdict->hash_count = collect_labels(&filter->hash, family, verdict->hash);
}

static bool must_gather(const struct verdict *verdict)
{
    return verdict->drop_count > 0 && !verdict->is_excluded;
}

static bool is_listed(const char *const *labels, size_t count, struct koa_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (koa_str_equal_text(name, labels[i]))
            return true;
    }
    return false;
}

/* The sample's labels after the rules, in `arena`. NULL when it is full. */
static struct koa_label_view *apply_rules(const struct koa_metrics_filter *filter,
                                          const struct verdict *verdict,
                                          const struct koa_sample *sample, struct koa_arena *arena,
                                          size_t *ret_count)
{
    struct koa_label_view *labels =
        koa_arena_alloc(arena, sample->label_count, sizeof(struct koa_label_view));
    size_t count = 0;

    for (size_t i = 0; labels != NULL && i < sample->label_count; i++) {
        struct koa_label_view label = sample->labels[i];

        if (is_listed(verdict->drop, verdict->drop_count, label.name))
            continue;
        if (is_listed(verdict->hash, verdict->hash_count, label.name)) {
            uint64_t hash = koa_siphash(filter->hash_key, label.value.data, label.value.size);

            label.value.data = koa_arena_printf(arena, "%016llx", (unsigned long long) hash);
            label.value.size = HASH_SIZE;
            if (label.value.data == NULL)
                return NULL;
        }
        labels[count++] = label;
    }
    *ret_count = count;
    return labels;
}

/* Gathering. */

static struct koa_str copy_text(struct koa_arena *arena, struct koa_str text)
{
    return (struct koa_str){koa_arena_strndup(arena, text.data, text.size), text.size};
}

static bool start_gathering(struct walk *walk)
{
    struct gathering *gathering = &walk->gathering;
    struct koa_family_view *view;

    gathering->view = 1 - gathering->view;
    gathering->position = 0;
    koa_map_destroy(gathering->map, NULL);
    /* The arena is full long before the map. */
    gathering->map = koa_map_create(SIZE_MAX);
    if (gathering->arena == NULL) {
        gathering->arena = koa_arena_create(GATHER_LIMIT);
    } else {
        koa_arena_reset(gathering->arena);
    }
    if (gathering->map == NULL || gathering->arena == NULL)
        return false;
    view = &gathering->views[gathering->view];
    view->type = walk->family->type;
    view->name = copy_text(gathering->arena, walk->family->name);
    view->help = copy_text(gathering->arena, walk->family->help);
    view->unit = copy_text(gathering->arena, walk->family->unit);
    gathering->is_open = !koa_arena_failed(gathering->arena);
    return gathering->is_open;
}

static struct koa_str make_key(struct walk *walk, const struct koa_label_view *labels, size_t count)
{
    koa_buf_clear(&walk->key);
    for (size_t i = 0; i < count; i++) {
        koa_buf_append(&walk->key, &labels[i].name.size, sizeof(size_t));
        koa_buf_append(&walk->key, labels[i].name.data, labels[i].name.size);
        koa_buf_append(&walk->key, &labels[i].value.size, sizeof(size_t));
        koa_buf_append(&walk->key, labels[i].value.data, labels[i].value.size);
    }
    return (struct koa_str){koa_buf_text(&walk->key), walk->key.size};
}

static void add_histogram(struct merged *merged, const struct koa_histogram_view *added)
{
    struct koa_histogram_view *sum = merged->histogram;

    /* All series of a family have the same bounds; one that differs cannot be added up. */
    if (sum->bound_count != added->bound_count)
        return;
    for (size_t i = 0; i <= sum->bound_count; i++)
        merged->buckets[i] += added->buckets[i];
    if (added->count > 0 && (sum->count == 0 || added->minimum < sum->minimum))
        sum->minimum = added->minimum;
    if (added->count > 0 && (sum->count == 0 || added->maximum > sum->maximum))
        sum->maximum = added->maximum;
    sum->count += added->count;
    sum->sum += added->sum;
}

static void merge(struct merged *merged, const struct koa_sample *sample)
{
    if (sample->histogram != NULL && merged->histogram != NULL) {
        add_histogram(merged, sample->histogram);
    } else if (sample->family->type == KOA_COUNTER) {
        merged->value += sample->value;
    } else {
        merged->value = sample->value;
    }
}

/* NULL when the arena is full. */
static struct merged *make_merged(struct koa_arena *arena, const struct koa_sample *sample,
                                  const struct koa_label_view *labels, size_t label_count)
{
    const struct koa_histogram_view *histogram = sample->histogram;
    struct merged *merged = koa_arena_alloc(arena, 1, sizeof(*merged));
    struct koa_label_view *copies = koa_arena_alloc(arena, label_count, sizeof(*copies));
    double *bounds;

    if (merged == NULL || copies == NULL)
        return NULL;
    for (size_t i = 0; i < label_count; i++) {
        copies[i].name = copy_text(arena, labels[i].name);
        copies[i].value = copy_text(arena, labels[i].value);
    }
    merged->labels = copies;
    merged->label_count = label_count;
    merged->value = sample->value;
    if (histogram == NULL)
        return koa_arena_failed(arena) ? NULL : merged;
    merged->histogram = koa_arena_alloc(arena, 1, sizeof(*merged->histogram));
    merged->buckets = koa_arena_alloc(arena, histogram->bound_count + 1, sizeof(uint64_t));
    bounds = koa_arena_alloc(arena, histogram->bound_count, sizeof(double));
    if (koa_arena_failed(arena) || bounds == NULL || merged->histogram == NULL)
        return NULL;
    memcpy(bounds, histogram->bounds, histogram->bound_count * sizeof(double));
    memcpy(merged->buckets, histogram->buckets, (histogram->bound_count + 1) * sizeof(uint64_t));
    *merged->histogram = *histogram;
    merged->histogram->bounds = bounds;
    merged->histogram->buckets = merged->buckets;
    return merged;
}

static void note_drop(struct koa_metrics_filter *filter)
{
    atomic_fetch_add_explicit(&filter->stats.dropped, 1, memory_order_relaxed);
}

static bool is_over_limit(const struct koa_metrics_filter *filter, size_t count)
{
    return filter->series_per_family > 0 && count >= filter->series_per_family;
}

/* False when memory is out; a series over a limit is counted instead. */
static bool gather_sample(struct koa_metrics_filter *filter, struct walk *walk,
                          const struct koa_sample *sample)
{
    struct gathering *gathering = &walk->gathering;
    size_t label_count = 0;
    const struct koa_label_view *labels;
    struct merged *merged;
    struct koa_str key;

    koa_arena_reset(walk->arena);
    labels = apply_rules(filter, &walk->verdict, sample, walk->arena, &label_count);
    if (labels == NULL)
        return false;
    key = make_key(walk, labels, label_count);
    if (walk->key.failed)
        return false;
    merged = koa_map_find(gathering->map, key);
    if (merged != NULL) {
        merge(merged, sample);
        return true;
    }
    if (is_over_limit(filter, koa_map_count(gathering->map)) ||
        koa_arena_failed(gathering->arena)) {
        note_drop(filter);
        return true;
    }
    merged = make_merged(gathering->arena, sample, labels, label_count);
    if (merged == NULL) {
        note_drop(filter);
        return true;
    }
    return koa_map_put(gathering->map, key, merged, NULL) == KOA_OK;
}

static bool pull(const struct koa_metrics_source *inner, struct walk *walk, struct koa_batch *batch)
{
    batch->count = 0;
    if (!walk->is_done)
        walk->is_done = !inner->next(inner, &walk->cursor, batch);
    return !walk->is_done;
}

/* Takes the rest of the present family out of the inner source. */
static bool gather(const struct koa_filter_context *context, struct walk *walk)
{
    if (!start_gathering(walk))
        return false;
    for (;;) {
        while (walk->at < walk->rest.count) {
            if (walk->rest.samples[walk->at].family != walk->family)
                return true;
            if (!gather_sample(context->filter, walk, &walk->rest.samples[walk->at]))
                return false;
            walk->at++;
        }
        walk->at = 0;
        if (!pull(context->inner, walk, &walk->rest))
            return !walk->cursor.failed;
    }
}

static void hand_out(struct gathering *gathering, struct koa_batch *batch)
{
    void *value;

    while (batch->count < KOA_BATCH_SAMPLES) {
        struct merged *merged;

        if (!koa_map_next(gathering->map, &gathering->position, NULL, &value)) {
            gathering->is_open = false;
            return;
        }
        merged = value;
        batch->samples[batch->count++] =
            (struct koa_sample){.family = &gathering->views[gathering->view],
                                .labels = merged->labels,
                                .label_count = merged->label_count,
                                .value = merged->value,
                                .histogram = merged->histogram};
    }
}

/* The samples that the inner source shows next, into `batch`. False at the end. */
static bool take(const struct koa_filter_context *context, struct walk *walk,
                 struct koa_batch *batch)
{
    size_t count = walk->rest.count - walk->at;

    if (count == 0)
        return pull(context->inner, walk, batch);
    memcpy(batch->samples, &walk->rest.samples[walk->at], count * sizeof(batch->samples[0]));
    batch->count = count;
    walk->rest.count = walk->at = 0;
    return true;
}

/* The samples from `from` on are looked at again later. */
static void put_back(struct walk *walk, const struct koa_batch *batch, size_t from)
{
    walk->at = 0;
    walk->rest.count = batch->count - from;
    memcpy(walk->rest.samples, &batch->samples[from], walk->rest.count * sizeof(batch->samples[0]));
}

/* Whether the sample, of a family that keeps its labels, is shown. */
static bool admit(struct koa_metrics_filter *filter, struct walk *walk)
{
    if (walk->verdict.is_excluded)
        return false;
    if (is_over_limit(filter, walk->shown)) {
        note_drop(filter);
        return false;
    }
    walk->shown++;
    return true;
}

/* False when memory is out. */
static bool hash_labels(const struct koa_metrics_filter *filter, struct walk *walk,
                        struct koa_sample *sample)
{
    sample->labels = apply_rules(filter, &walk->verdict, sample, walk->arena, &sample->label_count);
    return sample->labels != NULL;
}

/* All samples are of the present family (its series come in one run), and it passes as it is. */
static bool passes_whole(const struct koa_metrics_filter *filter, struct walk *walk,
                         const struct koa_batch *batch)
{
    if (batch->samples[0].family != walk->family ||
        batch->samples[batch->count - 1].family != walk->family || walk->verdict.is_excluded ||
        walk->verdict.drop_count > 0 || walk->verdict.hash_count > 0 ||
        is_over_limit(filter, walk->shown + batch->count - 1))
        return false;
    walk->shown += batch->count;
    return true;
}

/* Applies the rules where the samples stand, up to a family that must be gathered: gathering it
 * invalidates what the batch shows. False when memory is out. */
static bool apply(struct koa_metrics_filter *filter, struct walk *walk, struct koa_batch *batch)
{
    size_t kept = 0;
    size_t i = 0;

    if (passes_whole(filter, walk, batch))
        return true;
    for (; i < batch->count; i++) {
        if (batch->samples[i].family != walk->family)
            enter_family(filter, walk, batch->samples[i].family);
        if (must_gather(&walk->verdict))
            break;
        if (!admit(filter, walk))
            continue;
        if (kept < i)
            batch->samples[kept] = batch->samples[i];
        if (walk->verdict.hash_count > 0 && !hash_labels(filter, walk, &batch->samples[kept]))
            return false;
        kept++;
    }
    if (i < batch->count)
        put_back(walk, batch, i);
    batch->count = kept;
    return true;
}

static bool fill(const struct koa_filter_context *context, struct walk *walk,
                 struct koa_batch *batch)
{
    while (batch->count == 0) {
        if (walk->gathering.is_open) {
            hand_out(&walk->gathering, batch);
            continue;
        }
        if (!take(context, walk, batch))
            return !walk->cursor.failed;
        if (!apply(context->filter, walk, batch))
            return false;
        if (batch->count == 0 && walk->rest.count > 0 && !gather(context, walk))
            return false;
    }
    return true;
}

bool koa_filter_next(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                     struct koa_batch *batch)
{
    const struct koa_filter_context *context = source->context;
    struct walk *walk = walk_of(cursor);

    batch->count = 0;
    if (walk == NULL || cursor->failed)
        return false;
    koa_arena_reset(walk->arena);
    if (!fill(context, walk, batch)) {
        cursor->failed = true;
        batch->count = 0;
    }
    return batch->count > 0;
}

/* Answers a rule's questions from the published board and the metrics sources. */
#include "alerts/view.h"

#include <string.h>

#include "alerts/identity.h"
#include "base/memory.h"
#include "base/str.h"

enum part { PART_VALUE, PART_COUNT, PART_SUM };

/* What is looked for, and whom to tell. */
struct search {
    struct koa_str name; /* as asked for */
    koa_view_sample_fn *sample;
    void *context;
    size_t found;
};

struct koa_wall koa_view_now(const struct koa_view *view)
{
    return view->now;
}

struct koa_mono koa_view_mono(const struct koa_view *view)
{
    return view->mono;
}

const struct koa_board *koa_view_board(const struct koa_view *view)
{
    return view->board;
}

const struct koa_metrics_sources *koa_view_sources(const struct koa_view *view)
{
    return view->sources;
}

bool koa_view_is_stale(const struct koa_view *view, const char *family, char *text, size_t size)
{
    return view->is_stale != NULL && view->is_stale(view->stale_context, family, text, size);
}

void koa_rule_memory_drop(struct koa_rule_memory *memory)
{
    if (memory->kept != NULL && memory->drop != NULL)
        memory->drop(memory->kept);
    *memory = (struct koa_rule_memory){0};
}

void *koa_view_kept(const struct koa_view *view)
{
    return view->memory != NULL ? view->memory->kept : NULL;
}

void koa_view_keep(const struct koa_view *view, void *kept, void (*drop)(void *kept))
{
    if (view->memory == NULL) {
        if (kept != NULL && drop != NULL)
            drop(kept);
        return;
    }
    if (view->memory->kept != kept)
        koa_rule_memory_drop(view->memory);
    *view->memory = (struct koa_rule_memory){.kept = kept, .drop = drop};
}

static bool take_suffix(struct koa_str *name, const char *suffix)
{
    size_t size = strlen(suffix);

    if (name->size <= size || memcmp(name->data + name->size - size, suffix, size) != 0)
        return false;
    name->size -= size;
    return true;
}

/* Whether the family is the one asked for, and which of its numbers. */
static bool family_matches(const struct koa_family_view *family, struct koa_str name,
                           enum part *ret_part)
{
    bool is_scalar = family->type == KOA_COUNTER || family->type == KOA_GAUGE;

    *ret_part = PART_VALUE;
    if (koa_str_equal(family->name, name))
        return true;
    if (is_scalar)
        return false;
    if (take_suffix(&name, "_count")) {
        *ret_part = PART_COUNT;
    } else if (take_suffix(&name, "_sum")) {
        *ret_part = PART_SUM;
    }
    if (koa_str_equal(family->name, name))
        return true;
    return family->type == KOA_TIMER && take_suffix(&name, "_seconds") &&
           koa_str_equal(family->name, name);
}

static double number_of(const struct koa_sample *sample, enum part part)
{
    if (sample->histogram == NULL)
        return sample->value;
    return part == PART_SUM ? sample->histogram->sum : (double) sample->histogram->count;
}

static void search_source(struct search *search, const struct koa_metrics_source *source)
{
    struct koa_metrics_cursor cursor = {0};
    struct koa_batch batch;
    enum part part;

    source->begin(source, &cursor);
    batch.count = 0;
    while (source->next(source, &cursor, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            const struct koa_sample *sample = &batch.samples[i];

            if (!family_matches(sample->family, search->name, &part))
                continue;
            search->found++;
            search->sample(search->context, sample, number_of(sample, part));
        }
    }
    source->end(source, &cursor);
}

size_t koa_view_each(const struct koa_view *view, const char *family, koa_view_sample_fn *sample,
                     void *context)
{
    struct search search = {.name = koa_str_from(family), .sample = sample, .context = context};

    for (size_t i = 0; view->sources != NULL && i < view->sources->count; i++)
        search_source(&search, view->sources->rows[i]);
    return search.found;
}

struct get {
    struct koa_labels labels;
    bool found;
    double value;
};

static void compare(void *context, const struct koa_sample *sample, double value)
{
    struct get *get = context;

    if (get->found || sample->label_count != get->labels.count)
        return;
    for (size_t i = 0; i < sample->label_count; i++) {
        if (!koa_str_equal_text(sample->labels[i].name, get->labels.rows[i].name) ||
            !koa_str_equal_text(sample->labels[i].value, get->labels.rows[i].value))
            return;
    }
    get->found = true;
    get->value = value;
}

bool koa_view_get(const struct koa_view *view, const char *name, const struct koa_labels *labels,
                  double *ret_value)
{
    struct koa_label rows[KOA_ALERT_LABELS_LIMIT];
    struct get get = {.labels.rows = rows};
    bool was_cut = false;

    get.labels.count = koa_labels_sort(labels, rows, &was_cut);
    if (was_cut)
        return false;
    (void) koa_view_each(view, name, compare, &get);
    if (get.found)
        *ret_value = get.value;
    return get.found;
}

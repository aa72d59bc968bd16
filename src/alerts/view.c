/* Answers a rule's questions from the published board and the metrics sources. */
#include "alerts/view.h"

#include "metrics/query.h"

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

size_t koa_view_each(const struct koa_view *view, const char *family, koa_view_sample_fn *sample,
                     void *context)
{
    size_t found = 0;

    if (view->sources != NULL &&
        koa_query_each(view->sources, family, sample, context, &found) != KOA_OK)
        return KOA_VIEW_INCOMPLETE;
    return found;
}

bool koa_view_get(const struct koa_view *view, const char *name, const struct koa_labels *labels,
                  double *ret_value)
{
    return view->sources != NULL && koa_query_get(view->sources, name, labels, ret_value);
}

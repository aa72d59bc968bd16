/* Compiles the rules of a filter and puts it around sources. */
#include "metrics/filter.h"

#include "base/memory.h"
#include "base/str.h"
#include "metrics/filter_rules.h"
#include "metrics/series_key.h"

static enum koa_err copy_rules(const struct koa_label_rule *rules, size_t count,
                               struct koa_filter_labels *ret_labels, struct koa_error *reterr)
{
    const char *families[KOA_FILTER_RULES_LIMIT];

    if (count > KOA_FILTER_RULES_LIMIT) {
        return koa_fail(reterr, KOA_ERR_RANGE, "%zu label rules, at most %d are allowed", count,
                        KOA_FILTER_RULES_LIMIT);
    }
    ret_labels->labels = koa_calloc(count > 0 ? count : 1, sizeof(char *));
    if (ret_labels->labels == NULL)
        return koa_require_memory(ret_labels->labels, reterr);
    for (size_t i = 0; i < count; i++) {
        if (!koa_label_name_valid(koa_str_from(rules[i].label)))
            return koa_fail(reterr, KOA_ERR_INVALID, "'%.200s' is no label name", rules[i].label);
        families[i] = rules[i].family;
        ret_labels->labels[i] = koa_strdup(rules[i].label);
        ret_labels->count++;
        if (ret_labels->labels[i] == NULL)
            return koa_require_memory(ret_labels->labels[i], reterr);
    }
    return koa_patterns_create(families, count, &ret_labels->families, reterr);
}

static void free_rules(struct koa_filter_labels *labels)
{
    koa_patterns_destroy(labels->families);
    for (size_t i = 0; i < labels->count; i++)
        koa_free(labels->labels[i]);
    koa_free(labels->labels);
}

enum koa_err koa_metrics_filter_create(const struct koa_metrics_filter_opts *opts,
                                       struct koa_metrics_filter **ret_filter,
                                       struct koa_error *reterr)
{
    struct koa_metrics_filter *filter = koa_calloc(1, sizeof(*filter));
    enum koa_err err = koa_require_memory(filter, reterr);

    if (err != KOA_OK)
        return err;
    filter->hash_key = opts->hash_key;
    filter->series_per_family = opts->series_per_family;
    filter->stats.name = "metrics_filter";
    filter->stats.limit = (int64_t) opts->series_per_family;
    err = koa_patterns_create(opts->exclude, opts->exclude_count, &filter->exclude, reterr);
    if (err == KOA_OK)
        err = copy_rules(opts->drop_labels, opts->drop_count, &filter->drop, reterr);
    if (err == KOA_OK)
        err = copy_rules(opts->hash_labels, opts->hash_count, &filter->hash, reterr);
    if (err == KOA_OK) {
        *ret_filter = filter;
    } else {
        koa_metrics_filter_destroy(filter);
    }
    return err;
}

void koa_metrics_filter_destroy(struct koa_metrics_filter *filter)
{
    if (filter == NULL)
        return;
    koa_patterns_destroy(filter->exclude);
    free_rules(&filter->drop);
    free_rules(&filter->hash);
    koa_free(filter);
}

struct koa_limit_stats *koa_metrics_filter_stats(struct koa_metrics_filter *filter)
{
    return &filter->stats;
}

enum koa_err koa_metrics_filter_wrap(struct koa_metrics_filter *filter,
                                     const struct koa_metrics_source *inner,
                                     struct koa_metrics_source **ret_source,
                                     struct koa_error *reterr)
{
    struct koa_filter_context *context = koa_calloc(1, sizeof(*context));

    if (context == NULL)
        return koa_require_memory(context, reterr);
    context->filter = filter;
    context->inner = inner;
    context->source =
        (struct koa_metrics_source){.name = inner->name,
                                    .context = context,
                                    .begin = koa_filter_begin,
                                    .next = koa_filter_next,
                                    .end = koa_filter_end,
                                    .seek = inner->seek != NULL ? koa_filter_seek : NULL};
    *ret_source = &context->source;
    return KOA_OK;
}

void koa_metrics_filter_unwrap(struct koa_metrics_source *source)
{
    if (source != NULL)
        koa_free(source->context);
}

/* Include and exclude as lists of patterns, always over the whole name. ".*" is known without a
 * look, because it is the default and there may be a million names. */
#include "cluster/name_filter.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/pattern.h"

struct list {
    struct koa_patterns *patterns; /* NULL: none */
    size_t count;
    bool has_all; /* one of them is ".*" */
};

struct koa_name_filter {
    struct list include, exclude;
};

static enum koa_err compile(struct list *list, const char *const *texts, size_t count,
                            const char *what, struct koa_error *reterr)
{
    struct koa_error reason;
    enum koa_err err;

    for (size_t i = 0; i < count; i++)
        list->has_all = list->has_all || strcmp(texts[i], ".*") == 0;
    list->count = count;
    err = koa_patterns_create(texts, count, &list->patterns, &reason);
    return err == KOA_OK ? KOA_OK : koa_fail(reterr, err, "filter of %s: %s", what, reason.text);
}

enum koa_err koa_name_filter_create(const struct koa_name_filter_opts *opts,
                                    struct koa_name_filter **ret_filter, struct koa_error *reterr)
{
    struct koa_name_filter *filter = koa_calloc(1, sizeof(*filter));
    enum koa_err err = koa_require_memory(filter, reterr);

    if (err == KOA_OK)
        err = compile(&filter->include, opts->include, opts->include_count, opts->what, reterr);
    if (err == KOA_OK)
        err = compile(&filter->exclude, opts->exclude, opts->exclude_count, opts->what, reterr);
    if (err == KOA_OK)
        *ret_filter = KOA_MOVE(filter);
    koa_name_filter_destroy(filter);
    return err;
}

void koa_name_filter_destroy(struct koa_name_filter *filter)
{
    if (filter == NULL)
        return;
    koa_patterns_destroy(filter->include.patterns);
    koa_patterns_destroy(filter->exclude.patterns);
    koa_free(filter);
}

static bool matches(const struct list *list, const char *name)
{
    if (list->has_all)
        return true;
    for (size_t i = 0; i < list->count; i++) {
        if (koa_pattern_matches(list->patterns, i, koa_str_from(name)))
            return true;
    }
    return false;
}

bool koa_name_filter_passes(const struct koa_name_filter *filter, const char *name)
{
    if (filter->include.count > 0 && !matches(&filter->include, name))
        return false;
    return !matches(&filter->exclude, name);
}

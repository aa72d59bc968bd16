/* Matching of names. POSIX extended expressions, always over the whole name. */
#include "cluster/name_filter.h"

#include <regex.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"

enum { EXPRESSION_LIMIT = 4096 };

struct expressions {
    regex_t *rows;
    size_t count;
    bool has_all; /* one of them is ".*" */
};

struct koa_name_filter {
    struct expressions include, exclude;
};

static void destroy_expressions(struct expressions *expressions)
{
    for (size_t i = 0; i < expressions->count; i++)
        regfree(&expressions->rows[i]);
    koa_free(expressions->rows);
}

static enum koa_err compile(struct expressions *expressions, const char *text, const char *what,
                            struct koa_error *reterr)
{
    struct koa_buf anchored = {.limit = EXPRESSION_LIMIT};
    enum koa_err err;
    int code;

    koa_buf_printf(&anchored, "^(%s)$", text);
    err = koa_buf_status(&anchored, "a regular expression for names", reterr);
    if (err == KOA_OK) {
        regex_t *row = &expressions->rows[expressions->count];

        code = regcomp(row, koa_buf_text(&anchored), REG_EXTENDED | REG_NOSUB);
        if (code == 0) {
            expressions->count++;
            expressions->has_all = expressions->has_all || strcmp(text, ".*") == 0;
        } else {
            char why[128] = "";

            (void) regerror(code, row, why, sizeof(why));
            err = koa_fail(reterr, KOA_ERR_INVALID, "'%s' is no regular expression for %s: %s",
                           text, what, why);
        }
    }
    koa_buf_deinit(&anchored);
    return err;
}

static enum koa_err compile_all(struct expressions *expressions, const char *const *texts,
                                size_t count, const char *what, struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    if (count == 0)
        return KOA_OK;
    expressions->rows = koa_calloc(count, sizeof(*expressions->rows));
    err = koa_require_memory(expressions->rows, reterr);
    for (size_t i = 0; i < count && err == KOA_OK; i++)
        err = compile(expressions, texts[i], what, reterr);
    return err;
}

enum koa_err koa_name_filter_create(const struct koa_name_filter_opts *opts,
                                    struct koa_name_filter **ret_filter, struct koa_error *reterr)
{
    struct koa_name_filter *filter = koa_calloc(1, sizeof(*filter));
    enum koa_err err = koa_require_memory(filter, reterr);

    if (err == KOA_OK)
        err = compile_all(&filter->include, opts->include, opts->include_count, opts->what, reterr);
    if (err == KOA_OK)
        err = compile_all(&filter->exclude, opts->exclude, opts->exclude_count, opts->what, reterr);
    if (err == KOA_OK)
        *ret_filter = KOA_MOVE(filter);
    koa_name_filter_destroy(filter);
    return err;
}

void koa_name_filter_destroy(struct koa_name_filter *filter)
{
    if (filter == NULL)
        return;
    destroy_expressions(&filter->include);
    destroy_expressions(&filter->exclude);
    koa_free(filter);
}

static bool matches(const struct expressions *expressions, const char *text)
{
    if (expressions->has_all)
        return true;
    for (size_t i = 0; i < expressions->count; i++) {
        if (regexec(&expressions->rows[i], text, 0, NULL, 0) == 0)
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

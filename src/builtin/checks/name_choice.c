/* Which names a check looks at. */
#include "builtin/checks/name_choice.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"

static bool is_everything(const struct koa_texts *texts)
{
    return texts->count == 0 || (texts->count == 1 && strcmp(texts->rows[0], ".*") == 0);
}

enum koa_err koa_name_choice_prepare(struct koa_name_choice *choice, struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    if (!is_everything(&choice->include)) {
        err = koa_patterns_create(choice->include.rows, choice->include.count,
                                  &choice->include_patterns, reterr);
    }
    if (err == KOA_OK && choice->exclude.count > 0) {
        err = koa_patterns_create(choice->exclude.rows, choice->exclude.count,
                                  &choice->exclude_patterns, reterr);
    }
    if (err != KOA_OK)
        koa_name_choice_release(choice);
    return err;
}

void koa_name_choice_release(struct koa_name_choice *choice)
{
    koa_patterns_destroy(KOA_MOVE(choice->include_patterns));
    koa_patterns_destroy(KOA_MOVE(choice->exclude_patterns));
}

bool koa_name_matches(const struct koa_patterns *patterns, size_t count, const char *name)
{
    struct koa_str text = koa_str_from(name);

    for (size_t i = 0; patterns != NULL && i < count; i++) {
        if (koa_pattern_matches(patterns, i, text))
            return true;
    }
    return false;
}

bool koa_name_choice_takes(const struct koa_name_choice *choice, const char *name)
{
    if (choice->include_patterns != NULL &&
        !koa_name_matches(choice->include_patterns, choice->include.count, name))
        return false;
    return !koa_name_matches(choice->exclude_patterns, choice->exclude.count, name);
}

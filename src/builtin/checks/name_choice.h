/* `include` and `exclude` of a check: anchored regular expressions over names. */
#ifndef BUILTIN_CHECKS_NAME_CHOICE_H
#define BUILTIN_CHECKS_NAME_CHOICE_H

#include <koa/error.h>
#include <koa/option.h>

#include "metrics/pattern.h"

struct koa_name_choice {
    struct koa_texts include, exclude;                        /* of the rows */
    struct koa_patterns *include_patterns, *exclude_patterns; /* of prepare */
};

/* The rows of a choice: first of a check's options, whose choice is `names`. `what` is the plural
 * of what has the names. */
#define KOA_NAME_CHOICE_OPTIONS(s, what)                                                           \
    {KOA_TEXTS(s, names.include), .key = "include", .fallback = "[\".*\"]",                        \
     .validate = koa_pattern_validate,                                                             \
     .help = what " that are looked at: anchored regular expressions"},                            \
    {                                                                                              \
        KOA_TEXTS(s, names.exclude), .key = "exclude", .validate = koa_pattern_validate,           \
                                     .help = what " that are not"                                  \
    }

/* KOA_ERR_INVALID names the expression; nothing is left to free then. */
KOA_MUST_USE enum koa_err koa_name_choice_prepare(struct koa_name_choice *choice,
                                                  struct koa_error *reterr);
void koa_name_choice_release(struct koa_name_choice *choice);
bool koa_name_choice_takes(const struct koa_name_choice *choice, const char *name);
/* Whether one of the first `count` of `patterns` (NULL: none) matches. */
bool koa_name_matches(const struct koa_patterns *patterns, size_t count, const char *name);

#endif

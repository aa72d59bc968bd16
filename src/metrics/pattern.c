/* A text without special characters is compared, which is most of them; the rest is the C library's
 * regular expressions. */
#include "metrics/pattern.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/registry.h"

struct pattern {
    char *text; /* NULL: `regex` */
    regex_t regex;
    bool has_regex;
};

struct koa_patterns {
    size_t count;
    struct pattern rows[];
};

/* Whether it has an escape of other dialects, such as \d, which the C library takes for the letter:
 * it would silently match nothing. Those that glibc knows are \w \W \s \S \b \B and digits. */
static bool has_foreign_escape(const char *text)
{
    bool is_in_brackets = false;

    for (; *text != '\0'; text++) {
        if (*text == '[' || *text == ']') {
            is_in_brackets = *text == '[';
        } else if (*text == '\\' && !is_in_brackets) {
            text++;
            if ((*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z')) {
                if (strchr("wWsSbB", *text) == NULL)
                    return true;
            } else if (*text == '\0') {
                return false; /* the C library refuses it */
            }
        }
    }
    return false;
}

static enum koa_err compile(struct pattern *pattern, const char *text, struct koa_error *reterr)
{
    char anchored[KOA_PATTERN_SIZE_LIMIT + 8];
    char reason[128];
    int result;

    if (strlen(text) > KOA_PATTERN_SIZE_LIMIT) {
        return koa_fail(reterr, KOA_ERR_RANGE, "the expression '%.40s...' is longer than %d bytes",
                        text, KOA_PATTERN_SIZE_LIMIT);
    }
    if (strpbrk(text, ".[]\\()*+?{}|^$") == NULL) {
        pattern->text = koa_strdup(text);
        return koa_require_memory(pattern->text, reterr);
    }
    if (has_foreign_escape(text)) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "'%s' has an escape that POSIX does not know, such as \\d: write [0-9]",
                        text);
    }
    (void) snprintf(anchored, sizeof(anchored), "^(%s)$", text);
    result = regcomp(&pattern->regex, anchored, REG_EXTENDED | REG_NOSUB);
    if (result == 0) {
        pattern->has_regex = true;
        return KOA_OK;
    }
    (void) regerror(result, &pattern->regex, reason, sizeof(reason));
    return koa_fail(reterr, result == REG_ESPACE ? KOA_ERR_NOMEM : KOA_ERR_INVALID,
                    "'%s' is neither a name nor a regular expression: %s", text, reason);
}

enum koa_err koa_patterns_create(const char *const *texts, size_t count,
                                 struct koa_patterns **ret_patterns, struct koa_error *reterr)
{
    struct koa_patterns *patterns;
    enum koa_err err = KOA_OK;

    if (count > KOA_PATTERNS_LIMIT) {
        return koa_fail(reterr, KOA_ERR_RANGE, "%zu expressions, at most %d are allowed", count,
                        KOA_PATTERNS_LIMIT);
    }
    patterns = koa_calloc(1, sizeof(*patterns) + count * sizeof(patterns->rows[0]));
    if (patterns == NULL)
        return koa_require_memory(patterns, reterr);
    for (; patterns->count < count && err == KOA_OK; patterns->count++)
        err = compile(&patterns->rows[patterns->count], texts[patterns->count], reterr);
    if (err == KOA_OK) {
        *ret_patterns = patterns;
    } else {
        koa_patterns_destroy(patterns);
    }
    return err;
}

const char *koa_pattern_validate(const char *value)
{
    struct koa_patterns *patterns = NULL;

    if (has_foreign_escape(value))
        return "a POSIX extended regular expression, which knows no \\d: [0-9] for it";
    if (koa_patterns_create(&value, 1, &patterns, NULL) != KOA_OK)
        return "a POSIX extended regular expression of at most 1024 bytes";
    koa_patterns_destroy(patterns);
    return NULL;
}

void koa_patterns_destroy(struct koa_patterns *patterns)
{
    if (patterns == NULL)
        return;
    for (size_t i = 0; i < patterns->count; i++) {
        koa_free(patterns->rows[i].text);
        if (patterns->rows[i].has_regex)
            regfree(&patterns->rows[i].regex);
    }
    koa_free(patterns);
}

bool koa_pattern_matches(const struct koa_patterns *patterns, size_t index, struct koa_str text)
{
    const struct pattern *pattern = &patterns->rows[index];
    regmatch_t range = {.rm_so = 0, .rm_eo = (regoff_t) text.size};

    if (!pattern->has_regex)
        return koa_str_equal_text(text, pattern->text);
    /* The range replaces the NUL that a view lacks. */
    return regexec(&pattern->regex, text.data != NULL ? text.data : "", 1, &range, REG_STARTEND) ==
           0;
}

bool koa_pattern_matches_family(const struct koa_patterns *patterns, size_t index,
                                const struct koa_family_view *family)
{
    char exported[KOA_METRIC_NAME_LIMIT + 16];
    int size;

    if (koa_pattern_matches(patterns, index, family->name))
        return true;
    if (family->type != KOA_TIMER || family->name.size > KOA_METRIC_NAME_LIMIT)
        return false;
    size = snprintf(exported, sizeof(exported), "%.*s_seconds", (int) family->name.size,
                    family->name.data);
    return koa_pattern_matches(patterns, index, (struct koa_str){exported, (size_t) size});
}

bool koa_patterns_match_family(const struct koa_patterns *patterns,
                               const struct koa_family_view *family)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (koa_pattern_matches_family(patterns, i, family))
            return true;
    }
    return false;
}

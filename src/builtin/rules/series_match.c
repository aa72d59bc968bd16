/* Compiled label matchers, and labels of samples as rules need them. */
#include "builtin/rules/series_match.h"

#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/str.h"

enum {
    EXPRESSION_LIMIT = 1024,
    VALUE_LIMIT = 1024 /* of a label that is matched; a longer one matches nothing */
};

struct matcher {
    const char *label; /* of the configuration */
    const char *text;  /* compared as it is; NULL: `regex` */
    regex_t regex;
    bool has_regex;
};

struct koa_series_match {
    size_t count;
    struct matcher rows[];
};

static bool is_plain(const char *expression)
{
    return strpbrk(expression, ".[]()*+?{}|^$\\") == NULL;
}

/* 0, or regcomp's error. */
static int compile(const char *expression, regex_t *ret_regex)
{
    struct koa_buf buf = {.limit = EXPRESSION_LIMIT + 8};
    int result = REG_ESPACE;

    koa_buf_printf(&buf, "^(%s)$", expression);
    if (!buf.failed)
        result = regcomp(ret_regex, koa_buf_text(&buf), REG_EXTENDED | REG_NOSUB);
    koa_buf_deinit(&buf);
    return result;
}

const char *koa_series_match_validate(const char *value)
{
    regex_t regex;

    if (strlen(value) > EXPRESSION_LIMIT)
        return "a regular expression of at most 1024 characters";
    if (is_plain(value))
        return NULL;
    if (compile(value, &regex) != 0)
        return "a regular expression (POSIX extended)";
    regfree(&regex);
    return NULL;
}

enum koa_err koa_series_match_create(const struct koa_pairs *pairs,
                                     struct koa_series_match **ret_match, struct koa_error *reterr)
{
    struct koa_series_match *match =
        koa_calloc(1, sizeof(*match) + pairs->count * sizeof(match->rows[0]));
    enum koa_err err = koa_require_memory(match, reterr);

    for (size_t i = 0; err == KOA_OK && i < pairs->count; i++) {
        struct matcher *row = &match->rows[match->count];
        int result = 0;

        row->label = pairs->rows[i].key;
        if (is_plain(pairs->rows[i].value)) {
            row->text = pairs->rows[i].value;
        } else {
            result = compile(pairs->rows[i].value, &row->regex);
        }
        row->has_regex = row->text == NULL && result == 0;
        match->count++;
        if (result != 0) {
            char reason[128];

            (void) regerror(result, &row->regex, reason, sizeof(reason));
            err =
                koa_fail(reterr, KOA_ERR_PARSE, "label '%s': '%.100s' is no regular expression: %s",
                         row->label, pairs->rows[i].value, reason);
        }
    }
    if (err == KOA_OK) {
        *ret_match = match;
    } else {
        koa_series_match_destroy(match);
    }
    return err;
}

void koa_series_match_destroy(struct koa_series_match *match)
{
    if (match == NULL)
        return;
    for (size_t i = 0; i < match->count; i++) {
        if (match->rows[i].has_regex)
            regfree(&match->rows[i].regex);
    }
    koa_free(match);
}

static struct koa_str find_label(const struct koa_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->label_count; i++) {
        if (koa_str_equal_text(sample->labels[i].name, name))
            return sample->labels[i].value;
    }
    return (struct koa_str){0};
}

static bool matches(const struct matcher *matcher, struct koa_str value)
{
    char text[VALUE_LIMIT + 1];

    if (matcher->text != NULL)
        return koa_str_equal_text(value, matcher->text);
    if (value.size > VALUE_LIMIT)
        return false;
    if (value.size > 0)
        memcpy(text, value.data, value.size);
    text[value.size] = '\0';
    return regexec(&matcher->regex, text, 0, NULL, 0) == 0;
}

bool koa_series_match_sample(const struct koa_series_match *match, const struct koa_sample *sample)
{
    for (size_t i = 0; i < match->count; i++) {
        if (!matches(&match->rows[i], find_label(sample, match->rows[i].label)))
            return false;
    }
    return true;
}

static const char *append(char **at, const char *end, struct koa_str text)
{
    char *copy = *at;

    if (text.size >= (size_t) (end - copy))
        return NULL;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *at += text.size + 1;
    return copy;
}

void koa_series_labels_copy(const struct koa_sample *sample, struct koa_series_labels *ret_labels)
{
    const char *end = ret_labels->text + sizeof(ret_labels->text);
    char *at = ret_labels->text;
    size_t count = 0;

    while (count < sample->label_count && count < KOA_SERIES_LABELS) {
        struct koa_label *row = &ret_labels->rows[count];

        row->name = append(&at, end, sample->labels[count].name);
        row->value = row->name != NULL ? append(&at, end, sample->labels[count].value) : NULL;
        if (row->value == NULL)
            break;
        count++;
    }
    ret_labels->labels = (struct koa_labels){.rows = ret_labels->rows, .count = count};
}

size_t koa_series_key(const struct koa_sample *sample, char *key, size_t size)
{
    const char *end = key + size;
    char *at = key;

    for (size_t i = 0; i < sample->label_count; i++) {
        if (append(&at, end, sample->labels[i].name) == NULL ||
            append(&at, end, sample->labels[i].value) == NULL)
            break;
    }
    return (size_t) (at - key);
}

/* Label matchers: a pattern for each, and labels of samples as rules need them. */
#include "builtin/rules/series_match.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "metrics/pattern.h"

struct koa_series_match {
    struct koa_pairs pairs;        /* rows are the configuration's */
    struct koa_patterns *patterns; /* of their values, in the same order */
};

enum koa_err koa_series_match_create(const struct koa_pairs *pairs,
                                     struct koa_series_match **ret_match, struct koa_error *reterr)
{
    struct koa_series_match *match = koa_calloc(1, sizeof(*match));
    const char **texts = koa_calloc(pairs->count + 1, sizeof(*texts));
    enum koa_err err = KOA_ERR_NOMEM;

    if (match == NULL || texts == NULL) {
        err = koa_require_memory(NULL, reterr);
    } else {
        for (size_t i = 0; i < pairs->count; i++)
            texts[i] = pairs->rows[i].value;
        match->pairs = *pairs;
        err = koa_patterns_create(texts, pairs->count, &match->patterns, reterr);
    }
    koa_free(texts);
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
    koa_patterns_destroy(match->patterns);
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

bool koa_series_match_sample(const struct koa_series_match *match, const struct koa_sample *sample)
{
    for (size_t i = 0; i < match->pairs.count; i++) {
        if (!koa_pattern_matches(match->patterns, i, find_label(sample, match->pairs.rows[i].key)))
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

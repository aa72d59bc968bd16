/* Compares two loaded structs row by row, so that a reload can leave alone what did not change.
 * Values are compared, not the text they were written as. */
#include <string.h>

#include "base/str.h"
#include "config/options.h"

static bool texts_equal(const struct koa_texts *a, const struct koa_texts *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!koa_text_equal(a->rows[i], b->rows[i]))
            return false;
    }
    return true;
}

static bool counts_equal(const struct koa_counts *a, const struct koa_counts *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->rows, b->rows, a->count * sizeof(a->rows[0])) == 0);
}

static bool pairs_equal(const struct koa_pairs *a, const struct koa_pairs *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!koa_text_equal(a->rows[i].key, b->rows[i].key) ||
            !koa_text_equal(a->rows[i].value, b->rows[i].value))
            return false;
    }
    return true;
}

static bool lists_equal(const struct koa_option *option, const struct koa_list *a,
                        const struct koa_list *b)
{
    const char *left = a->rows;
    const char *right = b->rows;

    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!koa_options_equal(option->rows, left + i * option->item_size,
                               right + i * option->item_size))
            return false;
    }
    return true;
}

/* Where the nodes stood does not matter. Iterative along siblings, recursive in depth, which the
 * parser limits. */
static bool nodes_equal(const struct koa_node *a, const struct koa_node *b)
{
    for (; a != NULL && b != NULL; a = a->next, b = b->next) {
        if (a->type != b->type || !koa_text_equal(a->key, b->key) ||
            !koa_text_equal(a->value, b->value) || a->is_quoted != b->is_quoted ||
            !nodes_equal(a->children, b->children))
            return false;
    }
    return a == b;
}

static bool subtrees_equal(const struct koa_node *a, const struct koa_node *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return a->type == b->type && koa_text_equal(a->value, b->value) &&
           nodes_equal(a->children, b->children);
}

static bool members_equal(const struct koa_option *option, const void *a, const void *b)
{
    switch (option->type) {
    case KOA_OPTION_BOOL:
        return *(const bool *) a == *(const bool *) b;
    case KOA_OPTION_COUNT:
    case KOA_OPTION_SIZE:
    case KOA_OPTION_DURATION:
        return *(const int64_t *) a == *(const int64_t *) b;
    case KOA_OPTION_NUMBER:
        return memcmp(a, b, sizeof(double)) == 0;
    case KOA_OPTION_TEXT:
    case KOA_OPTION_SECRET:
        return koa_text_equal(*(const char *const *) a, *(const char *const *) b);
    case KOA_OPTION_CHOICE:
        return *(const int *) a == *(const int *) b;
    case KOA_OPTION_CHOICES:
        return *(const unsigned *) a == *(const unsigned *) b;
    case KOA_OPTION_TEXTS:
        return texts_equal(a, b);
    case KOA_OPTION_COUNTS:
        return counts_equal(a, b);
    case KOA_OPTION_PAIRS:
        return pairs_equal(a, b);
    case KOA_OPTION_GROUP:
        return koa_options_equal(option->rows, a, b);
    case KOA_OPTION_LIST:
        return lists_equal(option, a, b);
    case KOA_OPTION_SUBTREE:
        return subtrees_equal(*(const struct koa_node *const *) a,
                              *(const struct koa_node *const *) b);
    case KOA_OPTION_NONE:
    case KOA_OPTION_TYPE_COUNT:
        break;
    }
    return true;
}

bool koa_options_equal(const struct koa_option *rows, const void *a, const void *b)
{
    for (const struct koa_option *option = rows; option->type != KOA_OPTION_NONE; option++) {
        if (!members_equal(option, (const char *) a + option->offset,
                           (const char *) b + option->offset))
            return false;
    }
    return true;
}

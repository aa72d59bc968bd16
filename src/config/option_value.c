/* Text to typed values, strictly: the whole text or nothing, in range, and of the right kind. */
#include "config/option_value.h"

#include <string.h>

#include "base/num.h"
#include "base/redact.h"
#include "base/str.h"

enum { SHOWN_SIZE = 80, ALLOWED_LIMIT = 1024, LIST_LIMIT = 10000 };

const char *koa_option_type_name(enum koa_option_type type)
{
    static const char *const names[KOA_OPTION_TYPE_COUNT] = {
        [KOA_OPTION_NONE] = "",
        [KOA_OPTION_BOOL] = "true or false",
        [KOA_OPTION_COUNT] = "whole number",
        [KOA_OPTION_NUMBER] = "number",
        [KOA_OPTION_SIZE] = "size",
        [KOA_OPTION_DURATION] = "duration",
        [KOA_OPTION_TEXT] = "text",
        [KOA_OPTION_SECRET] = "secret",
        [KOA_OPTION_CHOICE] = "word",
        [KOA_OPTION_TEXTS] = "list of texts",
        [KOA_OPTION_COUNTS] = "list of whole numbers",
        [KOA_OPTION_CHOICES] = "list of words",
        [KOA_OPTION_PAIRS] = "mapping of texts",
        [KOA_OPTION_GROUP] = "mapping",
        [KOA_OPTION_LIST] = "list",
        [KOA_OPTION_SUBTREE] = "list",
    };

    return names[type];
}

static void print_number(const struct koa_option *option, double number, struct koa_buf *buf)
{
    char text[KOA_NUM_TEXT_SIZE];

    if (option->type == KOA_OPTION_DURATION) {
        (void) koa_format_duration((int64_t) number, text);
    } else if (option->type == KOA_OPTION_SIZE) {
        (void) koa_format_size((int64_t) number, text);
    } else {
        (void) koa_format_double(number, text);
    }
    koa_buf_append_text(buf, text);
}

static bool has_range(const struct koa_option *option)
{
    return option->minimum < option->maximum;
}

static void print_range(const struct koa_option *option, struct koa_buf *buf)
{
    if (has_range(option)) {
        print_number(option, option->minimum, buf);
        koa_buf_append_text(buf, " to ");
        print_number(option, option->maximum, buf);
    }
    if (option->also != NULL)
        koa_buf_printf(buf, ", or %s", option->also);
}

void koa_option_describe(const struct koa_option *option, struct koa_buf *buf)
{
    static const char *const forms[KOA_OPTION_TYPE_COUNT] = {
        [KOA_OPTION_BOOL] = "true or false",
        [KOA_OPTION_COUNT] = "a whole number",
        [KOA_OPTION_COUNTS] = "whole numbers",
        [KOA_OPTION_NUMBER] = "a number",
        [KOA_OPTION_SIZE] = "a size such as 64KiB or 10MiB",
        [KOA_OPTION_DURATION] = "a duration such as 500ms, 30s, 1m30s or 24h",
    };

    if (option->choices != NULL) {
        koa_buf_append_text(buf, "one of ");
        for (const struct koa_choice *choice = option->choices; choice->word != NULL; choice++)
            koa_buf_printf(buf, "%s%s", choice == option->choices ? "" : ", ", choice->word);
        return;
    }
    koa_buf_append_text(buf, forms[option->type] != NULL ? forms[option->type] : "text");
    if (has_range(option))
        koa_buf_append_text(buf, " from ");
    print_range(option, buf);
}

void koa_option_document_allowed(const struct koa_option *option, struct koa_buf *buf)
{
    if (option->choices != NULL) {
        koa_option_describe(option, buf);
    } else {
        print_range(option, buf);
    }
}

/* Secrets are never shown, not even when they are wrong. */
static void refuse(const struct koa_option *option, const struct koa_node *node,
                   const struct koa_options_opts *opts, const char *allowed)
{
    char shown[SHOWN_SIZE];

    if (option->type == KOA_OPTION_SECRET) {
        koa_config_errors_add(opts->errors, node, opts->path, "must be %s", allowed);
        return;
    }
    (void) koa_str_copy(shown, sizeof(shown), koa_str_from(node->value));
    koa_redact(shown);
    koa_config_errors_add(opts->errors, node, opts->path, "must be %s, not '%s'", allowed, shown);
}

static void refuse_value(const struct koa_option *option, const struct koa_node *node,
                         const struct koa_options_opts *opts)
{
    struct koa_buf allowed = {.limit = ALLOWED_LIMIT};

    koa_option_describe(option, &allowed);
    refuse(option, node, opts, koa_buf_text(&allowed));
    koa_buf_deinit(&allowed);
}

static bool is_in_range(const struct koa_option *option, double number)
{
    return !has_range(option) || (number >= option->minimum && number <= option->maximum);
}

/* 010 is eight to some and ten to others: refused. */
static bool has_leading_zero(struct koa_str text)
{
    size_t sign = text.size > 0 && text.data[0] == '-' ? 1 : 0;

    return text.size > sign + 1 && text.data[sign] == '0' && text.data[sign + 1] >= '0' &&
           text.data[sign + 1] <= '9';
}

static bool read_integer(const struct koa_option *option, struct koa_str text, int64_t *ret_number)
{
    int64_t number = 0;
    enum koa_err err;

    if (option->type == KOA_OPTION_SIZE) {
        err = koa_parse_size(text, &number);
    } else if (option->type == KOA_OPTION_DURATION) {
        err = koa_parse_duration(text, 1000, &number);
    } else {
        err = koa_parse_int(text, INT64_MIN, INT64_MAX, &number);
    }
    if (err != KOA_OK || has_leading_zero(text) || !is_in_range(option, (double) number))
        return false;
    *ret_number = number;
    return true;
}

static const struct koa_choice *find_choice(const struct koa_option *option, const char *word)
{
    for (const struct koa_choice *choice = option->choices; choice->word != NULL; choice++) {
        if (koa_text_equal(choice->word, word))
            return choice;
    }
    return NULL;
}

static void refuse_choice(const struct koa_option *option, const struct koa_node *node,
                          const struct koa_options_opts *opts)
{
    const char *words[64] = {NULL};
    size_t count = 0;

    for (const struct koa_choice *choice = option->choices;
         choice->word != NULL && count + 1 < KOA_ARRAY_COUNT(words); choice++)
        words[count++] = choice->word;
    koa_options_unknown(opts->errors, node, opts->path,
                        &(struct koa_unknown_word){"word", node->value, words});
}

/* The text that is kept; "" after an error. */
static const char *read_text(const struct koa_option *option, const struct koa_node *node,
                             const struct koa_options_opts *opts)
{
    const char *allowed = NULL;
    const char *copy;

    if (node->type != KOA_NODE_SCALAR) {
        koa_config_errors_add(opts->errors, node, opts->path, "must be one value, not a %s",
                              node->type == KOA_NODE_LIST ? "list" : "mapping");
        return "";
    }
    if (!koa_utf8_valid(koa_str_from(node->value))) {
        allowed = "UTF-8 text";
    } else if (option->validate != NULL && (node->value[0] != '\0' || option->required)) {
        allowed = option->validate(node->value);
    }
    if (allowed != NULL) {
        refuse(option, node, opts, allowed);
        return "";
    }
    copy = koa_arena_strdup(opts->arena, node->value);
    return copy != NULL ? copy : "";
}

static size_t count_children(const struct koa_node *node)
{
    size_t count = 0;

    for (const struct koa_node *child = node->children; child != NULL; child = child->next)
        count++;
    return count;
}

/* A scalar stands for a list of one; an empty one for an empty list. */
static const struct koa_node *first_item(const struct koa_node *node,
                                         const struct koa_options_opts *opts, size_t *ret_count)
{
    *ret_count = 0;
    if (node->type == KOA_NODE_MAP) {
        koa_config_errors_add(opts->errors, node, opts->path, "must be a list, not a mapping");
        return NULL;
    }
    if (node->type == KOA_NODE_SCALAR) {
        *ret_count = node->value[0] != '\0' || node->is_quoted ? 1 : 0;
        return *ret_count == 1 ? node : NULL;
    }
    *ret_count = count_children(node);
    if (*ret_count > LIST_LIMIT) {
        koa_config_errors_add(opts->errors, node, opts->path, "has more than %d items",
                              (int) LIST_LIMIT);
        *ret_count = 0;
    }
    return node->children;
}

static void read_texts(const struct koa_option *option, const struct koa_node *node,
                       struct koa_texts *texts, const struct koa_options_opts *opts)
{
    size_t count;
    const struct koa_node *item = first_item(node, opts, &count);
    const char **rows = koa_arena_alloc(opts->arena, count + 1, sizeof(*rows));

    if (rows == NULL)
        return;
    for (size_t i = 0; i < count; i++, item = item->next)
        rows[i] = read_text(option, item, opts);
    *texts = (struct koa_texts){.rows = rows, .count = count};
}

static void read_counts(const struct koa_option *option, const struct koa_node *node,
                        struct koa_counts *counts, const struct koa_options_opts *opts)
{
    size_t count;
    const struct koa_node *item = first_item(node, opts, &count);
    int64_t *rows = koa_arena_alloc(opts->arena, count + 1, sizeof(*rows));

    if (rows == NULL)
        return;
    for (size_t i = 0; i < count; i++, item = item->next) {
        if (item->type != KOA_NODE_SCALAR ||
            !read_integer(option, koa_str_from(item->value), &rows[i]))
            refuse_value(option, item, opts);
    }
    *counts = (struct koa_counts){.rows = rows, .count = count};
}

static void read_choices(const struct koa_option *option, const struct koa_node *node,
                         unsigned *set, const struct koa_options_opts *opts)
{
    size_t count;
    const struct koa_node *item = first_item(node, opts, &count);

    *set = 0;
    for (size_t i = 0; i < count; i++, item = item->next) {
        const struct koa_choice *choice = find_choice(option, item->value);

        if (choice != NULL) {
            *set |= 1U << (unsigned) choice->value;
        } else {
            refuse_choice(option, item, opts);
        }
    }
}

static void read_pairs(const struct koa_option *option, const struct koa_node *node,
                       struct koa_pairs *pairs, const struct koa_options_opts *opts)
{
    size_t count = count_children(node);
    struct koa_pair *rows = koa_arena_alloc(opts->arena, count + 1, sizeof(*rows));
    size_t at = 0;

    if (node->type == KOA_NODE_LIST || (node->type == KOA_NODE_SCALAR && node->value[0] != '\0')) {
        koa_config_errors_add(opts->errors, node, opts->path, "must be a mapping: {name: value}");
        return;
    }
    if (rows == NULL)
        return;
    for (const struct koa_node *child = node->children; child != NULL; child = child->next) {
        rows[at].key = koa_arena_strdup(opts->arena, child->key);
        rows[at].value = read_text(option, child, opts);
        at += rows[at].key != NULL ? 1 : 0;
    }
    *pairs = (struct koa_pairs){.rows = rows, .count = at};
}

static void read_choice(const struct koa_option *option, const struct koa_node *node, int *member,
                        const struct koa_options_opts *opts)
{
    const struct koa_choice *choice =
        node->type == KOA_NODE_SCALAR ? find_choice(option, node->value) : NULL;

    if (choice != NULL) {
        *member = choice->value;
    } else {
        refuse_choice(option, node, opts);
    }
}

static void read_scalar(const struct koa_option *option, const struct koa_node *node, void *member,
                        const struct koa_options_opts *opts)
{
    struct koa_str text = koa_str_from(node->value);
    bool is_right = node->type == KOA_NODE_SCALAR;

    if (option->type == KOA_OPTION_BOOL) {
        is_right = is_right && koa_parse_bool(text, member) == KOA_OK;
    } else if (option->type == KOA_OPTION_NUMBER) {
        is_right = is_right && koa_parse_double(text, member) == KOA_OK &&
                   !has_leading_zero(text) && is_in_range(option, *(double *) member);
    } else {
        is_right = is_right && read_integer(option, text, member);
    }
    if (!is_right)
        refuse_value(option, node, opts);
}

void koa_option_read(const struct koa_option *option, const struct koa_node *node, void *member,
                     const struct koa_options_opts *opts)
{
    if (option->type == KOA_OPTION_TEXT) {
        *(const char **) member = read_text(option, node, opts);
    } else if (option->type == KOA_OPTION_SECRET) {
        *(const char **) member = read_text(option, node, opts);
        if (!koa_redact_register(*(const char **) member)) {
            koa_config_errors_add(opts->errors, node, opts->path,
                                  "is one secret more than can be kept out of messages");
        }
    } else if (option->type == KOA_OPTION_TEXTS) {
        read_texts(option, node, member, opts);
    } else if (option->type == KOA_OPTION_COUNTS) {
        read_counts(option, node, member, opts);
    } else if (option->type == KOA_OPTION_CHOICE) {
        read_choice(option, node, member, opts);
    } else if (option->type == KOA_OPTION_CHOICES) {
        read_choices(option, node, member, opts);
    } else if (option->type == KOA_OPTION_PAIRS) {
        read_pairs(option, node, member, opts);
    } else {
        read_scalar(option, node, member, opts);
    }
}

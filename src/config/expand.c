/* References to the environment inside scalar values, after parsing: a value can never inject
 * structure. */
#include "config/expand.h"

#include <string.h>

#include "base/str.h"

enum { VALUE_LIMIT = 65536, NAME_LIMIT = 256 };

static bool is_name(struct koa_str name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!is_letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return name.size > 0 && name.size < NAME_LIMIT;
}

struct expansion {
    struct koa_node *node;
    const struct koa_yaml_opts *opts;
    struct koa_config_errors *errors;
    struct koa_buf text;
};

static void replace(struct expansion *expansion, struct koa_str reference)
{
    struct koa_str fallback;
    struct koa_str name = koa_str_split(reference, ':', &fallback);
    char variable[NAME_LIMIT];
    const char *value;

    if (reference.data[reference.size] != '}' || !is_name(name) ||
        (fallback.data != NULL && !koa_str_starts(fallback, KOA_STR("-")))) {
        koa_config_errors_add(
            expansion->errors, expansion->node, expansion->node->key,
            "'${%.*s' is not ${NAME} or ${NAME:-default}; $${ stands for a plain ${",
            (int) reference.size, reference.data);
        return;
    }
    (void) koa_str_copy(variable, sizeof(variable), name);
    value = expansion->opts->getenv(expansion->opts->context, variable);
    if (value != NULL && (value[0] != '\0' || fallback.data == NULL)) {
        koa_buf_append_text(&expansion->text, value);
    } else if (fallback.data != NULL) {
        koa_buf_append(&expansion->text, fallback.data + 1, fallback.size - 1);
    } else {
        koa_config_errors_add(expansion->errors, expansion->node, expansion->node->key,
                              "the environment variable %s is not set and has no default",
                              variable);
    }
}

/* Appends what `*value` starts with, and steps over it. */
static void take(struct expansion *expansion, const char **value)
{
    const char *at = *value;
    const char *end;

    if (strncmp(at, "$${", 3) == 0) {
        koa_buf_append_text(&expansion->text, "${");
        *value = at + 3;
    } else if (strncmp(at, "${", 2) == 0) {
        end = at + strcspn(at, "}");
        replace(expansion, (struct koa_str){.data = at + 2, .size = (size_t) (end - at) - 2});
        *value = *end != '\0' ? end + 1 : end;
    } else {
        koa_buf_append_char(&expansion->text, at[0]);
        *value = at + 1;
    }
}

void koa_expand(struct koa_node *node, const struct koa_yaml_opts *opts, struct koa_arena *arena,
                struct koa_config_errors *errors)
{
    struct expansion expansion = {
        .node = node, .opts = opts, .errors = errors, .text = {.limit = VALUE_LIMIT}};
    const char *value = node->value;

    if (opts->getenv == NULL || strchr(value, '$') == NULL)
        return;
    while (*value != '\0')
        take(&expansion, &value);
    if (expansion.text.failed) {
        koa_config_errors_add(errors, node, node->key,
                              "is longer than %d bytes once its variables are replaced",
                              (int) VALUE_LIMIT);
    } else {
        node->value = koa_arena_strdup(arena, koa_buf_text(&expansion.text));
        if (node->value == NULL) {
            node->value = "";
            koa_config_errors_add(errors, node, node->key,
                                  "the configuration takes too much memory");
        }
    }
    koa_buf_deinit(&expansion.text);
}

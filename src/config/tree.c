/* Trees from settings and environment, and one tree laid on another. */
#include "config/tree.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"

enum { PATH_SIZE = 256 };

static struct koa_node *new_map(const char *file, struct koa_arena *arena)
{
    struct koa_node *map = koa_arena_alloc(arena, 1, sizeof(*map));

    if (map != NULL) {
        map->type = KOA_NODE_MAP;
        map->value = "";
        map->file = file;
    }
    return map;
}

struct koa_node *koa_tree_scalar(const char *value, const char *file, struct koa_arena *arena)
{
    struct koa_node *node = new_map(file, arena);

    if (node != NULL) {
        node->type = KOA_NODE_SCALAR;
        node->value = koa_arena_strdup(arena, value);
        node->is_quoted = true;
    }
    return node != NULL && node->value != NULL ? node : NULL;
}

static struct koa_node *find_child(struct koa_node *map, const char *key)
{
    struct koa_node *child = map->children;

    while (child != NULL && !koa_text_equal(child->key, key))
        child = child->next;
    return child;
}

/* Replaces the child of the same key, or becomes the last. */
static void put_child(struct koa_node *map, struct koa_node *value)
{
    struct koa_node **next = &map->children;

    while (*next != NULL && !koa_text_equal((*next)->key, value->key))
        next = &(*next)->next;
    value->next = *next != NULL ? (*next)->next : NULL;
    *next = value;
}

bool koa_tree_put(struct koa_node *root, const char *path, struct koa_node *value,
                  struct koa_arena *arena)
{
    struct koa_str rest;
    struct koa_str name = koa_str_split(koa_str_from(path), '.', &rest);
    const char *key = koa_arena_strndup(arena, name.data, name.size);
    struct koa_node *child;

    if (key == NULL || value == NULL || root->type != KOA_NODE_MAP)
        return false;
    if (rest.data == NULL) {
        value->key = key;
        put_child(root, value);
        return true;
    }
    child = find_child(root, key);
    if (child == NULL) {
        child = new_map(value->file, arena);
        if (child == NULL)
            return false;
        child->key = key;
        put_child(root, child);
    }
    return koa_tree_put(child, rest.data, value, arena);
}

/* Only what looks like a list or a mapping is parsed; everything else is the text it is, so that no
 * value needs quotes. */
static struct koa_node *parse_setting(const struct koa_setting *setting, const char *file,
                                      struct koa_arena *arena, struct koa_config_errors *errors)
{
    struct koa_node *node;

    if (setting->value[0] == '[' || setting->value[0] == '{')
        return koa_yaml_parse_value(setting, file, arena, errors);
    node = koa_tree_scalar(setting->value, file, arena);
    if (node != NULL)
        node->is_quoted = false;
    return node;
}

struct koa_node *koa_node_from_settings(const struct koa_settings *settings, const char *file,
                                        struct koa_arena *arena, struct koa_config_errors *errors)
{
    struct koa_node *root = new_map(file, arena);

    for (size_t i = 0; root != NULL && i < settings->count; i++) {
        const struct koa_setting *setting = &settings->rows[i];
        const char *origin = settings->origins != NULL ? settings->origins[i] : NULL;
        struct koa_node *value = NULL;

        if (setting->key == NULL || setting->value == NULL) {
            koa_config_errors_add(errors, root, setting->key, "a setting needs a key and a value");
        } else {
            value = parse_setting(setting, origin != NULL ? origin : file, arena, errors);
        }
        if (value != NULL && !koa_tree_put(root, setting->key, value, arena)) {
            koa_config_errors_add(errors, root, setting->key,
                                  "a part of this key is set to a value already");
        }
    }
    return root;
}

/* What a walk over rows carries. */
struct environment {
    struct koa_node *root; /* NULL until the first variable */
    koa_getenv_fn *getenv;
    void *context;
    struct koa_arena *arena;
    struct koa_config_errors *errors;
};

/* A bare number takes the row's unit. */
static struct koa_node *variable_value(struct environment *environment,
                                       const struct koa_option *option, const char *value)
{
    char text[PATH_SIZE];
    double number;

    if (option->bare_unit != NULL && koa_parse_double(koa_str_from(value), &number) == KOA_OK) {
        (void) snprintf(text, sizeof(text), "%s%s", value, option->bare_unit);
        value = text;
    }
    return koa_tree_scalar(value, option->environment, environment->arena);
}

static void walk(struct environment *environment, const struct koa_option *rows, const char *prefix)
{
    for (const struct koa_option *option = rows; option->type != KOA_OPTION_NONE; option++) {
        char path[PATH_SIZE];
        const char *value;

        (void) snprintf(path, sizeof(path), "%s%s%s", prefix, prefix[0] != '\0' ? "." : "",
                        option->key);
        if (option->type == KOA_OPTION_GROUP)
            walk(environment, option->rows, path);
        if (option->environment == NULL)
            continue;
        value = environment->getenv(environment->context, option->environment);
        if (value == NULL || value[0] == '\0')
            continue;
        if (environment->root == NULL)
            environment->root = new_map("environment", environment->arena);
        if (environment->root == NULL ||
            !koa_tree_put(environment->root, path, variable_value(environment, option, value),
                          environment->arena))
            koa_config_errors_add(environment->errors, NULL, option->environment, "no memory");
    }
}

struct koa_node *koa_node_from_environment(const struct koa_option *rows, koa_getenv_fn *getenv,
                                           void *context, struct koa_arena *arena,
                                           struct koa_config_errors *errors)
{
    struct environment environment = {
        .getenv = getenv, .context = context, .arena = arena, .errors = errors};

    walk(&environment, rows, "");
    return environment.root;
}

const struct koa_node *koa_node_merge(const struct koa_node *under, const struct koa_node *over,
                                      struct koa_arena *arena)
{
    struct koa_node *merged;
    struct koa_node **next;

    if (under == NULL || under->type != KOA_NODE_MAP || over->type != KOA_NODE_MAP)
        return over;
    merged = koa_arena_alloc(arena, 1, sizeof(*merged));
    if (merged == NULL)
        return over;
    *merged = *over;
    merged->children = NULL;
    next = &merged->children;
    for (const struct koa_node *child = under->children; child != NULL; child = child->next) {
        const struct koa_node *newer = koa_node_get(over, child->key);
        struct koa_node *kept = koa_arena_alloc(arena, 1, sizeof(*kept));

        if (kept == NULL)
            return over;
        *kept = newer != NULL ? *koa_node_merge(child, newer, arena) : *child;
        kept->next = NULL;
        *next = kept;
        next = &kept->next;
    }
    for (const struct koa_node *child = over->children; child != NULL; child = child->next) {
        struct koa_node *kept;

        if (koa_node_get(under, child->key) != NULL)
            continue;
        kept = koa_arena_alloc(arena, 1, sizeof(*kept));
        if (kept == NULL)
            return over;
        *kept = *child;
        kept->next = NULL;
        *next = kept;
        next = &kept->next;
    }
    return merged;
}

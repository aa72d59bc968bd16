/* Walks rows and nodes together: every key belongs to a row, every row gets a value. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "config/file.h"
#include "config/option_value.h"
#include "config/tree.h"

enum {
    PATH_SIZE = 256,
    ITEM_LIMIT = 1000, /* of a list of structs */
    WORD_LIMIT = 256,  /* keys of one level */
};

static void join_path(char path[PATH_SIZE], const char *prefix, const char *key)
{
    (void) snprintf(path, PATH_SIZE, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", key);
}

static struct koa_options_opts with_path(const struct koa_options_opts *opts, const char *path)
{
    struct koa_options_opts own = *opts;

    own.path = path;
    return own;
}

void koa_options_unknown(struct koa_config_errors *errors, const struct koa_node *where,
                         const char *path, const struct koa_unknown_word *unknown)
{
    struct koa_buf allowed = {.limit = 4096};
    const char *nearest = NULL;
    int best = 3;

    for (const char *const *word = unknown->words; *word != NULL; word++) {
        int distance = koa_text_distance(unknown->name, *word, best);

        /* Of a short name most letters must be right. */
        if (distance < best && distance * 2 <= (int) strlen(*word)) {
            best = distance;
            nearest = *word;
        }
        koa_buf_printf(&allowed, "%s%s", word != unknown->words ? ", " : "", *word);
    }
    koa_config_errors_add(errors, where, path, "unknown %s '%.100s'; allowed: %s%s%s%s",
                          unknown->noun, unknown->name, koa_buf_text(&allowed),
                          nearest != NULL ? "; did you mean '" : "", nearest != NULL ? nearest : "",
                          nearest != NULL ? "'?" : "");
    koa_buf_deinit(&allowed);
}

/* The row of `key`; of a secret also under its name with _file. */
static const struct koa_option *find_row(const struct koa_options_opts *opts, const char *key)
{
    size_t size = strlen(key);

    for (const struct koa_option *const *table = opts->tables; *table != NULL; table++) {
        for (const struct koa_option *row = *table; row->type != KOA_OPTION_NONE; row++) {
            size_t row_size = strlen(row->key);

            if (strcmp(row->key, key) == 0)
                return row;
            if (row->type == KOA_OPTION_SECRET && size == row_size + 5 &&
                strncmp(row->key, key, row_size) == 0 && strcmp(key + row_size, "_file") == 0)
                return row;
        }
    }
    return NULL;
}

static void report_unknown(const struct koa_options_opts *opts, const struct koa_node *child)
{
    const char *words[WORD_LIMIT] = {NULL};
    struct koa_node where = *child;
    char path[PATH_SIZE];
    size_t count = 0;

    for (const struct koa_option *const *table = opts->tables; *table != NULL; table++) {
        for (const struct koa_option *row = *table;
             row->type != KOA_OPTION_NONE && count + 1 < WORD_LIMIT; row++)
            words[count++] = row->key;
    }
    if (child->key_line > 0) {
        where.line = child->key_line;
        where.column = child->key_column;
    }
    join_path(path, opts->path, child->key);
    koa_options_unknown(opts->errors, &where, path,
                        &(struct koa_unknown_word){"key", child->key, words});
}

static void report_unknown_keys(const struct koa_options_opts *opts, const struct koa_node *node)
{
    for (const struct koa_node *child = node->children; child != NULL; child = child->next) {
        if (find_row(opts, child->key) == NULL)
            report_unknown(opts, child);
    }
}

/* The text of a secret's file. NULL when an error was added. */
static struct koa_node *read_secret_file(const struct koa_options_opts *opts,
                                         const struct koa_node *named)
{
    struct koa_node *node;
    struct koa_error error;
    char *text = NULL;

    if (koa_secret_file_read(named->value, &text, &error) != KOA_OK) {
        koa_config_errors_add(opts->errors, named, opts->path, "%s", error.text);
        return NULL;
    }
    node = koa_tree_scalar(text, named->file, opts->arena);
    koa_free_secret(text);
    if (node != NULL) {
        node->line = named->line;
        node->column = named->column;
    }
    return node;
}

/* A secret whose file was not read or not readable: it has no value, but it is not missing. */
static const struct koa_node unread_secret = {
    .type = KOA_NODE_SCALAR, .value = "", .is_quoted = true};

/* The node of a row: of a secret, its file's text when that is what is named. */
static const struct koa_node *find_node(const struct koa_options_opts *opts,
                                        const struct koa_option *row, const struct koa_node *node)
{
    const struct koa_node *found = koa_node_get(node, row->key);
    const struct koa_node *named;
    char key[PATH_SIZE];

    if (row->type != KOA_OPTION_SECRET)
        return found;
    (void) snprintf(key, sizeof(key), "%s_file", row->key);
    named = koa_node_get(node, key);
    if (named == NULL || (named->type == KOA_NODE_SCALAR && named->value[0] == '\0'))
        return found;
    if (named->type != KOA_NODE_SCALAR) {
        koa_config_errors_add(opts->errors, named, opts->path, "%s must be a path", key);
        return found;
    }
    if (found != NULL && found->value[0] != '\0') {
        koa_config_errors_add(opts->errors, named, opts->path, "and %s are both set; one is enough",
                              key);
        return found;
    }
    found = opts->read_secret_files ? read_secret_file(opts, named) : NULL;
    return found != NULL ? found : &unread_secret;
}

static void load_tables(const struct koa_options_opts *opts, const struct koa_node *node);

static void load_group(const struct koa_options_opts *opts, const struct koa_option *row,
                       const struct koa_node *node, void *member)
{
    const struct koa_option *const tables[] = {row->rows, NULL};
    void *const targets[] = {member, NULL};
    struct koa_options_opts own = *opts;

    own.tables = tables;
    own.targets = targets;
    load_tables(&own, node);
}

static void load_list(const struct koa_options_opts *opts, const struct koa_option *row,
                      const struct koa_node *node, struct koa_list *list)
{
    const struct koa_option *const tables[] = {row->rows, NULL};
    size_t count = 0;
    char *items;

    if (koa_node_is_empty(node))
        return;
    if (node->type != KOA_NODE_LIST) {
        koa_config_errors_add(opts->errors, node, opts->path,
                              "must be a list: '- name: ...' for each");
        return;
    }
    for (const struct koa_node *child = node->children; child != NULL; child = child->next)
        count++;
    items = count <= ITEM_LIMIT ? koa_arena_alloc(opts->arena, count + 1, row->item_size) : NULL;
    if (items == NULL) {
        koa_config_errors_add(opts->errors, node, opts->path, "has more than %d items",
                              (int) ITEM_LIMIT);
        return;
    }
    *list = (struct koa_list){.rows = items, .count = count};
    count = 0;
    for (const struct koa_node *child = node->children; child != NULL;
         child = child->next, count++) {
        char path[PATH_SIZE];
        void *const targets[] = {items + count * row->item_size, NULL};
        struct koa_options_opts own = *opts;

        (void) snprintf(path, sizeof(path), "%s[%zu]", opts->path, count);
        own.tables = tables;
        own.targets = targets;
        own.path = path;
        load_tables(&own, child);
    }
}

/* The row's default, in the file's own syntax. It is ours, so it parses. */
static const struct koa_node *fallback_node(const struct koa_options_opts *opts,
                                            const struct koa_option *row)
{
    if (row->fallback == NULL)
        return NULL;
    if (row->fallback[0] == '[' || row->fallback[0] == '{') {
        return koa_yaml_parse_value(&(struct koa_setting){.key = row->key, .value = row->fallback},
                                    "default", opts->arena, opts->errors);
    }
    return koa_tree_scalar(row->fallback, "default", opts->arena);
}

static void load_value(const struct koa_options_opts *opts, const struct koa_option *row,
                       const struct koa_node *node, const struct koa_node *around, void *member)
{
    bool is_empty = node == NULL || (node->type == KOA_NODE_SCALAR && node->value[0] == '\0');
    bool is_missing = is_empty || (node->type != KOA_NODE_SCALAR && node->children == NULL);

    if (is_missing && row->required && node != &unread_secret) {
        koa_config_errors_add(opts->errors, node != NULL ? node : around, opts->path,
                              "is missing: %s", row->help);
        return;
    }
    /* `key:` with nothing behind it means the default; `key: ""` is empty text. */
    if (node == NULL || (is_empty && !node->is_quoted))
        node = fallback_node(opts, row);
    if (node == NULL && row->type == KOA_OPTION_SECRET)
        *(const char **) member = "";
    if (node != NULL)
        koa_option_read(row, node, member, opts);
}

static void load_row(const struct koa_options_opts *opts, const struct koa_option *row,
                     const struct koa_node *node, void *target)
{
    void *member = (char *) target + row->offset;
    char path[PATH_SIZE];
    struct koa_options_opts own;
    const struct koa_node *found;

    join_path(path, opts->path, row->key);
    own = with_path(opts, path);
    found = find_node(&own, row, node);
    if (row->type == KOA_OPTION_GROUP) {
        load_group(&own, row, found, member);
    } else if (row->type == KOA_OPTION_LIST) {
        load_list(&own, row, found, member);
    } else if (row->type == KOA_OPTION_SUBTREE) {
        *(const struct koa_node **) member = koa_node_is_empty(found) ? NULL : found;
    } else {
        load_value(&own, row, found, node, member);
    }
}

static void load_tables(const struct koa_options_opts *opts, const struct koa_node *node)
{
    bool is_empty = koa_node_is_empty(node);

    if (!is_empty && node->type != KOA_NODE_MAP) {
        koa_config_errors_add(opts->errors, node, opts->path, "must be a mapping: 'key: value'");
        return;
    }
    if (!is_empty)
        report_unknown_keys(opts, node);
    for (size_t i = 0; opts->tables[i] != NULL; i++) {
        for (const struct koa_option *row = opts->tables[i]; row->type != KOA_OPTION_NONE; row++)
            load_row(opts, row, is_empty ? NULL : node, opts->targets[i]);
    }
}

bool koa_options_load(const struct koa_options_opts *opts, const struct koa_node *node)
{
    size_t before = opts->errors->total;

    load_tables(opts, node);
    if (koa_arena_failed(opts->arena))
        koa_config_errors_add(opts->errors, node, opts->path, "takes too much memory");
    /* A secret may have been loaded after a message that shows it. */
    koa_config_errors_mask(opts->errors);
    return opts->errors->total == before;
}

bool koa_options_load_one(const struct koa_option *rows, void *target, const struct koa_node *node,
                          const struct koa_options_opts *opts)
{
    const struct koa_option *const tables[] = {rows, NULL};
    void *const targets[] = {target, NULL};
    struct koa_options_opts own = *opts;

    own.tables = tables;
    own.targets = targets;
    return koa_options_load(&own, node);
}

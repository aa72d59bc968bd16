/* libyaml's events to nodes, with limits against texts made to hurt. What keys mean is left to
 * options_load.c. */
#include "config/yaml.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"
#include "base/str.h"
#include "config/expand.h"
#include "config/file.h"
#include "config/tree.h"

enum {
    FILE_LIMIT = 4 << 20, /* a hundred times a large configuration */
    DEPTH_LIMIT = 32,     /* the contract's deepest key has 5 levels */
    NODE_LIMIT = 100000,
    ANCHOR_LIMIT = 1000,
    KEY_LIMIT = 1000, /* of one map: each is compared with those before it */
};

struct anchor {
    const char *name;
    struct koa_node *node;
};

struct parse {
    yaml_parser_t parser;
    struct koa_str text;
    const struct koa_yaml_opts *opts;
    struct koa_arena *arena;
    struct koa_config_errors *errors;
    const char *file;
    int depth;
    size_t nodes;
    struct anchor *anchors;
    size_t anchor_count;
    bool failed; /* an error that ends the parse was added */
};

static void place(const struct parse *parse, const yaml_mark_t *mark, int *ret_line,
                  int *ret_column)
{
    bool is_file = parse->opts->setting == NULL;

    *ret_line = is_file ? (int) mark->line + 1 : 0;
    *ret_column = is_file ? (int) mark->column + 1 : 0;
}

static void fail(struct parse *parse, const yaml_mark_t *mark, const char *text)
{
    struct koa_node where = {.file = parse->file};

    place(parse, mark, &where.line, &where.column);
    if (!parse->failed)
        koa_config_errors_add(parse->errors, &where, parse->opts->setting, "%s", text);
    parse->failed = true;
}

/* Bytes that are no text are found by libyaml's reader, which knows an offset only. */
static yaml_mark_t mark_of_offset(struct koa_str text, size_t offset)
{
    yaml_mark_t mark = {.index = offset};

    for (size_t i = 0; i < offset && i < text.size; i++) {
        mark.column = text.data[i] == '\n' ? 0 : mark.column + 1;
        mark.line += text.data[i] == '\n' ? 1 : 0;
    }
    return mark;
}

static void fail_syntax(struct parse *parse)
{
    const yaml_parser_t *parser = &parse->parser;
    bool is_from_reader = parser->error == YAML_READER_ERROR;
    yaml_mark_t mark =
        is_from_reader ? mark_of_offset(parse->text, parser->problem_offset) : parser->problem_mark;
    char text[256];

    if (parser->error == YAML_MEMORY_ERROR) {
        fail(parse, &parser->mark, "the configuration takes too much memory");
        return;
    }
    (void) snprintf(text, sizeof(text), "not YAML: %s%s%s",
                    parser->context != NULL && !is_from_reader ? parser->context : "",
                    parser->context != NULL && !is_from_reader ? ": " : "",
                    parser->problem != NULL ? parser->problem : "unreadable");
    fail(parse, &mark, text);
}

static bool next_event(struct parse *parse, yaml_event_t *event)
{
    if (parse->failed)
        return false;
    if (yaml_parser_parse(&parse->parser, event) == 0) {
        fail_syntax(parse);
        return false;
    }
    return true;
}

static struct koa_node *new_node(struct parse *parse, enum koa_node_type type,
                                 const yaml_mark_t *mark)
{
    struct koa_node *node = NULL;

    if (++parse->nodes > NODE_LIMIT) {
        fail(parse, mark, "more than 100000 values; aliases count each time");
    } else {
        node = koa_arena_alloc(parse->arena, 1, sizeof(*node));
    }
    if (node == NULL) {
        fail(parse, mark, "the configuration takes too much memory");
        return NULL;
    }
    node->type = type;
    node->value = "";
    node->file = parse->file;
    place(parse, mark, &node->line, &node->column);
    return node;
}

static void remember(struct parse *parse, const yaml_char_t *name, struct koa_node *node,
                     const yaml_mark_t *mark)
{
    if (name == NULL || node == NULL)
        return;
    if (parse->anchors == NULL)
        parse->anchors = koa_arena_alloc(parse->arena, ANCHOR_LIMIT, sizeof(*parse->anchors));
    if (parse->anchors == NULL || parse->anchor_count == ANCHOR_LIMIT) {
        fail(parse, mark, "more than 1000 anchors");
        return;
    }
    parse->anchors[parse->anchor_count++] =
        (struct anchor){.name = koa_arena_strdup(parse->arena, (const char *) name), .node = node};
}

static bool enter(struct parse *parse, const yaml_mark_t *mark)
{
    if (++parse->depth > DEPTH_LIMIT)
        fail(parse, mark, "nested more than 32 levels deep; aliases count");
    return !parse->failed;
}

/* A copy, so that every place can be changed (a merge, an expansion) by itself. */
static struct koa_node *copy_tree(struct parse *parse, const struct koa_node *from,
                                  const yaml_mark_t *mark)
{
    bool is_inside = from->type == KOA_NODE_SCALAR || enter(parse, mark);
    struct koa_node *node = is_inside ? new_node(parse, from->type, mark) : NULL;
    struct koa_node **next;

    if (node == NULL)
        return NULL;
    node->key = from->key;
    node->key_line = from->key_line;
    node->key_column = from->key_column;
    node->value = from->value;
    node->is_quoted = from->is_quoted;
    next = &node->children;
    for (const struct koa_node *child = from->children; child != NULL; child = child->next) {
        *next = copy_tree(parse, child, mark);
        if (*next == NULL)
            return NULL;
        next = &(*next)->next;
    }
    parse->depth -= from->type == KOA_NODE_SCALAR ? 0 : 1;
    return node;
}

static struct koa_node *resolve_alias(struct parse *parse, const yaml_event_t *event)
{
    const char *name = (const char *) event->data.alias.anchor;

    /* The latest of a name counts. One that is not complete yet would contain itself. */
    for (size_t i = parse->anchor_count; i > 0; i--) {
        if (koa_text_equal(parse->anchors[i - 1].name, name))
            return copy_tree(parse, parse->anchors[i - 1].node, &event->start_mark);
    }
    fail(parse, &event->start_mark, "the alias has no anchor before it");
    return NULL;
}

static struct koa_node *parse_value(struct parse *parse, const yaml_event_t *event);

/* `!!str` says what quotes say. Any other tag asks for something that is not done here; to ignore
 * it would give another value than was meant. */
static bool check_tag(struct parse *parse, const yaml_char_t *tag, const yaml_mark_t *mark)
{
    if (tag == NULL || strcmp((const char *) tag, "!") == 0 ||
        strcmp((const char *) tag, YAML_STR_TAG) == 0)
        return true;
    fail(parse, mark, "tags have no meaning here; only !!str is allowed");
    return false;
}

static struct koa_node *parse_scalar(struct parse *parse, const yaml_event_t *event)
{
    struct koa_node *node = new_node(parse, KOA_NODE_SCALAR, &event->start_mark);
    const char *value = (const char *) event->data.scalar.value;

    if (node == NULL || !check_tag(parse, event->data.scalar.tag, &event->start_mark))
        return NULL;
    if (strlen(value) != event->data.scalar.length) {
        fail(parse, &event->start_mark, "a NUL byte");
        return NULL;
    }
    node->value = koa_arena_strdup(parse->arena, value);
    node->is_quoted =
        event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || event->data.scalar.tag != NULL;
    if (node->value == NULL) {
        fail(parse, &event->start_mark, "the configuration takes too much memory");
        return NULL;
    }
    /* YAML's own null is an empty value. */
    if (!node->is_quoted && (strcmp(value, "~") == 0 || strcmp(value, "null") == 0))
        node->value = "";
    koa_expand(node, parse->opts, parse->arena, parse->errors);
    return node;
}

static struct koa_node *parse_list(struct parse *parse, const yaml_event_t *start)
{
    struct koa_node *list = enter(parse, &start->start_mark)
                                ? new_node(parse, KOA_NODE_LIST, &start->start_mark)
                                : NULL;
    struct koa_node **next = list != NULL ? &list->children : NULL;
    yaml_event_t event;
    bool ends = false;

    while (list != NULL && !ends && next_event(parse, &event)) {
        ends = event.type == YAML_SEQUENCE_END_EVENT;
        if (!ends) {
            *next = parse_value(parse, &event);
            if (*next != NULL)
                next = &(*next)->next;
        }
        yaml_event_delete(&event);
    }
    parse->depth--;
    return list;
}

/* NULL when the parse has failed. */
static const char *parse_key(struct parse *parse, const yaml_event_t *event)
{
    const char *text = (const char *) event->data.scalar.value;
    const char *key;

    if (event->type != YAML_SCALAR_EVENT || strlen(text) != event->data.scalar.length ||
        event->data.scalar.anchor != NULL || event->data.scalar.tag != NULL) {
        fail(parse, &event->start_mark, "a key must be plain text");
        return NULL;
    }
    key = koa_arena_strdup(parse->arena, text);
    if (key == NULL)
        fail(parse, &event->start_mark, "the configuration takes too much memory");
    return key;
}

/* A second value of a key is reported and left out; what follows is still looked at. */
static bool is_duplicate(struct parse *parse, const struct koa_node *map,
                         const struct koa_node *value)
{
    struct koa_node where = *value;

    if (koa_node_get(map, value->key) == NULL)
        return false;
    where.line = value->key_line;
    where.column = value->key_column;
    koa_config_errors_add(parse->errors, &where, value->key, "the key stands here a second time");
    return true;
}

/* The key's position stays with its value, for messages about the key itself. */
static void parse_pair(struct parse *parse, struct koa_node *map, struct koa_node ***next,
                       const yaml_event_t *key_event)
{
    const char *key = parse_key(parse, key_event);
    yaml_event_t event;
    struct koa_node *value;

    if (key == NULL || !next_event(parse, &event))
        return;
    value = parse_value(parse, &event);
    yaml_event_delete(&event);
    if (value == NULL)
        return;
    value->key = key;
    place(parse, &key_event->start_mark, &value->key_line, &value->key_column);
    if (is_duplicate(parse, map, value))
        return;
    **next = value;
    *next = &value->next;
}

static struct koa_node *parse_map(struct parse *parse, const yaml_event_t *start)
{
    struct koa_node *map =
        enter(parse, &start->start_mark) ? new_node(parse, KOA_NODE_MAP, &start->start_mark) : NULL;
    struct koa_node **next = map != NULL ? &map->children : NULL;
    yaml_event_t event;
    bool ends = false;
    int keys = 0;

    while (map != NULL && !ends && next_event(parse, &event)) {
        ends = event.type == YAML_MAPPING_END_EVENT;
        if (!ends && ++keys > KEY_LIMIT) {
            fail(parse, &event.start_mark, "more than 1000 keys in one mapping");
        } else if (!ends) {
            parse_pair(parse, map, &next, &event);
        }
        yaml_event_delete(&event);
    }
    parse->depth--;
    return map;
}

static struct koa_node *parse_value(struct parse *parse, const yaml_event_t *event)
{
    struct koa_node *node;

    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return resolve_alias(parse, event);
    case YAML_SCALAR_EVENT:
        node = parse_scalar(parse, event);
        remember(parse, event->data.scalar.anchor, node, &event->start_mark);
        return node;
    case YAML_SEQUENCE_START_EVENT:
        node = check_tag(parse, event->data.sequence_start.tag, &event->start_mark)
                   ? parse_list(parse, event)
                   : NULL;
        remember(parse, event->data.sequence_start.anchor, node, &event->start_mark);
        return node;
    case YAML_MAPPING_START_EVENT:
        node = check_tag(parse, event->data.mapping_start.tag, &event->start_mark)
                   ? parse_map(parse, event)
                   : NULL;
        remember(parse, event->data.mapping_start.anchor, node, &event->start_mark);
        return node;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        break;
    }
    fail(parse, &event->start_mark, "a value is missing");
    return NULL;
}

/* One document; a second one is an error, because half of it would be ignored. */
static struct koa_node *parse_stream(struct parse *parse)
{
    struct koa_node *root = NULL;
    yaml_event_t event;
    bool ends = false;

    while (!ends && next_event(parse, &event)) {
        if (event.type == YAML_DOCUMENT_START_EVENT && root != NULL) {
            fail(parse, &event.start_mark, "a second document; one file is one configuration");
        } else if (event.type == YAML_STREAM_END_EVENT) {
            ends = true;
        } else if (event.type != YAML_STREAM_START_EVENT &&
                   event.type != YAML_DOCUMENT_START_EVENT &&
                   event.type != YAML_DOCUMENT_END_EVENT) {
            root = parse_value(parse, &event);
        }
        yaml_event_delete(&event);
    }
    return root;
}

/* A configuration is a map; an empty text is an empty one. */
static struct koa_node *require_map(struct parse *parse, struct koa_node *root)
{
    static const yaml_mark_t start;

    if (parse->failed)
        return NULL;
    if (koa_node_is_empty(root))
        return new_node(parse, KOA_NODE_MAP, &start);
    return root;
}

static struct koa_node *parse_text(struct koa_str text, const struct koa_yaml_opts *opts,
                                   struct koa_arena *arena, struct koa_config_errors *errors)
{
    struct parse parse = {.text = text, .opts = opts, .arena = arena, .errors = errors};
    static const yaml_mark_t start;
    struct koa_node *root;

    parse.file = koa_arena_strdup(arena, opts->file != NULL ? opts->file : "");
    if (parse.file == NULL)
        parse.file = "";
    if (text.size > FILE_LIMIT) {
        fail(&parse, &start, "larger than 4 MiB");
        return NULL;
    }
    if (yaml_parser_initialize(&parse.parser) == 0) {
        fail(&parse, &start, "no memory to read it");
        return NULL;
    }
    yaml_parser_set_input_string(
        &parse.parser, (const unsigned char *) (text.size > 0 ? text.data : ""), text.size);
    root = parse_stream(&parse);
    yaml_parser_delete(&parse.parser);
    return parse.failed ? NULL : require_map(&parse, root);
}

struct koa_node *koa_yaml_parse(struct koa_str text, const struct koa_yaml_opts *opts,
                                struct koa_arena *arena, struct koa_config_errors *errors)
{
    struct koa_node *root = parse_text(text, opts, arena, errors);

    if (root != NULL && root->type != KOA_NODE_MAP) {
        koa_config_errors_add(errors, root, "", "the whole must be a mapping: 'key: value'");
        return NULL;
    }
    return root;
}

struct koa_node *koa_yaml_read(const char *path, const struct koa_yaml_opts *opts,
                               struct koa_arena *arena, struct koa_config_errors *errors)
{
    struct koa_config_file file = {.path = path, .limit = FILE_LIMIT, .error_path = ""};
    size_t size;
    KOA_AUTOFREE char *text = koa_config_read_file(&file, &size, errors);

    return text != NULL ? koa_yaml_parse((struct koa_str){text, size}, opts, arena, errors) : NULL;
}

struct koa_node *koa_yaml_parse_value(const struct koa_setting *setting, const char *file,
                                      struct koa_arena *arena, struct koa_config_errors *errors)
{
    struct koa_yaml_opts opts = {.file = file, .setting = setting->key};

    return parse_text(koa_str_from(setting->value), &opts, arena, errors);
}

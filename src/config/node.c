/* Nodes and the errors that point at them. */
#include "config/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/redact.h"
#include "base/str.h"

enum { ERROR_ROWS = 100, TEXT_LIMIT = 2048 };

static char no_text[] = "(no memory for this text)";

/* Texts live in the errors' own arena, so that they outlive what was parsed. */
static char *keep(struct koa_config_errors *errors, const char *text)
{
    char *copy = koa_arena_strdup(errors->arena, text != NULL ? text : "");

    return copy != NULL ? copy : no_text;
}

/* Stands for all errors when there is no memory to keep them. Never written to. */
static char memory_is_out_text[] = "memory is out; the errors cannot be shown";
static struct koa_config_error memory_is_out = {.path = "", .text = memory_is_out_text};

static void mask(struct koa_config_error *row)
{
    if (row->text != no_text && row->text != memory_is_out_text)
        koa_redact(row->text);
}

static struct koa_config_error *add_row(struct koa_config_errors *errors)
{
    errors->total++;
    if (errors->rows == NULL) {
        errors->rows = koa_arena_alloc(errors->arena, ERROR_ROWS + 1, sizeof(*errors->rows));
        errors->capacity = errors->rows != NULL ? ERROR_ROWS + 1 : 0;
        if (errors->rows == NULL) {
            errors->rows = &memory_is_out;
            errors->count = 1;
        }
    }
    return errors->count < errors->capacity ? &errors->rows[errors->count++] : NULL;
}

void koa_config_errors_add(struct koa_config_errors *errors, const struct koa_node *where,
                           const char *path, const char *format, ...)
{
    struct koa_config_error *row;
    struct koa_buf text = {.limit = TEXT_LIMIT};
    va_list args;

    row = add_row(errors);
    if (row == NULL)
        return;
    if (errors->count == ERROR_ROWS + 1) {
        *row = (struct koa_config_error){
            .path = "", .text = keep(errors, "there are more errors; these come first")};
        return;
    }
    va_start(args, format);
    koa_buf_vprintf(&text, format, args);
    va_end(args);
    *row = (struct koa_config_error){
        .file = where != NULL ? keep(errors, where->file) : NULL,
        .line = where != NULL ? where->line : 0,
        .column = where != NULL ? where->column : 0,
        .path = keep(errors, path),
        .text = keep(errors, koa_buf_text(&text)),
    };
    mask(row);
    koa_buf_deinit(&text);
}

void koa_config_errors_mask(struct koa_config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++)
        mask(&errors->rows[i]);
}

void koa_config_errors_print(const struct koa_config_errors *errors, struct koa_buf *buf)
{
    for (size_t i = 0; i < errors->count; i++) {
        const struct koa_config_error *row = &errors->rows[i];

        if (row->file != NULL && row->line > 0) {
            koa_buf_printf(buf, "%s:%d:%d: ", row->file, row->line, row->column);
        } else if (row->file != NULL && row->file[0] != '\0') {
            koa_buf_printf(buf, "%s: ", row->file);
        }
        if (row->path[0] != '\0')
            koa_buf_printf(buf, "%s: ", row->path);
        koa_buf_printf(buf, "%s\n", row->text);
    }
}

enum koa_err koa_config_errors_fail(const struct koa_config_errors *errors,
                                    struct koa_error *reterr)
{
    const struct koa_config_error *first = errors->rows;
    size_t others = errors->total - 1;
    char more[64] = "";

    if (others > 0)
        (void) snprintf(more, sizeof(more), " (and %zu more)", others);
    if (first->line > 0) {
        return koa_fail(reterr, KOA_ERR_PARSE, "%s:%d:%d: %s%s%s%s", first->file, first->line,
                        first->column, first->path, first->path[0] != '\0' ? ": " : "", first->text,
                        more);
    }
    return koa_fail(reterr, KOA_ERR_PARSE, "%s%s%s%s%s%s", first->file != NULL ? first->file : "",
                    first->file != NULL ? ": " : "", first->path,
                    first->path[0] != '\0' ? ": " : "", first->text, more);
}

bool koa_node_is_empty(const struct koa_node *node)
{
    return node == NULL ||
           (node->type == KOA_NODE_SCALAR && node->value[0] == '\0' && !node->is_quoted);
}

const struct koa_node *koa_node_get(const struct koa_node *map, const char *key)
{
    if (map == NULL || map->type != KOA_NODE_MAP)
        return NULL;
    for (const struct koa_node *child = map->children; child != NULL; child = child->next) {
        if (koa_text_equal(child->key, key))
            return child;
    }
    return NULL;
}

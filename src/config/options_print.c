/* Rows and loaded structs to text: effective settings as YAML, and tables for docs/config.md. */
#include <stdio.h>

#include "base/json_write.h"
#include "base/memory.h"
#include "base/num.h"
#include "base/redact.h"
#include "base/str.h"
#include "config/option_value.h"

enum { PATH_SIZE = 256 };

static void print_indent(int indent, struct koa_buf *buf)
{
    for (int i = 0; i < indent; i++)
        koa_buf_append_text(buf, "  ");
}

/* JSON's quoted form is also YAML's. Passwords in URLs are masked. */
static void print_text(const char *text, struct koa_buf *buf)
{
    KOA_AUTOFREE char *shown = koa_strdup(text != NULL ? text : "");

    if (shown == NULL) {
        buf->failed = buf->out_of_memory = true;
        return;
    }
    koa_redact(shown);
    koa_json_escape(buf, koa_str_from(shown));
}

static void print_choice(const struct koa_option *row, int value, struct koa_buf *buf)
{
    for (const struct koa_choice *choice = row->choices; choice->word != NULL; choice++) {
        if (choice->value == value) {
            koa_buf_append_text(buf, choice->word);
            return;
        }
    }
}

static void print_choices(const struct koa_option *row, unsigned set, struct koa_buf *buf)
{
    bool is_first = true;

    koa_buf_append_char(buf, '[');
    for (const struct koa_choice *choice = row->choices; choice->word != NULL; choice++) {
        if ((set & 1U << (unsigned) choice->value) != 0) {
            koa_buf_printf(buf, "%s%s", is_first ? "" : ", ", choice->word);
            is_first = false;
        }
    }
    koa_buf_append_char(buf, ']');
}

static void print_texts(const struct koa_texts *texts, struct koa_buf *buf)
{
    koa_buf_append_char(buf, '[');
    for (size_t i = 0; i < texts->count; i++) {
        koa_buf_append_text(buf, i > 0 ? ", " : "");
        print_text(texts->rows[i], buf);
    }
    koa_buf_append_char(buf, ']');
}

static void print_counts(const struct koa_counts *counts, struct koa_buf *buf)
{
    koa_buf_append_char(buf, '[');
    for (size_t i = 0; i < counts->count; i++)
        koa_buf_printf(buf, "%s%lld", i > 0 ? ", " : "", (long long) counts->rows[i]);
    koa_buf_append_char(buf, ']');
}

static void print_pairs(const struct koa_pairs *pairs, struct koa_buf *buf)
{
    koa_buf_append_char(buf, '{');
    for (size_t i = 0; i < pairs->count; i++) {
        koa_buf_append_text(buf, i > 0 ? ", " : "");
        koa_json_escape(buf, koa_str_from(pairs->rows[i].key));
        koa_buf_append_text(buf, ": ");
        print_text(pairs->rows[i].value, buf);
    }
    koa_buf_append_char(buf, '}');
}

static void print_value(const struct koa_option *row, const void *member, struct koa_buf *buf)
{
    char text[KOA_NUM_TEXT_SIZE] = "";

    switch (row->type) {
    case KOA_OPTION_BOOL:
        koa_buf_append_text(buf, *(const bool *) member ? "true" : "false");
        break;
    case KOA_OPTION_COUNT:
        (void) koa_format_int(*(const int64_t *) member, text);
        break;
    case KOA_OPTION_NUMBER:
        (void) koa_format_double(*(const double *) member, text);
        break;
    case KOA_OPTION_SIZE:
        (void) koa_format_size(*(const int64_t *) member, text);
        break;
    case KOA_OPTION_DURATION:
        (void) koa_format_duration(*(const int64_t *) member, text);
        break;
    case KOA_OPTION_TEXT:
        print_text(*(const char *const *) member, buf);
        break;
    case KOA_OPTION_SECRET:
        koa_buf_append_text(buf, (*(const char *const *) member)[0] != '\0' ? "\"***\"" : "\"\"");
        break;
    case KOA_OPTION_CHOICE:
        print_choice(row, *(const int *) member, buf);
        break;
    case KOA_OPTION_CHOICES:
        print_choices(row, *(const unsigned *) member, buf);
        break;
    case KOA_OPTION_TEXTS:
        print_texts(member, buf);
        break;
    case KOA_OPTION_COUNTS:
        print_counts(member, buf);
        break;
    case KOA_OPTION_PAIRS:
        print_pairs(member, buf);
        break;
    case KOA_OPTION_NONE:
    case KOA_OPTION_GROUP:
    case KOA_OPTION_LIST:
    case KOA_OPTION_SUBTREE:
    case KOA_OPTION_TYPE_COUNT:
        break;
    }
    koa_buf_append_text(buf, text);
}

/* The items of a list, each behind a dash that takes the place of its first indent. */
static void print_list(const struct koa_option *row, const struct koa_list *list, int indent,
                       struct koa_buf *buf)
{
    if (list->count == 0)
        koa_buf_append_text(buf, " []");
    koa_buf_append_char(buf, '\n');
    for (size_t i = 0; i < list->count; i++) {
        size_t start = buf->size;

        koa_options_print(row->rows, (const char *) list->rows + i * row->item_size, indent + 2,
                          buf);
        if (!buf->failed && buf->size > start + (size_t) (indent + 1) * 2)
            buf->data[start + (size_t) (indent + 1) * 2] = '-';
    }
}

void koa_options_print(const struct koa_option *rows, const void *target, int indent,
                       struct koa_buf *buf)
{
    for (const struct koa_option *row = rows; row->type != KOA_OPTION_NONE; row++) {
        const void *member = (const char *) target + row->offset;

        if (row->type == KOA_OPTION_SUBTREE)
            continue; /* printed by whoever knows its rows */
        print_indent(indent, buf);
        koa_buf_printf(buf, "%s:", row->key);
        if (row->type == KOA_OPTION_GROUP) {
            koa_buf_append_char(buf, '\n');
            koa_options_print(row->rows, member, indent + 1, buf);
        } else if (row->type == KOA_OPTION_LIST) {
            print_list(row, member, indent, buf);
        } else {
            koa_buf_append_char(buf, ' ');
            print_value(row, member, buf);
            koa_buf_append_char(buf, '\n');
        }
    }
}

/* In a Markdown table a bar would end the cell. */
static void print_cell(const char *text, struct koa_buf *buf)
{
    for (; *text != '\0'; text++) {
        if (*text == '|')
            koa_buf_append_char(buf, '\\');
        koa_buf_append_char(buf, *text);
    }
}

static void document_row(const struct koa_option *row, const char *path, struct koa_buf *buf)
{
    struct koa_buf allowed = {.limit = 1024};

    koa_option_document_allowed(row, &allowed);
    koa_buf_printf(buf, "| `%s` | %s | ", path, koa_option_type_name(row->type));
    if (row->required) {
        koa_buf_append_text(buf, "required");
    } else if (row->fallback != NULL && row->fallback[0] != '\0') {
        koa_buf_printf(buf, "`%s`", row->fallback);
    }
    koa_buf_append_text(buf, " | ");
    print_cell(koa_buf_text(&allowed), buf);
    koa_buf_append_text(buf, " | ");
    print_cell(row->help != NULL ? row->help : "", buf);
    if (row->type == KOA_OPTION_SECRET)
        koa_buf_printf(buf, "; also `%s_file`", row->key);
    if (row->environment != NULL)
        koa_buf_printf(buf, "; `%s`", row->environment);
    if (row->restart)
        koa_buf_append_text(buf, "; needs a restart");
    koa_buf_append_text(buf, " |\n");
    koa_buf_deinit(&allowed);
}

static void document_rows(const struct koa_option *rows, const char *prefix, struct koa_buf *buf)
{
    for (const struct koa_option *row = rows; row->type != KOA_OPTION_NONE; row++) {
        char path[PATH_SIZE];

        (void) snprintf(path, sizeof(path), "%s%s%s%s", prefix, prefix[0] != '\0' ? "." : "",
                        row->key, row->type == KOA_OPTION_LIST ? "[]" : "");
        if (row->type == KOA_OPTION_GROUP || row->type == KOA_OPTION_LIST) {
            document_rows(row->rows, path, buf);
        } else {
            document_row(row, path, buf);
        }
    }
}

void koa_options_document(const struct koa_option *rows, struct koa_buf *buf)
{
    koa_buf_append_text(buf, "| key | type | default | allowed | is |\n|---|---|---|---|---|\n");
    document_rows(rows, "", buf);
}

/* Prints and reads the text keys of series. */
#include "metrics/key.h"

#include <string.h>

#include "base/str.h"
#include "metrics/registry.h"
#include "metrics/series_key.h"

static bool is_special(char c)
{
    return c == ',' || c == '=' || c == '{' || c == '}' || c == '"' || c == '\\';
}

static void print_value(struct koa_buf *buf, struct koa_str value)
{
    size_t start = 0;

    for (size_t i = 0; i < value.size; i++) {
        if (!is_special(value.data[i]))
            continue;
        koa_buf_append(buf, value.data + start, i - start);
        koa_buf_append_char(buf, '\\');
        start = i;
    }
    koa_buf_append(buf, value.data + start, value.size - start);
}

void koa_series_key_print(struct koa_buf *buf, const struct koa_sample *sample)
{
    koa_buf_append(buf, sample->family->name.data, sample->family->name.size);
    for (size_t i = 0; i < sample->label_count; i++) {
        const struct koa_label_view *label = &sample->labels[i];

        koa_buf_append_char(buf, i == 0 ? '{' : ',');
        koa_buf_append(buf, label->name.data, label->name.size);
        koa_buf_append_char(buf, '=');
        print_value(buf, label->value);
    }
    if (sample->label_count > 0)
        koa_buf_append_char(buf, '}');
}

/* What is left to read. */
struct reader {
    struct koa_str text;
    size_t at;
    struct koa_arena *arena;
};

static enum koa_err fail_here(const struct reader *reader, const char *expected,
                              struct koa_error *reterr)
{
    return koa_fail(reterr, KOA_ERR_PARSE, "series key '%.*s': %s expected at byte %zu",
                    (int) (reader->text.size > 200 ? 200 : reader->text.size), reader->text.data,
                    expected, reader->at + 1);
}

static bool take(struct reader *reader, char c)
{
    if (reader->at == reader->text.size || reader->text.data[reader->at] != c)
        return false;
    reader->at++;
    return true;
}

static struct koa_str take_until(struct reader *reader, const char *ends)
{
    size_t start = reader->at;

    while (reader->at < reader->text.size && strchr(ends, reader->text.data[reader->at]) == NULL)
        reader->at++;
    return (struct koa_str){reader->text.data + start, reader->at - start};
}

static enum koa_err read_value(struct reader *reader, const char **ret_value,
                               struct koa_error *reterr)
{
    char *value = koa_arena_strndup(reader->arena, reader->text.data + reader->at,
                                    reader->text.size - reader->at);
    size_t size = 0;

    if (value == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory to read a series key");
    while (reader->at < reader->text.size && reader->text.data[reader->at] != ',' &&
           reader->text.data[reader->at] != '}') {
        bool is_escape = take(reader, '\\');
        char c = '\0';

        if (reader->at < reader->text.size)
            c = reader->text.data[reader->at];
        if (is_special(c) != is_escape)
            return fail_here(reader, "a plain or escaped character", reterr);
        value[size++] = c;
        reader->at++;
    }
    value[size] = '\0';
    *ret_value = value;
    return KOA_OK;
}

static enum koa_err read_label(struct reader *reader, struct koa_label *label,
                               struct koa_error *reterr)
{
    struct koa_str name = take_until(reader, "=,{}");

    if (!koa_label_name_valid(name) || !take(reader, '='))
        return fail_here(reader, "a label name and =", reterr);
    label->name = koa_arena_strndup(reader->arena, name.data, name.size);
    if (label->name == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory to read a series key");
    return read_value(reader, &label->value, reterr);
}

enum koa_err koa_series_key_parse(struct koa_str text, struct koa_arena *arena,
                                  const char **ret_name, struct koa_labels *ret_labels,
                                  struct koa_error *reterr)
{
    struct reader reader = {.text = text, .arena = arena};
    struct koa_str name = take_until(&reader, "{");
    char *copy = koa_arena_strndup(arena, name.data, name.size);
    struct koa_label *rows = koa_arena_alloc(arena, KOA_METRIC_LABELS_LIMIT, sizeof(*rows));
    size_t count = 0;
    enum koa_err err = KOA_OK;

    if (copy == NULL || rows == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory to read a series key");
    if (!koa_metric_name_valid(copy) || strlen(copy) != name.size)
        return fail_here(&(struct reader){.text = text}, "a metric name", reterr);
    if (take(&reader, '{')) {
        do {
            if (count == KOA_METRIC_LABELS_LIMIT) {
                return koa_fail(reterr, KOA_ERR_LIMIT, "a series key has more than %d labels",
                                KOA_METRIC_LABELS_LIMIT);
            }
            err = read_label(&reader, &rows[count++], reterr);
            if (err != KOA_OK)
                return err;
        } while (take(&reader, ','));
        if (!take(&reader, '}'))
            return fail_here(&reader, "}", reterr);
    }
    if (reader.at != text.size)
        return fail_here(&reader, "the end", reterr);
    *ret_name = copy;
    *ret_labels = (struct koa_labels){.rows = rows, .count = count};
    return KOA_OK;
}

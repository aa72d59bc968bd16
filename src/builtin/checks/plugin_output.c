/* Reads the output format of Nagios plugins (Monitoring Plugins Development Guidelines, section
 * 2): "text | perfdata", then long text, then more perfdata behind another '|'. Pure. */
#include "builtin/checks/plugin_output.h"

#include <string.h>

#include "base/json_write.h"
#include "base/num.h"
#include "base/str.h"

enum { PERFDATA_LIMIT = 64, JSON_LIMIT = 8192, LONG_TEXT_SIZE = 2048, LABEL_LIMIT = 256 };

/* The label in front of '=': bare, or in single quotes, which double inside. */
static bool read_label(struct koa_str *rest, char *label, size_t size)
{
    bool is_quoted = rest->size > 0 && rest->data[0] == '\'';
    size_t used = 0;
    size_t at = is_quoted ? 1 : 0;

    while (at < rest->size) {
        char character = rest->data[at];

        if (is_quoted && character == '\'') {
            if (at + 1 >= rest->size || rest->data[at + 1] != '\'') {
                at++;
                break;
            }
            at++;
        } else if (!is_quoted && (character == '=' || character == ' ')) {
            break;
        }
        if (used + 1 < size)
            label[used++] = character;
        at++;
    }
    label[used] = '\0';
    if (used == 0 || at >= rest->size || rest->data[at] != '=')
        return false;
    rest->data += at + 1;
    rest->size -= at + 1;
    return true;
}

/* Splits "12.5MB" into number and unit. A unit holds no digit and no quote, by the guidelines:
 * "1,5" and "1e9" are no values. */
static bool read_value(struct koa_str text, double *ret_number, struct koa_str *ret_unit)
{
    size_t digits = 0;

    while (digits < text.size && (text.data[digits] == '-' || text.data[digits] == '.' ||
                                  (text.data[digits] >= '0' && text.data[digits] <= '9')))
        digits++;
    *ret_unit = (struct koa_str){.data = text.data + digits, .size = text.size - digits};
    for (size_t i = digits; i < text.size; i++) {
        if (strchr("0123456789'\"", text.data[i]) != NULL)
            return false;
    }
    return koa_parse_double((struct koa_str){.data = text.data, .size = digits}, ret_number) ==
           KOA_OK;
}

static void write_number(struct koa_json *json, const char *key, struct koa_str text)
{
    double number;

    if (koa_parse_double(text, &number) == KOA_OK)
        koa_json_double(json, key, number);
}

/* value[unit];[warning];[critical];[minimum];[maximum]; thresholds are ranges and stay text. */
static bool write_entry(struct koa_json *json, const char *label, struct koa_str fields)
{
    struct koa_str value = koa_str_split(fields, ';', &fields);
    struct koa_str unit;
    struct koa_str field;
    double number;

    if (!read_value(value, &number, &unit))
        return false;
    koa_json_object(json, NULL);
    koa_json_text(json, "label", label);
    koa_json_double(json, "value", number);
    if (unit.size > 0)
        koa_json_str(json, "unit", unit);
    field = koa_str_split(fields, ';', &fields);
    if (field.size > 0)
        koa_json_str(json, "warning", field);
    field = koa_str_split(fields, ';', &fields);
    if (field.size > 0)
        koa_json_str(json, "critical", field);
    write_number(json, "minimum", koa_str_split(fields, ';', &fields));
    write_number(json, "maximum", koa_str_split(fields, ';', &fields));
    koa_json_object_end(json);
    return true;
}

static struct koa_str skip_blanks(struct koa_str text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t' || text.data[0] == '\n' ||
                             text.data[0] == '\r')) {
        text.data++;
        text.size--;
    }
    return text;
}

static struct koa_str take_word(struct koa_str *rest)
{
    struct koa_str word = {.data = rest->data};

    while (word.size < rest->size && rest->data[word.size] != ' ' &&
           rest->data[word.size] != '\t' && rest->data[word.size] != '\n' &&
           rest->data[word.size] != '\r')
        word.size++;
    rest->data += word.size;
    rest->size -= word.size;
    return word;
}

static size_t write_perfdata(struct koa_json *json, struct koa_str rest, size_t room)
{
    size_t written = 0;

    for (rest = skip_blanks(rest); rest.size > 0 && written < room; rest = skip_blanks(rest)) {
        char label[LABEL_LIMIT];

        if (read_label(&rest, label, sizeof(label))) {
            if (write_entry(json, label, take_word(&rest)))
                written++;
        } else {
            (void) take_word(&rest);
        }
    }
    return written;
}

struct koa_str koa_plugin_output_read(struct koa_str output, struct koa_verdict *verdict)
{
    struct koa_str rest = output;
    struct koa_str first = koa_str_split(rest, '\n', &rest);
    struct koa_str perfdata = {0};
    struct koa_str more = {0};
    struct koa_str message = koa_str_trim(koa_str_split(first, '|', &perfdata));
    struct koa_str text = koa_str_trim(koa_str_split(rest, '|', &more));
    struct koa_buf buf = {.limit = JSON_LIMIT};
    struct koa_json json = {.buf = &buf};
    char long_text[LONG_TEXT_SIZE];
    size_t written;

    koa_json_list(&json, NULL);
    written = write_perfdata(&json, perfdata, PERFDATA_LIMIT);
    written += write_perfdata(&json, more, PERFDATA_LIMIT - written);
    koa_json_list_end(&json);
    if (written > 0 && !buf.failed)
        koa_verdict_detail(verdict, "perfdata", KOA_VALUE_JSON(koa_buf_text(&buf)));
    koa_buf_deinit(&buf);
    if (text.size > 0) {
        (void) koa_str_copy(long_text, sizeof(long_text), text);
        koa_verdict_detail(verdict, "output", KOA_VALUE_TEXT(long_text));
    }
    return message;
}

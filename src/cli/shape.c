/* Compares a JSON object with a shape: which members it must have, and of which kind. */
#include "cli/shape.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static bool is_instant(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";

    if (text == NULL || strlen(text) != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';

        if (form[i] == 'd' ? !is_digit : text[i] != form[i])
            return false;
    }
    return true;
}

static bool has_kind(const struct koa_json_value *value, char kind)
{
    switch (kind) {
    case 't':
        return koa_json_value_type(value) == KOA_JSON_TEXT;
    case 'T':
        return is_instant(koa_json_value_text(value));
    case 'n':
        return koa_json_value_type(value) == KOA_JSON_NUMBER;
    case 'l':
        return koa_json_value_type(value) == KOA_JSON_LIST;
    case 'o':
        return koa_json_value_type(value) == KOA_JSON_OBJECT;
    default:
        return koa_json_value_type(value) == KOA_JSON_BOOL;
    }
}

/* A member that is there as null; koa_json_get() gives NULL for one that is not. */
static bool is_null(const struct koa_json_value *value)
{
    return value != NULL && koa_json_value_type(value) == KOA_JSON_NULL;
}

bool cli_shape_fits(const char *shape, const struct koa_json_value *root, char *problem,
                    size_t size)
{
    struct koa_str rest = koa_str_from(shape);

    while (rest.size > 0) {
        struct koa_str word = koa_str_split(rest, ' ', &rest);
        struct koa_str kind;
        struct koa_str name = koa_str_split(word, ':', &kind);
        char field[64];
        struct koa_json_value *value;

        (void) koa_str_copy(field, sizeof(field), name);
        value = koa_json_get(root, field);
        if (kind.size == 2 && is_null(value))
            continue;
        if (!has_kind(value, kind.data[0])) {
            (void) snprintf(problem, size, "'%s' is missing or of another type", field);
            return false;
        }
    }
    return true;
}

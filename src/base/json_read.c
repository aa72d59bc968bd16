/* Jansson behind a wall: strict flags, our limits, our errors. A value is Jansson's own, under
 * another name. */
#include "base/json_read.h"

#include <jansson.h>

#include "base/memory.h"
#include "base/str.h"

enum {
    TEXT_LIMIT = 1024 * 1024, /* bodies of requests and answers that we read are far smaller */
    DEPTH_LIMIT = 32,         /* as deep as our own writer goes */
};

static const json_t *as_json(const struct koa_json_value *value)
{
    return (const json_t *) (const void *) value;
}

static struct koa_json_value *as_value(json_t *json)
{
    return (struct koa_json_value *) (void *) json;
}

/* Jansson's own limit is 2048 levels; a scan before it keeps ours. Brackets in strings do not
 * count. Returns the offset of the bracket that is too deep, or `text.size`. */
static size_t find_too_deep(struct koa_str text)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];

        if (in_string && c == '\\') {
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (!in_string && (c == '{' || c == '[')) {
            depth++;
        } else if (!in_string && (c == '}' || c == ']')) {
            depth--;
        }
        if (depth > DEPTH_LIMIT)
            return i;
    }
    return text.size;
}

static void find_position(struct koa_str text, size_t offset, int *ret_line, int *ret_column)
{
    *ret_line = 1;
    *ret_column = 1;
    for (size_t i = 0; i < offset && i < text.size; i++) {
        if (text.data[i] == '\n') {
            ++*ret_line;
            *ret_column = 1;
        } else {
            ++*ret_column;
        }
    }
}

enum koa_err koa_json_parse(struct koa_str text, struct koa_json_value **ret_root,
                            struct koa_error *reterr)
{
    json_error_t error;
    json_t *root;
    size_t too_deep;
    int line;
    int column;

    if (text.size > TEXT_LIMIT) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "JSON text of %zu bytes, at most %d are read",
                        text.size, TEXT_LIMIT);
    }
    too_deep = find_too_deep(text);
    if (too_deep < text.size) {
        find_position(text, too_deep, &line, &column);
        return koa_fail(reterr, KOA_ERR_PARSE, "JSON line %d column %d: nested deeper than %d",
                        line, column, DEPTH_LIMIT);
    }
    root = json_loadb(text.size > 0 ? text.data : "", text.size,
                      JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (root == NULL && json_error_code(&error) == json_error_out_of_memory)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory to read JSON of %zu bytes", text.size);
    if (root == NULL) {
        return koa_fail(reterr, KOA_ERR_PARSE, "JSON line %d column %d: %s",
                        error.line > 0 ? error.line : 1, error.column > 0 ? error.column : 1,
                        error.text);
    }
    *ret_root = as_value(root);
    return KOA_OK;
}

void koa_json_value_destroy(struct koa_json_value *root)
{
    json_decref((json_t *) (void *) root);
}

enum koa_json_type koa_json_value_type(const struct koa_json_value *value)
{
    const json_t *json = as_json(value);

    if (json == NULL)
        return KOA_JSON_NULL;
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return KOA_JSON_OBJECT;
    case JSON_ARRAY:
        return KOA_JSON_LIST;
    case JSON_STRING:
        return KOA_JSON_TEXT;
    case JSON_INTEGER:
    case JSON_REAL:
        return KOA_JSON_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return KOA_JSON_BOOL;
    case JSON_NULL:
        break;
    }
    return KOA_JSON_NULL;
}

struct koa_json_value *koa_json_get(const struct koa_json_value *object, const char *key)
{
    return as_value(json_object_get(as_json(object), key));
}

size_t koa_json_count(const struct koa_json_value *list_or_object)
{
    const json_t *json = as_json(list_or_object);

    return json_is_array(json) ? json_array_size(json) : json_object_size(json);
}

struct koa_json_value *koa_json_at(const struct koa_json_value *list, size_t index)
{
    return as_value(json_array_get(as_json(list), index));
}

/* Jansson hands out iterators only for objects it may change; walking changes nothing. */
static json_t *as_mutable(const struct koa_json_value *value)
{
    union {
        const struct koa_json_value *in;
        json_t *out;
    } cast = {.in = value};

    return cast.out;
}

const char *koa_json_next_key(const struct koa_json_value *object, const char *previous)
{
    json_t *json = as_mutable(object);
    void *at;

    if (!json_is_object(json))
        return NULL;
    at = previous == NULL ? json_object_iter(json)
                          : json_object_iter_next(json, json_object_iter_at(json, previous));
    return at != NULL ? json_object_iter_key(at) : NULL;
}

const char *koa_json_value_text(const struct koa_json_value *value)
{
    return json_string_value(as_json(value));
}

bool koa_json_value_number(const struct koa_json_value *value, double *ret_number)
{
    const json_t *json = as_json(value);

    if (!json_is_number(json))
        return false;
    *ret_number = json_number_value(json);
    return true;
}

bool koa_json_value_int(const struct koa_json_value *value, int64_t *ret_number)
{
    const json_t *json = as_json(value);
    double number;

    if (json_is_integer(json)) {
        *ret_number = json_integer_value(json);
        return true;
    }
    if (!json_is_real(json))
        return false;
    number = json_real_value(json);
    /* 1e3 is a whole number too; beyond 2^53 a double cannot tell. */
    if (number < -9007199254740992.0 || number > 9007199254740992.0 ||
        number < (double) (int64_t) number || number > (double) (int64_t) number)
        return false;
    *ret_number = (int64_t) number;
    return true;
}

bool koa_json_value_bool(const struct koa_json_value *value, bool *ret_bool)
{
    const json_t *json = as_json(value);

    if (!json_is_boolean(json))
        return false;
    *ret_bool = json_is_true(json);
    return true;
}

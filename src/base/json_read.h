/* Parsed JSON from outside: small bodies only. Strict: duplicate keys, bad UTF-8, NaN, trailing
 * text, huge numbers and deep nesting are errors with line and column. */
#ifndef BASE_JSON_READ_H
#define BASE_JSON_READ_H

#include <koa/base.h>
#include <koa/error.h>

struct koa_json_value; /* borrowed from its document, except the root */

enum koa_json_type {
    KOA_JSON_NULL,
    KOA_JSON_BOOL,
    KOA_JSON_NUMBER,
    KOA_JSON_TEXT,
    KOA_JSON_LIST,
    KOA_JSON_OBJECT
};

/* At most 1 MiB (KOA_ERR_LIMIT). The caller destroys the root. */
KOA_MUST_USE enum koa_err koa_json_parse(struct koa_str text, struct koa_json_value **ret_root,
                                         struct koa_error *reterr);
void koa_json_value_destroy(struct koa_json_value *root);
KOA_DEFINE_AUTO(koa_json_value, koa_json_value_destroy)

/* All take NULL: type null, no members, NULL text. */
enum koa_json_type koa_json_value_type(const struct koa_json_value *value);
struct koa_json_value *koa_json_get(const struct koa_json_value *object, const char *key);
size_t koa_json_count(const struct koa_json_value *list_or_object);
struct koa_json_value *koa_json_at(const struct koa_json_value *list, size_t index);
/* Walks an object's members: start with NULL, NULL at the end. */
const char *koa_json_next_key(const struct koa_json_value *object, const char *previous);
const char *koa_json_value_text(const struct koa_json_value *value); /* NULL unless text */
bool koa_json_value_number(const struct koa_json_value *value, double *ret_number);
bool koa_json_value_int(const struct koa_json_value *value,
                        int64_t *ret_number); /* only whole numbers */
bool koa_json_value_bool(const struct koa_json_value *value, bool *ret_bool);

#endif

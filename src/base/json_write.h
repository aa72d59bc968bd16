/* A streaming JSON writer into a buffer. Commas, quotes and escapes are its own; bytes that are not
 * UTF-8 become U+FFFD; NaN and infinities become the strings "NaN", "+Inf", "-Inf". */
#ifndef BASE_JSON_WRITE_H
#define BASE_JSON_WRITE_H

#include <koa/base.h>
#include <koa/time.h>

#include "base/buf.h"

enum { KOA_JSON_DEPTH = 32 };

/* Init with {.buf = buffer}. Between values the buffer may be drained and cleared by its owner. */
struct koa_json {
    struct koa_buf *buf;
    int depth;
    bool has_items[KOA_JSON_DEPTH];
    bool after_key;
};

/* `key` is NULL inside lists and at the top. */
void koa_json_object(struct koa_json *json, const char *key);
void koa_json_object_end(struct koa_json *json);
void koa_json_list(struct koa_json *json, const char *key);
void koa_json_list_end(struct koa_json *json);
void koa_json_text(struct koa_json *json, const char *key, const char *text); /* NULL gives null */
void koa_json_str(struct koa_json *json, const char *key, struct koa_str text);
void koa_json_int(struct koa_json *json, const char *key, int64_t number);
void koa_json_double(struct koa_json *json, const char *key, double number);
void koa_json_bool(struct koa_json *json, const char *key, bool value);
void koa_json_null(struct koa_json *json, const char *key);
void koa_json_time(struct koa_json *json, const char *key, struct koa_wall time); /* 0 gives null */
/* Text that is JSON already. */
void koa_json_raw(struct koa_json *json, const char *key, struct koa_str json_text);
/* A key that is not a C string. The next call writes its value with `key` NULL. */
void koa_json_key(struct koa_json *json, struct koa_str key);
/* The quoted, escaped string alone. */
void koa_json_escape(struct koa_buf *buf, struct koa_str text);

#endif

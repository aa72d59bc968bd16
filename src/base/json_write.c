/* Writes JSON piece by piece; the nesting lives in the caller's struct, the bytes in the caller's
 * buffer. Runs of plain ASCII are copied whole, which is nearly all that names and messages are. */
#include "base/json_write.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

static void escape_byte(struct koa_buf *buf, unsigned char byte)
{
    static const char shorthand[128] = {
        ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
        ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
    };
    static const char digits[] = "0123456789abcdef";
    char text[6] = {'\\', 'u', '0', '0', digits[byte >> 4], digits[byte & 15]};

    if (shorthand[byte] != 0) {
        text[1] = shorthand[byte];
        koa_buf_append(buf, text, 2);
    } else {
        koa_buf_append(buf, text, sizeof(text));
    }
}

void koa_json_escape(struct koa_buf *buf, struct koa_str text)
{
    size_t at = 0;

    koa_buf_append_char(buf, '"');
    while (at < text.size) {
        size_t start = at;
        unsigned char byte;
        size_t length;

        while (at < text.size && is_plain((unsigned char) text.data[at]))
            at++;
        if (at > start)
            koa_buf_append(buf, text.data + start, at - start);
        if (at == text.size)
            break;
        byte = (unsigned char) text.data[at];
        if (byte < 0x80) {
            escape_byte(buf, byte);
            at++;
            continue;
        }
        length = koa_utf8_character((struct koa_str){text.data + at, text.size - at});
        if (length > 0) {
            koa_buf_append(buf, text.data + at, length);
        } else {
            koa_buf_append(buf, replacement, sizeof(replacement) - 1);
        }
        at += length > 0 ? length : 1;
    }
    koa_buf_append_char(buf, '"');
}

/* What stands between this item and the one before it. */
static void separate(struct koa_json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->has_items[json->depth])
        koa_buf_append_char(json->buf, ',');
    json->has_items[json->depth] = true;
}

void koa_json_key(struct koa_json *json, struct koa_str key)
{
    separate(json);
    koa_json_escape(json->buf, key);
    koa_buf_append_char(json->buf, ':');
    json->after_key = true;
}

static void begin(struct koa_json *json, const char *key)
{
    if (key != NULL)
        koa_json_key(json, koa_str_from(key));
    separate(json);
}

static void open(struct koa_json *json, const char *key, char bracket)
{
    begin(json, key);
    koa_buf_append_char(json->buf, bracket);
    KOA_ASSERT(json->depth + 1 < KOA_JSON_DEPTH);
    json->has_items[++json->depth] = false;
}

static void shut(struct koa_json *json, char bracket)
{
    KOA_ASSERT(json->depth > 0);
    json->depth--;
    koa_buf_append_char(json->buf, bracket);
}

void koa_json_object(struct koa_json *json, const char *key)
{
    open(json, key, '{');
}

void koa_json_object_end(struct koa_json *json)
{
    shut(json, '}');
}

void koa_json_list(struct koa_json *json, const char *key)
{
    open(json, key, '[');
}

void koa_json_list_end(struct koa_json *json)
{
    shut(json, ']');
}

void koa_json_text(struct koa_json *json, const char *key, const char *text)
{
    if (text == NULL) {
        koa_json_null(json, key);
    } else {
        koa_json_str(json, key, koa_str_from(text));
    }
}

void koa_json_str(struct koa_json *json, const char *key, struct koa_str text)
{
    begin(json, key);
    koa_json_escape(json->buf, text);
}

void koa_json_int(struct koa_json *json, const char *key, int64_t number)
{
    char text[KOA_NUM_TEXT_SIZE];

    begin(json, key);
    koa_buf_append(json->buf, text, koa_format_int(number, text));
}

void koa_json_double(struct koa_json *json, const char *key, double number)
{
    char text[KOA_NUM_TEXT_SIZE];
    size_t size = koa_format_double(number, text);

    if (isfinite(number)) {
        begin(json, key);
        koa_buf_append(json->buf, text, size);
    } else {
        koa_json_str(json, key, (struct koa_str){text, size});
    }
}

void koa_json_bool(struct koa_json *json, const char *key, bool value)
{
    begin(json, key);
    koa_buf_append_text(json->buf, value ? "true" : "false");
}

void koa_json_null(struct koa_json *json, const char *key)
{
    begin(json, key);
    koa_buf_append_text(json->buf, "null");
}

void koa_json_time(struct koa_json *json, const char *key, struct koa_wall time)
{
    char text[KOA_TIME_TEXT_SIZE];

    if (time.ms == 0) {
        koa_json_null(json, key);
        return;
    }
    koa_wall_format(time, text);
    koa_json_text(json, key, text);
}

void koa_json_raw(struct koa_json *json, const char *key, struct koa_str json_text)
{
    begin(json, key);
    koa_buf_append(json->buf, json_text.data, json_text.size);
}

/* Grows by doubling up to the limit. Remembers only that it failed; the status call turns that into
 * words. */
#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_CAPACITY = 64 };

void koa_buf_deinit(struct koa_buf *buf)
{
    koa_free(buf->data);
    buf->data = NULL;
    buf->size = buf->capacity = 0;
    buf->failed = buf->out_of_memory = false;
}

void koa_buf_clear(struct koa_buf *buf)
{
    buf->size = 0;
    buf->failed = buf->out_of_memory = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

static bool grow(struct koa_buf *buf, size_t size)
{
    size_t needed = buf->size + size + 1;
    size_t capacity = buf->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : buf->capacity * 2;
    char *data;

    if (capacity < needed)
        capacity = needed;
    if (capacity > buf->limit + 1)
        capacity = buf->limit + 1;
    data = koa_realloc_array(buf->data, capacity, 1);
    if (data == NULL)
        return false;
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

char *koa_buf_grow(struct koa_buf *buf, size_t size)
{
    if (buf->failed)
        return NULL;
    /* A limit of SIZE_MAX would leave no room for the NUL. */
    if (buf->limit == SIZE_MAX || size > buf->limit || buf->size > buf->limit - size) {
        buf->failed = true;
        return NULL;
    }
    if (buf->size + size + 1 > buf->capacity && !grow(buf, size)) {
        buf->failed = buf->out_of_memory = true;
        return NULL;
    }
    return buf->data + buf->size;
}

void koa_buf_append(struct koa_buf *buf, const void *data, size_t size)
{
    char *target = koa_buf_reserve(buf, size);

    if (target == NULL)
        return;
    if (size > 0)
        memcpy(target, data, size);
    target[size] = '\0';
    buf->size += size;
}

void koa_buf_append_text(struct koa_buf *buf, const char *text)
{
    koa_buf_append(buf, text, strlen(text));
}

void koa_buf_append_char(struct koa_buf *buf, char character)
{
    koa_buf_append(buf, &character, 1);
}

void koa_buf_printf(struct koa_buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    koa_buf_vprintf(buf, format, args);
    va_end(args);
}

void koa_buf_vprintf(struct koa_buf *buf, const char *format, va_list args)
{
    va_list again;
    size_t room = buf->capacity > buf->size ? buf->capacity - buf->size : 0;
    char nothing[1];
    int length;

    if (buf->failed)
        return;
    va_copy(again, args);
    length = vsnprintf(room > 0 ? buf->data + buf->size : nothing, room, format, again);
    va_end(again);
    if (length >= 0 && (size_t) length < room) {
        buf->size += (size_t) length;
        return;
    }
    /* It was cut, or there was no room at all: make room and print once more. */
    if (room > 0)
        buf->data[buf->size] = '\0';
    if (length < 0) {
        buf->failed = true;
    } else if (koa_buf_reserve(buf, (size_t) length) != NULL) {
        vsnprintf(buf->data + buf->size, (size_t) length + 1, format, args);
        buf->size += (size_t) length;
    }
}

void koa_buf_consume(struct koa_buf *buf, size_t size)
{
    KOA_ASSERT(size <= buf->size);
    if (size == 0)
        return;
    memmove(buf->data, buf->data + size, buf->size - size + 1);
    buf->size -= size;
}

const char *koa_buf_text(const struct koa_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

char *koa_buf_take(struct koa_buf *buf)
{
    char *data = NULL;

    if (!buf->failed && buf->size > 0)
        data = KOA_MOVE(buf->data);
    koa_buf_deinit(buf);
    return data;
}

enum koa_err koa_buf_status(const struct koa_buf *buf, const char *what, struct koa_error *reterr)
{
    if (!buf->failed)
        return KOA_OK;
    if (!buf->out_of_memory) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "%s is larger than its limit of %zu bytes", what,
                        buf->limit);
    }
    return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for %s (%zu bytes so far)", what, buf->size);
}

/* Growing text or bytes with a limit. Failure is sticky: append freely, look once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include <koa/base.h>
#include <koa/error.h>

#include "base/memory.h"

/* A zeroed struct with a limit is a valid empty buffer: {.limit = N}. */
struct koa_buf {
    char *data; /* ends with NUL beyond `size` once anything was appended; NULL before */
    size_t size;
    size_t capacity;
    size_t limit;       /* bytes; an append beyond it fails and sets `failed` */
    bool failed;        /* memory or limit; every later append does nothing */
    bool out_of_memory; /* which of the two */
};

void koa_buf_deinit(struct koa_buf *buf);
/* Empties it, keeps the memory, clears `failed`. */
void koa_buf_clear(struct koa_buf *buf);
void koa_buf_append(struct koa_buf *buf, const void *data, size_t size);
void koa_buf_append_text(struct koa_buf *buf, const char *text);
void koa_buf_append_char(struct koa_buf *buf, char character);
void koa_buf_printf(struct koa_buf *buf, const char *format, ...) KOA_PRINTF(2, 3);
void koa_buf_vprintf(struct koa_buf *buf, const char *format, va_list args) KOA_PRINTF(2, 0);
/* koa_buf_reserve() where the memory at hand is not enough. */
char *koa_buf_grow(struct koa_buf *buf, size_t size);
/* Room for `size` more bytes at data + size, or NULL (sets `failed`). Then koa_buf_advance(). */
static inline char *koa_buf_reserve(struct koa_buf *buf, size_t size)
{
    return !buf->failed && size < buf->capacity - buf->size ? buf->data + buf->size
                                                            : koa_buf_grow(buf, size);
}
/* At most what was reserved. */
static inline void koa_buf_advance(struct koa_buf *buf, size_t size)
{
    KOA_ASSERT(size < buf->capacity - buf->size);
    buf->size += size;
    buf->data[buf->size] = '\0';
}
/* Removes the first `size` bytes. */
void koa_buf_consume(struct koa_buf *buf, size_t size);
/* The text, never NULL ("" when empty). Borrowed until the next change. */
const char *koa_buf_text(const struct koa_buf *buf);
/* Hands the memory to the caller (koa_free()); NULL when failed or empty. The buffer is empty then.
 */
KOA_MUST_USE char *koa_buf_take(struct koa_buf *buf);
/* KOA_OK, or KOA_ERR_LIMIT naming `what` and the limit, or KOA_ERR_NOMEM. */
KOA_MUST_USE enum koa_err koa_buf_status(const struct koa_buf *buf, const char *what,
                                         struct koa_error *reterr);

#endif

/* zlib at level 1: text of metrics shrinks to a tenth there, and higher levels cost far more time
 * than they save bytes. */
#include "export/gzip.h"

#include <limits.h>

#define ZLIB_CONST /* its input is const, as ours is */
#include <zlib.h>

#include "base/memory.h"

enum {
    LEVEL = 1,
    WINDOW_BITS = 15 + 16, /* the largest window, with gzip's header and trailer */
    MEMORY_LEVEL = 8,
};

struct koa_gzip {
    z_stream stream;
};

struct koa_gzip *koa_gzip_create(void)
{
    struct koa_gzip *gzip = koa_calloc(1, sizeof(*gzip));

    if (gzip == NULL)
        return NULL;
    if (deflateInit2(&gzip->stream, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        koa_free(gzip);
        return NULL;
    }
    return gzip;
}

void koa_gzip_destroy(struct koa_gzip *gzip)
{
    if (gzip == NULL)
        return;
    deflateEnd(&gzip->stream);
    koa_free(gzip);
}

static uInt clamp(size_t size)
{
    return size < UINT_MAX ? (uInt) size : UINT_MAX;
}

size_t koa_gzip_run(struct koa_gzip *gzip, struct koa_str *input, bool is_last, char *target,
                    size_t size, bool *ret_done)
{
    z_stream *stream = &gzip->stream;
    uInt input_size = clamp(input->size);
    uInt target_size = clamp(size);
    size_t taken;
    int result;

    stream->next_in = (const Bytef *) input->data;
    stream->avail_in = input_size;
    stream->next_out = (Bytef *) target;
    stream->avail_out = target_size;
    result = deflate(stream, is_last && input_size == input->size ? Z_FINISH : Z_NO_FLUSH);
    taken = input_size - stream->avail_in;
    *input = (struct koa_str){input->data + taken, input->size - taken};
    *ret_done = result == Z_STREAM_END;
    return target_size - stream->avail_out;
}

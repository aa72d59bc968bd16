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
    bool is_done;
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

static size_t run(struct koa_gzip *gzip, struct koa_str *input, int flush, char *target,
                  size_t size)
{
    z_stream *stream = &gzip->stream;
    uInt input_size = clamp(input->size);
    uInt target_size = clamp(size);
    size_t taken;

    stream->next_in = (const Bytef *) input->data;
    stream->avail_in = input_size;
    stream->next_out = (Bytef *) target;
    stream->avail_out = target_size;
    gzip->is_done = deflate(stream, flush) == Z_STREAM_END;
    taken = input_size - stream->avail_in;
    *input = (struct koa_str){input->data + taken, input->size - taken};
    return target_size - stream->avail_out;
}

size_t koa_gzip_run(struct koa_gzip *gzip, struct koa_str *input, char *target, size_t size)
{
    return run(gzip, input, Z_NO_FLUSH, target, size);
}

size_t koa_gzip_finish(struct koa_gzip *gzip, struct koa_str *input, char *target, size_t size)
{
    /* What does not fit zlib's counter goes first. */
    return run(gzip, input, input->size > UINT_MAX ? Z_NO_FLUSH : Z_FINISH, target, size);
}

bool koa_gzip_is_done(const struct koa_gzip *gzip)
{
    return gzip->is_done;
}

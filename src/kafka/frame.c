/* Framing. Decides only where a frame ends, and that an impossible length ends the connection. */
#include "kafka/frame.h"

enum {
    LENGTH_SIZE = 4,
    /* First bytes of TLS records (RFC 8446, 5.1): as a length they are beyond every limit. */
    TLS_FIRST = 20,
    TLS_LAST = 23,
    TLS_MAJOR = 3,
    /* Memory that an idle connection may keep after a large frame. */
    KEPT_BYTES = 256 * 1024,
};

void koa_kafka_framer_deinit(struct koa_kafka_framer *framer)
{
    koa_buf_deinit(&framer->buf);
    framer->taken = 0;
}

void koa_kafka_framer_reset(struct koa_kafka_framer *framer)
{
    koa_kafka_framer_deinit(framer);
    framer->buf = (struct koa_buf){.limit = 0};
}

static void drop_taken(struct koa_kafka_framer *framer)
{
    if (framer->taken == framer->buf.size && framer->buf.capacity > KEPT_BYTES) {
        koa_kafka_framer_reset(framer);
    } else if (framer->taken > 0) {
        koa_buf_consume(&framer->buf, framer->taken);
    }
    framer->taken = 0;
}

enum koa_err koa_kafka_framer_feed(struct koa_kafka_framer *framer, struct koa_str bytes,
                                   struct koa_error *reterr)
{
    drop_taken(framer);
    framer->buf.limit = framer->limit + LENGTH_SIZE + KOA_KAFKA_FEED_LIMIT;
    koa_buf_append(&framer->buf, bytes.data, bytes.size);
    return koa_buf_status(&framer->buf, "bytes of a Kafka connection", reterr);
}

enum koa_err koa_kafka_framer_next(struct koa_kafka_framer *framer, struct koa_str *ret_frame,
                                   struct koa_error *reterr)
{
    const unsigned char *at;
    size_t left = framer->buf.size - framer->taken;
    int32_t length;

    *ret_frame = (struct koa_str){.data = NULL};
    if (left < LENGTH_SIZE)
        return KOA_OK;
    at = (const unsigned char *) framer->buf.data + framer->taken;
    length = (int32_t) ((uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 |
                        (uint32_t) at[3]);
    if (at[0] >= TLS_FIRST && at[0] <= TLS_LAST && at[1] == TLS_MAJOR) {
        return koa_fail(reterr, KOA_ERR_PROTOCOL,
                        "the peer answers in TLS: this is no plaintext listener; enable tls");
    }
    if (length < 1 || (size_t) length > framer->limit) {
        return koa_fail(reterr, KOA_ERR_PROTOCOL,
                        "the peer announced a frame of %ld bytes (allowed are 1 to %zu); this may "
                        "not be a Kafka listener",
                        (long) length, framer->limit);
    }
    if (left - LENGTH_SIZE < (size_t) length)
        return KOA_OK;
    *ret_frame = (struct koa_str){.data = (const char *) at + LENGTH_SIZE, .size = (size_t) length};
    framer->taken += LENGTH_SIZE + (size_t) length;
    return KOA_OK;
}

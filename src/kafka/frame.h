/* Cuts a stream of bytes into Kafka's frames: four bytes of length, then as many bytes. */
#ifndef KAFKA_FRAME_H
#define KAFKA_FRAME_H

#include <koa/error.h>

#include "base/buf.h"

/* Init with {.limit = bytes of the largest frame}. */
struct koa_kafka_framer {
    size_t limit;
    struct koa_buf buf;
    size_t taken; /* bytes at the start of `buf` that were handed out */
};

/* Bytes that one koa_kafka_framer_feed() may bring. */
enum { KOA_KAFKA_FEED_LIMIT = 1 << 20 };

void koa_kafka_framer_deinit(struct koa_kafka_framer *framer);
/* Forgets everything: for a new connection. */
void koa_kafka_framer_reset(struct koa_kafka_framer *framer);
/* Adds bytes; frames handed out before are gone. KOA_ERR_LIMIT, KOA_ERR_NOMEM. */
KOA_MUST_USE enum koa_err koa_kafka_framer_feed(struct koa_kafka_framer *framer,
                                                struct koa_str bytes, struct koa_error *reterr);
/* The next whole frame, without its length; NULL data when more bytes are needed. Memory grows with
 * bytes that came, never with a length that was promised. KOA_ERR_PROTOCOL: a length below 1 or
 * above the limit; nothing after it can be read. */
KOA_MUST_USE enum koa_err koa_kafka_framer_next(struct koa_kafka_framer *framer,
                                                struct koa_str *ret_frame,
                                                struct koa_error *reterr);

#endif

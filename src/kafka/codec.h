/* Reads and writes messages from their tables, in both directions: the client encodes requests and
 * decodes responses, the simulator the other way round. Pure; any thread. */
#ifndef KAFKA_CODEC_H
#define KAFKA_CODEC_H

#include <koa/error.h>

#include "base/arena.h"
#include "base/buf.h"
#include "kafka/field.h"

/* Sets every member to its default. `message` has `table->size` bytes. */
void koa_kafka_defaults(const struct koa_kafka_message *table, void *message);

/* How bytes are to be read. */
struct koa_kafka_layout {
    const struct koa_kafka_message *table;
    int16_t version;
};

/* Decodes all of `bytes`. Arrays and structs live in `arena`, whose limit bounds what a lying peer
 * can make us allocate; strings point into `bytes`. Errors: KOA_ERR_UNSUPPORTED (version outside
 * the table), KOA_ERR_PROTOCOL (with message and field: cut short, impossible length, null where
 * there is none, bytes left over), KOA_ERR_LIMIT (the arena is full). `ret_message` is undefined
 * after a failure. */
KOA_MUST_USE enum koa_err koa_kafka_decode(struct koa_kafka_layout layout, struct koa_str bytes,
                                           struct koa_arena *arena, void *ret_message,
                                           struct koa_error *reterr);

/* The same, and stops where the message ends: `*bytes` becomes what follows it. */
KOA_MUST_USE enum koa_err koa_kafka_decode_part(struct koa_kafka_layout layout,
                                                struct koa_str *bytes, struct koa_arena *arena,
                                                void *ret_message, struct koa_error *reterr);

/* Appends `message` as `version`. Members that the version lacks are left out. Fails with
 * KOA_ERR_UNSUPPORTED, KOA_ERR_RANGE (a string or array too long for its length field),
 * KOA_ERR_INVALID (a NULL struct where this version has no null), or what koa_buf_status() says;
 * `buf` then holds a part that must be thrown away. */
KOA_MUST_USE enum koa_err koa_kafka_encode(const struct koa_kafka_message *table, int16_t version,
                                           const void *message, struct koa_buf *buf,
                                           struct koa_error *reterr);

/* For both directions: is `field` on the wire in `version`, and may it be null there? */
static inline bool koa_kafka_field_is_in(const struct koa_kafka_field *field, int16_t version)
{
    return version >= field->since && (field->until == 0 || version < field->until);
}

static inline bool koa_kafka_field_is_nullable(const struct koa_kafka_field *field, int16_t version)
{
    return field->nullable && version >= field->nullable_since;
}

#endif

/* Batches of records, format 2: what Produce sends and Fetch answers. Pure; any thread. */
#ifndef KAFKA_RECORD_BATCH_H
#define KAFKA_RECORD_BATCH_H

#include <koa/error.h>

#include "base/buf.h"

enum koa_kafka_compression {
    KOA_KAFKA_UNCOMPRESSED = 0,
    KOA_KAFKA_GZIP = 1,
    KOA_KAFKA_SNAPPY = 2,
    KOA_KAFKA_LZ4 = 3,
    KOA_KAFKA_ZSTD = 4
};

struct koa_kafka_record {
    int64_t offset; /* read: in the partition; written: ignored, the broker gives it */
    int64_t timestamp_ms;
    struct koa_str key;   /* may be null */
    struct koa_str value; /* null: a tombstone */
};

struct koa_kafka_record_batch {
    int64_t base_offset;
    int64_t last_offset; /* the next batch begins behind it, also where records are missing */
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    int64_t producer_id; /* -1: neither idempotent nor transactional */
    int32_t leader_epoch;
    int32_t record_count; /* -1 in formats before 2, which do not tell */
    int8_t format;        /* 2; of 0 and 1, from before Kafka 0.11, only `last_offset` is known */
    enum koa_kafka_compression compression;
    bool is_transactional;
    bool is_control; /* transaction markers: they take offsets, no consumer ever sees them */
    bool is_log_append_time;
    struct koa_str records; /* as they stand; koa_kafka_record_next() takes them off the front */
    int32_t records_left;
};

/* Appends one batch without compression, producer or transaction. `count`: 1 or more. Fails with
 * KOA_ERR_RANGE (no records, more than a batch can hold, or timestamps too far apart), or what
 * koa_buf_status() says; `buf` then holds a part that must be thrown away. */
KOA_MUST_USE enum koa_err koa_kafka_record_batch_encode(const struct koa_kafka_record *records,
                                                        size_t count, struct koa_buf *buf,
                                                        struct koa_error *reterr);

/* What a broker does to an encoded batch: gives it its offset. */
void koa_kafka_record_batch_place(char *batch, size_t size, int64_t base_offset);
/* Makes a batch one of transaction markers. */
void koa_kafka_record_batch_mark_control(char *batch, size_t size);

/* Takes the next batch off the front of `bytes`. `ret_found` is false at the end, and where the
 * rest is the beginning of a batch: brokers cut the last one. The checksum is compared. The first
 * batch of an answer may begin before the offset that was asked for. KOA_ERR_PROTOCOL, with the
 * offset, when it is no batch. */
KOA_MUST_USE enum koa_err koa_kafka_record_batch_next(struct koa_str *bytes,
                                                      struct koa_kafka_record_batch *ret_batch,
                                                      bool *ret_found, struct koa_error *reterr);

/* Takes the next record off the batch; key and value are views into it. `ret_found` is false behind
 * the last one. KOA_ERR_UNSUPPORTED when the batch is compressed or of an old format,
 * KOA_ERR_PROTOCOL when records and header disagree. */
KOA_MUST_USE enum koa_err koa_kafka_record_next(struct koa_kafka_record_batch *batch,
                                                struct koa_kafka_record *ret_record,
                                                bool *ret_found, struct koa_error *reterr);

#endif

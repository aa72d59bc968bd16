/* Reads and writes batches of records in format 2. Decides nothing about what records mean; trusts
 * no length: each is compared with the bytes that are left. What is compressed stays unread. */
#include "kafka/record_batch.h"

#include <inttypes.h>

/* Where the members of a batch stand; those of format 0 and 1 up to FORMAT_AT too. */
enum {
    BASE_OFFSET_AT = 0,
    LENGTH_AT = 8, /* of all that follows the length */
    LEADER_EPOCH_AT = 12,
    FORMAT_AT = 16,
    CHECKSUM_AT = 17, /* of all that follows the checksum */
    ATTRIBUTES_AT = 21,
    LAST_DELTA_AT = 23,
    BASE_TIMESTAMP_AT = 27,
    MAX_TIMESTAMP_AT = 35,
    PRODUCER_ID_AT = 43,
    COUNT_AT = 57,
    RECORDS_AT = 61,
    OLD_RECORDS_AT = 18 /* format 0: its attributes end here */
};

enum { COMPRESSION_BITS = 0x07, LOG_APPEND_TIME = 0x08, TRANSACTIONAL = 0x10, CONTROL = 0x20 };

enum { FORMAT = 2, VARINT_MAX = 10, RECORD_HEAD = 1 + 3 * VARINT_MAX };

/* CRC-32C (Castagnoli), reflected, four bits at a time: batches here are few and small. */
static uint32_t checksum_of(const void *data, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    const unsigned char *bytes = data;
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        sum = table[sum & 0x0f] ^ sum >> 4;
        sum = table[sum & 0x0f] ^ sum >> 4;
    }
    return ~sum;
}

static uint64_t number_at(const char *bytes, size_t size)
{
    uint64_t number = 0;

    for (size_t i = 0; i < size; i++)
        number = number << 8 | (unsigned char) bytes[i];
    return number;
}

static void set_number_at(char *bytes, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char) (unsigned char) (number >> (8 * (size - 1 - i)));
}

/* Zigzag: small numbers of either sign are short. */
static size_t pack_varint(int64_t number, unsigned char bytes[VARINT_MAX])
{
    uint64_t rest = (uint64_t) number << 1 ^ (number < 0 ? UINT64_MAX : 0);
    size_t size = 0;

    for (; rest >= 0x80; rest >>= 7)
        bytes[size++] = (unsigned char) (rest | 0x80);
    bytes[size++] = (unsigned char) rest;
    return size;
}

static void put_varint(struct koa_buf *buf, int64_t number)
{
    unsigned char bytes[VARINT_MAX];

    koa_buf_append(buf, bytes, pack_varint(number, bytes));
}

/* Length or -1, then the bytes. */
static void put_text(struct koa_buf *buf, struct koa_str text)
{
    put_varint(buf, text.data != NULL ? (int64_t) text.size : -1);
    if (text.data != NULL)
        koa_buf_append(buf, text.data, text.size);
}

static size_t text_size(struct koa_str text)
{
    unsigned char bytes[VARINT_MAX];

    return text.data != NULL ? pack_varint((int64_t) text.size, bytes) + text.size : 1;
}

static void put_record(struct koa_buf *buf, const struct koa_kafka_record *record, int64_t index,
                       int64_t age_ms)
{
    unsigned char bytes[VARINT_MAX];
    size_t size = 2 + pack_varint(age_ms, bytes) + pack_varint(index, bytes) +
                  text_size(record->key) + text_size(record->value);

    put_varint(buf, (int64_t) size);
    koa_buf_append_char(buf, 0); /* no attribute is in use */
    put_varint(buf, age_ms);
    put_varint(buf, index);
    put_text(buf, record->key);
    put_text(buf, record->value);
    put_varint(buf, 0); /* headers */
}

/* Bounds their size from above before anything is written, so that no length is cut off. */
static enum koa_err check_records(const struct koa_kafka_record *records, size_t count,
                                  struct koa_error *reterr)
{
    size_t size = RECORDS_AT;
    int64_t age_ms;

    if (count == 0)
        return koa_fail(reterr, KOA_ERR_RANGE, "a batch of no records cannot be sent");
    for (size_t i = 0; i < count; i++) {
        size_t key = records[i].key.size;
        size_t value = records[i].value.size;

        if (key > INT32_MAX || value > INT32_MAX || size > INT32_MAX) {
            return koa_fail(reterr, KOA_ERR_RANGE, "%zu records are too large for one batch",
                            count);
        }
        size += RECORD_HEAD + key + value;
        if (__builtin_sub_overflow(records[i].timestamp_ms, records[0].timestamp_ms, &age_ms)) {
            return koa_fail(reterr, KOA_ERR_RANGE, "timestamps are too far apart for one batch");
        }
    }
    if (size > INT32_MAX)
        return koa_fail(reterr, KOA_ERR_RANGE, "%zu records are too large for one batch", count);
    return KOA_OK;
}

enum koa_err koa_kafka_record_batch_encode(const struct koa_kafka_record *records, size_t count,
                                           struct koa_buf *buf, struct koa_error *reterr)
{
    static const char header[RECORDS_AT];
    size_t start = buf->size;
    int64_t newest_ms;
    char *batch;
    enum koa_err err = check_records(records, count, reterr);

    if (err != KOA_OK)
        return err;
    newest_ms = records[0].timestamp_ms;
    koa_buf_append(buf, header, sizeof(header));
    for (size_t i = 0; i < count; i++) {
        put_record(buf, &records[i], (int64_t) i,
                   records[i].timestamp_ms - records[0].timestamp_ms);
        if (records[i].timestamp_ms > newest_ms)
            newest_ms = records[i].timestamp_ms;
    }
    err = koa_buf_status(buf, "record batches", reterr);
    if (err != KOA_OK)
        return err;
    batch = buf->data + start;
    set_number_at(batch + LENGTH_AT, buf->size - start - LEADER_EPOCH_AT, 4);
    set_number_at(batch + LEADER_EPOCH_AT, UINT32_MAX, 4);
    batch[FORMAT_AT] = FORMAT;
    set_number_at(batch + LAST_DELTA_AT, count - 1, 4);
    set_number_at(batch + BASE_TIMESTAMP_AT, (uint64_t) records[0].timestamp_ms, 8);
    set_number_at(batch + MAX_TIMESTAMP_AT, (uint64_t) newest_ms, 8);
    /* Producer id and epoch and the first sequence number: none. */
    for (size_t at = PRODUCER_ID_AT; at < COUNT_AT; at++)
        batch[at] = (char) (unsigned char) UINT8_MAX;
    set_number_at(batch + COUNT_AT, count, 4);
    set_number_at(batch + CHECKSUM_AT,
                  checksum_of(batch + ATTRIBUTES_AT, buf->size - start - ATTRIBUTES_AT), 4);
    return KOA_OK;
}

/* The offset is outside what the checksum covers, so that a broker can set it. */
void koa_kafka_record_batch_place(char *batch, size_t size, int64_t base_offset)
{
    if (size >= RECORDS_AT)
        set_number_at(batch + BASE_OFFSET_AT, (uint64_t) base_offset, 8);
}

void koa_kafka_record_batch_mark_control(char *batch, size_t size)
{
    if (size < RECORDS_AT)
        return;
    set_number_at(batch + ATTRIBUTES_AT, TRANSACTIONAL | CONTROL, 2);
    set_number_at(batch + PRODUCER_ID_AT, 1, 8);
    set_number_at(batch + PRODUCER_ID_AT + 8, 0, 2);
    set_number_at(batch + CHECKSUM_AT, checksum_of(batch + ATTRIBUTES_AT, size - ATTRIBUTES_AT), 4);
}

static enum koa_err fail_at(int64_t offset, const char *what, struct koa_error *reterr)
{
    return koa_fail(reterr, KOA_ERR_PROTOCOL, "record batch at offset %" PRId64 ": %s", offset,
                    what);
}

static enum koa_err read_header(const char *bytes, size_t size,
                                struct koa_kafka_record_batch *batch, struct koa_error *reterr)
{
    uint32_t attributes = (uint32_t) number_at(bytes + ATTRIBUTES_AT, 2);
    int32_t last_delta = (int32_t) number_at(bytes + LAST_DELTA_AT, 4);

    if (number_at(bytes + CHECKSUM_AT, 4) !=
        checksum_of(bytes + ATTRIBUTES_AT, size - ATTRIBUTES_AT))
        return fail_at(batch->base_offset, "its checksum does not fit its content", reterr);
    if ((attributes & COMPRESSION_BITS) > KOA_KAFKA_ZSTD)
        return fail_at(batch->base_offset, "an unknown compression", reterr);
    if (last_delta < 0 ||
        __builtin_add_overflow(batch->base_offset, last_delta, &batch->last_offset))
        return fail_at(batch->base_offset, "an impossible last offset", reterr);
    batch->leader_epoch = (int32_t) number_at(bytes + LEADER_EPOCH_AT, 4);
    batch->compression = (enum koa_kafka_compression)(attributes & COMPRESSION_BITS);
    batch->is_log_append_time = (attributes & LOG_APPEND_TIME) != 0;
    batch->is_transactional = (attributes & TRANSACTIONAL) != 0;
    batch->is_control = (attributes & CONTROL) != 0;
    batch->base_timestamp_ms = (int64_t) number_at(bytes + BASE_TIMESTAMP_AT, 8);
    batch->max_timestamp_ms = (int64_t) number_at(bytes + MAX_TIMESTAMP_AT, 8);
    batch->producer_id = (int64_t) number_at(bytes + PRODUCER_ID_AT, 8);
    batch->record_count = (int32_t) number_at(bytes + COUNT_AT, 4);
    batch->records_left = batch->record_count;
    batch->records = (struct koa_str){.data = bytes + RECORDS_AT, .size = size - RECORDS_AT};
    if (batch->record_count < 0 || batch->record_count > (int64_t) last_delta + 1)
        return fail_at(batch->base_offset, "an impossible number of records", reterr);
    return KOA_OK;
}

enum koa_err koa_kafka_record_batch_next(struct koa_str *bytes,
                                         struct koa_kafka_record_batch *ret_batch, bool *ret_found,
                                         struct koa_error *reterr)
{
    struct koa_kafka_record_batch batch = {.producer_id = -1, .record_count = -1};
    enum koa_err err = KOA_OK;
    int32_t length;
    size_t size;

    *ret_found = false;
    if (bytes->size <= FORMAT_AT)
        return KOA_OK;
    batch.base_offset = (int64_t) number_at(bytes->data + BASE_OFFSET_AT, 8);
    batch.last_offset = batch.base_offset;
    batch.format = (int8_t) bytes->data[FORMAT_AT];
    length = (int32_t) number_at(bytes->data + LENGTH_AT, 4);
    if (batch.base_offset < 0)
        return fail_at(batch.base_offset, "an impossible offset", reterr);
    if (batch.format < 0 || batch.format > FORMAT)
        return fail_at(batch.base_offset, "an unknown format", reterr);
    if (length < (batch.format == FORMAT ? RECORDS_AT : OLD_RECORDS_AT) - LEADER_EPOCH_AT)
        return fail_at(batch.base_offset, "an impossible length", reterr);
    size = (size_t) length + LEADER_EPOCH_AT;
    if (size > bytes->size)
        return KOA_OK;
    if (batch.format == FORMAT)
        err = read_header(bytes->data, size, &batch, reterr);
    if (err != KOA_OK)
        return err;
    *bytes = (struct koa_str){.data = bytes->data + size, .size = bytes->size - size};
    *ret_batch = batch;
    *ret_found = true;
    return KOA_OK;
}

/* At most 10 bytes and 64 bits. False when they are not there. */
static bool take_varint(struct koa_str *bytes, int64_t *ret_number)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes->size && i < VARINT_MAX; i++) {
        unsigned char byte = (unsigned char) bytes->data[i];

        if (i == VARINT_MAX - 1 && byte > 1)
            return false;
        number |= (uint64_t) (byte & 0x7f) << (7 * i);
        if ((byte & 0x80) == 0) {
            *ret_number = (int64_t) (number >> 1 ^ (~(number & 1) + 1));
            *bytes = (struct koa_str){.data = bytes->data + i + 1, .size = bytes->size - i - 1};
            return true;
        }
    }
    return false;
}

/* As many bytes as its length says; null for -1 where that is allowed. */
static bool take_text(struct koa_str *bytes, bool nullable, struct koa_str *ret_text)
{
    int64_t length = 0;

    *ret_text = (struct koa_str){.data = NULL};
    if (!take_varint(bytes, &length) || length < (nullable ? -1 : 0) ||
        (length > 0 && (uint64_t) length > bytes->size))
        return false;
    if (length >= 0) {
        *ret_text = (struct koa_str){.data = bytes->data, .size = (size_t) length};
        *bytes =
            (struct koa_str){.data = bytes->data + length, .size = bytes->size - (size_t) length};
    }
    return true;
}

static bool skip_headers(struct koa_str *bytes)
{
    int64_t count = 0;

    if (!take_varint(bytes, &count) || count < 0)
        return false;
    for (int64_t i = 0; i < count; i++) {
        struct koa_str text;

        if (!take_text(bytes, false, &text) || !take_text(bytes, true, &text))
            return false;
    }
    return true;
}

static bool read_record(const struct koa_kafka_record_batch *batch, struct koa_str body,
                        struct koa_kafka_record *record)
{
    int64_t age_ms = 0;
    int64_t delta = 0;

    if (body.size < 1)
        return false;
    body = (struct koa_str){.data = body.data + 1, .size = body.size - 1};
    if (!take_varint(&body, &age_ms) || !take_varint(&body, &delta) || delta < 0 ||
        delta > batch->last_offset - batch->base_offset ||
        __builtin_add_overflow(batch->base_timestamp_ms, age_ms, &record->timestamp_ms))
        return false;
    if (batch->is_log_append_time)
        record->timestamp_ms = batch->max_timestamp_ms;
    record->offset = batch->base_offset + delta;
    return take_text(&body, true, &record->key) && take_text(&body, true, &record->value) &&
           skip_headers(&body) && body.size == 0;
}

enum koa_err koa_kafka_record_next(struct koa_kafka_record_batch *batch,
                                   struct koa_kafka_record *ret_record, bool *ret_found,
                                   struct koa_error *reterr)
{
    struct koa_str body;

    *ret_found = false;
    if (batch->format != FORMAT || batch->compression != KOA_KAFKA_UNCOMPRESSED) {
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED,
                        "record batch at offset %" PRId64
                        ": records of format %d with compression %d cannot be read",
                        batch->base_offset, batch->format, (int) batch->compression);
    }
    if (batch->records_left == 0) {
        if (batch->records.size > 0)
            return fail_at(batch->base_offset, "bytes are left behind its last record", reterr);
        return KOA_OK;
    }
    if (!take_text(&batch->records, false, &body) || !read_record(batch, body, ret_record))
        return fail_at(batch->base_offset, "a record that its length does not fit", reterr);
    batch->records_left--;
    *ret_found = true;
    return KOA_OK;
}

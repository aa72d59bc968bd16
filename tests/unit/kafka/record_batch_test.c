/* Batches there and back, cut, compressed, of old formats, and with headers that lie. */
#include "kafka/record_batch.h"

#include <string.h>

#include "kit/kit.h"
#include "kit/vectors.h"

#include "base/arena.h"
#include "base/memory.h"
#include "base/str.h"
#include "kafka/codec.h"
#include "kafka/messages/produce.h"

enum { LIMIT = 4096, BATCH = 61, CHECKSUM_AT = 17, ATTRIBUTES_AT = 21 };

#define TEXT(literal)                                                                              \
    {                                                                                              \
        .data = (literal), .size = sizeof(literal) - 1                                             \
    }

static const struct koa_kafka_record three[] = {
    {.timestamp_ms = 1700000000123, .key = TEXT("key"), .value = TEXT("first")},
    {.timestamp_ms = 1699999999999, .key = {.data = NULL}, .value = TEXT("")},
    {.timestamp_ms = 1700000001000, .key = TEXT(""), .value = {.data = NULL}},
};

/* Another way to the same CRC-32C: one bit at a time. */
static uint32_t checksum_of(const char *bytes, size_t size)
{
    uint32_t sum = UINT32_MAX;

    for (size_t i = 0; i < 8 * size; i++) {
        sum ^= (uint32_t) (((unsigned char) bytes[i / 8] >> (i % 8)) & 1);
        sum = sum >> 1 ^ ((sum & 1) != 0 ? 0x82f63b78u : 0);
    }
    return ~sum;
}

static void sign(char *batch, size_t size)
{
    uint32_t sum = checksum_of(batch + ATTRIBUTES_AT, size - ATTRIBUTES_AT);

    for (unsigned i = 0; i < 4; i++)
        batch[CHECKSUM_AT + i] = (char) (unsigned char) (sum >> (24 - 8 * i));
}

static void encode(const struct koa_kafka_record *records, size_t count, struct koa_buf *buf)
{
    struct koa_error error = {.text = ""};

    KIT_EXPECT_INT(error.text, KOA_OK, koa_kafka_record_batch_encode(records, count, buf, &error));
}

static void batches_come_back_as_they_were_written(void **state)
{
    struct koa_buf buf = {.limit = LIMIT};
    struct koa_kafka_record_batch batch;
    struct koa_kafka_record record;
    struct koa_str bytes;
    bool found;

    (void) state;
    encode(three, KOA_ARRAY_COUNT(three), &buf);
    encode(three, 1, &buf);
    bytes = (struct koa_str){.data = buf.data, .size = buf.size};
    assert_int_equal(koa_kafka_record_batch_next(&bytes, &batch, &found, NULL), KOA_OK);
    assert_true(found);
    assert_int_equal(batch.base_offset, 0);
    assert_int_equal(batch.last_offset, 2);
    assert_int_equal(batch.record_count, 3);
    assert_int_equal(batch.format, 2);
    assert_int_equal(batch.compression, KOA_KAFKA_UNCOMPRESSED);
    assert_int_equal(batch.producer_id, -1);
    assert_int_equal(batch.leader_epoch, -1);
    assert_int_equal(batch.base_timestamp_ms, three[0].timestamp_ms);
    assert_int_equal(batch.max_timestamp_ms, three[2].timestamp_ms);
    assert_false(batch.is_control || batch.is_transactional || batch.is_log_append_time);
    for (size_t i = 0; i < KOA_ARRAY_COUNT(three); i++) {
        assert_int_equal(koa_kafka_record_next(&batch, &record, &found, NULL), KOA_OK);
        assert_true(found);
        assert_int_equal(record.offset, i);
        assert_int_equal(record.timestamp_ms, three[i].timestamp_ms);
        assert_true(koa_str_equal(record.key, three[i].key));
        assert_true(koa_str_equal(record.value, three[i].value));
        assert_true((record.key.data == NULL) == (three[i].key.data == NULL));
        assert_true((record.value.data == NULL) == (three[i].value.data == NULL));
    }
    assert_int_equal(koa_kafka_record_next(&batch, &record, &found, NULL), KOA_OK);
    assert_false(found);
    assert_int_equal(koa_kafka_record_batch_next(&bytes, &batch, &found, NULL), KOA_OK);
    assert_true(found && batch.record_count == 1 && bytes.size == 0);
    assert_int_equal(koa_kafka_record_batch_next(&bytes, &batch, &found, NULL), KOA_OK);
    assert_false(found);
    koa_buf_deinit(&buf);
}

static void a_batch_that_was_cut_is_not_found(void **state)
{
    struct koa_buf buf = {.limit = LIMIT};

    (void) state;
    encode(three, KOA_ARRAY_COUNT(three), &buf);
    for (size_t size = 0; size < buf.size; size++) {
        char *exact = koa_realloc_array(NULL, size > 0 ? size : 1, 1);
        struct koa_str bytes = {.data = exact, .size = size};
        struct koa_kafka_record_batch batch;
        bool found = true;

        memcpy(exact, buf.data, size);
        assert_int_equal(koa_kafka_record_batch_next(&bytes, &batch, &found, NULL), KOA_OK);
        assert_false(found);
        assert_int_equal(bytes.size, size);
        koa_free(exact);
    }
    koa_buf_deinit(&buf);
}

/* Reads all there is; gives the first failure. */
static enum koa_err read_all(struct koa_str bytes, struct koa_error *reterr)
{
    struct koa_kafka_record_batch batch;
    struct koa_kafka_record record;
    bool found = true;
    enum koa_err err = KOA_OK;

    while (err == KOA_OK && found) {
        bool more = true;

        err = koa_kafka_record_batch_next(&bytes, &batch, &found, reterr);
        while (err == KOA_OK && found && more)
            err = koa_kafka_record_next(&batch, &record, &more, reterr);
    }
    return err;
}

/* One change to a batch of three records, checksum made to fit unless it stands before it. */
static const struct {
    const char *name;
    size_t at;
    unsigned char value;
    bool is_signed;
    enum koa_err err;
    const char *text;
} lies[] = {
    {"nothing changed", 61, 28, true, KOA_OK, ""},
    {"a negative offset", 0, 0x80, false, KOA_ERR_PROTOCOL, "impossible offset"},
    {"a length of nothing", 11, 40, false, KOA_ERR_PROTOCOL, "impossible length"},
    {"a negative length", 8, 0xff, false, KOA_ERR_PROTOCOL, "impossible length"},
    {"a format from the future", 16, 3, false, KOA_ERR_PROTOCOL, "unknown format"},
    {"a flipped bit", 70, 0x55, false, KOA_ERR_PROTOCOL, "checksum"},
    {"an unknown compression", 22, 7, true, KOA_ERR_PROTOCOL, "unknown compression"},
    {"compressed", 22, 4, true, KOA_ERR_UNSUPPORTED, "compression 4"},
    {"a last offset before the first", 23, 0xff, true, KOA_ERR_PROTOCOL, "last offset"},
    {"fewer offsets than records", 26, 1, true, KOA_ERR_PROTOCOL, "number of records"},
    {"a negative number of records", 57, 0x80, true, KOA_ERR_PROTOCOL, "number of records"},
    {"fewer records than there are", 60, 2, true, KOA_ERR_PROTOCOL, "bytes are left"},
    {"a time beyond all times", 27, 0x7f, true, KOA_OK, ""},
    {"a record longer than the batch", 61, 0x7e, true, KOA_ERR_PROTOCOL, "length does not fit"},
    {"a record of negative length", 61, 1, true, KOA_ERR_PROTOCOL, "length does not fit"},
    {"a record shorter than its key", 61, 10, true, KOA_ERR_PROTOCOL, "length does not fit"},
    {"an offset beyond the last", 64, 8, true, KOA_ERR_PROTOCOL, "length does not fit"},
    {"a header that is not there", 75, 2, true, KOA_ERR_PROTOCOL, "length does not fit"},
};

static void lies_are_refused(void **state)
{
    (void) state;
    KIT_EACH (lie, lies) {
        struct koa_buf buf = {.limit = LIMIT};
        struct koa_error error = {.text = ""};

        encode(three, KOA_ARRAY_COUNT(three), &buf);
        KIT_EXPECT(lie->name, lie->at < buf.size);
        buf.data[lie->at] = (char) lie->value;
        if (lie->is_signed)
            sign(buf.data, buf.size);
        KIT_EXPECT_INT(lie->name, lie->err,
                       read_all((struct koa_str){.data = buf.data, .size = buf.size}, &error));
        KIT_EXPECT_CONTAINS(lie->name, lie->text, error.text);
        koa_buf_deinit(&buf);
    }
}

static void any_changed_byte_is_survived(void **state)
{
    struct koa_buf buf = {.limit = LIMIT};

    (void) state;
    encode(three, KOA_ARRAY_COUNT(three), &buf);
    for (size_t at = 0; at < buf.size; at++) {
        for (int value = 0; value < 256; value++) {
            char *exact = koa_realloc_array(NULL, buf.size, 1);
            enum koa_err err;

            memcpy(exact, buf.data, buf.size);
            exact[at] = (char) (unsigned char) value;
            if (at >= ATTRIBUTES_AT)
                sign(exact, buf.size);
            err = read_all((struct koa_str){.data = exact, .size = buf.size}, NULL);
            assert_true(err == KOA_OK || err == KOA_ERR_PROTOCOL || err == KOA_ERR_UNSUPPORTED);
            koa_free(exact);
        }
    }
    koa_buf_deinit(&buf);
}

static void attributes_are_told_apart(void **state)
{
    struct koa_buf buf = {.limit = LIMIT};
    struct koa_kafka_record_batch batch;
    struct koa_kafka_record record;
    struct koa_str bytes;
    bool found;

    (void) state;
    encode(three, 1, &buf);
    buf.data[22] = 0x38; /* log append time, transactional, control */
    sign(buf.data, buf.size);
    bytes = (struct koa_str){.data = buf.data, .size = buf.size};
    assert_int_equal(koa_kafka_record_batch_next(&bytes, &batch, &found, NULL), KOA_OK);
    assert_true(batch.is_control && batch.is_transactional && batch.is_log_append_time);
    batch.max_timestamp_ms = 5;
    assert_int_equal(koa_kafka_record_next(&batch, &record, &found, NULL), KOA_OK);
    assert_int_equal(record.timestamp_ms, 5);
    koa_buf_deinit(&buf);
}

/* Format 1, offset 9, length 22, checksum and attributes, key and value empty or null. */
static const char old[] = "\0\0\0\0\0\0\0\x9"
                          "\0\0\0\x16"
                          "\1\2\3\4"
                          "\1\0"
                          "\0\0\0\0\0\0\0\0"
                          "\xff\xff\xff\xff"
                          "\0\0\0\0";

static void of_old_formats_only_the_offset_is_known(void **state)
{
    struct koa_str bytes = {.data = old, .size = sizeof(old) - 1};
    struct koa_kafka_record_batch batch;
    struct koa_kafka_record record;
    bool found;

    (void) state;
    assert_int_equal(koa_kafka_record_batch_next(&bytes, &batch, &found, NULL), KOA_OK);
    assert_true(found);
    assert_int_equal(batch.last_offset, 9);
    assert_int_equal(batch.record_count, -1);
    assert_int_equal(batch.format, 1);
    assert_int_equal(bytes.size, 0);
    assert_int_equal(koa_kafka_record_next(&batch, &record, &found, NULL), KOA_ERR_UNSUPPORTED);
}

/* The batch of a capture, made by another encoder. */
static void another_encoder_writes_the_same_bytes(void **state)
{
    struct koa_arena *arena = koa_arena_create(1 << 16);
    struct koa_kafka_record records[3] = {{.offset = 0}};
    struct koa_buf buf = {.limit = LIMIT};
    struct koa_kafka_record_batch batch;
    struct koa_kafka_request_header header;
    struct koa_kafka_produce_request body;
    struct koa_str original;
    const struct koa_kafka_api *api;
    struct kit_vector vector;
    struct koa_str rest;
    bool found;

    (void) state;
    kit_vector_read("4.4.0/produce-v13-moved.request.bin", &vector);
    assert_int_equal(koa_kafka_open_request(vector.frame, &header, &api, &rest, NULL), KOA_OK);
    assert_int_equal(
        koa_kafka_decode((struct koa_kafka_layout){.table = api->request, .version = 13}, rest,
                         arena, &body, NULL),
        KOA_OK);
    original = body.topic_data.rows[0].partition_data.rows[0].records;
    rest = original;
    assert_int_equal(koa_kafka_record_batch_next(&rest, &batch, &found, NULL), KOA_OK);
    assert_true(found && batch.record_count == 3 && rest.size == 0);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(koa_kafka_record_next(&batch, &records[i], &found, NULL), KOA_OK);
    encode(records, 3, &buf);
    assert_true(koa_str_equal(original, (struct koa_str){.data = buf.data, .size = buf.size}));
    koa_buf_deinit(&buf);
    koa_free(vector.bytes);
    koa_arena_destroy(arena);
}

static void what_no_batch_can_hold_is_refused(void **state)
{
    const struct koa_kafka_record apart[] = {{.timestamp_ms = INT64_MAX}, {.timestamp_ms = -2}};
    const struct koa_kafka_record huge = {
        .value = {.data = "", .size = (size_t) INT32_MAX - 20}}; /* never looked at */
    struct koa_buf buf = {.limit = LIMIT};
    struct koa_buf small = {.limit = BATCH};
    struct koa_error error;

    (void) state;
    assert_int_equal(koa_kafka_record_batch_encode(three, 0, &buf, &error), KOA_ERR_RANGE);
    assert_int_equal(koa_kafka_record_batch_encode(apart, 2, &buf, &error), KOA_ERR_RANGE);
    assert_int_equal(koa_kafka_record_batch_encode(&huge, 1, &buf, &error), KOA_ERR_RANGE);
    assert_int_equal(koa_kafka_record_batch_encode(three, 1, &small, &error), KOA_ERR_LIMIT);
    koa_buf_deinit(&small);
    koa_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_come_back_as_they_were_written),
        cmocka_unit_test(a_batch_that_was_cut_is_not_found),
        cmocka_unit_test(lies_are_refused),
        cmocka_unit_test(any_changed_byte_is_survived),
        cmocka_unit_test(attributes_are_told_apart),
        cmocka_unit_test(of_old_formats_only_the_offset_is_known),
        cmocka_unit_test(another_encoder_writes_the_same_bytes),
        cmocka_unit_test(what_no_batch_can_hold_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

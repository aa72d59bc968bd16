/* Encodes a message from its table: the mirror of codec_read.c. */
#include "kafka/codec.h"

#include <string.h>

struct writer {
    const struct koa_kafka_message *table;
    struct koa_buf *buf;
    int16_t version;
    bool flexible;
    enum koa_err err; /* sticky */
    struct koa_error *reterr;
};

static void write_fields(struct writer *writer, const struct koa_kafka_field *fields,
                         const unsigned char *source);

static void write_number(struct writer *writer, uint64_t number, size_t size)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char) (number >> (8 * (size - 1 - i)));
    koa_buf_append(writer->buf, bytes, size);
}

static size_t pack_uvarint(uint32_t number, unsigned char bytes[5])
{
    size_t size = 0;

    for (; number >= 0x80; number >>= 7)
        bytes[size++] = (unsigned char) (number | 0x80);
    bytes[size++] = (unsigned char) number;
    return size;
}

static void write_uvarint(struct writer *writer, uint32_t number)
{
    unsigned char bytes[5];

    koa_buf_append(writer->buf, bytes, pack_uvarint(number, bytes));
}

static void write_length(struct writer *writer, const struct koa_kafka_field *field, size_t width,
                         int64_t length)
{
    bool compact = writer->flexible && field->type != KOA_KAFKA_LEGACY_STRING;

    /* Kafka's own writer keeps strings to an int16 in compact form too. */
    if (length > (width == 2 ? INT16_MAX : INT32_MAX - 1)) {
        if (writer->err == KOA_OK) {
            writer->err =
                koa_fail(writer->reterr, KOA_ERR_RANGE,
                         "%s version %d, field '%s': %lld is too long for the wire",
                         writer->table->name, writer->version, field->name, (long long) length);
        }
        return;
    }
    if (compact) {
        write_uvarint(writer, (uint32_t) (length + 1));
    } else {
        write_number(writer, (uint64_t) length, width);
    }
}

static void write_text(struct writer *writer, const struct koa_kafka_field *field,
                       struct koa_str text)
{
    size_t width = field->type == KOA_KAFKA_BYTES ? 4 : 2;

    if (text.data == NULL && koa_kafka_field_is_nullable(field, writer->version)) {
        write_length(writer, field, width, -1);
        return;
    }
    write_length(writer, field, width, (int64_t) text.size);
    koa_buf_append(writer->buf, text.data, text.size);
}

static void write_items(struct writer *writer, const struct koa_kafka_field *field,
                        const unsigned char *rows, size_t count)
{
    const struct koa_kafka_field item = {.name = field->name, .type = KOA_KAFKA_STRING};

    for (size_t i = 0; i < count && writer->err == KOA_OK && !writer->buf->failed; i++) {
        if (field->type == KOA_KAFKA_STRUCTS) {
            write_fields(writer, field->rows, rows + i * field->item_size);
        } else if (field->type == KOA_KAFKA_STRINGS) {
            struct koa_str text;

            memcpy(&text, rows + i * sizeof(text), sizeof(text));
            write_text(writer, &item, text);
        } else if (field->type == KOA_KAFKA_INT32S) {
            uint32_t number;

            memcpy(&number, rows + i * sizeof(number), sizeof(number));
            write_number(writer, number, sizeof(number));
        } else {
            uint64_t number;

            memcpy(&number, rows + i * sizeof(number), sizeof(number));
            write_number(writer, number, sizeof(number));
        }
    }
}

static void write_array(struct writer *writer, const struct koa_kafka_field *field,
                        const unsigned char *source)
{
    struct koa_kafka_any_array array;

    memcpy(&array, source, sizeof(array));
    if (array.rows == NULL && koa_kafka_field_is_nullable(field, writer->version)) {
        write_length(writer, field, 4, -1);
        return;
    }
    if (array.rows == NULL)
        array.count = 0;
    write_length(writer, field, 4, (int64_t) array.count);
    write_items(writer, field, array.rows, array.count);
}

static void write_struct(struct writer *writer, const struct koa_kafka_field *field,
                         const unsigned char *source)
{
    bool nullable = koa_kafka_field_is_nullable(field, writer->version);
    const unsigned char *value;

    memcpy(&value, source, sizeof(value));
    if (nullable)
        write_number(writer, value != NULL ? 1 : UINT8_MAX, 1);
    if (value != NULL) {
        write_fields(writer, field->rows, value);
    } else if (!nullable && writer->err == KOA_OK) {
        writer->err = koa_fail(writer->reterr, KOA_ERR_INVALID,
                               "%s version %d, field '%s': no struct, and null is not allowed",
                               writer->table->name, writer->version, field->name);
    }
}

/* The value of a number of any width, as its bits on the wire. */
static uint64_t load(const struct koa_kafka_field *field, const unsigned char *source,
                     size_t *ret_size)
{
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    bool flag;

    switch (field->type) {
    case KOA_KAFKA_BOOL:
        memcpy(&flag, source, sizeof(flag));
        *ret_size = 1;
        return flag ? 1 : 0;
    case KOA_KAFKA_INT8:
        memcpy(&one, source, sizeof(one));
        *ret_size = 1;
        return one;
    case KOA_KAFKA_INT16:
    case KOA_KAFKA_UINT16:
        memcpy(&two, source, sizeof(two));
        *ret_size = 2;
        return two;
    case KOA_KAFKA_INT32:
        memcpy(&four, source, sizeof(four));
        *ret_size = 4;
        return four;
    case KOA_KAFKA_INT64:
    case KOA_KAFKA_FLOAT64:
        memcpy(&eight, source, sizeof(eight));
        *ret_size = 8;
        return eight;
    case KOA_KAFKA_NONE:
    case KOA_KAFKA_UUID:
    case KOA_KAFKA_STRING:
    case KOA_KAFKA_BYTES:
    case KOA_KAFKA_INT32S:
    case KOA_KAFKA_INT64S:
    case KOA_KAFKA_STRINGS:
    case KOA_KAFKA_STRUCTS:
    case KOA_KAFKA_STRUCT:
    case KOA_KAFKA_LEGACY_STRING:
    case KOA_KAFKA_TYPE_COUNT:
        break;
    }
    *ret_size = 0;
    return 0;
}

static void write_field(struct writer *writer, const struct koa_kafka_field *field,
                        const unsigned char *source)
{
    struct koa_str text;
    size_t size;
    uint64_t number = load(field, source, &size);

    if (size > 0) {
        write_number(writer, number, size);
    } else if (field->type == KOA_KAFKA_UUID) {
        koa_buf_append(writer->buf, source, sizeof(struct koa_kafka_uuid));
    } else if (field->type == KOA_KAFKA_STRING || field->type == KOA_KAFKA_LEGACY_STRING ||
               field->type == KOA_KAFKA_BYTES) {
        memcpy(&text, source, sizeof(text));
        write_text(writer, field, text);
    } else if (field->type == KOA_KAFKA_STRUCT) {
        write_struct(writer, field, source);
    } else {
        write_array(writer, field, source);
    }
}

/* Does the member differ from what a reader assumes when the tag is absent? */
static bool is_worth_a_tag(const struct koa_kafka_field *field, const unsigned char *source)
{
    struct koa_kafka_any_array array;
    struct koa_str text;
    size_t size;
    uint64_t number = load(field, source, &size);

    if (size > 0) {
        uint64_t mask = size == 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1;

        return number != ((uint64_t) field->fallback & mask);
    }
    if (field->type == KOA_KAFKA_UUID) {
        static const struct koa_kafka_uuid zero;

        return memcmp(source, &zero, sizeof(zero)) != 0;
    }
    if (field->type == KOA_KAFKA_STRING || field->type == KOA_KAFKA_BYTES) {
        memcpy(&text, source, sizeof(text));
        return text.size > 0;
    }
    if (field->type == KOA_KAFKA_STRUCT) {
        const void *value;

        memcpy(&value, source, sizeof(value));
        return value != NULL;
    }
    memcpy(&array, source, sizeof(array));
    return array.count > 0;
}

/* The size stands before content of unknown length: writes the content first, then makes room. */
static void write_tagged(struct writer *writer, const struct koa_kafka_field *field,
                         const unsigned char *source)
{
    unsigned char length[5];
    size_t start;
    size_t size;
    size_t length_size;

    write_uvarint(writer, field->tag);
    start = writer->buf->size;
    write_field(writer, field, source);
    size = writer->buf->size - start;
    length_size = pack_uvarint((uint32_t) size, length);
    koa_buf_append(writer->buf, length, length_size);
    if (writer->buf->failed)
        return;
    memmove(writer->buf->data + start + length_size, writer->buf->data + start, size);
    memcpy(writer->buf->data + start, length, length_size);
}

/* Rows of tagged fields stand in rising order of their tags. */
static void write_tags(struct writer *writer, const struct koa_kafka_field *fields,
                       const unsigned char *source)
{
    uint32_t count = 0;

    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        if (field->tagged && koa_kafka_field_is_in(field, writer->version) &&
            is_worth_a_tag(field, source + field->offset))
            count++;
    }
    write_uvarint(writer, count);
    if (count == 0)
        return;
    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        if (field->tagged && koa_kafka_field_is_in(field, writer->version) &&
            is_worth_a_tag(field, source + field->offset))
            write_tagged(writer, field, source + field->offset);
    }
}

static void write_fields(struct writer *writer, const struct koa_kafka_field *fields,
                         const unsigned char *source)
{
    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        if (!field->tagged && koa_kafka_field_is_in(field, writer->version))
            write_field(writer, field, source + field->offset);
    }
    if (writer->flexible)
        write_tags(writer, fields, source);
}

enum koa_err koa_kafka_encode(const struct koa_kafka_message *table, int16_t version,
                              const void *message, struct koa_buf *buf, struct koa_error *reterr)
{
    struct writer writer = {.table = table,
                            .buf = buf,
                            .version = version,
                            .flexible = version >= table->flexible_since,
                            .reterr = reterr};

    if (version < table->minimum || version > table->maximum) {
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "%s version %d is outside %d to %d",
                        table->name, version, table->minimum, table->maximum);
    }
    write_fields(&writer, table->fields, message);
    if (writer.err != KOA_OK)
        return writer.err;
    return koa_buf_status(buf, table->name, reterr);
}

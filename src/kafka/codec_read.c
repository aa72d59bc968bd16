/* Decodes a message from its table. Decides nothing about what the values mean; never trusts a
 * length: each is compared with the bytes that are left before anything is allocated or skipped. */
#include "kafka/codec.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

struct reader {
    const struct koa_kafka_message *table;
    struct koa_arena *arena;
    const unsigned char *at;
    size_t left;
    int16_t version;
    bool flexible;
    struct koa_error *reterr;
};

/* Fields of one struct: no table has as many. */
enum { PLAN_LIMIT = 32 };

/* What of a table concerns the version at hand: worked out once for all items of an array. */
struct plan {
    const struct koa_kafka_field *fields;
    const struct koa_kafka_field *present[PLAN_LIMIT]; /* in their order on the wire */
    const struct koa_kafka_field *absent[PLAN_LIMIT];  /* or tagged, with a value for that case */
    size_t present_count, absent_count;
};

/* What an empty array points to, so that it differs from null. Never written to. */
static int64_t nothing;

static enum koa_err read_fields(struct reader *reader, const struct koa_kafka_field *fields,
                                unsigned char *target);
static void plan_fields(const struct koa_kafka_field *fields, int16_t version,
                        struct plan *ret_plan);
static enum koa_err read_planned(struct reader *reader, const struct plan *plan,
                                 unsigned char *target);

static enum koa_err fail_at(struct reader *reader, const char *field, const char *what)
{
    return koa_fail(reader->reterr, KOA_ERR_PROTOCOL, "%s version %d, field '%s': %s",
                    reader->table->name, reader->version, field, what);
}

static void fail_short(const struct reader *reader, const char *field, size_t size)
{
    (void) koa_fail(reader->reterr, KOA_ERR_PROTOCOL,
                    "%s version %d, field '%s': %zu bytes needed, %zu left", reader->table->name,
                    reader->version, field, size, reader->left);
}

/* The next `size` bytes, or NULL when there are not as many: the error is set then. */
static inline const unsigned char *take(struct reader *reader, const char *field, size_t size)
{
    const unsigned char *bytes = reader->at;

    if (size > reader->left) {
        fail_short(reader, field, size);
        return NULL;
    }
    reader->at += size;
    reader->left -= size;
    return bytes;
}

/* A big-endian number of 1 to 8 bytes, not sign-extended. */
static enum koa_err read_number(struct reader *reader, const char *field, size_t size,
                                uint64_t *ret_number)
{
    const unsigned char *bytes = take(reader, field, size);
    uint64_t number = 0;

    if (bytes == NULL)
        return KOA_ERR_PROTOCOL;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | bytes[i];
    *ret_number = number;
    return KOA_OK;
}

/* At most 5 bytes and 32 bits, as Kafka's own reader demands. */
static enum koa_err read_uvarint(struct reader *reader, const char *field, uint32_t *ret_number)
{
    uint32_t number = 0;

    if (reader->left > 0 && *reader->at < 0x80) { /* nearly all */
        *ret_number = *reader->at++;
        reader->left--;
        return KOA_OK;
    }
    for (unsigned shift = 0; shift < 35; shift += 7) {
        const unsigned char *byte = take(reader, field, 1);

        if (byte == NULL)
            return KOA_ERR_PROTOCOL;
        if (shift == 28 && *byte > 0x0f)
            break;
        number |= (uint32_t) (*byte & 0x7f) << shift;
        if ((*byte & 0x80) == 0) {
            *ret_number = number;
            return KOA_OK;
        }
    }
    return fail_at(reader, field, "a variable-length number has more than 32 bits");
}

/* A length: -1 is null. `width` is the size of the length where lengths are not compact. */
static enum koa_err read_length(struct reader *reader, const struct koa_kafka_field *field,
                                size_t width, int64_t *ret_length)
{
    bool compact = reader->flexible && field->type != KOA_KAFKA_LEGACY_STRING;
    enum koa_err err;
    int64_t length;

    if (compact) {
        uint32_t more = 0;

        err = read_uvarint(reader, field->name, &more);
        length = (int64_t) more - 1;
    } else {
        uint64_t number = 0;

        err = read_number(reader, field->name, width, &number);
        length = width == 2 ? (int64_t) (int16_t) number : (int64_t) (int32_t) number;
    }
    if (err != KOA_OK)
        return err;
    if (length < -1)
        return fail_at(reader, field->name, "a length below -1");
    if (length == -1 && !koa_kafka_field_is_nullable(field, reader->version))
        return fail_at(reader, field->name, "null, which this version does not allow");
    *ret_length = length;
    return KOA_OK;
}

static enum koa_err read_text(struct reader *reader, const struct koa_kafka_field *field,
                              struct koa_str *ret_text)
{
    size_t width = field->type == KOA_KAFKA_BYTES ? 4 : 2;
    const unsigned char *bytes;
    int64_t length = -1;
    enum koa_err err = read_length(reader, field, width, &length);

    *ret_text = (struct koa_str){.data = NULL};
    if (err != KOA_OK || length == -1)
        return err;
    bytes = take(reader, field->name, (size_t) length);
    if (bytes == NULL)
        return KOA_ERR_PROTOCOL;
    *ret_text = (struct koa_str){.data = (const char *) bytes, .size = (size_t) length};
    return KOA_OK;
}

static inline enum koa_err read_scalar(struct reader *reader, const struct koa_kafka_field *field,
                                       size_t size, unsigned char *target)
{
    const unsigned char *bytes = take(reader, field->name, size);
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    if (bytes == NULL)
        return KOA_ERR_PROTOCOL;
    if (size == 8) {
        memcpy(&eight, bytes, sizeof(eight));
        eight = be64toh(eight);
        memcpy(target, &eight, sizeof(eight));
    } else if (size == 4) {
        memcpy(&four, bytes, sizeof(four));
        four = be32toh(four);
        memcpy(target, &four, sizeof(four));
    } else if (size == 2) {
        memcpy(&two, bytes, sizeof(two));
        two = be16toh(two);
        memcpy(target, &two, sizeof(two));
    } else {
        *target = *bytes;
    }
    return KOA_OK;
}

static enum koa_err read_bool(struct reader *reader, const struct koa_kafka_field *field,
                              unsigned char *target)
{
    const unsigned char *byte = take(reader, field->name, 1);
    bool value = byte != NULL && *byte != 0;

    if (byte == NULL)
        return KOA_ERR_PROTOCOL;
    memcpy(target, &value, sizeof(value));
    return KOA_OK;
}

static size_t least_struct_size(const struct reader *reader, const struct koa_kafka_field *rows);

/* Bytes that one value of the field takes at least: bounds a lying count before memory is used. */
static size_t least_size(const struct reader *reader, const struct koa_kafka_field *field)
{
    bool compact = reader->flexible && field->type != KOA_KAFKA_LEGACY_STRING;

    switch (field->type) {
    case KOA_KAFKA_BOOL:
    case KOA_KAFKA_INT8:
        return 1;
    case KOA_KAFKA_INT16:
    case KOA_KAFKA_UINT16:
        return 2;
    case KOA_KAFKA_INT32:
        return 4;
    case KOA_KAFKA_INT64:
    case KOA_KAFKA_FLOAT64:
        return 8;
    case KOA_KAFKA_UUID:
        return 16;
    case KOA_KAFKA_STRING:
    case KOA_KAFKA_LEGACY_STRING:
        return compact ? 1 : 2;
    case KOA_KAFKA_BYTES:
    case KOA_KAFKA_INT32S:
    case KOA_KAFKA_INT64S:
    case KOA_KAFKA_STRINGS:
    case KOA_KAFKA_STRUCTS:
        return compact ? 1 : 4;
    case KOA_KAFKA_STRUCT:
        if (koa_kafka_field_is_nullable(field, reader->version))
            return 1;
        return least_struct_size(reader, field->rows);
    case KOA_KAFKA_NONE:
    case KOA_KAFKA_TYPE_COUNT:
        break;
    }
    return 0;
}

static size_t least_struct_size(const struct reader *reader, const struct koa_kafka_field *rows)
{
    size_t size = reader->flexible ? 1 : 0; /* the count of tagged fields */

    for (const struct koa_kafka_field *row = rows; row->type != KOA_KAFKA_NONE; row++) {
        if (!row->tagged && koa_kafka_field_is_in(row, reader->version))
            size += least_size(reader, row);
    }
    return size;
}

static size_t least_item_size(const struct reader *reader, const struct koa_kafka_field *field)
{
    size_t size;

    if (field->type == KOA_KAFKA_INT32S)
        return 4;
    if (field->type == KOA_KAFKA_INT64S)
        return 8;
    if (field->type == KOA_KAFKA_STRINGS)
        return reader->flexible ? 1 : 2;
    size = least_struct_size(reader, field->rows);
    return size > 0 ? size : 1;
}

static enum koa_err read_items(struct reader *reader, const struct koa_kafka_field *field,
                               unsigned char *rows, size_t count)
{
    /* Items of an array of strings are plain, never null: none of our messages has others. */
    const struct koa_kafka_field item = {.name = field->name, .type = KOA_KAFKA_STRING};
    struct plan plan;
    enum koa_err err = KOA_OK;

    if (field->type == KOA_KAFKA_STRUCTS)
        plan_fields(field->rows, reader->version, &plan);
    for (size_t i = 0; i < count && err == KOA_OK; i++) {
        if (field->type == KOA_KAFKA_STRUCTS) {
            err = read_planned(reader, &plan, rows + i * field->item_size);
        } else if (field->type == KOA_KAFKA_STRINGS) {
            struct koa_str text = {.data = NULL};

            err = read_text(reader, &item, &text);
            memcpy(rows + i * sizeof(text), &text, sizeof(text));
        } else {
            size_t size = field->type == KOA_KAFKA_INT32S ? 4 : 8;

            err = read_scalar(reader, field, size, rows + i * size);
        }
    }
    return err;
}

static size_t item_size(const struct koa_kafka_field *field)
{
    if (field->type == KOA_KAFKA_STRUCTS)
        return field->item_size;
    if (field->type == KOA_KAFKA_STRINGS)
        return sizeof(struct koa_str);
    return field->type == KOA_KAFKA_INT32S ? sizeof(int32_t) : sizeof(int64_t);
}

static enum koa_err read_array(struct reader *reader, const struct koa_kafka_field *field,
                               unsigned char *target)
{
    struct koa_kafka_any_array array = {.rows = NULL};
    int64_t count = 0;
    enum koa_err err = read_length(reader, field, 4, &count);

    if (err != KOA_OK)
        return err;
    if (count >= 0)
        array.rows = &nothing;
    if (count > 0) {
        if ((uint64_t) count > reader->left / least_item_size(reader, field)) {
            return koa_fail(reader->reterr, KOA_ERR_PROTOCOL,
                            "%s version %d, field '%s': %" PRId64 " items cannot fit in %zu bytes",
                            reader->table->name, reader->version, field->name, count, reader->left);
        }
        array.count = (size_t) count;
        array.rows = koa_arena_alloc(reader->arena, array.count, item_size(field));
        if (array.rows == NULL) {
            return koa_fail(reader->reterr, KOA_ERR_LIMIT,
                            "%s version %d, field '%s': %" PRId64 " items exceed the memory limit",
                            reader->table->name, reader->version, field->name, count);
        }
        err = read_items(reader, field, array.rows, array.count);
    }
    memcpy(target, &array, sizeof(array));
    return err;
}

/* Where it may be null, one byte says so first: below 0 is null, as Kafka's own reader takes it. */
static enum koa_err read_struct(struct reader *reader, const struct koa_kafka_field *field,
                                unsigned char *target)
{
    uint64_t presence = 1;
    void *value = NULL;
    enum koa_err err = KOA_OK;

    if (koa_kafka_field_is_nullable(field, reader->version))
        err = read_number(reader, field->name, 1, &presence);
    if (err == KOA_OK && presence <= INT8_MAX) {
        value = koa_arena_alloc(reader->arena, 1, field->item_size);
        if (value == NULL) {
            return koa_fail(reader->reterr, KOA_ERR_LIMIT,
                            "%s version %d, field '%s' exceeds the memory limit",
                            reader->table->name, reader->version, field->name);
        }
        err = read_fields(reader, field->rows, value);
    }
    memcpy(target, &value, sizeof(value));
    return err;
}

static enum koa_err read_field(struct reader *reader, const struct koa_kafka_field *field,
                               unsigned char *target)
{
    switch (field->type) {
    case KOA_KAFKA_BOOL:
        return read_bool(reader, field, target);
    case KOA_KAFKA_INT8:
        return read_scalar(reader, field, 1, target);
    case KOA_KAFKA_INT16:
    case KOA_KAFKA_UINT16:
        return read_scalar(reader, field, 2, target);
    case KOA_KAFKA_INT32:
        return read_scalar(reader, field, 4, target);
    case KOA_KAFKA_INT64:
    case KOA_KAFKA_FLOAT64:
        return read_scalar(reader, field, 8, target);
    case KOA_KAFKA_UUID: {
        const unsigned char *bytes = take(reader, field->name, sizeof(struct koa_kafka_uuid));

        if (bytes == NULL)
            return KOA_ERR_PROTOCOL;
        memcpy(target, bytes, sizeof(struct koa_kafka_uuid));
        return KOA_OK;
    }
    case KOA_KAFKA_STRING:
    case KOA_KAFKA_LEGACY_STRING:
    case KOA_KAFKA_BYTES: {
        struct koa_str text = {.data = NULL};
        enum koa_err err = read_text(reader, field, &text);

        memcpy(target, &text, sizeof(text));
        return err;
    }
    case KOA_KAFKA_INT32S:
    case KOA_KAFKA_INT64S:
    case KOA_KAFKA_STRINGS:
    case KOA_KAFKA_STRUCTS:
        return read_array(reader, field, target);
    case KOA_KAFKA_STRUCT:
        return read_struct(reader, field, target);
    case KOA_KAFKA_NONE:
    case KOA_KAFKA_TYPE_COUNT:
        break;
    }
    return fail_at(reader, field->name, "the table has no such type");
}

static const struct koa_kafka_field *find_tag(const struct reader *reader,
                                              const struct koa_kafka_field *fields, uint32_t tag)
{
    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        if (field->tagged && field->tag == tag && koa_kafka_field_is_in(field, reader->version))
            return field;
    }
    return NULL;
}

static enum koa_err read_tagged(struct reader *reader, const struct koa_kafka_field *field,
                                size_t size, unsigned char *target)
{
    size_t after = reader->left - size;
    enum koa_err err;

    reader->left = size;
    err = read_field(reader, field, target + field->offset);
    if (err == KOA_OK && reader->left > 0)
        err = fail_at(reader, field->name, "a tagged field is longer than its content");
    reader->left = after;
    return err;
}

/* KIP-482: count, then (tag, size, content) with rising tags; unknown ones are skipped. */
static enum koa_err read_tags(struct reader *reader, const struct koa_kafka_field *fields,
                              unsigned char *target)
{
    uint32_t count = 0;
    int64_t previous = -1;
    enum koa_err err = read_uvarint(reader, "tagged fields", &count);

    for (uint32_t i = 0; i < count && err == KOA_OK; i++) {
        const struct koa_kafka_field *field;
        uint32_t tag = 0;
        uint32_t size = 0;

        err = read_uvarint(reader, "tag", &tag);
        if (err == KOA_OK)
            err = read_uvarint(reader, "size of a tagged field", &size);
        if (err != KOA_OK)
            return err;
        if ((int64_t) tag <= previous)
            return fail_at(reader, "tag", "tags do not rise");
        if (size > reader->left)
            return fail_at(reader, "size of a tagged field", "larger than what is left");
        previous = tag;
        field = find_tag(reader, fields, tag);
        if (field != NULL) {
            err = read_tagged(reader, field, size, target);
        } else if (take(reader, "tagged field", size) == NULL) {
            err = KOA_ERR_PROTOCOL;
        }
    }
    return err;
}

static void set_number(const struct koa_kafka_field *field, unsigned char *target)
{
    int64_t number = field->fallback;

    if (field->type == KOA_KAFKA_INT8) {
        memcpy(target, &(int8_t){(int8_t) number}, sizeof(int8_t));
    } else if (field->type == KOA_KAFKA_INT16 || field->type == KOA_KAFKA_UINT16) {
        memcpy(target, &(int16_t){(int16_t) number}, sizeof(int16_t));
    } else if (field->type == KOA_KAFKA_INT32) {
        memcpy(target, &(int32_t){(int32_t) number}, sizeof(int32_t));
    } else if (field->type == KOA_KAFKA_INT64) {
        memcpy(target, &number, sizeof(number));
    } else if (field->type == KOA_KAFKA_BOOL) {
        memcpy(target, &(bool){number != 0}, sizeof(bool));
    }
}

static void set_defaults(const struct koa_kafka_field *fields, unsigned char *target)
{
    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        if (field->fallback != 0)
            set_number(field, target + field->offset);
    }
}

static void plan_fields(const struct koa_kafka_field *fields, int16_t version,
                        struct plan *ret_plan)
{
    ret_plan->fields = fields;
    ret_plan->present_count = ret_plan->absent_count = 0;
    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        KOA_ASSERT(field < fields + PLAN_LIMIT);
        if (!field->tagged && koa_kafka_field_is_in(field, version)) {
            ret_plan->present[ret_plan->present_count++] = field;
        } else if (field->fallback != 0) {
            ret_plan->absent[ret_plan->absent_count++] = field;
        }
    }
}

/* `target` is zeroed. */
static enum koa_err read_planned(struct reader *reader, const struct plan *plan,
                                 unsigned char *target)
{
    for (size_t i = 0; i < plan->absent_count; i++)
        set_number(plan->absent[i], target + plan->absent[i]->offset);
    for (size_t i = 0; i < plan->present_count; i++) {
        const struct koa_kafka_field *field = plan->present[i];
        enum koa_err err = read_field(reader, field, target + field->offset);

        if (err != KOA_OK)
            return err;
    }
    return reader->flexible ? read_tags(reader, plan->fields, target) : KOA_OK;
}

static enum koa_err read_fields(struct reader *reader, const struct koa_kafka_field *fields,
                                unsigned char *target)
{
    struct plan plan;

    plan_fields(fields, reader->version, &plan);
    return read_planned(reader, &plan, target);
}

void koa_kafka_defaults(const struct koa_kafka_message *table, void *message)
{
    memset(message, 0, table->size);
    set_defaults(table->fields, message);
}

enum koa_err koa_kafka_decode_part(struct koa_kafka_layout layout, struct koa_str *bytes,
                                   struct koa_arena *arena, void *ret_message,
                                   struct koa_error *reterr)
{
    const struct koa_kafka_message *table = layout.table;
    struct reader reader = {.table = table,
                            .arena = arena,
                            .at = (const unsigned char *) (bytes->size > 0 ? bytes->data : ""),
                            .left = bytes->size,
                            .version = layout.version,
                            .flexible = layout.version >= table->flexible_since,
                            .reterr = reterr};
    enum koa_err err;

    if (layout.version < table->minimum || layout.version > table->maximum) {
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "%s version %d is outside %d to %d",
                        table->name, layout.version, table->minimum, table->maximum);
    }
    memset(ret_message, 0, table->size);
    err = read_fields(&reader, table->fields, ret_message);
    if (err == KOA_OK)
        *bytes = (struct koa_str){.data = (const char *) reader.at, .size = reader.left};
    return err;
}

enum koa_err koa_kafka_decode(struct koa_kafka_layout layout, struct koa_str bytes,
                              struct koa_arena *arena, void *ret_message, struct koa_error *reterr)
{
    enum koa_err err = koa_kafka_decode_part(layout, &bytes, arena, ret_message, reterr);

    if (err == KOA_OK && bytes.size > 0) {
        return koa_fail(reterr, KOA_ERR_PROTOCOL, "%s version %d: %zu bytes left over at the end",
                        layout.table->name, layout.version, bytes.size);
    }
    return err;
}

/* Messages are data: a struct and, beside it, a constant table of rows that says which member goes
 * on the wire in which versions, and how. One codec (codec.h) reads the tables in both directions.
 *
 * Strings and byte runs are views into the frame that was read, so they live as long as it does.
 * A string with NULL data, and an array with NULL rows, is Kafka's null; where null is not allowed,
 * it is written as empty. A NULL struct is null too, or a tag that is left out; elsewhere it cannot
 * be written, and is never read. */
#ifndef KAFKA_FIELD_H
#define KAFKA_FIELD_H

#include <koa/base.h>

/* The member's C type is named beside each; the macros below refuse any other at compile time. */
enum koa_kafka_type {
    KOA_KAFKA_NONE,          /* ends a table */
    KOA_KAFKA_BOOL,          /* bool */
    KOA_KAFKA_INT8,          /* int8_t */
    KOA_KAFKA_INT16,         /* int16_t */
    KOA_KAFKA_UINT16,        /* uint16_t */
    KOA_KAFKA_INT32,         /* int32_t */
    KOA_KAFKA_INT64,         /* int64_t */
    KOA_KAFKA_FLOAT64,       /* double */
    KOA_KAFKA_UUID,          /* struct koa_kafka_uuid */
    KOA_KAFKA_STRING,        /* struct koa_str; compact in flexible versions */
    KOA_KAFKA_BYTES,         /* struct koa_str; compact in flexible versions */
    KOA_KAFKA_INT32S,        /* KOA_KAFKA_ARRAY(int32_t) */
    KOA_KAFKA_INT64S,        /* KOA_KAFKA_ARRAY(int64_t) */
    KOA_KAFKA_STRINGS,       /* KOA_KAFKA_ARRAY(struct koa_str) */
    KOA_KAFKA_STRUCTS,       /* KOA_KAFKA_ARRAY of structs with rows of their own */
    KOA_KAFKA_STRUCT,        /* pointer to one struct with rows of its own */
    KOA_KAFKA_LEGACY_STRING, /* struct koa_str; int16 length even in flexible versions (headers) */
    KOA_KAFKA_TYPE_COUNT
};

struct koa_kafka_uuid {
    uint8_t bytes[16];
};

/* An array member: `KOA_KAFKA_ARRAY(int32_t) replicas;`. */
#define KOA_KAFKA_ARRAY(item)                                                                      \
    struct {                                                                                       \
        item *rows;                                                                                \
        size_t count;                                                                              \
    }

/* What every array member looks like to the codec. */
struct koa_kafka_any_array {
    void *rows;
    size_t count;
};

struct koa_kafka_field {
    const char *name;
    size_t offset; /* of the member */
    enum koa_kafka_type type;
    int16_t since; /* first version that has it */
    int16_t until; /* first version without it any more; 0: none */
    int16_t nullable_since;
    bool nullable;
    bool tagged; /* in the block of tagged fields, under `tag` */
    uint32_t tag;
    int64_t fallback; /* of numbers: the value when absent, and the one a tag leaves out */
    const struct koa_kafka_field *rows; /* for STRUCTS and STRUCT */
    size_t item_size;                   /* for STRUCTS and STRUCT: sizeof of one */
};

#define KOA_KAFKA_OFFSET(structure, member, ctype)                                                 \
    (offsetof(structure, member) +                                                                 \
     0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((structure *) 0)->member), ctype)    \
                         ? 1                                                                       \
                         : -1]))
#define KOA_KAFKA_ROW(s, m, kind, ctype)                                                           \
    .name = #m, .type = (kind), .offset = KOA_KAFKA_OFFSET(s, m, ctype)
/* NOLINTBEGIN(bugprone-macro-parentheses): `ctype` is a type */
#define KOA_KAFKA_ROWS_ROW(s, m, kind, ctype)                                                      \
    .name = #m, .type = (kind),                                                                    \
    .offset =                                                                                      \
        offsetof(s, m) + 0 * KOA_KAFKA_OFFSET(s, m.rows, ctype *) +                                \
        0 * sizeof(char[sizeof(((s *) 0)->m) == sizeof(struct koa_kafka_any_array) ? 1 : -1])

/* NOLINTEND(bugprone-macro-parentheses) */

#define KOA_KAFKA_FIELD_BOOL(s, m) KOA_KAFKA_ROW(s, m, KOA_KAFKA_BOOL, bool)
#define KOA_KAFKA_FIELD_INT8(s, m) KOA_KAFKA_ROW(s, m, KOA_KAFKA_INT8, int8_t)
#define KOA_KAFKA_FIELD_INT16(s, m) KOA_KAFKA_ROW(s, m, KOA_KAFKA_INT16, int16_t)
#define KOA_KAFKA_FIELD_UINT16(s, m) KOA_KAFKA_ROW(s, m, KOA_KAFKA_UINT16, uint16_t)
#define KOA_KAFKA_FIELD_INT32(s, m) KOA_KAFKA_ROW(s, m, KOA_KAFKA_INT32, int32_t)
#define KOA_KAFKA_FIELD_INT64(s, m) KOA_KAFKA_ROW(s, m, KOA_KAFKA_INT64, int64_t)
#define KOA_KAFKA_FIELD_FLOAT64(s, m) KOA_KAFKA_ROW(s, m, KOA_KAFKA_FLOAT64, double)
#define KOA_KAFKA_FIELD_UUID(s, m) KOA_KAFKA_ROW(s, m, KOA_KAFKA_UUID, struct koa_kafka_uuid)
#define KOA_KAFKA_FIELD_STRING(s, m) KOA_KAFKA_ROW(s, m, KOA_KAFKA_STRING, struct koa_str)
#define KOA_KAFKA_FIELD_LEGACY_STRING(s, m)                                                        \
    KOA_KAFKA_ROW(s, m, KOA_KAFKA_LEGACY_STRING, struct koa_str)
#define KOA_KAFKA_FIELD_BYTES(s, m) KOA_KAFKA_ROW(s, m, KOA_KAFKA_BYTES, struct koa_str)
#define KOA_KAFKA_FIELD_INT32S(s, m) KOA_KAFKA_ROWS_ROW(s, m, KOA_KAFKA_INT32S, int32_t)
#define KOA_KAFKA_FIELD_INT64S(s, m) KOA_KAFKA_ROWS_ROW(s, m, KOA_KAFKA_INT64S, int64_t)
#define KOA_KAFKA_FIELD_STRINGS(s, m) KOA_KAFKA_ROWS_ROW(s, m, KOA_KAFKA_STRINGS, struct koa_str)
#define KOA_KAFKA_FIELD_STRUCTS(s, m, item, table)                                                 \
    KOA_KAFKA_ROWS_ROW(s, m, KOA_KAFKA_STRUCTS, item), .rows = (table), .item_size = sizeof(item)
#define KOA_KAFKA_FIELD_STRUCT(s, m, item, table)                                                  \
    KOA_KAFKA_ROW(s, m, KOA_KAFKA_STRUCT, __typeof__(item) *), .rows = (table),                    \
                                                               .item_size = sizeof(item)

/* One direction of one API, or a header. */
struct koa_kafka_message {
    const char *name; /* "MetadataResponse" */
    size_t size;      /* of the struct */
    const struct koa_kafka_field *fields;
    int16_t minimum, maximum; /* versions that the table describes */
    int16_t flexible_since;   /* first version with compact lengths and tagged fields */
};

#endif

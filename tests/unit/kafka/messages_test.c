/* Every table of every API in every version: what is written comes back, and nothing else does. */
#include <string.h>

#include "kit/kit.h"

#include "base/memory.h"
#include "base/str.h"
#include "kafka/api.h"
#include "kafka/codec.h"

enum { ARENA = 1 << 20, ROWS = 2 };

/* One message on its way through the codec: values are numbered, so that no two members agree. */
struct walk {
    struct koa_arena *arena;
    int16_t version;
    int64_t number;
    bool null; /* where it is allowed */
    bool same;
    const char *where;
};

static void fill(struct walk *walk, const struct koa_kafka_field *fields, unsigned char *target);

static void put_number(const struct koa_kafka_field *field, unsigned char *target, int64_t number)
{
    switch ((int) field->type) {
    case KOA_KAFKA_BOOL:
        memcpy(target, &(bool){field->fallback == 0}, sizeof(bool));
        break;
    case KOA_KAFKA_INT8:
        memcpy(target, &(int8_t){(int8_t) (number % 100)}, sizeof(int8_t));
        break;
    case KOA_KAFKA_INT16:
    case KOA_KAFKA_UINT16:
        memcpy(target, &(int16_t){(int16_t) number}, sizeof(int16_t));
        break;
    case KOA_KAFKA_INT32:
        memcpy(target, &(int32_t){(int32_t) number}, sizeof(int32_t));
        break;
    case KOA_KAFKA_INT64:
        memcpy(target, &number, sizeof(number));
        break;
    default:
        fail_msg("'%s' is no number", field->name);
    }
}

static struct koa_str text_of(struct walk *walk)
{
    char *text = koa_arena_printf(walk->arena, "value-%lld", (long long) walk->number);

    return (struct koa_str){.data = text, .size = strlen(text)};
}

static void fill_array(struct walk *walk, const struct koa_kafka_field *field,
                       unsigned char *target)
{
    struct koa_kafka_any_array array = {.count = ROWS};

    if (field->type == KOA_KAFKA_STRUCTS) {
        array.rows = koa_arena_alloc(walk->arena, ROWS, field->item_size);
        for (size_t i = 0; i < ROWS; i++)
            fill(walk, field->rows, (unsigned char *) array.rows + i * field->item_size);
    } else if (field->type == KOA_KAFKA_STRINGS) {
        struct koa_str *rows = koa_arena_alloc(walk->arena, ROWS, sizeof(*rows));

        for (size_t i = 0; i < ROWS; i++, walk->number++)
            rows[i] = text_of(walk);
        array.rows = rows;
    } else {
        int32_t *narrow = koa_arena_alloc(walk->arena, ROWS, sizeof(int64_t));
        int64_t wide[ROWS];

        for (size_t i = 0; i < ROWS; i++, walk->number++) {
            wide[i] = walk->number;
            narrow[i] = (int32_t) walk->number;
        }
        if (field->type == KOA_KAFKA_INT64S)
            memcpy(narrow, wide, sizeof(wide));
        array.rows = narrow;
    }
    memcpy(target, &array, sizeof(array));
}

static void fill_member(struct walk *walk, const struct koa_kafka_field *field,
                        unsigned char *target)
{
    struct koa_str text;
    void *one;

    switch ((int) field->type) {
    case KOA_KAFKA_UUID:
        memset(target, (int) (walk->number % 250 + 1), sizeof(struct koa_kafka_uuid));
        break;
    case KOA_KAFKA_STRING:
    case KOA_KAFKA_BYTES:
        text = text_of(walk);
        memcpy(target, &text, sizeof(text));
        break;
    case KOA_KAFKA_STRUCT:
        one = koa_arena_alloc(walk->arena, 1, field->item_size);
        fill(walk, field->rows, one);
        memcpy(target, &one, sizeof(one));
        break;
    case KOA_KAFKA_INT32S:
    case KOA_KAFKA_INT64S:
    case KOA_KAFKA_STRINGS:
    case KOA_KAFKA_STRUCTS:
        fill_array(walk, field, target);
        break;
    default:
        put_number(field, target, walk->number);
    }
}

/* Members that the version lacks keep their defaults. */
static void fill(struct walk *walk, const struct koa_kafka_field *fields, unsigned char *target)
{
    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        if (!koa_kafka_field_is_in(field, walk->version)) {
            if (field->fallback != 0 && field->type != KOA_KAFKA_BOOL) {
                put_number(field, target + field->offset, field->fallback);
            } else if (field->fallback != 0) {
                memcpy(target + field->offset, &(bool){true}, sizeof(bool));
            }
            continue;
        }
        walk->number++;
        if (!walk->null || !koa_kafka_field_is_nullable(field, walk->version))
            fill_member(walk, field, target + field->offset);
    }
}

static void compare(struct walk *walk, const struct koa_kafka_field *fields,
                    const unsigned char *left, const unsigned char *right);

static bool texts_equal(const unsigned char *left, const unsigned char *right)
{
    struct koa_str a;
    struct koa_str b;

    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    return koa_str_equal(a, b) && (a.data == NULL) == (b.data == NULL);
}

static bool arrays_equal(struct walk *walk, const struct koa_kafka_field *field,
                         const unsigned char *left, const unsigned char *right)
{
    struct koa_kafka_any_array a;
    struct koa_kafka_any_array b;

    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    if (a.count != b.count || (a.rows == NULL) != (b.rows == NULL))
        return false;
    if (a.rows == NULL)
        return true;
    for (size_t i = 0; i < a.count; i++) {
        const unsigned char *x = a.rows;
        const unsigned char *y = b.rows;

        if (field->type == KOA_KAFKA_STRUCTS) {
            compare(walk, field->rows, x + i * field->item_size, y + i * field->item_size);
        } else if (field->type == KOA_KAFKA_STRINGS) {
            if (!texts_equal(x + i * sizeof(struct koa_str), y + i * sizeof(struct koa_str)))
                return false;
        } else {
            size_t size = field->type == KOA_KAFKA_INT32S ? 4 : 8;

            if (memcmp(x + i * size, y + i * size, size) != 0)
                return false;
        }
    }
    return true;
}

static bool members_equal(struct walk *walk, const struct koa_kafka_field *field,
                          const unsigned char *left, const unsigned char *right)
{
    static const size_t sizes[KOA_KAFKA_TYPE_COUNT] = {
        [KOA_KAFKA_BOOL] = sizeof(bool), [KOA_KAFKA_INT8] = 1,  [KOA_KAFKA_INT16] = 2,
        [KOA_KAFKA_UINT16] = 2,          [KOA_KAFKA_INT32] = 4, [KOA_KAFKA_INT64] = 8,
        [KOA_KAFKA_FLOAT64] = 8,         [KOA_KAFKA_UUID] = 16,
    };
    const unsigned char *a;
    const unsigned char *b;

    if (sizes[field->type] > 0)
        return memcmp(left, right, sizes[field->type]) == 0;
    if (field->type == KOA_KAFKA_STRING || field->type == KOA_KAFKA_BYTES)
        return texts_equal(left, right);
    if (field->type != KOA_KAFKA_STRUCT)
        return arrays_equal(walk, field, left, right);
    memcpy(&a, left, sizeof(a));
    memcpy(&b, right, sizeof(b));
    if (a != NULL && b != NULL)
        compare(walk, field->rows, a, b);
    return (a == NULL) == (b == NULL);
}

static void compare(struct walk *walk, const struct koa_kafka_field *fields,
                    const unsigned char *left, const unsigned char *right)
{
    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        if (!members_equal(walk, field, left + field->offset, right + field->offset)) {
            walk->same = false;
            walk->where = field->name;
        }
    }
}

static void cut_everywhere(struct koa_kafka_layout layout, const struct koa_buf *buf)
{
    struct koa_arena *arena = koa_arena_create(ARENA);

    for (size_t size = 0; size < buf->size; size++) {
        /* A copy of the exact size, so that AddressSanitizer sees a read beyond it. */
        char *exact = koa_realloc_array(NULL, size > 0 ? size : 1, 1);
        void *body = koa_arena_alloc(arena, 1, layout.table->size);

        memcpy(exact, buf->data, size);
        KIT_EXPECT_INT(layout.table->name, KOA_ERR_PROTOCOL,
                       koa_kafka_decode(layout, (struct koa_str){.data = exact, .size = size},
                                        arena, body, NULL));
        koa_free(exact);
        koa_arena_reset(arena);
    }
    koa_arena_destroy(arena);
}

static void there_and_back(const struct koa_kafka_message *table, int16_t version, bool null)
{
    struct koa_arena *arena = koa_arena_create(ARENA);
    struct walk walk = {.arena = arena, .version = version, .null = null, .same = true};
    struct koa_kafka_layout layout = {.table = table, .version = version};
    void *written = koa_arena_alloc(arena, 1, table->size);
    void *read = koa_arena_alloc(arena, 1, table->size);
    struct koa_buf buf = {.limit = ARENA};
    struct koa_error error = {.text = ""};

    fill(&walk, table->fields, written);
    KIT_EXPECT_INT(table->name, KOA_OK, koa_kafka_encode(table, version, written, &buf, &error));
    KIT_EXPECT_INT(table->name, KOA_OK,
                   koa_kafka_decode(layout, (struct koa_str){.data = buf.data, .size = buf.size},
                                    arena, read, &error));
    compare(&walk, table->fields, written, read);
    if (!walk.same)
        fail_msg("%s version %d, field '%s' came back changed", table->name, version, walk.where);
    cut_everywhere(layout, &buf);
    koa_buf_deinit(&buf);
    koa_arena_destroy(arena);
}

static void every_message_comes_back_as_it_was_written(void **state)
{
    (void) state;
    for (size_t i = 0; i < koa_kafka_api_count; i++) {
        const struct koa_kafka_message *tables[] = {koa_kafka_apis[i].request,
                                                    koa_kafka_apis[i].response};

        KIT_EACH (table, tables) {
            for (int16_t version = (*table)->minimum; version <= (*table)->maximum; version++) {
                there_and_back(*table, version, false);
                there_and_back(*table, version, true);
            }
        }
    }
}

static void expect_rising_tags(const char *name, const struct koa_kafka_field *fields)
{
    int64_t last = -1;

    for (const struct koa_kafka_field *field = fields; field->type != KOA_KAFKA_NONE; field++) {
        if (field->tagged) {
            KIT_EXPECT(name, (int64_t) field->tag > last);
            last = field->tag;
        }
        if (field->rows != NULL)
            expect_rising_tags(name, field->rows);
    }
}

static void the_list_of_apis_is_in_order_and_both_directions_agree(void **state)
{
    (void) state;
    for (size_t i = 0; i < koa_kafka_api_count; i++) {
        const struct koa_kafka_api *api = &koa_kafka_apis[i];

        KIT_EXPECT(api->name, i == 0 || api->key > koa_kafka_apis[i - 1].key);
        KIT_EXPECT(api->name, koa_kafka_api_find(api->key) == api);
        KIT_EXPECT_INT(api->name, api->request->minimum, api->response->minimum);
        KIT_EXPECT_INT(api->name, api->request->maximum, api->response->maximum);
        KIT_EXPECT_INT(api->name, api->request->flexible_since, api->response->flexible_since);
        expect_rising_tags(api->name, api->request->fields);
        expect_rising_tags(api->name, api->response->fields);
    }
}

/* A struct that may be null from version 1 on, and one under a tag. */
struct point {
    int32_t x;
    struct koa_str label;
};

struct shape {
    struct point *start;
    struct point *end;
};

static const struct koa_kafka_field point_fields[] = {
    {KOA_KAFKA_FIELD_INT32(struct point, x), .fallback = 7},
    {KOA_KAFKA_FIELD_STRING(struct point, label), .since = 1},
    {0},
};

static const struct koa_kafka_field shape_fields[] = {
    {KOA_KAFKA_FIELD_STRUCT(struct shape, start, struct point, point_fields), .nullable = true,
     .nullable_since = 1},
    {KOA_KAFKA_FIELD_STRUCT(struct shape, end, struct point, point_fields), .since = 2,
     .tagged = true, .tag = 3},
    {0},
};

static const struct koa_kafka_message shape_table = {
    .name = "Shape",
    .size = sizeof(struct shape),
    .fields = shape_fields,
    .minimum = 0,
    .maximum = 2,
    .flexible_since = 2,
};

static struct point start = {.x = 1, .label = {.data = "a", .size = 1}};
static struct point end = {.x = 2, .label = {.data = "bc", .size = 2}};

static const struct {
    const char *name;
    int16_t version;
    struct shape shape;
    size_t size;
    const char *bytes;
} structs[] = {
    {"always there", 0, {.start = &start}, 4, "\0\0\0\1"},
    {"there", 1, {.start = &start}, 8, "\1\0\0\0\1\0\1a"},
    {"null", 1, {.start = NULL}, 1, "\xff"},
    {"flexible", 2, {.start = &start}, 9, "\1\0\0\0\1\2a\0\0"},
    {"null, and a tag that is left out", 2, {.start = NULL}, 2, "\xff\0"},
    {"under a tag", 2, {.end = &end}, 12, "\xff\1\3\x8\0\0\0\2\3bc\0"},
};

static void a_struct_is_there_or_null(void **state)
{
    (void) state;
    KIT_EACH (c, structs) {
        struct koa_arena *arena = koa_arena_create(ARENA);
        struct koa_kafka_layout layout = {.table = &shape_table, .version = c->version};
        struct koa_buf buf = {.limit = ARENA};
        struct koa_error error = {.text = ""};
        struct shape shape;

        KIT_EXPECT_INT(c->name, KOA_OK,
                       koa_kafka_encode(&shape_table, c->version, &c->shape, &buf, &error));
        KIT_EXPECT_INT(c->name, c->size, buf.size);
        KIT_EXPECT(c->name, memcmp(buf.data, c->bytes, c->size) == 0);
        KIT_EXPECT_INT(c->name, KOA_OK,
                       koa_kafka_decode(layout,
                                        (struct koa_str){.data = buf.data, .size = buf.size}, arena,
                                        &shape, &error));
        KIT_EXPECT(c->name, (shape.start != NULL) == (c->shape.start != NULL));
        KIT_EXPECT(c->name, (shape.end != NULL) == (c->shape.end != NULL));
        KIT_EXPECT(c->name, shape.start == NULL || shape.start->x == 1);
        KIT_EXPECT(c->name, shape.end == NULL || koa_str_equal_text(shape.end->label, "bc"));
        cut_everywhere(layout, &buf);
        koa_buf_deinit(&buf);
        koa_arena_destroy(arena);
    }
}

static void a_struct_that_is_missing_or_does_not_fit_fails(void **state)
{
    struct koa_arena *small = koa_arena_create(1);
    struct koa_kafka_layout layout = {.table = &shape_table, .version = 1};
    struct koa_buf buf = {.limit = ARENA};
    struct koa_error error = {.text = ""};
    struct shape shape = {.start = NULL};

    (void) state;
    assert_int_equal(koa_kafka_encode(&shape_table, 0, &shape, &buf, &error), KOA_ERR_INVALID);
    KIT_EXPECT_CONTAINS("text", "field 'start'", error.text);
    assert_int_equal(koa_kafka_decode(layout,
                                      (struct koa_str){.data = "\1\0\0\0\1\0\1a", .size = 8}, small,
                                      &shape, &error),
                     KOA_ERR_LIMIT);
    KIT_EXPECT_CONTAINS("text", "memory limit", error.text);
    koa_buf_deinit(&buf);
    koa_arena_destroy(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_comes_back_as_it_was_written),
        cmocka_unit_test(the_list_of_apis_is_in_order_and_both_directions_agree),
        cmocka_unit_test(a_struct_is_there_or_null),
        cmocka_unit_test(a_struct_that_is_missing_or_does_not_fit_fails),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "kit/kit.h"

#include <math.h>
#include <string.h>

#include "metrics/history_codec.h"
#include "metrics/number.h"

enum { CELLS = 64 };

/* Points of a row, written and read one after the other. */
struct row {
    struct koa_history_shape shape;
    struct koa_buf bytes;
    uint64_t cells[CELLS];
    int64_t steps[CELLS];
    bool is_begun;
};

static struct koa_history_track track(struct row *row)
{
    return (struct koa_history_track){.cells = row->cells, .steps = row->steps};
}

/* The bytes of the point; fails when it does not come back. */
static size_t pass(struct row *row, const uint64_t *cells)
{
    const struct koa_history_track nothing = {0};
    size_t count = row->shape.count * row->shape.width;

    koa_buf_clear(&row->bytes);
    koa_history_encode(&row->bytes, row->shape, cells, row->is_begun ? track(row) : nothing);
    assert_int_equal(koa_buf_status(&row->bytes, "row", NULL), KOA_OK);
    assert_true(koa_history_decode((const uint8_t *) koa_buf_text(&row->bytes), row->bytes.size,
                                   row->shape, !row->is_begun, track(row)));
    row->is_begun = true;
    assert_memory_equal(row->cells, cells, count * sizeof(*cells));
    return row->bytes.size;
}

static size_t pass_number(struct row *row, double number)
{
    uint64_t cell = koa_bits_from_double(number);

    return pass(row, &cell);
}

static struct row a_row(size_t count, size_t width)
{
    return (struct row){.shape = {.count = count, .width = width}, .bytes.limit = 100000};
}

static void every_double_comes_back(void **state)
{
    static const double numbers[] = {0,           -0.0,   1,      -1,     0.1,
                                     1e-3,        0.0005, 1e300,  -1e300, INFINITY,
                                     -INFINITY,   1e15,   4e12,   5e12,   9007199254740993.0,
                                     123456.789,  0,      5e-324, 1e-3,   1764137.123,
                                     1764167.125, 3};
    struct row row = a_row(1, 1);

    (void) state;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(numbers); i++) {
        for (size_t k = 0; k < KOA_ARRAY_COUNT(numbers); k++) {
            (void) pass_number(&row, numbers[i]);
            (void) pass_number(&row, numbers[k]);
            (void) pass_number(&row, numbers[k]);
        }
        (void) pass_number(&row, NAN);
    }
    koa_buf_deinit(&row.bytes);
}

static void what_is_expected_costs_next_to_nothing(void **state)
{
    uint64_t cells[CELLS];
    struct row row = a_row(CELLS, 1);
    size_t size = 0;

    (void) state;
    for (int point = 0; point < 10; point++) {
        for (size_t i = 0; i < CELLS; i++) /* stands, or grows by half a minute */
            cells[i] = koa_bits_from_double((double) i * 1.5 + (i % 2 == 0 ? 0 : 30.0 * point));
        if (point == 9)
            cells[7] = koa_bits_from_double(0.5);
        KIT_EXPECT("one run", point < 3 || size == 2);
        size = pass(&row, cells);
        if (point == 0)
            KIT_EXPECT("at first a number each", size > CELLS && size < (size_t) 4 * CELLS);
    }
    KIT_EXPECT("and one that is not as expected", size > 2 && size < 12);
    koa_buf_deinit(&row.bytes);
}

static void whole_numbers_cost_what_they_changed(void **state)
{
    struct row row = a_row(1, 1);

    (void) state;
    (void) pass_number(&row, 1e9);
    KIT_EXPECT("a few", pass_number(&row, 1e9 + 7) <= 2);
    KIT_EXPECT("a few more", pass_number(&row, 1e9 + 15) <= 2);
    KIT_EXPECT_INT("a fraction", 9, pass_number(&row, 1.0 / 3));
    KIT_EXPECT_INT("that stays", 2, pass_number(&row, 1.0 / 3));
    koa_buf_deinit(&row.bytes);
}

static void histograms_come_back(void **state)
{
    enum { WIDTH = KOA_HISTOGRAM_EXTRA_CELLS + 4 };
    uint64_t cells[2 * WIDTH] = {0};
    struct row row = a_row(2, WIDTH);
    size_t size = 0;

    (void) state;
    for (uint64_t point = 0; point < 20; point++) {
        cells[0] = koa_bits_from_double((double) point / 7);
        cells[WIDTH + 1] = koa_bits_from_double(NAN);
        cells[4] += 3;
        cells[WIDTH + 6] = point % 5 == 4 ? UINT64_MAX - point : point << 58;
        size = pass(&row, cells);
    }
    KIT_EXPECT("small", size < 40);
    koa_buf_deinit(&row.bytes);
}

static void bytes_of_others_are_refused(void **state)
{
    const uint64_t cells[3] = {koa_bits_from_double(1.0 / 3), koa_bits_from_double(300), 0};
    const uint8_t too_many[] = {0, 4};
    const uint8_t endless[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    uint8_t bytes[32];
    struct row row = a_row(3, 1);
    size_t size = pass(&row, cells);

    (void) state;
    assert_true(size < sizeof(bytes));
    memcpy(bytes, koa_buf_text(&row.bytes), size);
    for (size_t i = 0; i < size; i++)
        KIT_EXPECT("cut", !koa_history_decode(bytes, i, row.shape, true, track(&row)));
    bytes[size] = 5;
    KIT_EXPECT("too long", !koa_history_decode(bytes, size + 1, row.shape, true, track(&row)));
    KIT_EXPECT("a run too long",
               !koa_history_decode(too_many, sizeof(too_many), row.shape, true, track(&row)));
    KIT_EXPECT("no number",
               !koa_history_decode(endless, sizeof(endless), row.shape, true, track(&row)));
    koa_buf_deinit(&row.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_double_comes_back),
        cmocka_unit_test(what_is_expected_costs_next_to_nothing),
        cmocka_unit_test(whole_numbers_cost_what_they_changed),
        cmocka_unit_test(histograms_come_back),
        cmocka_unit_test(bytes_of_others_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

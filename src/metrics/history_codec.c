/* Most cells of a point are what one expects from the two points before: they stand still, or go on
 * as they went. So a cell is written as the difference to that, in thousandths, and cells without
 * one as their number. What is no number of thousandths is written whole. */
#include "metrics/history_codec.h"

#include <math.h>
#include <string.h>

#include "metrics/number.h"

/* What a row is made of: numbers that say what follows. */
enum {
    TOKEN_AS_EXPECTED = 0, /* how many cells */
    TOKEN_WHOLE = 1,       /* eight bytes, the lowest first */
    TOKEN_DIFFERENCE = 2,  /* this and more: the difference, its sign in the lowest bit */
};

enum {
    PER_UNIT = 1000, /* ages and durations are in milliseconds, most others are whole numbers */
    NUMBER_BYTES = 10,
};

/* Beyond it a double does not tell thousandths apart; and sums of three stay far from overflow. */
static const double SCALED_LIMIT = 4503599627370496.0; /* 2^52 */
static const uint64_t COUNT_LIMIT = UINT64_C(1) << 60;

void koa_history_put_number(struct koa_buf *out, uint64_t number)
{
    char *at = koa_buf_reserve(out, NUMBER_BYTES);
    size_t size = 0;

    if (at == NULL)
        return;
    while (number >= 0x80) {
        at[size++] = (char) (uint8_t) (number | 0x80);
        number >>= 7;
    }
    at[size++] = (char) (uint8_t) number;
    koa_buf_advance(out, size);
}

bool koa_history_take_number(const uint8_t **at, const uint8_t *end, uint64_t *ret_number)
{
    uint64_t number = 0;

    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        uint8_t byte = *(*at)++;

        number |= (uint64_t) (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_number = number;
            return true;
        }
    }
    return false;
}

static bool is_count(struct koa_history_shape shape, size_t index)
{
    return shape.width > 1 && index % shape.width >= KOA_HISTOGRAM_EXTRA_CELLS;
}

static uint64_t cell_of(bool is_a_count, int64_t number)
{
    return is_a_count ? (uint64_t) number : koa_bits_from_double((double) number / PER_UNIT);
}

/* False when the cell would not come back from its number bit by bit. */
static bool number_of(bool is_a_count, uint64_t cell, int64_t *ret_number)
{
    double scaled;

    if (is_a_count) {
        *ret_number = (int64_t) cell;
        return cell < COUNT_LIMIT;
    }
    scaled = koa_double_from_bits(cell) * PER_UNIT;
    if (!(fabs(scaled) <= SCALED_LIMIT)) /* NaN too */
        return false;
    *ret_number = llrint(scaled);
    return cell_of(false, *ret_number) == cell;
}

/* Numbers that were read may be any. */
static int64_t add(int64_t a, int64_t b)
{
    return (int64_t) ((uint64_t) a + (uint64_t) b);
}

/* What the cell is after one more step. */
static uint64_t expect(bool is_a_count, uint64_t cell, int64_t step)
{
    int64_t number = 0;

    if (step == 0 || !number_of(is_a_count, cell, &number))
        return cell;
    return cell_of(is_a_count, add(number, step));
}

static void put_run(struct koa_buf *out, size_t *run)
{
    if (*run > 0) {
        koa_history_put_number(out, TOKEN_AS_EXPECTED);
        koa_history_put_number(out, *run);
    }
    *run = 0;
}

static void put_whole(struct koa_buf *out, uint64_t cell)
{
    char bytes[sizeof(cell)];

    koa_history_put_number(out, TOKEN_WHOLE);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char) (uint8_t) (cell >> (8 * i));
    koa_buf_append(out, bytes, sizeof(bytes));
}

static void put_difference(struct koa_buf *out, int64_t difference)
{
    uint64_t folded = ((uint64_t) difference << 1) ^ (difference < 0 ? UINT64_MAX : 0);

    koa_history_put_number(out, folded + TOKEN_DIFFERENCE);
}

static int64_t unfold(uint64_t folded)
{
    return (int64_t) (folded >> 1) ^ -(int64_t) (folded & 1);
}

void koa_history_encode(struct koa_buf *out, struct koa_history_shape shape, const uint64_t *cells,
                        struct koa_history_track before)
{
    size_t run = 0;

    for (size_t i = 0; i < shape.count * shape.width; i++) {
        bool counts = is_count(shape, i);
        uint64_t cell = before.cells != NULL ? before.cells[i] : 0;
        int64_t step = before.cells != NULL ? before.steps[i] : 0;
        int64_t number = 0;
        int64_t last = 0;

        if (cells[i] == expect(counts, cell, step)) {
            run++;
            continue;
        }
        put_run(out, &run);
        if (!number_of(counts, cells[i], &number)) {
            put_whole(out, cells[i]);
        } else if (number_of(counts, cell, &last)) {
            put_difference(out, number - last - step);
        } else {
            put_difference(out, number);
        }
    }
    put_run(out, &run);
}

static bool take_whole(const uint8_t **at, const uint8_t *end, uint64_t *ret_cell)
{
    uint64_t cell = 0;

    if ((size_t) (end - *at) < sizeof(cell))
        return false;
    for (size_t i = 0; i < sizeof(cell); i++)
        cell |= (uint64_t) (*at)[i] << (8 * i);
    *at += sizeof(cell);
    *ret_cell = cell;
    return true;
}

static void differ(bool counts, int64_t difference, uint64_t *cell, int64_t *step)
{
    int64_t last = 0;

    if (number_of(counts, *cell, &last)) {
        *step = add(*step, difference);
    } else {
        last = difference;
        *step = 0;
    }
    *cell = cell_of(counts, add(last, *step));
}

/* Cells that are as expected; false when there are not so many. */
static bool pass_run(struct koa_history_shape shape, size_t *index, uint64_t run,
                     struct koa_history_track track)
{
    size_t end = *index;

    if (run > shape.count * shape.width - *index)
        return false;
    for (end += run; *index < end; (*index)++) {
        if (track.steps[*index] != 0) {
            track.cells[*index] =
                expect(is_count(shape, *index), track.cells[*index], track.steps[*index]);
        }
    }
    return true;
}

static bool decode_all(const uint8_t *at, const uint8_t *end, struct koa_history_shape shape,
                       struct koa_history_track track)
{
    size_t index = 0;

    while (at < end) {
        uint64_t token = 0;
        uint64_t run = 0;

        if (!koa_history_take_number(&at, end, &token))
            return false;
        if (token == TOKEN_AS_EXPECTED) {
            if (!koa_history_take_number(&at, end, &run) || !pass_run(shape, &index, run, track))
                return false;
            continue;
        }
        if (index == shape.count * shape.width)
            return false;
        if (token == TOKEN_WHOLE) {
            track.steps[index] = 0;
            if (!take_whole(&at, end, &track.cells[index]))
                return false;
        } else {
            differ(is_count(shape, index), unfold(token - TOKEN_DIFFERENCE), &track.cells[index],
                   &track.steps[index]);
        }
        index++;
    }
    return index == shape.count * shape.width;
}

bool koa_history_decode(const uint8_t *bytes, size_t size, struct koa_history_shape shape,
                        bool is_first, struct koa_history_track track)
{
    size_t cells = shape.count * shape.width;
    bool ok;

    if (is_first && cells > 0) {
        memset(track.cells, 0, cells * sizeof(track.cells[0]));
        memset(track.steps, 0, cells * sizeof(track.steps[0]));
    }
    ok = decode_all(bytes, bytes + size, shape, track);
    /* From nothing to the first value is no step. */
    if (is_first && cells > 0)
        memset(track.steps, 0, cells * sizeof(track.steps[0]));
    return ok;
}

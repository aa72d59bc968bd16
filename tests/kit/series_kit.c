/* Series are made once, rows of one table; the source only walks it. */
#include "kit/series_kit.h"

#include <math.h>
#include <string.h>

#include "base/str.h"
#include "kit/kit.h"

enum { FAMILIES = 7, SERIES = 600, LABELS = 10 };

struct row {
    struct koa_label_view labels[LABELS];
    struct koa_sample sample;
    bool starts_batch;
};

struct kit_series {
    struct koa_metrics_source source;
    uint64_t random;
    struct koa_family_view families[FAMILIES];
    struct row rows[SERIES];
};

static const char *const family_names[FAMILIES] = {
    "a_bytes", "b_total", "c", "d_events_total", "e:records", "f_seconds", "g_with_a_longer_name",
};

/* Sorted. */
static const char *const label_names[LABELS] = {
    "_1", "a", "cluster", "consumergroup", "id", "le2", "partition", "topic", "x", "y",
};

static const char *const label_values[] = {
    "",
    "0",
    "1",
    "17",
    "2048",
    "orders",
    "a topic whose name is longer than any block copied",
    "quote \" backslash \\ newline \n",
    "\"",
    "seven \"7",
    "eight \\\\8",
    "\n\n\n\n\n\n\n\n\n",
    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98",
    "bad \xff\xc3 bytes \xe2\x82",
    "tab\t and \x01",
};

static const double numbers[] = {
    0,   1,    -1,     42,        1e15,    9007199254740993.0, -1e300, 5e-324,
    0.1, 1e-4, 1234.5, 0.0000625, 1.0 / 3, 123456789.123456,   1e21,   -0.000001,
};

static const double bounds[] = {0.25, 1, 1e6};
static const uint64_t buckets[] = {3, 0, 2, 1};
static const struct koa_histogram_view histogram = {.bounds = bounds,
                                                    .bound_count = KOA_ARRAY_COUNT(bounds),
                                                    .buckets = buckets,
                                                    .count = 6,
                                                    .sum = 2000003.5,
                                                    .minimum = 0.1,
                                                    .maximum = 1e6};

uint64_t kit_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static bool happens(struct kit_series *series, uint64_t once_in)
{
    return kit_random(&series->random) % once_in == 0;
}

static struct koa_str pick_value(struct kit_series *series)
{
    return koa_str_from(label_values[kit_random(&series->random) % KOA_ARRAY_COUNT(label_values)]);
}

static double pick_number(struct kit_series *series)
{
    if (happens(series, 40))
        return NAN;
    if (happens(series, 40))
        return happens(series, 2) ? INFINITY : -INFINITY;
    if (happens(series, 2))
        return (double) (kit_random(&series->random) >> (kit_random(&series->random) % 63));
    return numbers[kit_random(&series->random) % KOA_ARRAY_COUNT(numbers)];
}

static void pick_labels(struct kit_series *series, struct row *row)
{
    uint64_t chosen = kit_random(&series->random);

    chosen &= kit_random(&series->random);
    row->sample.label_count = 0;
    for (size_t i = 0; i < LABELS; i++) {
        /* Now and then all of them: more than a writer may want to remember. */
        if ((chosen >> i & 1) == 0 && chosen % 8 != 0)
            continue;
        row->labels[row->sample.label_count++] =
            (struct koa_label_view){koa_str_from(label_names[i]), pick_value(series)};
    }
}

/* The labels of the row before, some with another value. Some of those that stay are said to. */
static void vary_labels(struct kit_series *series, struct row *row, const struct row *before)
{
    row->sample.label_count = before->sample.label_count;
    for (size_t i = 0; i < before->sample.label_count; i++) {
        row->labels[i] = before->labels[i];
        if (happens(series, 3)) {
            row->labels[i].value = pick_value(series);
        } else if (!row->starts_batch && !happens(series, 8)) {
            row->sample.same_values |= (uint32_t) 1 << i;
        }
    }
}

struct kit_series *kit_series_create(uint64_t seed)
{
    struct kit_series *series = koa_calloc(1, sizeof(*series));
    size_t family = 0;

    assert_non_null(series);
    series->random = seed;
    for (size_t i = 0; i < FAMILIES; i++) {
        series->families[i] = (struct koa_family_view){.name = koa_str_from(family_names[i]),
                                                       .type = (enum koa_metric_type)(i % 4)};
    }
    for (size_t i = 0; i < SERIES; i++) {
        struct row *row = &series->rows[i];
        bool is_new_family =
            i == 0 || (family + 1 < FAMILIES && happens(series, SERIES / FAMILIES));

        row->sample.labels = row->labels;
        row->sample.value = pick_number(series);
        row->starts_batch = i == 0 || happens(series, 20);
        family += is_new_family && i > 0 ? 1 : 0;
        row->sample.family = &series->families[family];
        if (row->sample.family->type == KOA_HISTOGRAM || row->sample.family->type == KOA_TIMER)
            row->sample.histogram = &histogram;
        if (is_new_family || happens(series, 16)) {
            pick_labels(series, row);
        } else {
            vary_labels(series, row, row - 1);
        }
    }
    return series;
}

void kit_series_destroy(struct kit_series *series)
{
    koa_free(series);
}

static void begin(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    (void) source;
    memset(cursor->state, 0, sizeof(size_t));
}

static bool next(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                 struct koa_batch *batch)
{
    const struct kit_series *series = source->context;
    size_t at;

    memcpy(&at, cursor->state, sizeof(at));
    batch->count = 0;
    while (at < SERIES && batch->count < KOA_BATCH_SAMPLES &&
           (batch->count == 0 || !series->rows[at].starts_batch))
        batch->samples[batch->count++] = series->rows[at++].sample;
    if (batch->count > 0)
        batch->samples[0].same_values = 0; /* a batch that is full ends anywhere */
    memcpy(cursor->state, &at, sizeof(at));
    return batch->count > 0;
}

static void end(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    (void) source, (void) cursor;
}

const struct koa_metrics_source *kit_series_source(struct kit_series *series)
{
    series->source = (struct koa_metrics_source){
        .name = "series", .context = series, .begin = begin, .next = next, .end = end};
    return &series->source;
}

static void expect_same(const struct koa_sample *sample, const struct koa_sample *before)
{
    assert_ptr_equal(before->family, sample->family);
    assert_int_equal(before->label_count, sample->label_count);
    assert_true(sample->label_count >= 32 || sample->same_values >> sample->label_count == 0);
    for (size_t i = 0; i < sample->label_count; i++) {
        assert_true(koa_str_equal(before->labels[i].name, sample->labels[i].name));
        if ((sample->same_values >> i & 1) != 0)
            assert_true(koa_str_equal(before->labels[i].value, sample->labels[i].value));
    }
}

void kit_expect_batch(const struct koa_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct koa_sample *sample = &batch->samples[i];

        for (size_t j = 1; j < sample->label_count; j++)
            assert_true(koa_str_compare(sample->labels[j - 1].name, sample->labels[j].name) < 0);
        if (sample->same_values == 0)
            continue;
        assert_true(i > 0);
        expect_same(sample, &batch->samples[i - 1]);
    }
}

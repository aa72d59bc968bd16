/* The text formats beside a writer that knows no shortcuts: one line after the other, one character
 * after the other. */
#include "kit/kit.h"

#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "base/num.h"
#include "base/str.h"
#include "export/encoder.h"
#include "kit/series_kit.h"

enum { SEEDS = 40, TEXT_LIMIT = 8 * 1024 * 1024 };

static void put_number(struct koa_buf *buf, double number)
{
    char text[KOA_NUM_TEXT_SIZE];

    (void) koa_format_double(number, text);
    koa_buf_append_text(buf, text);
}

static void put_value(struct koa_buf *buf, struct koa_str value)
{
    size_t i = 0;

    while (i < value.size) {
        size_t length = koa_utf8_character((struct koa_str){value.data + i, value.size - i});

        if (length == 0) {
            koa_buf_append_text(buf, "\xef\xbf\xbd");
        } else if (value.data[i] == '\n') {
            koa_buf_append_text(buf, "\\n");
        } else {
            if (value.data[i] == '"' || value.data[i] == '\\')
                koa_buf_append_char(buf, '\\');
            koa_buf_append(buf, value.data + i, length);
        }
        i += length > 0 ? length : 1;
    }
}

/* The name without the end that OpenMetrics puts behind it, as the TYPE line has it. */
static struct koa_str base_name(const struct koa_family_view *family, enum koa_format format)
{
    struct koa_str name = family->name;

    if (format == KOA_FORMAT_OPENMETRICS && family->type == KOA_COUNTER && name.size > 6 &&
        memcmp(name.data + name.size - 6, "_total", 6) == 0)
        name.size -= 6;
    return name;
}

static void put_line(struct koa_buf *buf, const struct koa_sample *sample, enum koa_format format,
                     const char *suffix, const char *bound)
{
    struct koa_str name = base_name(sample->family, format);
    const char *separator = "{";

    koa_buf_append(buf, name.data, name.size);
    koa_buf_append_text(buf, sample->family->type == KOA_TIMER ? "_seconds" : "");
    koa_buf_append_text(buf, suffix);
    for (size_t i = 0; i < sample->label_count; i++) {
        koa_buf_append_text(buf, separator);
        koa_buf_append(buf, sample->labels[i].name.data, sample->labels[i].name.size);
        koa_buf_append_text(buf, "=\"");
        put_value(buf, sample->labels[i].value);
        koa_buf_append_text(buf, "\"");
        separator = ",";
    }
    if (bound != NULL)
        koa_buf_printf(buf, "%sle=\"%s\"", separator, bound);
    koa_buf_append_text(buf, sample->label_count > 0 || bound != NULL ? "} " : " ");
}

static void put_histogram(struct koa_buf *buf, const struct koa_sample *sample,
                          enum koa_format format)
{
    const struct koa_histogram_view *histogram = sample->histogram;
    uint64_t sum = 0;
    char bound[KOA_NUM_TEXT_SIZE + 2];

    for (size_t i = 0; i <= histogram->bound_count; i++) {
        sum += histogram->buckets[i];
        (void) koa_format_double(
            i < histogram->bound_count ? histogram->bounds[i] : (double) INFINITY, bound);
        if (format == KOA_FORMAT_OPENMETRICS && strpbrk(bound, ".I") == NULL)
            memcpy(bound + strlen(bound), ".0", 3);
        put_line(buf, sample, format, "_bucket", bound);
        koa_buf_printf(buf, "%llu\n", (unsigned long long) sum);
    }
    put_line(buf, sample, format, "_sum", NULL);
    put_number(buf, histogram->sum);
    koa_buf_append_text(buf, "\n");
    put_line(buf, sample, format, "_count", NULL);
    koa_buf_printf(buf, "%llu\n", (unsigned long long) histogram->count);
}

static void put_family(struct koa_buf *buf, const struct koa_family_view *family,
                       enum koa_format format)
{
    static const char *const types[] = {"counter", "gauge", "histogram", "histogram"};
    struct koa_str name = base_name(family, format);

    koa_buf_printf(buf, "# TYPE %.*s%s %s\n", (int) name.size, name.data,
                   family->type == KOA_TIMER ? "_seconds" : "", types[family->type]);
    if (format == KOA_FORMAT_OPENMETRICS && family->type == KOA_TIMER)
        koa_buf_printf(buf, "# UNIT %.*s_seconds seconds\n", (int) name.size, name.data);
}

static struct koa_buf write_plainly(const struct koa_metrics_source *source, enum koa_format format)
{
    static struct koa_metrics_cursor cursor;
    static struct koa_batch batch;
    struct koa_buf buf = {.limit = TEXT_LIMIT};
    const struct koa_family_view none = {0};
    const struct koa_family_view *family = &none;

    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch)) {
        kit_expect_batch(&batch);
        for (size_t i = 0; i < batch.count; i++) {
            const struct koa_sample *sample = &batch.samples[i];

            if (family != sample->family)
                put_family(&buf, sample->family, format);
            family = sample->family;
            if (sample->histogram != NULL) {
                put_histogram(&buf, sample, format);
                continue;
            }
            put_line(&buf, sample, format,
                     format == KOA_FORMAT_OPENMETRICS && sample->family->type == KOA_COUNTER
                         ? "_total"
                         : "",
                     NULL);
            put_number(&buf, sample->value);
            koa_buf_append_text(&buf, "\n");
        }
    }
    source->end(source, &cursor);
    if (format == KOA_FORMAT_OPENMETRICS)
        koa_buf_append_text(&buf, "# EOF\n");
    return buf;
}

static struct koa_buf encode(const struct koa_metrics_source *source, enum koa_format format,
                             size_t piece)
{
    const struct koa_encoder_opts opts = {.format = format,
                                          .sources = {.rows = &source, .count = 1}};
    struct koa_encoder *encoder = NULL;
    struct koa_buf buf = {.limit = TEXT_LIMIT};
    int64_t got;

    assert_int_equal(koa_encoder_create(&opts, &encoder, NULL), KOA_OK);
    do {
        char *target = koa_buf_reserve(&buf, piece);

        assert_non_null(target);
        got = koa_encoder_read(encoder, target, piece);
        assert_true(got >= 0 && (size_t) got <= piece);
        koa_buf_advance(&buf, (size_t) got);
    } while (got > 0);
    koa_encoder_destroy(encoder);
    return buf;
}

static const enum koa_format text_formats[] = {KOA_FORMAT_PROMETHEUS, KOA_FORMAT_OPENMETRICS};

static void random_series_are_written_as_a_plain_writer_does(void **state)
{
    (void) state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct kit_series *series = kit_series_create(seed * 2654435761U);
        const struct koa_metrics_source *source = kit_series_source(series);

        KIT_EACH (format, text_formats) {
            struct koa_buf expected = write_plainly(source, *format);
            struct koa_buf buf = encode(source, *format, TEXT_LIMIT / 2);

            assert_false(expected.failed);
            KIT_EXPECT_TEXT("text", koa_buf_text(&expected), koa_buf_text(&buf));
            koa_buf_deinit(&buf);
            koa_buf_deinit(&expected);
        }
        kit_series_destroy(series);
    }
}

static void random_series_are_the_same_in_pieces_of_every_size(void **state)
{
    struct kit_series *series = kit_series_create(4711);
    const struct koa_metrics_source *source = kit_series_source(series);

    (void) state;
    KIT_EACH (format, text_formats) {
        struct koa_buf expected = write_plainly(source, *format);

        for (size_t piece = 1; piece < 40000; piece += piece / 8 + 1) {
            struct koa_buf buf = encode(source, *format, piece);

            KIT_EXPECT_TEXT("text", koa_buf_text(&expected), koa_buf_text(&buf));
            koa_buf_deinit(&buf);
        }
        koa_buf_deinit(&expected);
    }
    kit_series_destroy(series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_series_are_written_as_a_plain_writer_does),
        cmocka_unit_test(random_series_are_the_same_in_pieces_of_every_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

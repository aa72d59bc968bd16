#include "kit/kit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/json_read.h"
#include "base/str.h"
#include "export/encoder.h"
#include "metrics/registry.h"

static const double bounds[] = {0.5, 1, 1e6};
static const struct koa_wall noon = {.ms = 1764086479123};

static void must_register(struct koa_metrics *metrics, const struct koa_family *family)
{
    struct koa_error error;

    assert_int_equal(koa_metrics_register(metrics, family, &error), KOA_OK);
}

static struct koa_metrics *create_metrics(void)
{
    const struct koa_metrics_opts opts = {0};
    struct koa_metrics *metrics = NULL;
    struct koa_error error;

    assert_int_equal(koa_metrics_create(&opts, &metrics, &error), KOA_OK);
    return metrics;
}

/* One of everything that is hard to write. */
static struct koa_metrics *create_mixture(void)
{
    struct koa_metrics *metrics = create_metrics();

    must_register(metrics,
                  &(struct koa_family){KOA_FAMILY_INIT, .name = "bytes_total", .type = KOA_COUNTER,
                                       .unit = "bytes", .help = "A \\ and a \" and a\nnew line."});
    must_register(metrics,
                  &(struct koa_family){KOA_FAMILY_INIT, .name = "size", .type = KOA_HISTOGRAM,
                                       .bounds = bounds, .bound_count = 3, .help = "Sizes."});
    koa_metrics_count(metrics, "bytes_total", 12345678901.0, KOA_NO_LABELS);
    koa_metrics_count(metrics, "plain", 1, KOA_NO_LABELS);
    koa_metrics_set(metrics, "g", NAN, KOA_LABELS({"v", "nan"}));
    koa_metrics_set(metrics, "g", INFINITY, KOA_LABELS({"v", "inf"}));
    koa_metrics_set(metrics, "g", -INFINITY, KOA_LABELS({"v", "minus"}));
    koa_metrics_set(metrics, "g", 0.1, KOA_LABELS({"a", "q\" b\\ n\n"}, {"v", "\xc3\xa4\xff"}));
    koa_metrics_observe(metrics, "size", 0.5, KOA_LABELS({"x", "1"}));
    koa_metrics_observe(metrics, "size", 2, KOA_LABELS({"x", "1"}));
    koa_metrics_observe(metrics, "size", 1e7, KOA_LABELS({"x", "1"}));
    (void) koa_metrics_histogram(metrics, "size", KOA_LABELS({"x", "2"}));
    koa_metrics_time(metrics, "query", 0.004, KOA_NO_LABELS);
    return metrics;
}

/* The whole output, read in pieces of `piece` bytes. */
static struct koa_buf encode(struct koa_metrics *metrics, enum koa_format format, bool gzip,
                             size_t piece)
{
    const struct koa_metrics_source *source = koa_metrics_source(metrics);
    const struct koa_encoder_opts opts = {
        .format = format, .gzip = gzip, .now = noon, .sources = {.rows = &source, .count = 1}};
    struct koa_encoder *encoder = NULL;
    struct koa_buf buf = {.limit = (size_t) 64 * 1024 * 1024};
    struct koa_error error;
    int64_t got;

    assert_int_equal(koa_encoder_create(&opts, &encoder, &error), KOA_OK);
    do {
        char *target = koa_buf_reserve(&buf, piece);

        assert_non_null(target);
        got = koa_encoder_read(encoder, target, piece);
        assert_true(got >= 0 && (size_t) got <= piece);
        koa_buf_advance(&buf, (size_t) got);
    } while (got > 0);
    KIT_EXPECT_INT("stays at the end", 0, koa_encoder_read(encoder, (char[8]){0}, 8));
    koa_encoder_destroy(encoder);
    return buf;
}

static void expect_encoded(const char *expected, enum koa_format format)
{
    struct koa_metrics *metrics = create_mixture();
    struct koa_buf buf = encode(metrics, format, false, 4096);

    KIT_EXPECT_TEXT("encoded", expected, koa_buf_text(&buf));
    koa_buf_deinit(&buf);
    koa_metrics_destroy(metrics);
}

static void prometheus_text_is_exact(void **state)
{
    (void) state;
    expect_encoded("# HELP bytes_total A \\\\ and a \" and a\\nnew line.\n"
                   "# TYPE bytes_total counter\n"
                   "bytes_total 12345678901\n"
                   "# TYPE g gauge\n"
                   "g{a=\"q\\\" b\\\\ n\\n\",v=\"\xc3\xa4\xef\xbf\xbd\"} 0.1\n"
                   "g{v=\"inf\"} +Inf\n"
                   "g{v=\"minus\"} -Inf\n"
                   "g{v=\"nan\"} NaN\n"
                   "# TYPE plain counter\n"
                   "plain 1\n"
                   "# TYPE query_seconds histogram\n"
                   "query_seconds_bucket{le=\"0.005\"} 1\n"
                   "query_seconds_bucket{le=\"0.01\"} 1\n"
                   "query_seconds_bucket{le=\"0.025\"} 1\n"
                   "query_seconds_bucket{le=\"0.05\"} 1\n"
                   "query_seconds_bucket{le=\"0.1\"} 1\n"
                   "query_seconds_bucket{le=\"0.25\"} 1\n"
                   "query_seconds_bucket{le=\"0.5\"} 1\n"
                   "query_seconds_bucket{le=\"1\"} 1\n"
                   "query_seconds_bucket{le=\"2.5\"} 1\n"
                   "query_seconds_bucket{le=\"5\"} 1\n"
                   "query_seconds_bucket{le=\"10\"} 1\n"
                   "query_seconds_bucket{le=\"+Inf\"} 1\n"
                   "query_seconds_sum 0.004\n"
                   "query_seconds_count 1\n"
                   "# HELP size Sizes.\n"
                   "# TYPE size histogram\n"
                   "size_bucket{x=\"1\",le=\"0.5\"} 1\n"
                   "size_bucket{x=\"1\",le=\"1\"} 1\n"
                   "size_bucket{x=\"1\",le=\"1000000\"} 2\n"
                   "size_bucket{x=\"1\",le=\"+Inf\"} 3\n"
                   "size_sum{x=\"1\"} 10000002.5\n"
                   "size_count{x=\"1\"} 3\n"
                   "size_bucket{x=\"2\",le=\"0.5\"} 0\n"
                   "size_bucket{x=\"2\",le=\"1\"} 0\n"
                   "size_bucket{x=\"2\",le=\"1000000\"} 0\n"
                   "size_bucket{x=\"2\",le=\"+Inf\"} 0\n"
                   "size_sum{x=\"2\"} 0\n"
                   "size_count{x=\"2\"} 0\n",
                   KOA_FORMAT_PROMETHEUS);
}

static void openmetrics_names_counters_units_and_the_end(void **state)
{
    struct koa_metrics *metrics = create_mixture();
    struct koa_buf buf = encode(metrics, KOA_FORMAT_OPENMETRICS, false, 4096);
    const char *text = koa_buf_text(&buf);

    (void) state;
    KIT_EXPECT_CONTAINS("counter",
                        "# TYPE bytes counter\n"
                        "# HELP bytes A \\\\ and a \\\" and a\\nnew line.\n"
                        "bytes_total 12345678901\n",
                        text);
    KIT_EXPECT_CONTAINS("counter without _total", "# TYPE plain counter\nplain_total 1\n", text);
    KIT_EXPECT_CONTAINS("unit of a timer",
                        "# TYPE query_seconds histogram\n# UNIT query_seconds seconds\n", text);
    KIT_EXPECT_CONTAINS("whole bounds", "size_bucket{x=\"1\",le=\"1.0\"} 1\n", text);
    KIT_EXPECT_CONTAINS("whole bounds", "size_bucket{x=\"1\",le=\"1000000.0\"} 2\n", text);
    KIT_EXPECT_CONTAINS("last bound", "size_bucket{x=\"1\",le=\"+Inf\"} 3\n", text);
    KIT_EXPECT_TEXT("end", "# EOF\n", text + buf.size - 6);
    koa_buf_deinit(&buf);
    koa_metrics_destroy(metrics);
}

static void openmetrics_leaves_out_sums_that_may_be_negative(void **state)
{
    static const double around_zero[] = {-1, 1};
    struct koa_metrics *metrics = create_metrics();
    struct koa_buf buf;

    (void) state;
    must_register(metrics, &(struct koa_family){KOA_FAMILY_INIT, .name = "h", .type = KOA_HISTOGRAM,
                                                .bounds = around_zero, .bound_count = 2});
    koa_metrics_observe(metrics, "h", -3, KOA_NO_LABELS);
    buf = encode(metrics, KOA_FORMAT_OPENMETRICS, false, 4096);
    KIT_EXPECT_TEXT("buckets alone",
                    "# TYPE h histogram\n"
                    "h_bucket{le=\"-1.0\"} 1\n"
                    "h_bucket{le=\"1.0\"} 1\n"
                    "h_bucket{le=\"+Inf\"} 1\n"
                    "# EOF\n",
                    koa_buf_text(&buf));
    koa_buf_deinit(&buf);
    koa_metrics_destroy(metrics);
}

static void json_has_four_maps_and_the_time(void **state)
{
    (void) state;
    expect_encoded("{\"counters\":{\"bytes_total\":12345678901,\"plain\":1},"
                   "\"gauges\":{\"g{a=q\\\\\\\" b\\\\\\\\ n\\n,v=\xc3\xa4\xef\xbf\xbd}\":0.1,"
                   "\"g{v=inf}\":\"+Inf\",\"g{v=minus}\":\"-Inf\",\"g{v=nan}\":\"NaN\"},"
                   "\"histograms\":{\"size{x=1}\":{\"count\":3,\"sum\":10000002.5,\"min\":0.5,"
                   "\"max\":10000000,\"mean\":3333334.1666666665,\"p50\":500000.5,"
                   "\"p95\":8649999.999999996,\"p99\":9729999.999999998,"
                   "\"buckets\":{\"0.5\":1,\"1\":1,\"1000000\":2,\"+Inf\":3}},"
                   "\"size{x=2}\":{\"count\":0,\"sum\":0,\"min\":null,\"max\":null,\"mean\":null,"
                   "\"p50\":null,\"p95\":null,\"p99\":null,"
                   "\"buckets\":{\"0.5\":0,\"1\":0,\"1000000\":0,\"+Inf\":0}}},"
                   "\"timers\":{\"query\":{\"count\":1,\"sum\":0.004,\"min\":0.004,\"max\":0.004,"
                   "\"mean\":0.004,\"p50\":0.004,\"p95\":0.004,\"p99\":0.004,"
                   "\"buckets\":{\"0.005\":1,\"0.01\":1,\"0.025\":1,\"0.05\":1,\"0.1\":1,"
                   "\"0.25\":1,\"0.5\":1,\"1\":1,\"2.5\":1,\"5\":1,\"10\":1,\"+Inf\":1}}},"
                   "\"timestamp\":\"2025-11-25T16:01:19.123Z\"}",
                   KOA_FORMAT_JSON);
}

static void nothing_to_show_is_valid_too(void **state)
{
    static const char *const expected[KOA_FORMAT_COUNT] = {
        "",
        "# EOF\n",
        ("{\"counters\":{},\"gauges\":{},\"histograms\":{},\"timers\":{},"
         "\"timestamp\":\"2025-11-25T16:01:19.123Z\"}"),
    };
    struct koa_metrics *metrics = create_metrics();

    (void) state;
    for (int i = 0; i < KOA_FORMAT_COUNT; i++) {
        struct koa_buf buf = encode(metrics, (enum koa_format) i, false, 1);

        KIT_EXPECT_TEXT("empty", expected[i], koa_buf_text(&buf));
        koa_buf_deinit(&buf);
        buf = encode(metrics, (enum koa_format) i, true, 3);
        KIT_EXPECT("a gzip stream has at least 20 bytes", buf.size >= 20);
        koa_buf_deinit(&buf);
    }
    koa_metrics_destroy(metrics);
}

static void pieces_of_every_size_give_the_same_bytes(void **state)
{
    struct koa_metrics *metrics = create_mixture();

    (void) state;
    for (int i = 0; i < KOA_FORMAT_COUNT; i++) {
        struct koa_buf whole = encode(metrics, (enum koa_format) i, false, (size_t) 1024 * 1024);

        for (size_t piece = 1; piece < 300; piece++) {
            struct koa_buf buf = encode(metrics, (enum koa_format) i, false, piece);

            KIT_EXPECT_TEXT("in pieces", koa_buf_text(&whole), koa_buf_text(&buf));
            koa_buf_deinit(&buf);
        }
        koa_buf_deinit(&whole);
    }
    koa_metrics_destroy(metrics);
}

/* The text behind a gzip stream. */
static struct koa_buf unzip(const struct koa_buf *packed)
{
    struct koa_buf buf = {.limit = (size_t) 64 * 1024 * 1024};
    z_stream stream = {0};
    char *target = koa_buf_reserve(&buf, (size_t) 32 * 1024 * 1024);

    assert_non_null(target);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (Bytef *) packed->data;
    stream.avail_in = (uInt) packed->size;
    stream.next_out = (Bytef *) target;
    stream.avail_out = 32 * 1024 * 1024 - 1;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    KIT_EXPECT_INT("nothing behind the trailer", 0, stream.avail_in);
    koa_buf_advance(&buf, stream.total_out);
    inflateEnd(&stream);
    return buf;
}

static void gzip_unpacks_to_the_same_text(void **state)
{
    static const size_t pieces[] = {1, 2, 7, 100, 4096, 1048576};
    struct koa_metrics *metrics = create_mixture();
    struct koa_buf plain;

    (void) state;
    for (int i = 0; i < 5000; i++) {
        char value[16];

        snprintf(value, sizeof(value), "%d", i);
        koa_metrics_set(metrics, "many", i * 1.5, KOA_LABELS({"i", value}));
    }
    plain = encode(metrics, KOA_FORMAT_PROMETHEUS, false, 65536);
    KIT_EACH (piece, pieces) {
        struct koa_buf packed = encode(metrics, KOA_FORMAT_PROMETHEUS, true, *piece);
        struct koa_buf text = unzip(&packed);

        KIT_EXPECT("smaller", packed.size * 3 < plain.size);
        KIT_EXPECT_TEXT("same", koa_buf_text(&plain), koa_buf_text(&text));
        koa_buf_deinit(&packed);
        koa_buf_deinit(&text);
    }
    koa_buf_deinit(&plain);
    koa_metrics_destroy(metrics);
}

static void json_can_be_parsed(void **state)
{
    struct koa_metrics *metrics = create_mixture();
    struct koa_buf buf = encode(metrics, KOA_FORMAT_JSON, false, 4096);
    KOA_AUTO(koa_json_value) *root = NULL;
    struct koa_error error;

    (void) state;
    KIT_EXPECT_INT("parses", KOA_OK,
                   koa_json_parse((struct koa_str){buf.data, buf.size}, &root, &error));
    KIT_EXPECT_INT("gauges", 4, koa_json_count(koa_json_get(root, "gauges")));
    koa_buf_deinit(&buf);
    koa_metrics_destroy(metrics);
}

static void the_widest_series_fits(void **state)
{
    static char value[1025];
    static double many_bounds[KOA_METRIC_BOUNDS_LIMIT];
    static char names[KOA_METRIC_LABELS_LIMIT][KOA_METRIC_NAME_LIMIT + 1];
    struct koa_label rows[KOA_METRIC_LABELS_LIMIT];
    const struct koa_labels labels = {.rows = rows, .count = KOA_METRIC_LABELS_LIMIT};
    struct koa_metrics *metrics = create_metrics();

    (void) state;
    memset(value, '\xff', 1024);
    for (size_t i = 0; i < KOA_METRIC_BOUNDS_LIMIT; i++)
        many_bounds[i] = (double) i * 1.1;
    for (size_t i = 0; i < KOA_METRIC_LABELS_LIMIT; i++) {
        memset(names[i], 'a' + (int) i, KOA_METRIC_NAME_LIMIT);
        rows[i] = (struct koa_label){names[i], value};
    }
    must_register(metrics, &(struct koa_family){KOA_FAMILY_INIT, .name = "h", .type = KOA_HISTOGRAM,
                                                .bounds = many_bounds,
                                                .bound_count = KOA_METRIC_BOUNDS_LIMIT});
    koa_metrics_observe(metrics, "h", 1, &labels);
    for (int i = 0; i < KOA_FORMAT_COUNT; i++) {
        struct koa_buf buf = encode(metrics, (enum koa_format) i, false, 65536);

        KIT_EXPECT("whole", buf.size > (size_t) 24 * 3 * 1024);
        koa_buf_deinit(&buf);
    }
    koa_metrics_destroy(metrics);
}

static void an_encoder_may_be_left_in_the_middle(void **state)
{
    struct koa_metrics *metrics = create_mixture();
    const struct koa_metrics_source *source = koa_metrics_source(metrics);
    struct koa_encoder_opts opts = {.gzip = true, .sources = {.rows = &source, .count = 1}};
    struct koa_encoder *encoder = NULL;
    struct koa_error error;
    char piece[16];

    (void) state;
    for (int i = 0; i < 2000; i++) {
        char value[16];

        snprintf(value, sizeof(value), "%d", i);
        koa_metrics_set(metrics, "many", i, KOA_LABELS({"i", value}));
    }
    assert_int_equal(koa_encoder_create(&opts, &encoder, &error), KOA_OK);
    KIT_EXPECT_INT("some", 16, koa_encoder_read(encoder, piece, sizeof(piece)));
    koa_encoder_destroy(encoder);
    koa_encoder_destroy(NULL);
    opts.format = KOA_FORMAT_COUNT;
    KIT_EXPECT_INT("no such format", KOA_ERR_INVALID, koa_encoder_create(&opts, &encoder, &error));
    koa_metrics_destroy(metrics);
}

static void expect_all_or_an_error(struct koa_metrics *metrics, enum koa_format format)
{
    const struct koa_metrics_source *source = koa_metrics_source(metrics);
    const struct koa_encoder_opts opts = {
        .format = format, .now = noon, .sources = {.rows = &source, .count = 1}};
    struct koa_buf whole = encode(metrics, format, false, 65536);
    bool ok = false;

    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_encoder *encoder = NULL;
        struct koa_error error;
        static char target[65536];
        int64_t got;

        if (koa_encoder_create(&opts, &encoder, &error) != KOA_OK)
            continue;
        got = koa_encoder_read(encoder, target, sizeof(target));
        KIT_EXPECT("all or an error", got == -1 || (size_t) got == whole.size);
        ok = got > 0;
        koa_encoder_destroy(encoder);
    }
    KIT_EXPECT("works in the end", ok);
    koa_buf_deinit(&whole);
}

static void every_allocation_may_fail(void **state)
{
    struct koa_metrics *metrics = create_mixture();

    (void) state;
    for (int i = 0; i < KOA_FORMAT_COUNT; i++)
        expect_all_or_an_error(metrics, (enum koa_format) i);
    koa_metrics_destroy(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prometheus_text_is_exact),
        cmocka_unit_test(openmetrics_names_counters_units_and_the_end),
        cmocka_unit_test(openmetrics_leaves_out_sums_that_may_be_negative),
        cmocka_unit_test(json_has_four_maps_and_the_time),
        cmocka_unit_test(nothing_to_show_is_valid_too),
        cmocka_unit_test(pieces_of_every_size_give_the_same_bytes),
        cmocka_unit_test(gzip_unpacks_to_the_same_text),
        cmocka_unit_test(json_can_be_parsed),
        cmocka_unit_test(the_widest_series_fits),
        cmocka_unit_test(an_encoder_may_be_left_in_the_middle),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

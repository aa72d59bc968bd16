/* The JSON maps: counters, gauges, histograms, timers. A JSON object must be written in one go, and
 * sources mix types, so the sources are walked once for each map. */
#include "base/num.h"
#include "base/str.h"
#include "export/format.h"
#include "metrics/key.h"
#include "metrics/registry.h"

static const struct {
    const char *key;
    enum koa_metric_type type;
} passes[] = {
    {"counters", KOA_COUNTER},
    {"gauges", KOA_GAUGE},
    {"histograms", KOA_HISTOGRAM},
    {"timers", KOA_TIMER},
};

static bool in_pass(size_t pass, enum koa_metric_type type)
{
    return passes[pass].type == type;
}

static void begin_pass(struct koa_encoding *encoding)
{
    struct koa_json *json = &encoding->json;

    if (encoding->pass == 0) {
        koa_json_object(json, NULL);
    } else {
        koa_json_object_end(json);
    }
    koa_json_object(json, passes[encoding->pass].key);
}

/* Null stands for what an empty histogram does not have. */
static void write_known(struct koa_json *json, const char *key, bool is_known, double number)
{
    if (is_known) {
        koa_json_double(json, key, number);
    } else {
        koa_json_null(json, key);
    }
}

static void write_buckets(struct koa_json *json, const struct koa_histogram_view *histogram)
{
    uint64_t sum = 0;
    char bound[KOA_NUM_TEXT_SIZE];

    koa_json_object(json, "buckets");
    for (size_t i = 0; i < histogram->bound_count; i++) {
        sum += histogram->buckets[i];
        (void) koa_format_double(histogram->bounds[i], bound);
        koa_json_int(json, bound, (int64_t) sum);
    }
    koa_json_int(json, "+Inf", (int64_t) histogram->count);
    koa_json_object_end(json);
}

static void write_histogram(struct koa_json *json, const struct koa_histogram_view *histogram)
{
    static const struct {
        const char *key;
        double quantile;
    } quantiles[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}};
    bool has_any = histogram->count > 0;

    koa_json_object(json, NULL);
    koa_json_int(json, "count", (int64_t) histogram->count);
    koa_json_double(json, "sum", histogram->sum);
    write_known(json, "min", has_any, histogram->minimum);
    write_known(json, "max", has_any, histogram->maximum);
    write_known(json, "mean", has_any, has_any ? histogram->sum / (double) histogram->count : 0);
    for (size_t i = 0; i < KOA_ARRAY_COUNT(quantiles); i++) {
        double value = 0;
        bool is_known = koa_histogram_quantile(histogram, quantiles[i].quantile, &value);

        write_known(json, quantiles[i].key, is_known, value);
    }
    write_buckets(json, histogram);
    koa_json_object_end(json);
}

static void write_sample(struct koa_encoding *encoding, const struct koa_sample *sample)
{
    struct koa_json *json = &encoding->json;

    koa_buf_clear(&encoding->scratch);
    koa_series_key_print(&encoding->scratch, sample);
    if (encoding->scratch.failed)
        encoding->out.failed = true;
    koa_json_key(json, (struct koa_str){encoding->scratch.data, encoding->scratch.size});
    if (sample->histogram != NULL) {
        write_histogram(json, sample->histogram);
    } else {
        koa_json_double(json, NULL, sample->value);
    }
}

static size_t write_samples(struct koa_encoding *encoding, const struct koa_sample *samples,
                            size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = encoding->out.size;
        struct koa_json json = encoding->json;

        write_sample(encoding, &samples[i]);
        if (!encoding->out.failed)
            continue;
        encoding->out.size = size;
        encoding->json = json;
        return i;
    }
    return count;
}

static void write_end(struct koa_encoding *encoding)
{
    koa_json_object_end(&encoding->json);
    koa_json_time(&encoding->json, "timestamp", encoding->now);
    koa_json_object_end(&encoding->json);
}

const struct koa_format_ops koa_format_json = {
    .content_type = "application/json",
    .pass_count = KOA_ARRAY_COUNT(passes),
    .in_pass = in_pass,
    .begin_pass = begin_pass,
    .samples = write_samples,
    .end = write_end,
};

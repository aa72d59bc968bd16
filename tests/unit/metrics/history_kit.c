#include "history_kit.h"

#include "base/buf.h"
#include "base/str.h"
#include "metrics/key.h"

void set_up(struct fixture *fixture, const struct koa_history_opts *opts)
{
    const struct koa_metrics_opts metrics_opts = {0};
    struct koa_error error;

    assert_int_equal(koa_metrics_create(&metrics_opts, &fixture->metrics, &error), KOA_OK);
    assert_int_equal(koa_history_create(opts, &fixture->history, &error), KOA_OK);
    fixture->source = koa_metrics_source(fixture->metrics);
    fixture->sources = (struct koa_metrics_sources){.rows = &fixture->source, .count = 1};
}

void tear_down(struct fixture *fixture)
{
    koa_history_destroy(fixture->history);
    koa_metrics_destroy(fixture->metrics);
}

void sample_at(struct fixture *fixture, int64_t ms)
{
    koa_history_sample(fixture->history, &fixture->sources, (struct koa_wall){.ms = ms});
}

void release(struct koa_history_view *view)
{
    koa_object_unref((struct koa_object *) view);
}

const char *dump(struct koa_history_view *view, size_t point)
{
    static char text[65536];
    struct koa_history_reader *reader = koa_history_reader_create(view);
    const struct koa_metrics_source *source;
    struct koa_metrics_cursor cursor = {0};
    struct koa_batch batch;
    struct koa_buf buf = {.limit = sizeof(text) - 1};
    const struct koa_family_view *family = NULL;
    struct koa_str previous = {0};

    source = reader != NULL ? koa_history_reader_move(reader, point) : NULL;
    if (source == NULL) {
        koa_history_reader_destroy(reader);
        return "no memory";
    }
    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch)) {
        for (size_t i = 0; i < batch.count; i++) {
            const struct koa_sample *sample = &batch.samples[i];

            KIT_EXPECT_INT("one view for each family",
                           koa_str_equal(previous, sample->family->name), family == sample->family);
            family = sample->family;
            previous = family->name;
            koa_series_key_print(&buf, sample);
            if (sample->histogram != NULL) {
                koa_buf_printf(&buf, " n=%lu sum=%g max=%g|",
                               (unsigned long) sample->histogram->count, sample->histogram->sum,
                               sample->histogram->maximum);
            } else {
                koa_buf_printf(&buf, " %g|", sample->value);
            }
        }
    }
    source->end(source, &cursor);
    koa_history_reader_destroy(reader);
    assert_true(koa_str_copy(text, sizeof(text), koa_str_from(koa_buf_text(&buf))));
    koa_buf_deinit(&buf);
    return text;
}

size_t count_samples(struct koa_history_view *view, size_t point)
{
    struct koa_history_reader *reader = koa_history_reader_create(view);
    const struct koa_metrics_source *source;
    struct koa_metrics_cursor cursor = {0};
    struct koa_batch batch;
    size_t count = 0;

    assert_non_null(reader);
    source = koa_history_reader_move(reader, point);
    assert_non_null(source);
    source->begin(source, &cursor);
    while (source->next(source, &cursor, &batch))
        count += batch.count;
    source->end(source, &cursor);
    koa_history_reader_destroy(reader);
    return count;
}

const struct koa_history_opts roomy = {.retention_ms = 1000000, .bytes_limit = 100000000};

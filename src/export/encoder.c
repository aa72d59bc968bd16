/* Pulls batches from the sources, lets a format write them, and hands the bytes out in whatever
 * pieces the caller asks for, compressed when wanted. */
#include "export/encoder.h"

#include <string.h>

#include "base/memory.h"
#include "export/format.h"
#include "export/gzip.h"

enum {
    /* One histogram with the most labels, the longest values and the most bounds that the registry
     * allows is about 10 MiB of text. */
    PENDING_LIMIT = 16 * 1024 * 1024,
    /* What is collected before it is handed on: large enough that a batch is one piece. */
    PENDING_GOAL = 16 * 1024,
    /* Room in the caller's memory from which on series are written there, without a copy. */
    DIRECT_MINIMUM = 2048,
};

static const struct koa_format_ops *const formats[KOA_FORMAT_COUNT] = {
    [KOA_FORMAT_PROMETHEUS] = &koa_format_prometheus,
    [KOA_FORMAT_OPENMETRICS] = &koa_format_openmetrics,
    [KOA_FORMAT_JSON] = &koa_format_json,
};

enum phase { PHASE_PASS_START, PHASE_SOURCE_START, PHASE_SOURCE, PHASE_DONE };

struct koa_encoder {
    const struct koa_format_ops *format;
    const struct koa_metrics_source **sources;
    size_t source_count;
    struct koa_encoding encoding;
    size_t handed_out; /* of encoding.out */
    bool is_direct;    /* encoding.out is the caller's memory; ours is `own` */
    struct koa_buf own;
    size_t direct_size; /* how much the caller's memory got */
    struct koa_gzip *gzip;
    bool failed;
    enum phase phase;
    size_t source; /* the present one */
    const struct koa_family_view *family;
    struct koa_metrics_cursor cursor;
    struct koa_batch batch;
};

const char *koa_format_content_type(enum koa_format format)
{
    return formats[format]->content_type;
}

static bool copy_sources(struct koa_encoder *encoder, const struct koa_metrics_sources *sources)
{
    encoder->source_count = sources->count;
    if (sources->count == 0)
        return true;
    encoder->sources = koa_calloc(sources->count, sizeof(struct koa_metrics_source *));
    if (encoder->sources == NULL)
        return false;
    for (size_t i = 0; i < sources->count; i++)
        encoder->sources[i] = sources->rows[i];
    return true;
}

enum koa_err koa_encoder_create(const struct koa_encoder_opts *opts,
                                struct koa_encoder **ret_encoder, struct koa_error *reterr)
{
    struct koa_encoder *encoder;

    if ((int) opts->format < 0 || opts->format >= KOA_FORMAT_COUNT) {
        return koa_fail(reterr, KOA_ERR_INVALID, "no metrics format has the number %d",
                        (int) opts->format);
    }
    encoder = koa_calloc(1, sizeof(*encoder));
    if (encoder == NULL)
        return koa_require_memory(encoder, reterr);
    encoder->format = formats[opts->format];
    encoder->encoding.now = opts->now;
    encoder->encoding.out.limit = PENDING_LIMIT;
    encoder->encoding.scratch.limit = PENDING_LIMIT;
    encoder->encoding.json.buf = &encoder->encoding.out;
    if (opts->gzip)
        encoder->gzip = koa_gzip_create();
    if (!copy_sources(encoder, &opts->sources) || (opts->gzip && encoder->gzip == NULL)) {
        koa_encoder_destroy(encoder);
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory to encode metrics");
    }
    *ret_encoder = encoder;
    return KOA_OK;
}

static void end_source(struct koa_encoder *encoder)
{
    const struct koa_metrics_source *source = encoder->sources[encoder->source];

    encoder->failed = encoder->failed || encoder->cursor.failed;
    source->end(source, &encoder->cursor);
    encoder->source++;
    encoder->phase = PHASE_SOURCE_START;
}

void koa_encoder_destroy(struct koa_encoder *encoder)
{
    if (encoder == NULL)
        return;
    if (encoder->phase == PHASE_SOURCE)
        end_source(encoder);
    koa_gzip_destroy(encoder->gzip);
    koa_buf_deinit(&encoder->encoding.out);
    koa_buf_deinit(&encoder->encoding.scratch);
    koa_free(encoder->sources);
    koa_free(encoder);
}

static void start_pass(struct koa_encoder *encoder)
{
    encoder->source = 0;
    encoder->phase = PHASE_SOURCE_START;
    if (encoder->format->begin_pass != NULL)
        encoder->format->begin_pass(&encoder->encoding);
}

static void start_source(struct koa_encoder *encoder)
{
    if (encoder->source < encoder->source_count) {
        const struct koa_metrics_source *source = encoder->sources[encoder->source];

        memset(&encoder->cursor, 0, sizeof(encoder->cursor));
        encoder->family = NULL;
        source->begin(source, &encoder->cursor);
        encoder->phase = PHASE_SOURCE;
    } else if (++encoder->encoding.pass < encoder->format->pass_count) {
        encoder->phase = PHASE_PASS_START;
    } else {
        if (encoder->format->end != NULL)
            encoder->format->end(&encoder->encoding);
        encoder->phase = PHASE_DONE;
    }
}

/* From here on our own memory takes what is written. */
static void leave_direct(struct koa_encoder *encoder)
{
    encoder->direct_size = encoder->encoding.out.size;
    encoder->encoding.out = encoder->own;
    encoder->encoding.line.label_count = 0;
    encoder->is_direct = false;
}

/* The family's head. In the caller's memory only when it fits there. */
static void encode_family(struct koa_encoder *encoder, const struct koa_family_view *family)
{
    size_t size = encoder->encoding.out.size;

    encoder->family = family;
    if (encoder->format->family == NULL)
        return;
    encoder->format->family(&encoder->encoding, family);
    if (!encoder->is_direct || !encoder->encoding.out.failed)
        return;
    encoder->encoding.out.size = size;
    leave_direct(encoder);
    encoder->format->family(&encoder->encoding, family);
}

/* Samples of one family: into the caller's memory those that fit there, into ours the others. */
static void encode_run(struct koa_encoder *encoder, const struct koa_sample *samples, size_t count)
{
    const struct koa_format_ops *format = encoder->format;
    size_t written;

    if (format->in_pass != NULL && !format->in_pass(encoder->encoding.pass, samples->family->type))
        return;
    if (samples->family != encoder->family)
        encode_family(encoder, samples->family);
    written = format->samples(&encoder->encoding, samples, count);
    if (written == count || !encoder->is_direct)
        return;
    leave_direct(encoder);
    (void) format->samples(&encoder->encoding, samples + written, count - written);
}

static void encode_batch(struct koa_encoder *encoder)
{
    const struct koa_metrics_source *source = encoder->sources[encoder->source];
    const struct koa_batch *batch = &encoder->batch;

    encoder->encoding.line.label_count = 0;
    if (!source->next(source, &encoder->cursor, &encoder->batch)) {
        end_source(encoder);
        return;
    }
    for (size_t i = 0, end; i < batch->count; i = end) {
        for (end = i + 1; end < batch->count; end++) {
            if (batch->samples[end].family != batch->samples[i].family)
                break;
        }
        encode_run(encoder, &batch->samples[i], end - i);
    }
}

/* Encodes into the caller's memory until it is full or the source ends. Returns how much it took.
 */
static size_t fill_directly(struct koa_encoder *encoder, char *target, size_t size)
{
    koa_buf_clear(&encoder->encoding.out);
    encoder->handed_out = 0;
    encoder->own = encoder->encoding.out;
    encoder->encoding.out = (struct koa_buf){.capacity = size, .limit = size - 1};
    encoder->encoding.out.data = target;
    encoder->is_direct = true;
    while (encoder->is_direct && encoder->phase == PHASE_SOURCE)
        encode_batch(encoder);
    if (encoder->is_direct)
        leave_direct(encoder);
    encoder->failed = encoder->failed || encoder->encoding.out.failed;
    return encoder->direct_size;
}

/* Encodes until there is enough to hand out, or all is encoded; with `can_fill` only what stands
 * between sources. */
static void refill(struct koa_encoder *encoder, bool can_fill)
{
    koa_buf_clear(&encoder->encoding.out);
    encoder->handed_out = 0;
    while (encoder->phase != PHASE_DONE && !encoder->failed &&
           encoder->encoding.out.size < PENDING_GOAL &&
           !(can_fill && encoder->phase == PHASE_SOURCE)) {
        if (encoder->phase == PHASE_PASS_START) {
            start_pass(encoder);
        } else if (encoder->phase == PHASE_SOURCE_START) {
            start_source(encoder);
        } else {
            encode_batch(encoder);
        }
        encoder->failed = encoder->failed || encoder->encoding.out.failed;
    }
}

static size_t hand_out(struct koa_encoder *encoder, char *target, size_t size)
{
    const struct koa_buf *out = &encoder->encoding.out;
    struct koa_str input = {koa_buf_text(out) + encoder->handed_out,
                            out->size - encoder->handed_out};

    if (encoder->gzip != NULL) {
        size_t written = encoder->phase == PHASE_DONE
                             ? koa_gzip_finish(encoder->gzip, &input, target, size)
                             : koa_gzip_run(encoder->gzip, &input, target, size);

        encoder->handed_out = out->size - input.size;
        return written;
    }
    if (size > input.size)
        size = input.size;
    memcpy(target, input.data, size);
    encoder->handed_out += size;
    return size;
}

int64_t koa_encoder_read(struct koa_encoder *encoder, char *target, size_t size)
{
    size_t filled = 0;

    while (filled < size) {
        bool is_empty = encoder->handed_out == encoder->encoding.out.size;
        bool can_fill = encoder->gzip == NULL && size - filled >= DIRECT_MINIMUM;

        if (is_empty && encoder->phase == PHASE_SOURCE && can_fill) {
            filled += fill_directly(encoder, target + filled, size - filled);
        } else if (is_empty && encoder->phase != PHASE_DONE) {
            refill(encoder, can_fill);
        } else if (is_empty && (encoder->gzip == NULL || koa_gzip_is_done(encoder->gzip))) {
            break;
        } else {
            filled += hand_out(encoder, target + filled, size - filled);
        }
        if (encoder->failed)
            return -1;
    }
    return (int64_t) filled;
}

/* Encoders of metrics: each pulls batches from sources and stops when the caller's buffer is full,
 * so that a response of any size is streamed. A format is one row. */
#ifndef EXPORT_ENCODER_H
#define EXPORT_ENCODER_H

#include <koa/error.h>
#include <koa/time.h>

#include "metrics/source.h"

enum koa_format {
    KOA_FORMAT_PROMETHEUS,  /* text exposition 0.0.4 */
    KOA_FORMAT_OPENMETRICS, /* 1.0.0 */
    KOA_FORMAT_JSON,        /* {counters{}, gauges{}, histograms{}, timers{}, timestamp} */
    KOA_FORMAT_COUNT
};

/* The value of Content-Type. */
const char *koa_format_content_type(enum koa_format format);
/* The best for an Accept header (NULL: none), by quality; `fallback` when none is named. */
enum koa_format koa_format_choose(const char *accept, enum koa_format fallback);
bool koa_accepts_gzip(const char *accept_encoding);

struct koa_encoder;

struct koa_encoder_opts {
    enum koa_format format;
    bool gzip; /* zlib level 1 */
    struct koa_wall now;
    struct koa_metrics_sources sources; /* copied; what they point to must outlive the encoder */
};

KOA_MUST_USE enum koa_err koa_encoder_create(const struct koa_encoder_opts *opts,
                                             struct koa_encoder **ret_encoder,
                                             struct koa_error *reterr);
/* Fills up to `size` bytes (at least 4096); 0 at the end, -1 when memory is out. */
int64_t koa_encoder_read(struct koa_encoder *encoder, char *target, size_t size);
void koa_encoder_destroy(struct koa_encoder *encoder);

#endif

/* What an encoder asks of a format. The rows are in encoder.c. */
#ifndef EXPORT_FORMAT_H
#define EXPORT_FORMAT_H

#include <koa/time.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "metrics/source.h"

enum { KOA_LINE_LABELS = 8 }; /* a line with more is not remembered */

/* A counter's or gauge's line of a text format in `out`, from which the next ones copy what they
 * share with it, as long as the batch is the same one. */
struct koa_line_memory {
    size_t label_count;                                    /* 0: nothing is remembered */
    size_t at;                                             /* in `out` */
    size_t size;                                           /* up to the number */
    size_t starts[KOA_LINE_LABELS], ends[KOA_LINE_LABELS]; /* of the labels' values, from `at` */
    uint32_t all;                                          /* bit i: there is a label i */
    uint32_t stale; /* bit i: lines since then had another value of label i */
};

/* Where a format writes, and what it keeps between calls. */
struct koa_encoding {
    struct koa_buf out;
    struct koa_buf scratch; /* the key or the labels of the present series */
    struct koa_line_memory line;
    struct koa_json json;
    struct koa_wall now;
    size_t pass;
};

struct koa_format_ops {
    const char *content_type;
    size_t pass_count; /* how often the sources are walked */
    /* Whether a family belongs to a pass; NULL: all do. */
    bool (*in_pass)(size_t pass, enum koa_metric_type type);
    void (*begin_pass)(struct koa_encoding *encoding); /* NULL: nothing to write */
    /* Begins a family that has samples; NULL: nothing to write. */
    void (*family)(struct koa_encoding *encoding, const struct koa_family_view *family);
    /* Writes samples of one family. Returns how many: fewer when `out` has failed, whose size is
     * then what the whole ones took. */
    size_t (*samples)(struct koa_encoding *encoding, const struct koa_sample *samples,
                      size_t count);
    void (*end)(struct koa_encoding *encoding); /* after the last pass */
};

extern const struct koa_format_ops koa_format_prometheus;
extern const struct koa_format_ops koa_format_openmetrics;
extern const struct koa_format_ops koa_format_json;

#endif

/* A metrics source is a resumable iterator over families and their samples. The registry is one, a
 * cluster's snapshot is one, health and alerts are one each. Encoders, the history and the rules
 * all pull from the same sources. */
#ifndef METRICS_SOURCE_H
#define METRICS_SOURCE_H

#include <koa/metrics.h>

#include "base/published.h"

struct koa_label_view {
    struct koa_str name;
    struct koa_str value;
};

/* A histogram's cells at one moment. `buckets[i]` counts values <= bounds[i], not cumulative; the
 * last, buckets[bound_count], the rest. */
struct koa_histogram_view {
    const double *bounds;
    size_t bound_count;
    const uint64_t *buckets;
    uint64_t count;
    double sum;
    double minimum, maximum; /* valid while count > 0 */
};

/* What all samples of a family share. */
struct koa_family_view {
    struct koa_str name; /* without a suffix; a timer's without _seconds */
    struct koa_str help;
    struct koa_str unit; /* empty when none */
    enum koa_metric_type type;
};

/* One series. Label names are sorted and unique. Everything is valid until the next call of next()
 * or end() on the cursor. */
struct koa_sample {
    const struct koa_family_view
        *family; /* the same pointer for all samples of a family, in a row */
    const struct koa_label_view *labels;
    size_t label_count;
    /* What a source knows for nothing and a reader may use to skip work. Not 0: the sample before
     * it in the batch is of the same family and has the same label names, and label i has the value
     * it has there when bit i is set. 0 says nothing, and is always right. */
    uint32_t same_values;
    double value;                               /* counter, gauge */
    const struct koa_histogram_view *histogram; /* histogram, timer; else NULL */
};

/* The state holds the buckets of a batch's histograms too: a dozen with the default bounds, at
 * least one with the most bounds allowed. */
enum { KOA_CURSOR_SIZE = 2048, KOA_BATCH_SAMPLES = 64 };

/* The position, in the caller's memory. `state` is the source's own. */
struct koa_metrics_cursor {
    struct koa_object *pinned; /* the published object that is walked, or NULL */
    bool failed;               /* memory ran out: what was seen is not the whole */
    _Alignas(16) unsigned char state[KOA_CURSOR_SIZE];
};

struct koa_batch {
    struct koa_sample samples[KOA_BATCH_SAMPLES];
    size_t count;
};

/* Families of different sources are disjoint. The series of a family come in one run, in an order
 * that is the same for every walk. Any thread, each with a cursor of its own. */
struct koa_metrics_source {
    const char *name;
    void *context;
    /* Zeroed cursor in; pins what it reads. */
    void (*begin)(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor);
    /* Fills up to KOA_BATCH_SAMPLES; false at the end (count 0). A batch never mixes families whose
     * views cannot live together: it may be short. */
    bool (*next)(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                 struct koa_batch *batch);
    void (*end)(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor);
    /* Optional: between begin() and the first next(), goes to the first series of a family, so that
     * a reader of one family need not walk all. False when there is none. What comes after the
     * family is any other. */
    bool (*seek)(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                 struct koa_str family);
};

/* The sources of an agent, in order of export. Constant while the agent runs, except that a reload
 * may publish another set. */
struct koa_metrics_sources {
    const struct koa_metrics_source *const *rows;
    size_t count;
};

#endif

/* The registry's own structs, for the files of this room only. */
#ifndef METRICS_FAMILY_H
#define METRICS_FAMILY_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/map.h"
#include "metrics/index.h"
#include "metrics/registry.h"

/* Reasons of kafka_ops_series_dropped_total. */
enum koa_drop {
    KOA_DROP_NAME,
    KOA_DROP_TYPE,
    KOA_DROP_LABEL,
    KOA_DROP_LIMIT,
    KOA_DROP_MEMORY,
    KOA_DROP_COUNT
};

/* Never freed before the registry. Everything but `cells` is constant, or read under the mutex. */
struct koa_metric_family {
    const struct koa_family_view *view; /* replaced, not changed: cursors keep the old one */
    double *bounds;
    size_t bound_count;
    size_t series_limit; /* 0: the registry's */
    bool is_implicit;    /* made by its first use: a registration may still say more */
    bool is_reserved;
    bool is_logged[KOA_DROP_COUNT];
    /* In order of labels; `cells[sorted_count..]` are newer and not sorted in yet. */
    struct koa_cell **cells;
    size_t cell_count, cell_capacity, sorted_count;
};

struct koa_metrics {
    struct koa_metrics_opts opts;
    struct koa_limit_stats stats;
    struct koa_metrics_source source;
    struct koa_cell_index index;       /* read without the mutex */
    pthread_mutex_t mutex;             /* guards all below, and changes of the index */
    struct koa_map *families;          /* by name */
    struct koa_map *claims;            /* by each name that an exporter will write */
    struct koa_arena *arena;           /* families and their texts */
    struct koa_metric_family **sorted; /* by name */
    size_t family_count, family_capacity;
    int64_t cell_bytes;
    bool is_logged[KOA_DROP_COUNT]; /* of names that are no family */
};

/* The names that a family of `type` takes up in some text format. */
enum { KOA_CLAIMS_LIMIT = 6, KOA_CLAIM_SIZE = KOA_METRIC_NAME_LIMIT + 16 };
size_t koa_family_claims(const char *name, enum koa_metric_type type,
                         char claims[KOA_CLAIMS_LIMIT][KOA_CLAIM_SIZE]);

/* Adds a family that has been checked; the mutex is held. */
KOA_MUST_USE enum koa_err koa_family_add_locked(struct koa_metrics *metrics,
                                                const struct koa_family *known,
                                                struct koa_metric_family **ret_family,
                                                struct koa_error *reterr);

/* The series; made when new. NULL when refused (counted then). Any thread. */
struct koa_cell *koa_metrics_cell(struct koa_metrics *metrics, const char *name,
                                  enum koa_metric_type type, const struct koa_labels *labels);
/* Merges new cells into their order. Caller holds the mutex; false when memory is out. */
bool koa_family_sort_locked(struct koa_metric_family *family);

void koa_registry_source_init(struct koa_metrics *metrics);

#endif

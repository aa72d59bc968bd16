/* The board as a metrics source. */
#ifndef HEALTH_SOURCE_H
#define HEALTH_SOURCE_H

#include <koa/health.h>

#include "loop/worker.h"
#include "metrics/source.h"

enum { KOA_HEALTH_FAMILIES = 4 };

/* A source over the published board and the calls that hang; both are borrowed. `workers` may be
 * NULL. Any thread may read it. */
struct koa_health_source {
    struct koa_metrics_source source;
    struct koa_family_view families[KOA_HEALTH_FAMILIES];
    struct koa_label_view overall_labels[KOA_STATUS_COUNT];
    struct koa_published *board;
    struct koa_workers *workers;
};
void koa_health_source_init(struct koa_health_source *source, struct koa_published *board,
                            struct koa_workers *workers);

#endif

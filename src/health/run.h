/* One run of a check, whichever of the three functions it has: on a worker, on the loop, or over a
 * snapshot. Loop's thread only. */
#ifndef HEALTH_RUN_H
#define HEALTH_RUN_H

#include "health/probe.h"
#include "health/unit.h"

/* Clusters' snapshots, given by agent/. All members are set, or none. */
struct koa_health_snapshots {
    void *context;
    /* `cluster` "" is the first. */
    bool (*is_configured)(void *context, const char *cluster);
    /* A reference of the caller's own, or NULL while there is none. */
    struct koa_snapshot *(*get)(void *context, const char *cluster);
    void (*put)(void *context, struct koa_snapshot *snapshot);
    /* Asks the collector for one cycle now; its end is told by koa_health_snapshot_published().
     * False when there is none to ask. */
    bool (*refresh)(void *context, const char *cluster);
};

/* What a check keeps from run to run. */
struct koa_kept {
    void *kept;
    void (*drop)(void *kept);
};

/* Exactly once for each begun run that is not cancelled; the run is freed after it. `verdict` is
 * decided by the check, or for it when its deadline passed. */
typedef void koa_run_ended_fn(void *context, struct koa_verdict *verdict, double duration_ms);

struct koa_run_opts {
    const struct koa_probe_services *services; /* borrowed */
    const struct koa_health_snapshots *snapshots;
    struct koa_check_unit *unit; /* the run takes a reference */
    struct koa_kept *kept;       /* borrowed */
    bool wants_fresh;            /* a snapshot is asked for first */
    koa_run_ended_fn *ended;
    void *context;
};

/* Nothing runs yet, so that the caller can remember it. NULL when memory is out. */
KOA_MUST_USE struct koa_probe *koa_run_create(const struct koa_run_opts *opts);
/* `ended` may be called before this returns. */
void koa_run_begin(struct koa_probe *probe);
/* A snapshot of the check's cluster was published: ends a run that waits for one. */
void koa_run_snapshot(struct koa_probe *probe);
/* Ends the run without `ended`, whatever it does. NULL is nothing. */
void koa_run_cancel(struct koa_probe *probe);

#endif

/* One check in the engine: its schedule, its run under way, its last result. Shared by the files of
 * this room only; the loop's thread. */
#ifndef HEALTH_CHECKS_H
#define HEALTH_CHECKS_H

#include "base/list.h"
#include "health/engine.h"
#include "health/schedule.h"

/* What a check tells its owner. */
struct koa_health_check_events {
    /* Its result is another one. */
    void (*changed)(void *context);
    /* Its run has ended or was taken back: who waited is in check->waits. Before `changed`. */
    void (*ended)(void *context, struct koa_list_node *waits);
    void *context;
};

struct koa_health_check_opts {
    const struct koa_probe_services *services;
    const struct koa_health_snapshots *snapshots;
    struct koa_metrics *metrics;
    const struct koa_health_check_events *events;
};

struct koa_health_check {
    const struct koa_health_check_opts *opts; /* the engine's, borrowed */
    struct koa_check_unit *unit;
    struct koa_schedule schedule;
    struct koa_timer timer;
    struct koa_probe *run; /* NULL while none */
    struct koa_kept kept;
    struct koa_result_object *result;
    enum koa_status announced;  /* the status that listeners know */
    struct koa_list_node waits; /* of callers who wait for the run under way */
    bool is_started;
    bool is_kept; /* while the set is replaced: belongs to both */
};

/* With a result that says that it has not run yet. NULL when memory is out. */
KOA_MUST_USE struct koa_health_check *
koa_health_check_create(const struct koa_health_check_opts *opts, struct koa_check_unit *unit);
/* Cancels its run. Nobody may wait for it any more. NULL is nothing. */
void koa_health_check_destroy(struct koa_health_check *check);
void koa_health_check_start(struct koa_health_check *check);
/* Cancels its run and lets those who waited go. */
void koa_health_check_stop(struct koa_health_check *check);
/* As the schedule says: START or JOIN: `ended` will come, maybe before this returns; ANSWER: the
 * result is good enough. */
enum koa_schedule_action koa_health_check_request(struct koa_health_check *check,
                                                  struct koa_list_node *wait);
/* A snapshot of its cluster was published. */
void koa_health_check_snapshot(struct koa_health_check *check);
/* Arms its timer again when memory was out before. */
void koa_health_check_rearm(struct koa_health_check *check);

#endif

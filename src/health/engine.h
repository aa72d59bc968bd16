/* The engine's checks: which there are, when each runs, and the board that tells of them.
 *
 * Everything belongs to the loop's thread unless it says otherwise. */
#ifndef HEALTH_ENGINE_H
#define HEALTH_ENGINE_H

#include <koa/metrics.h>

#include "health/board.h"
#include "health/history.h"
#include "health/run.h"
#include "metrics/source.h"

struct koa_health;

enum {
    KOA_HEALTH_CHECKS = 1000, /* at most */
    /* Callers that may wait for runs: more than the listener lets connections in. */
    KOA_HEALTH_WAITERS = 2048
};

/* A check shows another status than on the board before; `result` is of `board`, both are borrowed.
 * Called after the board was published. May not add or remove checks. */
typedef void koa_health_changed_fn(void *context, const struct koa_board *board,
                                   const struct koa_result *result, enum koa_status before);

struct koa_health_opts {
    struct koa_probe_services services;
    struct koa_health_snapshots snapshots; /* zeroed: no clusters */
    struct koa_metrics *metrics;           /* may be NULL */
    size_t history;                        /* boards; 0: KOA_BOARD_HISTORY_DEFAULT */
    koa_health_changed_fn *changed;        /* may be NULL */
    void *context;
};

/* No check runs before koa_health_start(). */
KOA_MUST_USE enum koa_err koa_health_create(const struct koa_health_opts *opts,
                                            struct koa_health **ret_health,
                                            struct koa_error *reterr);
/* Stops when needed. The loop has stopped. NULL is nothing. */
void koa_health_destroy(struct koa_health *health);

/* First runs of all checks, each after its initial delay, and the first board. */
void koa_health_start(struct koa_health *health);
/* Cancels all runs and answers all waiters; nothing runs any more. The last board stays. */
void koa_health_stop(struct koa_health *health);

/* Takes a reference on `unit`, also when it fails: KOA_ERR_EXISTS for a name that is taken,
 * KOA_ERR_LIMIT. A unit that is not enabled is not added: KOA_OK. */
KOA_MUST_USE enum koa_err koa_health_add(struct koa_health *health, struct koa_check_unit *unit,
                                         struct koa_error *reterr);
/* False when there is none. Its run is cancelled, its waiters are answered. */
bool koa_health_remove(struct koa_health *health, const char *name);
/* Makes `units` the whole set, in this order: checks that are equal keep their results, their
 * schedule and what they hold; others are added, changed or removed. All or nothing. */
KOA_MUST_USE enum koa_err koa_health_replace(struct koa_health *health,
                                             struct koa_check_unit *const *units, size_t count,
                                             struct koa_error *reterr);
/* The unit of row `index`, in the order of the board, or NULL. Borrowed. */
struct koa_check_unit *koa_health_unit(const struct koa_health *health, size_t index);

/* Exactly once, on the loop's thread, or at once on the caller's when the loop's mailbox is full or
 * has ended: then with the last board. `board` is borrowed and may be NULL when memory was out. */
typedef void koa_health_ran_fn(void *context, const struct koa_board *board);

/* Runs `name` now, or joins the run under way, or answers with a result that is less than a second
 * old; NULL is all checks. `done` may run before this returns, and does not run when it fails:
 * KOA_ERR_NOT_FOUND, KOA_ERR_LIMIT, KOA_ERR_STATE before the start and after the stop. Answers
 * within the checks' timeouts. Any thread: from others it is posted, and a name that is gone by
 * then is answered with the board. */
KOA_MUST_USE enum koa_err koa_health_run_now(struct koa_health *health, const char *name,
                                             koa_health_ran_fn *done, void *context,
                                             struct koa_error *reterr);

/* A cluster has published a snapshot: checks on it are judged again. The first cluster is also that
 * of checks that name none. */
void koa_health_snapshot_published(struct koa_health *health, const char *cluster, bool is_first);

/* The last board, a reference of the caller's own, or NULL. Any thread. */
KOA_MUST_USE struct koa_board *koa_health_board(struct koa_health *health);
/* Any thread. */
struct koa_board_history *koa_health_history(struct koa_health *health);
/* kafka_ops_health_status, kafka_ops_overall_status and others. Any thread. */
const struct koa_metrics_source *koa_health_source(struct koa_health *health);

#endif

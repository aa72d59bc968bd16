/* The one blocking primitive: serial queues keyed by what may hang (a mount, a database, the log's
 * pipe). A job past its deadline is abandoned and counted; its thread comes back whenever the call
 * returns, and no other key is disturbed. */
#ifndef LOOP_WORKER_H
#define LOOP_WORKER_H

#include "loop/loop.h"

struct koa_workers;

struct koa_workers_opts {
    size_t threads;      /* at most, abandoned ones included; made on demand; 0: 64 */
    size_t jobs_per_key; /* that may wait; 0: 16 */
    struct koa_log *log;
};

KOA_MUST_USE enum koa_err koa_workers_create(const struct koa_workers_opts *opts,
                                             struct koa_workers **ret_workers,
                                             struct koa_error *reterr);
/* The loops that jobs were given from have stopped, or the caller is on their thread. Jobs that
 * have not begun are abandoned at once, running ones after `timeout_ms` in all; each `done` has run
 * when this returns. What hangs keeps its thread and memory until it returns. */
void koa_workers_destroy(struct koa_workers *workers, int64_t timeout_ms);

/* `work` runs on a worker; `done` on `loop` with abandoned = false, or at the deadline with true,
 * exactly once. After an abandoned job's work has returned at last, `release` frees the job on the
 * worker's thread; otherwise `release` runs after `done`, on the loop. So `work` may use `job` as
 * long as it runs, and `done` must copy what it wants when abandoned: it must not touch what `work`
 * writes. `release` may be NULL. */
struct koa_job {
    void (*work)(struct koa_job *job);
    void (*done)(struct koa_job *job, bool abandoned);
    void (*release)(struct koa_job *job);
    int64_t deadline_ms;         /* from koa_workers_run() on, waiting included */
    size_t queue_limit;          /* jobs of its key that may wait before it; 0: jobs_per_key */
    struct koa_job_state *state; /* the workers' own */
};

/* Loop's thread. On failure (KOA_ERR_LIMIT: an abandoned job still blocks its key, the key's queue
 * is full, or all threads hang) none of the three functions runs. A job waits for its key's turn,
 * and for a thread when all are busy. */
KOA_MUST_USE enum koa_err koa_workers_run(struct koa_workers *workers, struct koa_loop *loop,
                                          const char *key, struct koa_job *job,
                                          struct koa_error *reterr);

/* Jobs given up and still blocking a thread. Any thread. */
int64_t koa_workers_abandoned(const struct koa_workers *workers);
struct koa_limit_stats *koa_workers_stats(struct koa_workers *workers); /* threads */

#endif

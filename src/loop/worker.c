/* Blocking jobs on threads, one serial queue per key. Who may free a job, and when, is decided here
 * under one mutex: the last of the two parties, the thread that works and the loop that is told.
 * A thread that hangs costs its key and one of the threads, nothing else. */
#include "loop/worker.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "base/str.h"
#include "loop/clock.h"
#include "loop/uv_loop.h"

enum {
    DEFAULT_THREADS = 64,
    DEFAULT_JOBS_PER_KEY = 16,
    KEY_LIMIT = 1024,       /* keys with a job; a check, a mount or a host name each */
    WAITING_LIMIT = 1024,   /* jobs of all keys that no thread has begun */
    IDLE_THREAD_MS = 10000, /* an unused thread ends: bursts do not hold memory */
    NAME_SIZE = 128,        /* of a key in log lines */
};

enum job_phase { JOB_WAITING, JOB_RUNNING, JOB_RETURNED };

struct key_queue {
    struct koa_list_node ready; /* in koa_workers.ready while it has jobs and none runs */
    struct koa_list_node jobs;  /* waiting */
    size_t waiting;
    struct koa_job_state *running;
    char *name;
};

struct koa_job_state {
    struct koa_workers *workers;
    struct koa_loop *loop;
    struct koa_job *job;
    struct key_queue *queue;
    struct koa_list_node in_queue;
    struct koa_list_node outstanding; /* in koa_workers.outstanding until `done` was called */
    struct koa_timer timer;           /* in the loop's heap */
    struct koa_message returned;
    struct koa_mono begun;
    enum job_phase phase;
    bool is_abandoned;
    bool is_done_running; /* `done` of an abandoned job runs right now: the loop frees it */
};

struct koa_workers {
    size_t jobs_per_key;
    struct koa_log *log;
    atomic_int_fast64_t abandoned;
    struct koa_limit_stats stats;

    pthread_mutex_t mutex; /* guards what follows and the phases of all jobs */
    pthread_cond_t work_waits;
    pthread_cond_t thread_ended;
    struct koa_map *queues;
    struct koa_list_node ready;
    struct koa_list_node outstanding;
    size_t waiting;
    size_t threads;
    size_t idle_threads;
    bool is_stopping;
    bool is_left_behind; /* the last thread frees this */
};

/* ---- queues */

static struct key_queue *get_queue(struct koa_workers *workers, const char *key)
{
    struct key_queue *queue = koa_map_find_text(workers->queues, key);

    if (queue != NULL)
        return queue;
    queue = koa_calloc(1, sizeof(*queue));
    if (queue == NULL)
        return NULL;
    queue->name = koa_strdup(key);
    koa_list_init(&queue->jobs);
    if (queue->name == NULL ||
        koa_map_put(workers->queues, koa_str_from(key), queue, NULL) != KOA_OK) {
        koa_free(queue->name);
        koa_free(queue);
        return NULL;
    }
    return queue;
}

/* An empty queue goes, so that keys of the past cost nothing. */
static void settle_queue(struct koa_workers *workers, struct key_queue *queue)
{
    if (queue->running != NULL)
        return;
    if (queue->waiting > 0) {
        if (queue->ready.next == NULL) {
            koa_list_push_back(&workers->ready, &queue->ready);
            (void) pthread_cond_signal(&workers->work_waits);
        }
        return;
    }
    koa_list_remove(&queue->ready);
    (void) koa_map_remove(workers->queues, koa_str_from(queue->name));
    koa_free(queue->name);
    koa_free(queue);
}

static void unqueue_job(struct koa_job_state *state)
{
    koa_list_remove(&state->in_queue);
    state->queue->waiting--;
    state->workers->waiting--;
}

/* ---- the end of a job */

/* Not under the mutex: both may do anything but block. */
static void free_job(struct koa_job_state *state)
{
    struct koa_job *job = state->job;

    job->state = NULL;
    koa_free(state);
    if (job->release != NULL)
        job->release(job);
}

/* On the loop's thread, for work that has returned. */
static void on_returned(void *message)
{
    struct koa_job_state *state = message;

    koa_timers_disarm(koa_loop_timers(state->loop), &state->timer);
    (void) pthread_mutex_lock(&state->workers->mutex);
    koa_list_remove(&state->outstanding);
    (void) pthread_mutex_unlock(&state->workers->mutex);
    state->job->done(state->job, false);
    free_job(state);
}

/* On the loop's thread, for work that has not begun or not returned. False, and nothing happens,
 * when it has returned: its message is on the way. */
static bool give_up(struct koa_job_state *state)
{
    struct koa_workers *workers = state->workers;
    char name[NAME_SIZE];
    bool has_begun;
    bool has_returned;

    (void) pthread_mutex_lock(&workers->mutex);
    if (state->phase == JOB_RETURNED) {
        (void) pthread_mutex_unlock(&workers->mutex);
        return false;
    }
    koa_list_remove(&state->outstanding);
    (void) koa_str_copy(name, sizeof(name), koa_str_from(state->queue->name));
    has_begun = state->phase == JOB_RUNNING;
    if (has_begun) {
        state->is_abandoned = state->is_done_running = true;
        (void) atomic_fetch_add(&workers->abandoned, 1);
    } else {
        unqueue_job(state);
        settle_queue(workers, state->queue);
    }
    (void) pthread_mutex_unlock(&workers->mutex);

    if (has_begun) {
        koa_log_warn(workers->log, "worker.abandoned",
                     "'%s' did not return in time (%" PRId64 " ms); it keeps its thread, and "
                     "nothing else runs under this name until it returns",
                     name, state->job->deadline_ms);
    }
    koa_timers_disarm(koa_loop_timers(state->loop), &state->timer);
    state->job->done(state->job, true);

    (void) pthread_mutex_lock(&workers->mutex);
    state->is_done_running = false;
    has_returned = !has_begun || state->phase == JOB_RETURNED;
    (void) pthread_mutex_unlock(&workers->mutex);
    if (has_returned)
        free_job(state);
    return true;
}

static void on_deadline(struct koa_timer *timer, struct koa_mono now)
{
    (void) now;
    (void) give_up(KOA_CONTAINER_OF(timer, struct koa_job_state, timer));
}

/* ---- threads */

/* Takes the next job; under the mutex. */
static struct koa_job_state *begin_job(struct koa_workers *workers)
{
    struct key_queue *queue =
        KOA_CONTAINER_OF(koa_list_pop_front(&workers->ready), struct key_queue, ready);
    struct koa_job_state *state =
        KOA_CONTAINER_OF(queue->jobs.next, struct koa_job_state, in_queue);

    unqueue_job(state);
    queue->running = state;
    state->phase = JOB_RUNNING;
    state->begun = koa_clock_mono();
    return state;
}

/* Under the mutex, which is released for the hand-over. */
static void finish_job(struct koa_workers *workers, struct koa_job_state *state)
{
    bool is_abandoned = state->is_abandoned;
    bool may_free = is_abandoned && !state->is_done_running;
    int64_t took_ms = koa_mono_diff_ms(koa_clock_mono(), state->begun);
    char name[NAME_SIZE];

    (void) koa_str_copy(name, sizeof(name), koa_str_from(state->queue->name));
    state->phase = JOB_RETURNED;
    state->queue->running = NULL;
    settle_queue(workers, state->queue);
    /* Posted under the mutex: koa_workers_destroy() sees a job either running or in the mailbox.
     * When the loop has ended the message is dropped and the job stays in `outstanding` for it. */
    if (is_abandoned) {
        (void) atomic_fetch_sub(&workers->abandoned, 1);
    } else {
        (void) koa_loop_post_embedded(state->loop, &state->returned);
    }
    (void) pthread_mutex_unlock(&workers->mutex);
    if (may_free)
        free_job(state);
    if (is_abandoned) {
        koa_log_notice(workers->log, "worker.returned",
                       "'%s' returned after %" PRId64 " ms and may run again", name, took_ms);
    }
    (void) pthread_mutex_lock(&workers->mutex);
}

static void free_workers(struct koa_workers *workers)
{
    koa_map_destroy(workers->queues, NULL);
    (void) pthread_cond_destroy(&workers->thread_ended);
    (void) pthread_cond_destroy(&workers->work_waits);
    (void) pthread_mutex_destroy(&workers->mutex);
    koa_free(workers);
}

/* False: this thread is not needed any more. */
static bool wait_for_work(struct koa_workers *workers)
{
    struct koa_mono until = koa_mono_add_ms(koa_clock_mono(), IDLE_THREAD_MS);
    bool in_time = true;

    while (koa_list_is_empty(&workers->ready) && !workers->is_stopping && in_time) {
        workers->idle_threads++;
        in_time = koa_condition_wait_until(&workers->work_waits, &workers->mutex, until);
        workers->idle_threads--;
    }
    return !koa_list_is_empty(&workers->ready);
}

static void *run_thread(void *context)
{
    struct koa_workers *workers = context;
    struct koa_job_state *state;
    bool is_last_user;

    koa_thread_set_name("worker");
    (void) pthread_mutex_lock(&workers->mutex);
    while (wait_for_work(workers)) {
        state = begin_job(workers);
        (void) pthread_mutex_unlock(&workers->mutex);
        state->job->work(state->job);
        (void) pthread_mutex_lock(&workers->mutex);
        finish_job(workers, state);
    }
    workers->threads--;
    (void) atomic_fetch_sub(&workers->stats.used, 1);
    is_last_user = workers->is_left_behind && workers->threads == 0;
    (void) pthread_cond_signal(&workers->thread_ended);
    (void) pthread_mutex_unlock(&workers->mutex);
    if (is_last_user)
        free_workers(workers);
    return NULL;
}

/* Under the mutex. A thread more when all are busy; without one the job waits for the others. */
static enum koa_err need_thread(struct koa_workers *workers, const char *key,
                                struct koa_error *reterr)
{
    pthread_t thread;
    int error;

    if (workers->idle_threads > 0)
        return KOA_OK;
    if ((int64_t) workers->threads >= workers->stats.limit) {
        if (atomic_load(&workers->abandoned) < (int64_t) workers->threads)
            return KOA_OK;
        (void) atomic_fetch_add(&workers->stats.dropped, 1);
        return koa_fail(reterr, KOA_ERR_LIMIT,
                        "cannot run '%s': all %zu worker threads hang in calls that do not return",
                        key, workers->threads);
    }
    error = koa_thread_start(&thread, run_thread, workers);
    if (error == 0) {
        (void) pthread_detach(thread);
        workers->threads++;
        (void) atomic_fetch_add(&workers->stats.used, 1);
        return KOA_OK;
    }
    if (workers->threads > 0)
        return KOA_OK;
    return koa_fail_errno(reterr, KOA_ERR_LIMIT, error, "cannot start a worker thread for '%s'",
                          key);
}

/* ---- what others call */

/* Under the mutex. */
static enum koa_err admit(struct koa_workers *workers, struct key_queue *queue,
                          const struct koa_job *job, const char *key, struct koa_error *reterr)
{
    size_t limit = job->queue_limit != 0 ? job->queue_limit : workers->jobs_per_key;
    enum koa_err err = KOA_OK;

    if (queue->running != NULL && queue->running->is_abandoned) {
        err = koa_fail(reterr, KOA_ERR_LIMIT,
                       "'%s' still hangs: its call of %" PRId64 " s ago has not returned", key,
                       koa_mono_diff_ms(koa_clock_mono(), queue->running->begun) / 1000);
    } else if (queue->waiting >= limit) {
        err =
            koa_fail(reterr, KOA_ERR_LIMIT, "%zu jobs wait for '%s' already", queue->waiting, key);
    } else if (workers->waiting >= WAITING_LIMIT) {
        err = koa_fail(reterr, KOA_ERR_LIMIT, "cannot run '%s': %d jobs wait for worker threads",
                       key, WAITING_LIMIT);
    }
    if (err != KOA_OK) {
        (void) atomic_fetch_add(&workers->stats.dropped, 1);
        return err;
    }
    return need_thread(workers, key, reterr);
}

static enum koa_err enqueue(struct koa_workers *workers, const char *key,
                            struct koa_job_state *state, struct koa_error *reterr)
{
    struct key_queue *queue;
    enum koa_err err;

    if (workers->is_stopping)
        return koa_fail(reterr, KOA_ERR_STATE, "cannot run '%s': the workers are ending", key);
    queue = get_queue(workers, key);
    if (queue == NULL) {
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory to queue '%s' (or %d names are in use)",
                        key, KEY_LIMIT);
    }
    err = admit(workers, queue, state->job, key, reterr);
    if (err == KOA_OK) {
        state->queue = queue;
        koa_list_push_back(&queue->jobs, &state->in_queue);
        koa_list_push_back(&workers->outstanding, &state->outstanding);
        queue->waiting++;
        workers->waiting++;
    }
    settle_queue(workers, queue);
    return err;
}

enum koa_err koa_workers_run(struct koa_workers *workers, struct koa_loop *loop, const char *key,
                             struct koa_job *job, struct koa_error *reterr)
{
    struct koa_job_state *state;
    enum koa_err err;

    KOA_ASSERT(koa_loop_is_here(loop));
    state = koa_calloc(1, sizeof(*state));
    err = koa_require_memory(state, reterr);
    if (err != KOA_OK)
        return err;
    state->workers = workers;
    state->loop = loop;
    state->job = job;
    state->returned = (struct koa_message){.run = on_returned, .message = state};
    if (!koa_loop_after(loop, &state->timer, job->deadline_ms, on_deadline)) {
        koa_free(state);
        return koa_require_memory(NULL, reterr);
    }
    job->state = state;
    (void) pthread_mutex_lock(&workers->mutex);
    err = enqueue(workers, key, state, reterr);
    (void) pthread_mutex_unlock(&workers->mutex);
    if (err != KOA_OK) {
        koa_timers_disarm(koa_loop_timers(loop), &state->timer);
        job->state = NULL;
        koa_free(state);
    }
    return err;
}

enum koa_err koa_workers_create(const struct koa_workers_opts *opts,
                                struct koa_workers **ret_workers, struct koa_error *reterr)
{
    struct koa_workers *workers = koa_calloc(1, sizeof(*workers));
    enum koa_err err = koa_require_memory(workers, reterr);

    if (err != KOA_OK)
        return err;
    workers->jobs_per_key = opts->jobs_per_key != 0 ? opts->jobs_per_key : DEFAULT_JOBS_PER_KEY;
    workers->log = opts->log;
    workers->stats.name = "worker_threads";
    workers->stats.limit = (int64_t) (opts->threads != 0 ? opts->threads : DEFAULT_THREADS);
    (void) pthread_mutex_init(&workers->mutex, NULL);
    koa_condition_init(&workers->work_waits);
    koa_condition_init(&workers->thread_ended);
    koa_list_init(&workers->ready);
    koa_list_init(&workers->outstanding);
    workers->queues = koa_map_create(KEY_LIMIT);
    err = koa_require_memory(workers->queues, reterr);
    if (err == KOA_OK) {
        *ret_workers = workers;
    } else {
        free_workers(workers);
    }
    return err;
}

static struct koa_job_state *find_outstanding(struct koa_workers *workers, bool only_waiting)
{
    struct koa_job_state *found = NULL;

    (void) pthread_mutex_lock(&workers->mutex);
    KOA_LIST_FOREACH (node, &workers->outstanding) {
        struct koa_job_state *state = KOA_CONTAINER_OF(node, struct koa_job_state, outstanding);

        if (!only_waiting || state->phase == JOB_WAITING) {
            found = state;
            break;
        }
    }
    (void) pthread_mutex_unlock(&workers->mutex);
    return found;
}

/* What nobody has begun never will; what runs gets its time. */
static void wait_for_threads(struct koa_workers *workers, int64_t timeout_ms)
{
    struct koa_mono until = koa_mono_add_ms(koa_clock_mono(), timeout_ms);
    struct koa_job_state *state;

    (void) pthread_mutex_lock(&workers->mutex);
    workers->is_stopping = true;
    (void) pthread_cond_broadcast(&workers->work_waits);
    (void) pthread_mutex_unlock(&workers->mutex);
    while ((state = find_outstanding(workers, true)) != NULL)
        (void) give_up(state);
    (void) pthread_mutex_lock(&workers->mutex);
    while (workers->threads > 0 &&
           koa_condition_wait_until(&workers->thread_ended, &workers->mutex, until))
        continue;
    (void) pthread_mutex_unlock(&workers->mutex);
}

void koa_workers_destroy(struct koa_workers *workers, int64_t timeout_ms)
{
    struct koa_job_state *state;
    bool may_free;

    if (workers == NULL)
        return;
    wait_for_threads(workers, timeout_ms);
    while ((state = find_outstanding(workers, false)) != NULL) {
        KOA_ASSERT(koa_loop_is_here(state->loop));
        if (give_up(state))
            continue;
        koa_loop_unpost(state->loop, &state->returned);
        on_returned(state);
    }
    (void) pthread_mutex_lock(&workers->mutex);
    may_free = workers->threads == 0;
    workers->is_left_behind = !may_free;
    (void) pthread_mutex_unlock(&workers->mutex);
    if (may_free)
        free_workers(workers);
}

int64_t koa_workers_abandoned(const struct koa_workers *workers)
{
    return atomic_load(&workers->abandoned);
}

struct koa_limit_stats *koa_workers_stats(struct koa_workers *workers)
{
    return &workers->stats;
}

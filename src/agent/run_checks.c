/* koa_agent_run_checks(): a host's thread waits for the engine. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "agent/composition.h"
#include "base/memory.h"
#include "loop/clock.h"

/* Shared by the caller, who may give up first, and the engine: the last of the two frees it. */
struct waiter {
    struct koa_object object;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_done;
};

static void destroy_waiter(struct koa_object *object)
{
    struct waiter *waiter = (struct waiter *) object;

    (void) pthread_cond_destroy(&waiter->changed);
    (void) pthread_mutex_destroy(&waiter->mutex);
    koa_free(waiter);
}

static struct waiter *create_waiter(void)
{
    struct waiter *waiter = koa_calloc(1, sizeof(*waiter));
    pthread_condattr_t monotonic;

    if (waiter == NULL)
        return NULL;
    koa_object_init(&waiter->object, destroy_waiter);
    (void) pthread_mutex_init(&waiter->mutex, NULL);
    (void) pthread_condattr_init(&monotonic);
    (void) pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void) pthread_cond_init(&waiter->changed, &monotonic);
    (void) pthread_condattr_destroy(&monotonic);
    return waiter;
}

static void on_ran(void *context, const struct koa_board *board)
{
    struct waiter *waiter = context;

    (void) board;
    (void) pthread_mutex_lock(&waiter->mutex);
    waiter->is_done = true;
    (void) pthread_cond_signal(&waiter->changed);
    (void) pthread_mutex_unlock(&waiter->mutex);
    koa_object_unref(&waiter->object);
}

static void wait_for(struct waiter *waiter, int64_t timeout_ms)
{
    int64_t until_ms = koa_clock_mono().ms + (timeout_ms > 0 ? timeout_ms : 0);
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};
    int err = 0;

    (void) pthread_mutex_lock(&waiter->mutex);
    while (!waiter->is_done && err != ETIMEDOUT)
        err = pthread_cond_timedwait(&waiter->changed, &waiter->mutex, &until);
    (void) pthread_mutex_unlock(&waiter->mutex);
}

struct koa_board *koa_agent_run_checks(struct koa_agent *agent, int64_t timeout_ms)
{
    struct waiter *waiter = create_waiter();

    if (waiter == NULL)
        return NULL;
    koa_object_ref(&waiter->object); /* the engine's */
    if (koa_health_run_now(agent->health, NULL, on_ran, waiter, NULL) == KOA_OK) {
        wait_for(waiter, timeout_ms);
    } else {
        koa_object_unref(&waiter->object);
    }
    koa_object_unref(&waiter->object);
    return agent->is_started && !agent->is_stopped ? koa_health_board(agent->health) : NULL;
}

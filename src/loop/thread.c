/* Threads and conditions as this room wants them: no signals, short names, the monotonic clock. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/str.h"
#include "loop/uv_loop.h"

int koa_thread_start(pthread_t *ret_thread, void *(*run)(void *context), void *context)
{
    sigset_t all;
    sigset_t before;
    int error;

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(ret_thread, NULL, run, context);
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

void koa_thread_set_name(const char *name)
{
    char cut[16];

    (void) koa_str_copy(cut, sizeof(cut), koa_str_from(name));
    (void) pthread_setname_np(pthread_self(), cut);
}

void koa_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    (void) pthread_condattr_init(&attributes);
    (void) pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void) pthread_cond_init(condition, &attributes);
    (void) pthread_condattr_destroy(&attributes);
}

bool koa_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex,
                              struct koa_mono due)
{
    struct timespec until = {.tv_sec = due.ms / 1000, .tv_nsec = due.ms % 1000 * 1000000};

    return pthread_cond_timedwait(condition, mutex, &until) != ETIMEDOUT;
}

static bool is_sigpipe_pending(void)
{
    sigset_t pending;

    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

void koa_sigpipe_guard_begin(struct koa_sigpipe_guard *guard)
{
    sigset_t only;

    (void) sigemptyset(&only);
    (void) sigaddset(&only, SIGPIPE);
    guard->was_pending = is_sigpipe_pending();
    (void) pthread_sigmask(SIG_BLOCK, &only, &guard->before);
}

void koa_sigpipe_guard_end(struct koa_sigpipe_guard *guard)
{
    static const struct timespec at_once = {0};
    sigset_t only;

    (void) sigemptyset(&only);
    (void) sigaddset(&only, SIGPIPE);
    /* One that the host had pending before stays the host's. */
    if (!guard->was_pending && is_sigpipe_pending())
        (void) sigtimedwait(&only, NULL, &at_once);
    (void) pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

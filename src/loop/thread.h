/* Threads and conditions as this program uses them. */
#ifndef LOOP_THREAD_H
#define LOOP_THREAD_H

#include <pthread.h>
#include <signal.h>

#include <koa/time.h>

/* A thread with all signals blocked, so that a host's handlers never run on it. 0 or an errno. */
int koa_thread_start(pthread_t *ret_thread, void *(*run)(void *context), void *context);
/* Shows in ps and debuggers; longer names are cut to 15 bytes. For the calling thread. */
void koa_thread_set_name(const char *name);
/* pthread_cond_t on the monotonic clock. */
void koa_condition_init(pthread_cond_t *condition);
/* False once `due` has passed. */
bool koa_condition_wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex,
                              struct koa_mono due);

/* For calls into libraries that write to sockets without MSG_NOSIGNAL, on threads whose signals are
 * the host's: SIGPIPE is blocked from begin to end, and one that came meanwhile is taken away. */
struct koa_sigpipe_guard {
    sigset_t before;
    bool was_pending;
};

void koa_sigpipe_guard_begin(struct koa_sigpipe_guard *guard);
void koa_sigpipe_guard_end(struct koa_sigpipe_guard *guard);

#endif

/* One child process with its output and a deadline, by posix_spawn, without a signal handler. */
#ifndef LOOP_PROCESS_H
#define LOOP_PROCESS_H

#include "loop/worker.h"

struct koa_process;

struct koa_process_result {
    const struct koa_error *error; /* it could not be started; NULL otherwise */
    bool timed_out;                /* killed with its process group at the deadline */
    bool exited;                   /* `exit_code` is valid; else ended by `signal` */
    int exit_code;
    int signal;         /* 0: not known, because the host itself waits for all children */
    const char *output; /* stdout, at most `output_limit` bytes, NUL-ended, never NULL; the rest is
                           read and dropped */
    size_t output_size;
    bool output_is_cut;
    const char *errors; /* stderr, at most 4 KiB */
};

/* Loop's thread, exactly once. Borrowed for the call; the process object is freed after it. */
typedef void koa_process_done_fn(void *context, const struct koa_process_result *result);

struct koa_process_opts {
    struct koa_workers *workers; /* starts it there: exec() of a file on a dead mount blocks */
    const char *const
        *command; /* NULL-ended, copied; [0] is looked up in PATH when it has no slash */
    int64_t deadline_ms;
    size_t output_limit;
    bool without_pidfd; /* asks every 20 ms instead: what happens by itself on old kernels */
    koa_process_done_fn *done;
    void *context;
};

/* stdin is /dev/null, the environment a small fixed one (PATH, LANG=C), descriptors are closed,
 * signals at their defaults. Ends when the child ends or at the deadline: what it left running in
 * its process group is killed then, so nothing that holds its pipes delays the answer. */
KOA_MUST_USE enum koa_err koa_process_start(struct koa_loop *loop,
                                            const struct koa_process_opts *opts,
                                            struct koa_process **ret_process,
                                            struct koa_error *reterr);
/* Kills it; `done` does not run. Not from `done`. */
void koa_process_cancel(struct koa_process *process);

#endif

/* A child process on the way to its end: followed by its pidfd, or by asking, until it is reaped.
 * Outlives the interest of whoever started it. */
#ifndef LOOP_CHILD_H
#define LOOP_CHILD_H

#include <sys/types.h>

#include "loop/loop.h"

struct koa_child;

/* Loop's thread. `status` is that of waitpid(), -1 when somebody else has reaped the child. What it
 * left in its process group has been killed. The child frees itself after it. */
typedef void koa_child_ended_fn(void *context, int status);

/* Takes all memory that following will need, before there is a child. NULL when memory is out. */
KOA_MUST_USE struct koa_child *koa_child_create(struct koa_loop *loop);
/* For one that was never adopted. */
void koa_child_destroy(struct koa_child *child);
/* From here on it frees itself. `pid` leads a process group of its own and is not reaped. */
void koa_child_adopt(struct koa_child *child, pid_t pid, bool without_pidfd);
/* `ended` NULL: nobody wants to know any more. */
void koa_child_watch(struct koa_child *child, koa_child_ended_fn *ended, void *context);
void koa_child_kill(struct koa_child *child);

/* Kills and waits, on a thread that may block. */
void koa_child_end_now(pid_t pid);

#endif

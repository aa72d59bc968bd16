/* What the files of this room share about the loop and others need not know. */
#ifndef LOOP_UV_LOOP_H
#define LOOP_UV_LOOP_H

#include <uv.h>

#include "base/list.h"
#include "loop/loop.h"
#include "loop/thread.h"

/* A message inside its owner's memory: it needs no allocation and does not count towards the
 * mailbox's limit, so it always arrives. Zeroed is not queued. */
struct koa_message {
    struct koa_list_node node;
    koa_message_fn *run;
    koa_message_fn *drop; /* may be NULL */
    void *message;
    bool counted; /* allocated by koa_loop_post(): the loop frees it */
};

/* Any thread. False when the loop has ended: `drop` has run then. */
bool koa_loop_post_embedded(struct koa_loop *loop, struct koa_message *message);
/* Loop's thread: takes a message back that has not run. Nothing when it is not queued. */
void koa_loop_unpost(struct koa_loop *loop, struct koa_message *message);

/* Called by koa_loop_destroy() for what lingers on its own, such as a killed child that is not
 * reaped yet. It must remove the hook, its watches and its timers. */
struct koa_loop_hook {
    struct koa_list_node node;
    void (*closing)(struct koa_loop_hook *hook);
};

/* Loop's thread. */
void koa_loop_add_hook(struct koa_loop *loop, struct koa_loop_hook *hook);

uv_loop_t *koa_loop_uv(struct koa_loop *loop);
/* Each callback from libuv begins with this: it sets koa_loop_now() and the heartbeat. */
void koa_loop_enter(struct koa_loop *loop);
/* Keeps count of open watches, so that an owner that forgot one is found. */
void koa_loop_count_watch(struct koa_loop *loop, int change);

#endif

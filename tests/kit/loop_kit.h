/* A running loop with workers and a resolver, and gates on which a test waits for what happens on
 * other threads: no sleeps, and a deadline that fails the test. */
#ifndef KIT_LOOP_KIT_H
#define KIT_LOOP_KIT_H

#include <pthread.h>

#include "loop/loop.h"
#include "loop/resolver.h"
#include "loop/worker.h"

/* Counts events; any thread. */
struct kit_gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int count;
};

#define KIT_GATE_INIT                                                                              \
    {                                                                                              \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                    \
    }

void kit_gate_pass(struct kit_gate *gate);
/* Waits until at least `count` have passed; fails the test after 20 s. */
void kit_gate_wait(struct kit_gate *gate, int count);
int kit_gate_count(struct kit_gate *gate);

struct kit_loop {
    struct koa_loop *loop;
    struct koa_workers *workers;
    struct koa_resolver *resolver;
};

/* At most `threads` workers; 0: the default. */
void kit_loop_start(struct kit_loop *kit, size_t threads);
/* Runs `run(message)` on the loop and waits for it. */
void kit_loop_call(struct kit_loop *kit, koa_message_fn *run, void *message);
void kit_loop_end(struct kit_loop *kit);

/* Waits until `condition(context)`, asked on the loop's thread every few milliseconds, is true;
 * fails the test after 20 s. */
void kit_loop_run_until(struct kit_loop *kit, bool (*condition)(void *context), void *context);

#endif

/* The event loop: one libuv timer drives the heap of timers, one libuv async handle the mailbox.
 * What is watched and run here is the business of watch.c, worker.c and the rooms above. */
#include "loop/loop.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "loop/clock.h"
#include "loop/uv_loop.h"

enum {
    DEFAULT_MAILBOX_LIMIT = 4096,
    HEARTBEAT_MS = 500,
    LONGEST_WAIT_MS = 3600000, /* a later timer is looked at again by then */
};

enum loop_state { LOOP_NEW, LOOP_RUNNING, LOOP_ENDED };

struct koa_loop {
    uv_loop_t uv;
    uv_timer_t timer;
    uv_timer_t heartbeat_timer;
    uv_prepare_t prepare;
    uv_async_t wake;
    bool has_uv;
    bool has_wake;
    char name[16];
    struct koa_log *log;
    pthread_t thread;
    atomic_int state;
    atomic_int_fast64_t now_ms;
    struct koa_timers timers;
    bool earliest_changed; /* the libuv timer must be set again before the loop sleeps */
    int watches;
    struct koa_list_node hooks;

    pthread_mutex_t mutex; /* guards what follows */
    struct koa_list_node mailbox;
    size_t queued;
    bool is_stopping;
    struct koa_limit_stats stats;
};

static _Thread_local const struct koa_loop *current_loop;

void koa_loop_enter(struct koa_loop *loop)
{
    atomic_store_explicit(&loop->now_ms, koa_clock_mono().ms, memory_order_relaxed);
}

static bool must_stop(struct koa_loop *loop)
{
    bool result;

    (void) pthread_mutex_lock(&loop->mutex);
    result = loop->is_stopping;
    (void) pthread_mutex_unlock(&loop->mutex);
    return result;
}

/* ---- timers */

static void earliest_changed(void *context)
{
    struct koa_loop *loop = context;

    loop->earliest_changed = true;
}

static void on_timer(uv_timer_t *timer)
{
    struct koa_loop *loop = timer->data;

    koa_loop_enter(loop);
    (void) koa_timers_run(&loop->timers, koa_loop_now(loop));
    loop->earliest_changed = true;
}

static void on_heartbeat(uv_timer_t *timer)
{
    koa_loop_enter(timer->data);
}

/* Runs before the loop sleeps: many timers armed in one turn set the system's timer once. */
static void on_prepare(uv_prepare_t *prepare)
{
    struct koa_loop *loop = prepare->data;
    struct koa_mono due;
    int64_t wait_ms;

    if (!loop->earliest_changed)
        return;
    loop->earliest_changed = false;
    if (!koa_timers_next(&loop->timers, &due)) {
        (void) uv_timer_stop(&loop->timer);
        return;
    }
    wait_ms = koa_mono_diff_ms(due, koa_clock_mono());
    if (wait_ms < 0)
        wait_ms = 0;
    if (wait_ms > LONGEST_WAIT_MS)
        wait_ms = LONGEST_WAIT_MS;
    uv_update_time(&loop->uv);
    (void) uv_timer_start(&loop->timer, on_timer, (uint64_t) wait_ms, 0);
}

/* ---- mailbox */

static struct koa_message *pop_message(struct koa_loop *loop)
{
    struct koa_message *message = NULL;
    struct koa_list_node *node;

    (void) pthread_mutex_lock(&loop->mutex);
    node = koa_list_pop_front(&loop->mailbox);
    if (node != NULL) {
        message = KOA_CONTAINER_OF(node, struct koa_message, node);
        loop->queued--;
        if (message->counted)
            (void) atomic_fetch_sub(&loop->stats.used, 1);
    }
    (void) pthread_mutex_unlock(&loop->mutex);
    return message;
}

static void finish_message(struct koa_message *message, bool run)
{
    koa_message_fn *function = run ? message->run : message->drop;
    void *argument = message->message;

    if (message->counted)
        koa_free(message);
    if (function != NULL)
        function(argument);
}

/* Runs what waited when the turn began; what these messages post waits for the next turn. */
static void on_wake(uv_async_t *wake)
{
    struct koa_loop *loop = wake->data;
    struct koa_message *message;
    size_t waiting;

    koa_loop_enter(loop);
    (void) pthread_mutex_lock(&loop->mutex);
    waiting = loop->queued;
    (void) pthread_mutex_unlock(&loop->mutex);
    for (; waiting > 0 && !must_stop(loop); waiting--) {
        message = pop_message(loop);
        if (message == NULL)
            break;
        finish_message(message, true);
    }
    if (must_stop(loop))
        uv_stop(&loop->uv);
}

static bool enqueue(struct koa_loop *loop, struct koa_message *message)
{
    bool accepted;

    (void) pthread_mutex_lock(&loop->mutex);
    accepted = !loop->is_stopping &&
               (!message->counted || atomic_load(&loop->stats.used) < loop->stats.limit);
    if (accepted) {
        koa_list_push_back(&loop->mailbox, &message->node);
        loop->queued++;
        if (message->counted)
            (void) atomic_fetch_add(&loop->stats.used, 1);
        (void) uv_async_send(&loop->wake);
    } else if (message->counted) {
        (void) atomic_fetch_add(&loop->stats.dropped, 1);
    }
    (void) pthread_mutex_unlock(&loop->mutex);
    return accepted;
}

bool koa_loop_post(struct koa_loop *loop, koa_message_fn *run, koa_message_fn *drop, void *message)
{
    struct koa_message *queued = koa_calloc(1, sizeof(*queued));

    if (queued == NULL) {
        (void) atomic_fetch_add(&loop->stats.dropped, 1);
        if (drop != NULL)
            drop(message);
        return false;
    }
    *queued = (struct koa_message){.run = run, .drop = drop, .message = message, .counted = true};
    if (enqueue(loop, queued))
        return true;
    finish_message(queued, false);
    return false;
}

bool koa_loop_post_embedded(struct koa_loop *loop, struct koa_message *message)
{
    if (enqueue(loop, message))
        return true;
    finish_message(message, false);
    return false;
}

void koa_loop_unpost(struct koa_loop *loop, struct koa_message *message)
{
    KOA_ASSERT(koa_loop_is_here(loop));
    (void) pthread_mutex_lock(&loop->mutex);
    if (message->node.next != NULL) {
        koa_list_remove(&message->node);
        loop->queued--;
    }
    (void) pthread_mutex_unlock(&loop->mutex);
}

/* ---- calls of other threads */

enum call_state { CALL_WAITING, CALL_DONE, CALL_DROPPED };

struct call {
    struct koa_message message;
    koa_message_fn *run;
    void *argument;
    pthread_mutex_t mutex;
    pthread_cond_t ended;
    enum call_state state;
};

static void end_call(struct call *call, enum call_state state)
{
    (void) pthread_mutex_lock(&call->mutex);
    call->state = state;
    (void) pthread_cond_signal(&call->ended);
    (void) pthread_mutex_unlock(&call->mutex);
}

static void run_call(void *message)
{
    struct call *call = message;

    call->run(call->argument);
    end_call(call, CALL_DONE);
}

static void drop_call(void *message)
{
    end_call(message, CALL_DROPPED);
}

bool koa_loop_call(struct koa_loop *loop, koa_message_fn *run, void *message)
{
    struct call call = {.run = run, .argument = message};

    if (atomic_load(&loop->state) == LOOP_NEW) {
        run(message);
        return true;
    }
    KOA_ASSERT(current_loop != loop);
    call.message = (struct koa_message){.run = run_call, .drop = drop_call, .message = &call};
    (void) pthread_mutex_init(&call.mutex, NULL);
    koa_condition_init(&call.ended);
    (void) koa_loop_post_embedded(loop, &call.message);
    (void) pthread_mutex_lock(&call.mutex);
    while (call.state == CALL_WAITING)
        (void) pthread_cond_wait(&call.ended, &call.mutex);
    (void) pthread_mutex_unlock(&call.mutex);
    (void) pthread_cond_destroy(&call.ended);
    (void) pthread_mutex_destroy(&call.mutex);
    return call.state == CALL_DONE;
}

/* ---- life */

static enum koa_err fail_uv(int uv_error, const char *name, struct koa_error *reterr)
{
    return koa_fail_errno(reterr, KOA_ERR_IO, -uv_error, "cannot set up the event loop '%s'", name);
}

static enum koa_err open_uv(struct koa_loop *loop, struct koa_error *reterr)
{
    int error = uv_loop_init(&loop->uv);

    if (error != 0)
        return fail_uv(error, loop->name, reterr);
    loop->has_uv = true;
    loop->timer.data = loop->heartbeat_timer.data = loop->prepare.data = loop->wake.data = loop;
    error = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (error != 0)
        return fail_uv(error, loop->name, reterr);
    loop->has_wake = true;
    /* None of these can fail: they only put the handles into lists. */
    (void) uv_timer_init(&loop->uv, &loop->timer);
    (void) uv_timer_init(&loop->uv, &loop->heartbeat_timer);
    (void) uv_prepare_init(&loop->uv, &loop->prepare);
    (void) uv_prepare_start(&loop->prepare, on_prepare);
    (void) uv_timer_start(&loop->heartbeat_timer, on_heartbeat, HEARTBEAT_MS, HEARTBEAT_MS);
    return KOA_OK;
}

static const char *stats_name(const char *loop_name)
{
    if (koa_text_equal(loop_name, "engine"))
        return "engine_mailbox";
    return koa_text_equal(loop_name, "kafka") ? "kafka_mailbox" : "mailbox";
}

enum koa_err koa_loop_create(const struct koa_loop_opts *opts, struct koa_loop **ret_loop,
                             struct koa_error *reterr)
{
    struct koa_loop *loop = koa_calloc(1, sizeof(*loop));
    enum koa_err err = koa_require_memory(loop, reterr);

    if (err != KOA_OK)
        return err;
    (void) koa_str_copy(loop->name, sizeof(loop->name), koa_str_from(opts->name));
    loop->log = opts->log;
    loop->timers.changed = earliest_changed;
    loop->timers.context = loop;
    loop->earliest_changed = true;
    koa_list_init(&loop->hooks);
    koa_list_init(&loop->mailbox);
    (void) pthread_mutex_init(&loop->mutex, NULL);
    loop->stats.name = stats_name(opts->name);
    loop->stats.limit =
        (int64_t) (opts->mailbox_limit != 0 ? opts->mailbox_limit : DEFAULT_MAILBOX_LIMIT);
    koa_loop_enter(loop);
    err = open_uv(loop, reterr);
    if (err == KOA_OK)
        *ret_loop = KOA_MOVE(loop);
    koa_loop_destroy(loop);
    return err;
}

static void *run_thread(void *context)
{
    struct koa_loop *loop = context;

    current_loop = loop;
    koa_thread_set_name(loop->name);
    koa_loop_enter(loop);
    (void) uv_run(&loop->uv, UV_RUN_DEFAULT);
    current_loop = NULL;
    return NULL;
}

enum koa_err koa_loop_start(struct koa_loop *loop, struct koa_error *reterr)
{
    int error;

    if (atomic_load(&loop->state) != LOOP_NEW) {
        return koa_fail(reterr, KOA_ERR_STATE, "the event loop '%s' was started before",
                        loop->name);
    }
    atomic_store(&loop->state, LOOP_RUNNING);
    error = koa_thread_start(&loop->thread, run_thread, loop);
    if (error == 0)
        return KOA_OK;
    atomic_store(&loop->state, LOOP_NEW);
    return koa_fail_errno(reterr, KOA_ERR_IO, error, "cannot start the thread '%s'", loop->name);
}

void koa_loop_stop(struct koa_loop *loop)
{
    struct koa_message *message;

    KOA_ASSERT(current_loop != loop);
    (void) pthread_mutex_lock(&loop->mutex);
    loop->is_stopping = true;
    (void) uv_async_send(&loop->wake);
    (void) pthread_mutex_unlock(&loop->mutex);
    if (atomic_load(&loop->state) == LOOP_RUNNING)
        (void) pthread_join(loop->thread, NULL);
    atomic_store(&loop->state, LOOP_ENDED);
    for (message = pop_message(loop); message != NULL; message = pop_message(loop))
        finish_message(message, false);
}

static void close_uv(struct koa_loop *loop)
{
    if (loop->has_wake) {
        uv_close((uv_handle_t *) &loop->wake, NULL);
        uv_close((uv_handle_t *) &loop->timer, NULL);
        uv_close((uv_handle_t *) &loop->heartbeat_timer, NULL);
        uv_close((uv_handle_t *) &loop->prepare, NULL);
    }
    /* Closing takes a turn of the loop; so do watches that were destroyed after it stopped. */
    while (uv_run(&loop->uv, UV_RUN_NOWAIT) != 0)
        continue;
    KOA_ASSERT(uv_loop_close(&loop->uv) == 0);
}

void koa_loop_destroy(struct koa_loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->has_wake && atomic_load(&loop->state) != LOOP_ENDED)
        koa_loop_stop(loop);
    KOA_LIST_FOREACH (node, &loop->hooks) {
        struct koa_loop_hook *hook = KOA_CONTAINER_OF(node, struct koa_loop_hook, node);

        hook->closing(hook);
    }
    KOA_ASSERT(loop->watches == 0);
    if (loop->has_uv)
        close_uv(loop);
    koa_timers_deinit(&loop->timers);
    (void) pthread_mutex_destroy(&loop->mutex);
    koa_free(loop);
}

/* ---- what others ask */

bool koa_loop_is_here(const struct koa_loop *loop)
{
    return atomic_load(&loop->state) != LOOP_RUNNING || current_loop == loop;
}

struct koa_mono koa_loop_now(const struct koa_loop *loop)
{
    if (atomic_load(&loop->state) != LOOP_RUNNING)
        return koa_clock_mono();
    return koa_loop_heartbeat(loop);
}

struct koa_timers *koa_loop_timers(struct koa_loop *loop)
{
    return &loop->timers;
}

bool koa_loop_after(struct koa_loop *loop, struct koa_timer *timer, int64_t delay_ms,
                    koa_timer_fn *fire)
{
    return koa_timers_arm(&loop->timers, timer, koa_mono_add_ms(koa_loop_now(loop), delay_ms),
                          fire);
}

struct koa_mono koa_loop_heartbeat(const struct koa_loop *loop)
{
    return (struct koa_mono){.ms = atomic_load_explicit(&loop->now_ms, memory_order_relaxed)};
}

struct koa_limit_stats *koa_loop_mailbox_stats(struct koa_loop *loop)
{
    return &loop->stats;
}

void koa_loop_add_hook(struct koa_loop *loop, struct koa_loop_hook *hook)
{
    koa_list_push_back(&loop->hooks, &hook->node);
}

uv_loop_t *koa_loop_uv(struct koa_loop *loop)
{
    return &loop->uv;
}

void koa_loop_count_watch(struct koa_loop *loop, int change)
{
    loop->watches += change;
}

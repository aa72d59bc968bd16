/* The loop and the gates of tests. */
#include "kit/kit.h"

#include "kit/loop_kit.h"

#include <errno.h>
#include <time.h>

enum { PATIENCE_S = 20, ASK_MS = 2 };

void kit_gate_pass(struct kit_gate *gate)
{
    (void) pthread_mutex_lock(&gate->mutex);
    gate->count++;
    (void) pthread_cond_broadcast(&gate->changed);
    (void) pthread_mutex_unlock(&gate->mutex);
}

void kit_gate_wait(struct kit_gate *gate, int count)
{
    struct timespec until;
    int error = 0;
    int seen;

    (void) clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    (void) pthread_mutex_lock(&gate->mutex);
    while (gate->count < count && error != ETIMEDOUT)
        error = pthread_cond_timedwait(&gate->changed, &gate->mutex, &until);
    seen = gate->count;
    (void) pthread_mutex_unlock(&gate->mutex);
    if (seen < count)
        fail_msg("waited %d s for event %d, only %d came", PATIENCE_S, count, seen);
}

int kit_gate_count(struct kit_gate *gate)
{
    int count;

    (void) pthread_mutex_lock(&gate->mutex);
    count = gate->count;
    (void) pthread_mutex_unlock(&gate->mutex);
    return count;
}

static void create_resolver(void *message)
{
    struct kit_loop *kit = message;

    kit->resolver = koa_resolver_create(kit->workers, kit->loop);
}

void kit_loop_start(struct kit_loop *kit, size_t threads)
{
    struct koa_error error = {0};
    struct koa_loop_opts opts = {.name = "test"};
    struct koa_workers_opts workers_opts = {.threads = threads};

    *kit = (struct kit_loop){0};
    if (koa_loop_create(&opts, &kit->loop, &error) != KOA_OK ||
        koa_workers_create(&workers_opts, &kit->workers, &error) != KOA_OK ||
        koa_loop_start(kit->loop, &error) != KOA_OK)
        fail_msg("cannot start a loop: %s", error.text);
    kit_loop_call(kit, create_resolver, kit);
    assert_non_null(kit->resolver);
}

void kit_loop_call(struct kit_loop *kit, koa_message_fn *run, void *message)
{
    assert_true(koa_loop_call(kit->loop, run, message));
}

void kit_loop_end(struct kit_loop *kit)
{
    koa_loop_stop(kit->loop);
    koa_resolver_destroy(kit->resolver);
    koa_workers_destroy(kit->workers, (int64_t) PATIENCE_S * 1000);
    koa_loop_destroy(kit->loop);
}

struct question {
    struct kit_loop *kit;
    struct koa_timer timer;
    bool (*condition)(void *context);
    void *context;
    struct kit_gate answered;
};

static void ask(struct koa_timer *timer, struct koa_mono now)
{
    struct question *question = KOA_CONTAINER_OF(timer, struct question, timer);

    (void) now;
    if (question->condition(question->context)) {
        kit_gate_pass(&question->answered);
    } else {
        assert_true(koa_loop_after(question->kit->loop, timer, ASK_MS, ask));
    }
}

static void start_asking(void *message)
{
    struct question *question = message;

    ask(&question->timer, koa_loop_now(question->kit->loop));
}

void kit_loop_run_until(struct kit_loop *kit, bool (*condition)(void *context), void *context)
{
    struct question question = {
        .kit = kit, .condition = condition, .context = context, .answered = KIT_GATE_INIT};

    kit_loop_call(kit, start_asking, &question);
    kit_gate_wait(&question.answered, 1);
}

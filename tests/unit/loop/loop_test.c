#include "kit/kit.h"

#include <sched.h>
#include <unistd.h>

#include "kit/loop_kit.h"
#include "loop/clock.h"
#include "loop/thread.h"
#include "loop/watch.h"

/* ---- timers */

struct order {
    struct koa_loop *loop;
    struct koa_timer timers[3];
    int fired[3];
    int count;
    bool was_here;
    struct kit_gate gate;
};

static void note(struct order *order, struct koa_timer *timer)
{
    order->was_here = koa_loop_is_here(order->loop);
    order->fired[order->count++] = (int) (timer - order->timers);
    kit_gate_pass(&order->gate);
}

static struct order *current_order;

static void fire(struct koa_timer *timer, struct koa_mono now)
{
    (void) now;
    note(current_order, timer);
}

static void arm_three(void *message)
{
    struct order *order = message;

    assert_true(koa_loop_after(order->loop, &order->timers[0], 30, fire));
    assert_true(koa_loop_after(order->loop, &order->timers[1], 0, fire));
    assert_true(koa_loop_after(order->loop, &order->timers[2], 10, fire));
}

static void timers_fire_in_order_on_the_loop(void **state)
{
    struct kit_loop kit;
    struct order order = {.gate = KIT_GATE_INIT};
    int64_t began;

    (void) state;
    kit_loop_start(&kit, 0);
    order.loop = kit.loop;
    current_order = &order;
    assert_false(koa_loop_is_here(kit.loop));
    began = koa_clock_mono().ms;
    kit_loop_call(&kit, arm_three, &order);
    kit_gate_wait(&order.gate, 3);
    KIT_EXPECT_INT("first", 1, order.fired[0]);
    KIT_EXPECT_INT("second", 2, order.fired[1]);
    KIT_EXPECT_INT("third", 0, order.fired[2]);
    KIT_EXPECT("on the loop", order.was_here);
    KIT_EXPECT("not early", koa_clock_mono().ms - began >= 30);
    kit_loop_end(&kit);
}

static void a_timer_armed_before_the_start_fires(void **state)
{
    struct order order = {.gate = KIT_GATE_INIT};
    struct koa_loop_opts opts = {.name = "test"};

    (void) state;
    assert_int_equal(KOA_OK, koa_loop_create(&opts, &order.loop, NULL));
    current_order = &order;
    assert_true(koa_loop_after(order.loop, &order.timers[0], 0, fire));
    assert_int_equal(KOA_OK, koa_loop_start(order.loop, NULL));
    kit_gate_wait(&order.gate, 1);
    koa_loop_destroy(order.loop);
}

/* ---- mailbox */

struct letter {
    struct kit_gate ran;
    struct kit_gate dropped;
    struct kit_gate hold;
    struct koa_loop *loop;
    int accepted;
};

static void run_letter(void *message)
{
    kit_gate_pass(&((struct letter *) message)->ran);
}

static void drop_letter(void *message)
{
    kit_gate_pass(&((struct letter *) message)->dropped);
}

static void hold_loop(void *message)
{
    struct letter *letter = message;

    kit_gate_pass(&letter->ran);
    kit_gate_wait(&letter->hold, 1);
}

static void a_full_mailbox_drops_on_the_callers_thread(void **state)
{
    struct koa_loop_opts opts = {.name = "test", .mailbox_limit = 2};
    struct koa_loop *loop = NULL;
    struct letter held = {KIT_GATE_INIT, KIT_GATE_INIT, KIT_GATE_INIT};
    struct letter letter = {KIT_GATE_INIT, KIT_GATE_INIT, KIT_GATE_INIT};

    (void) state;
    assert_int_equal(KOA_OK, koa_loop_create(&opts, &loop, NULL));
    assert_int_equal(KOA_OK, koa_loop_start(loop, NULL));
    assert_true(koa_loop_post(loop, hold_loop, NULL, &held));
    kit_gate_wait(&held.ran, 1);
    assert_true(koa_loop_post(loop, run_letter, drop_letter, &letter));
    assert_true(koa_loop_post(loop, run_letter, drop_letter, &letter));
    assert_false(koa_loop_post(loop, run_letter, drop_letter, &letter));
    KIT_EXPECT_INT("dropped at once", 1, kit_gate_count(&letter.dropped));
    KIT_EXPECT_INT("counted", 1, koa_loop_mailbox_stats(loop)->dropped);
    KIT_EXPECT_INT("used", 2, koa_loop_mailbox_stats(loop)->used);
    kit_gate_pass(&held.hold);
    kit_gate_wait(&letter.ran, 2);
    koa_loop_destroy(loop);
}

static void stopping_drops_what_waits(void **state)
{
    struct koa_loop_opts opts = {.name = "test"};
    struct koa_loop *loop = NULL;
    struct letter letter = {KIT_GATE_INIT, KIT_GATE_INIT, KIT_GATE_INIT};

    (void) state;
    assert_int_equal(KOA_OK, koa_loop_create(&opts, &loop, NULL));
    assert_true(koa_loop_post(loop, run_letter, drop_letter, &letter));
    koa_loop_stop(loop);
    KIT_EXPECT_INT("dropped", 1, kit_gate_count(&letter.dropped));
    KIT_EXPECT("later ones are refused", !koa_loop_post(loop, run_letter, drop_letter, &letter));
    KIT_EXPECT_INT("and dropped", 2, kit_gate_count(&letter.dropped));
    KIT_EXPECT("a call is refused", !koa_loop_call(loop, run_letter, &letter));
    KIT_EXPECT_INT("never run", 0, kit_gate_count(&letter.ran));
    koa_loop_destroy(loop);
}

static void *post_until_refused(void *context)
{
    struct letter *letter = context;

    while (koa_loop_post(letter->loop, run_letter, drop_letter, letter))
        letter->accepted++;
    return NULL;
}

static void each_message_runs_or_is_dropped_when_a_loop_stops_under_load(void **state)
{
    struct koa_loop_opts opts = {.name = "test", .mailbox_limit = SIZE_MAX / 4};
    struct letter letter = {KIT_GATE_INIT, KIT_GATE_INIT, KIT_GATE_INIT};
    pthread_t poster;

    (void) state;
    assert_int_equal(KOA_OK, koa_loop_create(&opts, &letter.loop, NULL));
    assert_int_equal(KOA_OK, koa_loop_start(letter.loop, NULL));
    assert_int_equal(0, pthread_create(&poster, NULL, post_until_refused, &letter));
    kit_gate_wait(&letter.ran, 100);
    koa_loop_stop(letter.loop);
    assert_int_equal(0, pthread_join(poster, NULL));
    /* The refused one was dropped too. */
    KIT_EXPECT_INT("all accounted for", letter.accepted + 1,
                   kit_gate_count(&letter.ran) + kit_gate_count(&letter.dropped));
    koa_loop_destroy(letter.loop);
}

struct posters {
    struct koa_loop *loop;
    int sums[2];
    struct kit_gate gate;
};

struct number {
    struct posters *posters;
    int who;
    int value;
    bool in_order;
};

static void add_number(void *message)
{
    struct number *number = message;

    number->in_order = number->posters->sums[number->who] == number->value;
    number->posters->sums[number->who]++;
    kit_gate_pass(&number->posters->gate);
}

enum { NUMBERS = 500 };

static void *post_numbers(void *context)
{
    struct number *numbers = context;

    for (int i = 0; i < NUMBERS; i++)
        assert_true(koa_loop_post(numbers[i].posters->loop, add_number, NULL, &numbers[i]));
    return NULL;
}

static void messages_of_one_thread_keep_their_order(void **state)
{
    static struct number numbers[2][NUMBERS];
    struct posters posters = {.gate = KIT_GATE_INIT};
    struct kit_loop kit;
    pthread_t threads[2];

    (void) state;
    kit_loop_start(&kit, 0);
    posters.loop = kit.loop;
    for (int who = 0; who < 2; who++) {
        for (int i = 0; i < NUMBERS; i++)
            numbers[who][i] = (struct number){.posters = &posters, .who = who, .value = i};
        assert_int_equal(0, pthread_create(&threads[who], NULL, post_numbers, numbers[who]));
    }
    kit_gate_wait(&posters.gate, 2 * NUMBERS);
    for (int who = 0; who < 2; who++) {
        assert_int_equal(0, pthread_join(threads[who], NULL));
        for (int i = 0; i < NUMBERS; i++)
            KIT_EXPECT("in order", numbers[who][i].in_order);
    }
    kit_loop_end(&kit);
}

/* ---- heartbeat */

static void an_idle_loop_beats(void **state)
{
    struct koa_loop_opts opts = {.name = "test"};
    struct koa_loop *loop = NULL;
    struct koa_mono first;
    int64_t began = koa_clock_mono().ms;

    (void) state;
    assert_int_equal(KOA_OK, koa_loop_create(&opts, &loop, NULL));
    assert_int_equal(KOA_OK, koa_loop_start(loop, NULL));
    first = koa_loop_heartbeat(loop);
    while (koa_loop_heartbeat(loop).ms - first.ms < 400 && koa_clock_mono().ms - began < 20000)
        (void) sched_yield();
    KIT_EXPECT("it has moved", koa_loop_heartbeat(loop).ms - first.ms >= 400);
    koa_loop_destroy(loop);
}

/* ---- watches */

struct pipe_watch {
    struct koa_loop *loop;
    struct koa_watch *watch;
    int ends[2];
    unsigned events;
    struct kit_gate gate;
};

static void on_pipe(void *context, unsigned events)
{
    struct pipe_watch *pipe_watch = context;
    char byte;

    pipe_watch->events = events;
    if (read(pipe_watch->ends[0], &byte, 1) != 1) {
        koa_watch_destroy(pipe_watch->watch);
        pipe_watch->watch = NULL;
    }
    kit_gate_pass(&pipe_watch->gate);
}

static void watch_pipe(void *message)
{
    struct pipe_watch *pipe_watch = message;
    struct koa_watch_opts opts = {
        .descriptor = pipe_watch->ends[0], .ready = on_pipe, .context = pipe_watch};

    assert_int_equal(KOA_OK, koa_watch_create(pipe_watch->loop, &opts, &pipe_watch->watch, NULL));
    assert_int_equal(KOA_OK, koa_watch_set(pipe_watch->watch, KOA_WATCH_READ, NULL));
}

static void pause_watch(void *message)
{
    assert_int_equal(KOA_OK, koa_watch_set(((struct pipe_watch *) message)->watch, 0, NULL));
}

static void resume_watch(void *message)
{
    assert_int_equal(KOA_OK,
                     koa_watch_set(((struct pipe_watch *) message)->watch, KOA_WATCH_READ, NULL));
}

static void nothing(void *message)
{
    (void) message;
}

static void a_watch_reports_pauses_and_may_destroy_itself(void **state)
{
    struct pipe_watch pipe_watch = {.gate = KIT_GATE_INIT};
    struct kit_loop kit;

    (void) state;
    kit_loop_start(&kit, 0);
    pipe_watch.loop = kit.loop;
    assert_int_equal(0, pipe(pipe_watch.ends));
    kit_loop_call(&kit, watch_pipe, &pipe_watch);
    assert_int_equal(1, write(pipe_watch.ends[1], "a", 1));
    kit_gate_wait(&pipe_watch.gate, 1);
    KIT_EXPECT_INT("readable", KOA_WATCH_READ, pipe_watch.events);
    kit_loop_call(&kit, pause_watch, &pipe_watch);
    assert_int_equal(1, write(pipe_watch.ends[1], "b", 1));
    kit_loop_call(&kit, nothing, NULL);
    kit_loop_call(&kit, nothing, NULL);
    KIT_EXPECT_INT("paused", 1, kit_gate_count(&pipe_watch.gate));
    kit_loop_call(&kit, resume_watch, &pipe_watch);
    kit_gate_wait(&pipe_watch.gate, 2);
    assert_int_equal(0, close(pipe_watch.ends[1]));
    kit_gate_wait(&pipe_watch.gate, 3);
    kit_loop_call(&kit, nothing, NULL);
    assert_null(pipe_watch.watch);
    (void) close(pipe_watch.ends[0]);
    kit_loop_end(&kit);
}

static void a_descriptor_that_is_none_is_refused_with_its_number(void **state)
{
    struct koa_loop_opts loop_opts = {.name = "test"};
    struct koa_watch_opts opts = {.descriptor = 9999, .ready = on_pipe};
    struct koa_loop *loop = NULL;
    struct koa_watch *watch = NULL;
    struct koa_error error;

    (void) state;
    assert_int_equal(KOA_OK, koa_loop_create(&loop_opts, &loop, NULL));
    KIT_EXPECT_INT("refused", KOA_ERR_IO, koa_watch_create(loop, &opts, &watch, &error));
    KIT_EXPECT_CONTAINS("text", "9999", error.text);
    koa_loop_destroy(loop);
}

static void a_broken_pipe_inside_the_guard_harms_nobody(void **state)
{
    struct koa_sigpipe_guard guard;
    sigset_t pending;
    int ends[2];

    (void) state;
    assert_int_equal(0, pipe(ends));
    (void) close(ends[0]);
    koa_sigpipe_guard_begin(&guard);
    KIT_EXPECT_INT("broken", -1, write(ends[1], "x", 1));
    koa_sigpipe_guard_end(&guard);
    assert_int_equal(0, sigpending(&pending));
    KIT_EXPECT_INT("nothing is left pending", 0, sigismember(&pending, SIGPIPE));
    (void) close(ends[1]);
}

static void creation_survives_lack_of_memory(void **state)
{
    struct koa_loop_opts opts = {.name = "test"};
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_loop *loop = NULL;

        ok = koa_loop_create(&opts, &loop, NULL) == KOA_OK;
        koa_loop_destroy(loop);
    }
    KIT_EXPECT("created at last", ok);
    koa_memory_fail_after(-1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_fire_in_order_on_the_loop),
        cmocka_unit_test(a_timer_armed_before_the_start_fires),
        cmocka_unit_test(a_full_mailbox_drops_on_the_callers_thread),
        cmocka_unit_test(stopping_drops_what_waits),
        cmocka_unit_test(each_message_runs_or_is_dropped_when_a_loop_stops_under_load),
        cmocka_unit_test(messages_of_one_thread_keep_their_order),
        cmocka_unit_test(an_idle_loop_beats),
        cmocka_unit_test(a_watch_reports_pauses_and_may_destroy_itself),
        cmocka_unit_test(a_descriptor_that_is_none_is_refused_with_its_number),
        cmocka_unit_test(a_broken_pipe_inside_the_guard_harms_nobody),
        cmocka_unit_test(creation_survives_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

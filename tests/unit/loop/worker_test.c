#include "kit/kit.h"

#include <stdio.h>
#include <unistd.h>

#include "kit/loop_kit.h"

/* A job that reads one byte from a pipe, so that the test decides when its call returns. */
struct test_job {
    struct koa_job job;
    struct test_case *owner;
    int pipe_end; /* -1: returns at once */
};

/* Long enough for a thread to begin on a machine under load: a job that has not begun by then is
 * given up, and hangs nothing. */
enum { HANG_MS = 500 };

/* What the test sees: outlives the job's memory. */
struct test_case {
    struct kit_loop *kit;
    const char *key;
    int64_t deadline_ms;
    int ends[2];
    enum koa_err err;
    struct koa_error error;
    struct kit_gate begun;
    struct kit_gate done;
    struct kit_gate released;
    bool blocks;
    bool was_abandoned;
    bool released_on_loop;
    bool work_was_on_loop;
};

#define TEST_CASE(kit_, key_, deadline_, blocks_)                                                  \
    {                                                                                              \
        .kit = (kit_), .key = (key_), .deadline_ms = (deadline_), .blocks = (blocks_),             \
        .begun = KIT_GATE_INIT, .done = KIT_GATE_INIT, .released = KIT_GATE_INIT                   \
    }

static struct test_job *job_of(struct koa_job *job)
{
    return KOA_CONTAINER_OF(job, struct test_job, job);
}

static void work(struct koa_job *job)
{
    struct test_job *test_job = job_of(job);
    char byte;

    test_job->owner->work_was_on_loop = koa_loop_is_here(test_job->owner->kit->loop);
    kit_gate_pass(&test_job->owner->begun);
    if (test_job->pipe_end >= 0)
        (void) !read(test_job->pipe_end, &byte, 1);
}

static void done(struct koa_job *job, bool abandoned)
{
    struct test_case *owner = job_of(job)->owner;

    owner->was_abandoned = abandoned;
    kit_gate_pass(&owner->done);
}

static void release(struct koa_job *job)
{
    struct test_case *owner = job_of(job)->owner;

    owner->released_on_loop = koa_loop_is_here(owner->kit->loop);
    koa_free(job_of(job));
    kit_gate_pass(&owner->released);
}

static void start(void *message)
{
    struct test_case *test = message;
    struct test_job *test_job = koa_calloc(1, sizeof(*test_job));

    assert_non_null(test_job);
    test_job->job = (struct koa_job){
        .work = work, .done = done, .release = release, .deadline_ms = test->deadline_ms};
    test_job->owner = test;
    test_job->pipe_end = test->blocks ? test->ends[0] : -1;
    test->err = koa_workers_run(test->kit->workers, test->kit->loop, test->key, &test_job->job,
                                &test->error);
    if (test->err != KOA_OK)
        koa_free(test_job);
}

static void run(struct test_case *test)
{
    if (test->blocks && test->ends[1] == 0)
        assert_int_equal(0, pipe(test->ends));
    kit_loop_call(test->kit, start, test);
}

static void let_return(struct test_case *test)
{
    assert_int_equal(1, write(test->ends[1], "x", 1));
}

static void close_ends(struct test_case *test)
{
    (void) close(test->ends[0]);
    (void) close(test->ends[1]);
}

static void a_job_works_elsewhere_and_is_done_and_released_on_the_loop(void **state)
{
    struct kit_loop kit;
    struct test_case test = TEST_CASE(&kit, "a", 20000, false);

    (void) state;
    kit_loop_start(&kit, 0);
    run(&test);
    kit_gate_wait(&test.released, 1);
    KIT_EXPECT("not on the loop", !test.work_was_on_loop);
    KIT_EXPECT("not abandoned", !test.was_abandoned);
    KIT_EXPECT("released on the loop", test.released_on_loop);
    KIT_EXPECT_INT("done once", 1, kit_gate_count(&test.done));
    kit_loop_end(&kit);
}

static void a_job_that_hangs_is_abandoned_and_disturbs_no_other_key(void **state)
{
    struct kit_loop kit;
    struct test_case hung = TEST_CASE(&kit, "mount:/dead", HANG_MS, true);
    struct test_case again = TEST_CASE(&kit, "mount:/dead", 20000, false);
    struct test_case other = TEST_CASE(&kit, "mount:/good", 20000, false);

    (void) state;
    kit_loop_start(&kit, 0);
    run(&hung);
    kit_gate_wait(&hung.done, 1);
    KIT_EXPECT("abandoned", hung.was_abandoned);
    KIT_EXPECT_INT("counted", 1, koa_workers_abandoned(kit.workers));
    KIT_EXPECT_INT("its memory stays", 0, kit_gate_count(&hung.released));
    run(&again);
    KIT_EXPECT_INT("its key is blocked", KOA_ERR_LIMIT, again.err);
    KIT_EXPECT_CONTAINS("and the text says so", "'mount:/dead' still hangs", again.error.text);
    run(&other);
    kit_gate_wait(&other.done, 1);
    KIT_EXPECT("another key works", !other.was_abandoned);

    let_return(&hung);
    kit_gate_wait(&hung.released, 1);
    KIT_EXPECT("freed by its own thread", !hung.released_on_loop);
    KIT_EXPECT_INT("done once", 1, kit_gate_count(&hung.done));
    KIT_EXPECT_INT("not counted any more", 0, koa_workers_abandoned(kit.workers));
    run(&again);
    kit_gate_wait(&again.done, 1);
    KIT_EXPECT("the key works again", !again.was_abandoned);
    kit_gate_wait(&again.released, 1);
    kit_gate_wait(&other.released, 1);
    close_ends(&hung);
    kit_loop_end(&kit);
}

static void jobs_of_one_key_run_one_after_the_other(void **state)
{
    struct kit_loop kit;
    struct test_case first = TEST_CASE(&kit, "a", 20000, true);
    struct test_case second = TEST_CASE(&kit, "a", 20000, false);
    struct test_case other = TEST_CASE(&kit, "b", 20000, false);

    (void) state;
    kit_loop_start(&kit, 0);
    run(&first);
    kit_gate_wait(&first.begun, 1);
    run(&second);
    run(&other);
    kit_gate_wait(&other.released, 1);
    KIT_EXPECT_INT("the second waits", 0, kit_gate_count(&second.begun));
    let_return(&first);
    kit_gate_wait(&second.released, 1);
    kit_gate_wait(&first.released, 1);
    close_ends(&first);
    kit_loop_end(&kit);
}

static void a_job_whose_turn_never_comes_is_given_up_at_its_deadline(void **state)
{
    struct kit_loop kit;
    struct test_case first = TEST_CASE(&kit, "a", 20000, true);
    struct test_case second = TEST_CASE(&kit, "a", 10, false);

    (void) state;
    kit_loop_start(&kit, 0);
    run(&first);
    kit_gate_wait(&first.begun, 1);
    run(&second);
    kit_gate_wait(&second.released, 1);
    KIT_EXPECT("given up", second.was_abandoned);
    KIT_EXPECT("released on the loop", second.released_on_loop);
    KIT_EXPECT_INT("it never began", 0, kit_gate_count(&second.begun));
    let_return(&first);
    kit_gate_wait(&first.released, 1);
    KIT_EXPECT("the first is fine", !first.was_abandoned);
    close_ends(&first);
    kit_loop_end(&kit);
}

static void a_full_queue_and_hung_threads_are_refused_with_words(void **state)
{
    struct kit_loop kit;
    struct test_case first = TEST_CASE(&kit, "a", 20000, true);
    struct test_case waiting[17];
    struct test_case hung = TEST_CASE(&kit, "b", HANG_MS, true);
    struct test_case refused = TEST_CASE(&kit, "c", 20000, false);

    (void) state;
    kit_loop_start(&kit, 2);
    run(&first);
    kit_gate_wait(&first.begun, 1);
    for (size_t i = 0; i < KOA_ARRAY_COUNT(waiting); i++) {
        waiting[i] = (struct test_case) TEST_CASE(&kit, "a", 20000, false);
        run(&waiting[i]);
    }
    KIT_EXPECT_INT("the 16th is taken", KOA_OK, waiting[15].err);
    KIT_EXPECT_INT("the 17th is not", KOA_ERR_LIMIT, waiting[16].err);
    KIT_EXPECT_CONTAINS("text", "16 jobs wait for 'a'", waiting[16].error.text);
    let_return(&first);
    kit_gate_wait(&waiting[15].released, 1);

    first.deadline_ms = HANG_MS;
    run(&first);
    run(&hung);
    kit_gate_wait(&first.done, 2);
    kit_gate_wait(&hung.done, 1);
    run(&refused);
    KIT_EXPECT_INT("all threads hang", KOA_ERR_LIMIT, refused.err);
    KIT_EXPECT_CONTAINS("text", "all 2 worker threads hang", refused.error.text);
    KIT_EXPECT_INT("counted", 2, koa_workers_stats(kit.workers)->dropped);
    let_return(&first);
    let_return(&hung);
    kit_gate_wait(&first.released, 2);
    kit_gate_wait(&hung.released, 1);
    close_ends(&first);
    close_ends(&hung);
    kit_loop_end(&kit);
}

static void workers_end_although_a_job_hangs(void **state)
{
    struct kit_loop kit;
    struct test_case hung = TEST_CASE(&kit, "a", 20000, true);
    struct test_case behind = TEST_CASE(&kit, "a", 20000, false);

    (void) state;
    kit_loop_start(&kit, 0);
    run(&hung);
    kit_gate_wait(&hung.begun, 1);
    run(&behind);
    koa_loop_stop(kit.loop);
    koa_resolver_destroy(kit.resolver);
    koa_workers_destroy(kit.workers, 10);
    KIT_EXPECT_INT("done has run", 1, kit_gate_count(&hung.done));
    KIT_EXPECT("as abandoned", hung.was_abandoned);
    KIT_EXPECT_INT("also of the one behind", 1, kit_gate_count(&behind.released));
    KIT_EXPECT_INT("memory stays while it hangs", 0, kit_gate_count(&hung.released));
    let_return(&hung);
    kit_gate_wait(&hung.released, 1);
    koa_loop_destroy(kit.loop);
    close_ends(&hung);
}

static void a_job_that_returned_after_the_loop_stopped_is_still_done_once(void **state)
{
    struct kit_loop kit;
    struct test_case late = TEST_CASE(&kit, "a", 20000, true);

    (void) state;
    kit_loop_start(&kit, 0);
    run(&late);
    kit_gate_wait(&late.begun, 1);
    koa_loop_stop(kit.loop);
    let_return(&late);
    koa_resolver_destroy(kit.resolver);
    koa_workers_destroy(kit.workers, 20000);
    KIT_EXPECT_INT("done", 1, kit_gate_count(&late.done));
    KIT_EXPECT("not abandoned", !late.was_abandoned);
    KIT_EXPECT_INT("released", 1, kit_gate_count(&late.released));
    koa_loop_destroy(kit.loop);
    close_ends(&late);
}

/* Deadlines and returns meet at random: each job is done once and released once. */
static void deadlines_that_race_with_returns_end_each_job_once(void **state)
{
    enum { JOBS = 60 };
    static struct test_case races[JOBS];
    static char keys[JOBS][8];
    struct kit_loop kit;

    (void) state;
    kit_loop_start(&kit, 0);
    for (int i = 0; i < JOBS; i++) {
        (void) snprintf(keys[i], sizeof(keys[i]), "k%d", i % 20);
        races[i] = (struct test_case) TEST_CASE(&kit, keys[i], i % 3, false);
        run(&races[i]);
    }
    for (int i = 0; i < JOBS; i++) {
        if (races[i].err != KOA_OK)
            continue;
        kit_gate_wait(&races[i].released, 1);
        KIT_EXPECT_INT("done once", 1, kit_gate_count(&races[i].done));
        KIT_EXPECT_INT("released once", 1, kit_gate_count(&races[i].released));
    }
    kit_loop_end(&kit);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_works_elsewhere_and_is_done_and_released_on_the_loop),
        cmocka_unit_test(a_job_that_hangs_is_abandoned_and_disturbs_no_other_key),
        cmocka_unit_test(jobs_of_one_key_run_one_after_the_other),
        cmocka_unit_test(a_job_whose_turn_never_comes_is_given_up_at_its_deadline),
        cmocka_unit_test(a_full_queue_and_hung_threads_are_refused_with_words),
        cmocka_unit_test(workers_end_although_a_job_hangs),
        cmocka_unit_test(a_job_that_returned_after_the_loop_stopped_is_still_done_once),
        cmocka_unit_test(deadlines_that_race_with_returns_end_each_job_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

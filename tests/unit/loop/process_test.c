#include "kit/kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kit/loop_kit.h"
#include "loop/clock.h"
#include "loop/process.h"

struct run {
    struct kit_loop *kit;
    const char *const *command;
    int64_t deadline_ms;
    size_t output_limit;
    struct koa_process *process;
    enum koa_err err;
    bool without_pidfd;

    struct kit_gate ended;
    struct koa_process_result result;
    char output[256];
    char errors[256];
    char failure[KOA_ERROR_TEXT_SIZE];
};

static void on_done(void *context, const struct koa_process_result *result)
{
    struct run *run = context;

    run->result = *result;
    (void) snprintf(run->output, sizeof(run->output), "%s", result->output);
    (void) snprintf(run->errors, sizeof(run->errors), "%s", result->errors);
    if (result->error != NULL)
        (void) snprintf(run->failure, sizeof(run->failure), "%s", result->error->text);
    kit_gate_pass(&run->ended);
}

static void start(void *message)
{
    struct run *run = message;
    struct koa_process_opts opts = {
        .workers = run->kit->workers,
        .command = run->command,
        .deadline_ms = run->deadline_ms,
        .output_limit = run->output_limit,
        .without_pidfd = run->without_pidfd,
        .done = on_done,
        .context = run,
    };

    run->err = koa_process_start(run->kit->loop, &opts, &run->process, NULL);
}

static void cancel(void *message)
{
    koa_process_cancel(((struct run *) message)->process);
}

/* A zombie or a running child would be found here. */
static void expect_no_child(const char *name)
{
    KIT_EXPECT_INT(name, -1, waitpid(-1, NULL, WNOHANG));
    KIT_EXPECT_INT(name, ECHILD, errno);
}

#define SHELL(script) ((const char *const[]){"sh", "-c", (script), NULL})

static void run_to_the_end(struct run *run)
{
    struct kit_loop kit;

    kit_loop_start(&kit, 0);
    run->kit = &kit;
    kit_loop_call(&kit, start, run);
    if (run->err == KOA_OK)
        kit_gate_wait(&run->ended, 1);
    kit_loop_end(&kit);
    run->kit = NULL;
}

static void a_command_ends_with_its_code_and_output(void **state)
{
    static const struct {
        const char *name;
        const char *script;
        bool without_pidfd;
        bool exited;
        int code;
        int signal;
        const char *output;
        const char *errors;
    } cases[] = {
        {"success", "echo hello; echo oops >&2", false, true, 0, 0, "hello\n", "oops\n"},
        {"exit code", "exit 3", false, true, 3, 0, "", ""},
        {"a signal", "kill -TERM $$", false, false, 0, SIGTERM, "", ""},
        {"without a pidfd", "echo hello; exit 2", true, true, 2, 0, "hello\n", ""},
        {"a small environment", "echo $HOME$USER$KOA_SECRET,$LANG", false, true, 0, 0, ",C\n", ""},
        {"stdin is empty", "read x; echo $?", false, true, 0, 0, "1\n", ""},
    };

    (void) state;
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet or reads it */
    assert_int_equal(0, setenv("KOA_SECRET", "must not be seen", 1));
    KIT_EACH (c, cases) {
        struct run run = {.command = SHELL(c->script),
                          .deadline_ms = 20000,
                          .output_limit = 4096,
                          .without_pidfd = c->without_pidfd,
                          .ended = KIT_GATE_INIT};

        run_to_the_end(&run);
        KIT_EXPECT("not late", !run.result.timed_out);
        KIT_EXPECT_INT(c->name, c->exited, run.result.exited);
        KIT_EXPECT_INT(c->name, c->code, run.result.exit_code);
        KIT_EXPECT_INT(c->name, c->signal, run.result.signal);
        KIT_EXPECT_TEXT(c->name, c->output, run.output);
        KIT_EXPECT_TEXT(c->name, c->errors, run.errors);
        expect_no_child(c->name);
    }
}

static void descriptors_of_the_host_stay_with_the_host(void **state)
{
    struct run run = {.command = SHELL("ls /proc/self/fd | wc -l"),
                      .deadline_ms = 20000,
                      .output_limit = 4096,
                      .ended = KIT_GATE_INIT};
    int leaky = open("/dev/null", O_RDONLY); /* NOLINT: on purpose without O_CLOEXEC */

    (void) state;
    run_to_the_end(&run);
    /* stdin, stdout, stderr and the directory that ls reads. */
    KIT_EXPECT_TEXT("four", "4\n", run.output);
    (void) close(leaky);
}

static void a_command_that_is_missing_says_so(void **state)
{
    struct run run = {.command = (const char *const[]){"/no/such/plugin", NULL},
                      .deadline_ms = 20000,
                      .output_limit = 100,
                      .ended = KIT_GATE_INIT};

    (void) state;
    run_to_the_end(&run);
    KIT_EXPECT_TEXT("text", "cannot start '/no/such/plugin': No such file or directory",
                    run.failure);
    expect_no_child("none");
}

static void who_ignores_sigterm_ends_at_the_deadline_with_all_its_children(void **state)
{
    struct run run = {
        .command = SHELL("trap '' TERM; echo begun; sleep 600 & while :; do sleep 600; done"),
        .deadline_ms = 300,
        .output_limit = 4096,
        .ended = KIT_GATE_INIT};
    int64_t began = koa_clock_mono().ms;

    (void) state;
    run_to_the_end(&run);
    KIT_EXPECT("timed out", run.result.timed_out);
    KIT_EXPECT_TEXT("its output so far", "begun\n", run.output);
    KIT_EXPECT("soon", koa_clock_mono().ms - began < 5000);
    expect_no_child("reaped");
}

static void a_flood_is_cut_and_does_not_stop_the_loop(void **state)
{
    struct run run = {.command = SHELL("yes; true"),
                      .deadline_ms = 300,
                      .output_limit = 100,
                      .ended = KIT_GATE_INIT};

    (void) state;
    run_to_the_end(&run);
    KIT_EXPECT("timed out", run.result.timed_out);
    KIT_EXPECT("cut", run.result.output_is_cut);
    KIT_EXPECT_INT("size", 100, run.result.output_size);
    expect_no_child("reaped");
}

static void a_grandchild_that_holds_the_pipe_does_not_delay_the_answer(void **state)
{
    struct run run = {.command = SHELL("sleep 600 & echo done"),
                      .deadline_ms = 20000,
                      .output_limit = 4096,
                      .ended = KIT_GATE_INIT};
    int64_t began = koa_clock_mono().ms;

    (void) state;
    run_to_the_end(&run);
    KIT_EXPECT("exited", run.result.exited);
    KIT_EXPECT_TEXT("output", "done\n", run.output);
    KIT_EXPECT("at once", koa_clock_mono().ms - began < 10000);
    expect_no_child("reaped");
}

static void a_cancelled_process_is_killed_and_reaped_in_silence(void **state)
{
    struct run run = {.command = SHELL("sleep 600"),
                      .deadline_ms = 20000,
                      .output_limit = 4096,
                      .ended = KIT_GATE_INIT};
    struct kit_loop kit;

    (void) state;
    for (int before_it_runs = 0; before_it_runs < 2; before_it_runs++) {
        kit_loop_start(&kit, 0);
        run.kit = &kit;
        kit_loop_call(&kit, start, &run);
        assert_int_equal(KOA_OK, run.err);
        while (before_it_runs == 0 && koa_workers_stats(kit.workers)->used == 0)
            continue;
        kit_loop_call(&kit, cancel, &run);
        kit_loop_end(&kit);
        KIT_EXPECT_INT("silent", 0, kit_gate_count(&run.ended));
        expect_no_child("reaped");
    }
}

static int count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL) /* NOLINT(concurrency-mt-unsafe): a folder of its own */
        count++;
    (void) closedir(folder);
    return count;
}

/* Holds the name under which shells are started. */
struct blocker {
    struct koa_job job;
    struct kit_loop *kit;
    struct kit_gate may_return, ended;
};

static void block(struct koa_job *job)
{
    kit_gate_wait(&KOA_CONTAINER_OF(job, struct blocker, job)->may_return, 1);
}

static void on_unblocked(struct koa_job *job, bool abandoned)
{
    (void) abandoned;
    kit_gate_pass(&KOA_CONTAINER_OF(job, struct blocker, job)->ended);
}

static void start_blocker(void *message)
{
    struct blocker *blocker = message;

    assert_int_equal(KOA_OK, koa_workers_run(blocker->kit->workers, blocker->kit->loop, "exec:sh",
                                             &blocker->job, NULL));
}

static void who_waits_to_be_started_holds_no_descriptors(void **state)
{
    enum { WAITING = 50 };
    struct run runs[WAITING];
    struct kit_loop kit;
    struct blocker blocker = {
        .job = {.work = block, .done = on_unblocked, .deadline_ms = 20000},
        .kit = &kit,
        .may_return = KIT_GATE_INIT,
        .ended = KIT_GATE_INIT,
    };
    int before;

    (void) state;
    kit_loop_start(&kit, 0);
    kit_loop_call(&kit, start_blocker, &blocker);
    before = count_descriptors();
    for (size_t i = 0; i < WAITING; i++) {
        runs[i] = (struct run){.kit = &kit,
                               .command = SHELL("echo here"),
                               .deadline_ms = 20000,
                               .output_limit = 100,
                               .ended = KIT_GATE_INIT};
        kit_loop_call(&kit, start, &runs[i]);
        assert_int_equal(KOA_OK, runs[i].err);
    }
    KIT_EXPECT_INT("descriptors", before, count_descriptors());
    kit_gate_pass(&blocker.may_return);
    kit_gate_wait(&blocker.ended, 1);
    for (size_t i = 0; i < WAITING; i++) {
        kit_gate_wait(&runs[i].ended, 1);
        KIT_EXPECT_TEXT("output", "here\n", runs[i].output);
    }
    kit_loop_end(&kit);
    expect_no_child("reaped");
}

static void without_descriptors_a_start_says_so(void **state)
{
    struct run run = {.command = SHELL("true"),
                      .deadline_ms = 20000,
                      .output_limit = 100,
                      .ended = KIT_GATE_INIT};
    struct rlimit before;
    struct rlimit few;
    struct kit_loop kit;
    int next;

    (void) state;
    assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &before));
    kit_loop_start(&kit, 0);
    next = dup(0);
    assert_true(next >= 0);
    (void) close(next);
    /* Room for one pipe, not for both. */
    few = (struct rlimit){.rlim_cur = (rlim_t) next + 2, .rlim_max = before.rlim_max};
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &few));
    run.kit = &kit;
    kit_loop_call(&kit, start, &run);
    assert_int_equal(KOA_OK, run.err);
    kit_gate_wait(&run.ended, 1);
    assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &before));
    kit_loop_end(&kit);
    KIT_EXPECT_TEXT("text", "cannot make a pipe for 'sh': Too many open files", run.failure);
    next = dup(0);
    KIT_EXPECT("closed again", next < (int) few.rlim_cur);
    (void) close(next);
    expect_no_child("none");
}

static void a_command_without_words_is_refused(void **state)
{
    struct run run = {.command = (const char *const[]){NULL}, .deadline_ms = 1000};

    (void) state;
    run_to_the_end(&run);
    KIT_EXPECT_INT("refused", KOA_ERR_INVALID, run.err);
}

static void starting_survives_lack_of_memory(void **state)
{
    struct koa_loop_opts loop_opts = {.name = "test"};
    struct koa_workers_opts workers_opts = {0};
    bool ok = false;

    (void) state;
    for (int64_t successes = 0; !ok && successes < 1000; successes++) {
        struct kit_loop kit = {0};
        struct run run = {.command = SHELL("true"), .deadline_ms = 1000, .output_limit = 10};

        assert_int_equal(KOA_OK, koa_loop_create(&loop_opts, &kit.loop, NULL));
        assert_int_equal(KOA_OK, koa_workers_create(&workers_opts, &kit.workers, NULL));
        koa_memory_fail_after(successes);
        run.kit = &kit;
        start(&run);
        ok = run.err == KOA_OK;
        koa_memory_fail_after(-1);
        if (ok)
            koa_process_cancel(run.process);
        koa_workers_destroy(kit.workers, 20000);
        koa_loop_destroy(kit.loop);
    }
    KIT_EXPECT("started at last", ok);
    expect_no_child("reaped");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_ends_with_its_code_and_output),
        cmocka_unit_test(descriptors_of_the_host_stay_with_the_host),
        cmocka_unit_test(a_command_that_is_missing_says_so),
        cmocka_unit_test(who_ignores_sigterm_ends_at_the_deadline_with_all_its_children),
        cmocka_unit_test(a_flood_is_cut_and_does_not_stop_the_loop),
        cmocka_unit_test(a_grandchild_that_holds_the_pipe_does_not_delay_the_answer),
        cmocka_unit_test(a_cancelled_process_is_killed_and_reaped_in_silence),
        cmocka_unit_test(who_waits_to_be_started_holds_no_descriptors),
        cmocka_unit_test(without_descriptors_a_start_says_so),
        cmocka_unit_test(a_command_without_words_is_refused),
        cmocka_unit_test(starting_survives_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

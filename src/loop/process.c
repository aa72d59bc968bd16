/* A command, its output and its deadline. It is started on a worker, because exec() of a file on a
 * dead mount blocks, then followed on the loop. The owner gets its answer at the deadline at the
 * latest; reaping what was killed is child.c's business. */
#include "loop/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/memory.h"
#include "base/str.h"
#include "loop/child.h"
#include "loop/watch.h"

enum {
    ERRORS_LIMIT = 4096,
    ARGUMENT_LIMIT = 256,
    KEY_SIZE = 256,
    /* Of one program that may wait to be started: all checks of a configuration begin at once, and
     * a shell runs most of them. A start takes a fraction of a millisecond. */
    STARTS_LIMIT = 1000,
    READ_SIZE = 16384,
    READS_PER_TURN = 4, /* a flood leaves the loop its time */
    LAST_READS = 8,     /* what a pipe of 64 KiB still holds, twice */
};

struct pipe_end {
    struct koa_process *process;
    int descriptor; /* -1: ended */
    struct koa_watch *watch;
    struct koa_buf text;
    bool is_cut;
};

/* The job's own memory: the worker may return after everybody else has gone. */
struct spawn {
    struct koa_job job;
    struct koa_process *process; /* NULL: cancelled or timed out; loop's thread only */
    struct koa_child *child;
    bool without_pidfd;
    char **command;
    int pipes[4]; /* of stdout: read, write; of stderr: read, write */
    pid_t pid;    /* 0: not started, or taken over */
    int error;    /* errno; 0: started */
    const char *failed;
};

struct koa_process {
    struct koa_loop *loop;
    struct spawn *spawn;     /* while it starts */
    struct koa_child *child; /* while it runs */
    struct pipe_end output;
    struct pipe_end errors;
    struct koa_timer deadline;
    koa_process_done_fn *done;
    void *context;
};

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        (void) close(*descriptor);
    *descriptor = -1;
}

/* ---- output */

static void end_pipe(struct pipe_end *end)
{
    koa_watch_destroy(end->watch);
    end->watch = NULL;
    close_descriptor(&end->descriptor);
}

static void keep(struct pipe_end *end, const char *data, size_t size)
{
    size_t room = end->text.limit - end->text.size;

    end->is_cut = end->is_cut || size > room;
    koa_buf_append(&end->text, data, size < room ? size : room);
}

/* Reads at most `times`; closes at the end. */
static void read_pipe(struct pipe_end *end, int times)
{
    char data[READ_SIZE];

    for (int i = 0; i < times && end->descriptor >= 0; i++) {
        ssize_t size = read(end->descriptor, data, sizeof(data));

        if (size > 0) {
            keep(end, data, (size_t) size);
        } else if (size == 0 || (errno != EAGAIN && errno != EINTR)) {
            end_pipe(end);
        } else {
            return;
        }
    }
}

static void on_output(void *context, unsigned events)
{
    (void) events;
    read_pipe(context, READS_PER_TURN);
}

static enum koa_err open_pipe(struct pipe_end *end, int *descriptor, struct koa_error *reterr)
{
    struct koa_watch_opts opts = {.descriptor = *descriptor, .ready = on_output, .context = end};
    enum koa_err err;

    end->descriptor = *descriptor;
    *descriptor = -1;
    err = koa_watch_create(end->process->loop, &opts, &end->watch, reterr);
    return err == KOA_OK ? koa_watch_set(end->watch, KOA_WATCH_READ, reterr) : err;
}

/* ---- the end */

static void free_process(struct koa_process *process)
{
    if (process == NULL)
        return;
    koa_timers_disarm(koa_loop_timers(process->loop), &process->deadline);
    end_pipe(&process->output);
    end_pipe(&process->errors);
    koa_buf_deinit(&process->output.text);
    koa_buf_deinit(&process->errors.text);
    koa_free(process);
}

/* Leaves the child, started or about to be, to its death. */
static void let_go(struct koa_process *process)
{
    if (process->spawn != NULL)
        process->spawn->process = NULL;
    process->spawn = NULL;
    if (process->child != NULL) {
        koa_child_watch(process->child, NULL, NULL);
        koa_child_kill(process->child);
    }
    process->child = NULL;
}

static void finish(struct koa_process *process, struct koa_process_result *result)
{
    read_pipe(&process->output, LAST_READS);
    read_pipe(&process->errors, LAST_READS);
    result->output = koa_buf_text(&process->output.text);
    result->output_size = process->output.text.size;
    result->output_is_cut = process->output.is_cut;
    result->errors = koa_buf_text(&process->errors.text);
    process->done(process->context, result);
    free_process(process);
}

static void on_deadline(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_process *process = KOA_CONTAINER_OF(timer, struct koa_process, deadline);
    struct koa_process_result result = {.timed_out = true, .signal = SIGKILL};

    (void) now;
    let_go(process);
    finish(process, &result);
}

static void on_child_ended(void *context, int status)
{
    struct koa_process *process = context;
    struct koa_process_result result = {0};

    process->child = NULL;
    if (status != -1 && WIFEXITED(status)) {
        result.exited = true;
        result.exit_code = WEXITSTATUS(status);
    } else if (status != -1 && WIFSIGNALED(status)) {
        result.signal = WTERMSIG(status);
    }
    finish(process, &result);
}

/* ---- the start, on a worker */

static int set_up_descriptors(posix_spawn_file_actions_t *actions, const struct spawn *spawn)
{
    int error = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

    if (error == 0)
        error = posix_spawn_file_actions_adddup2(actions, spawn->pipes[1], 1);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(actions, spawn->pipes[3], 2);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    /* Ours are close-on-exec; this is for descriptors of a host that are not. */
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
#endif
    return error;
}

static void set_up_signals(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;

    (void) sigemptyset(&none);
    (void) sigfillset(&all);
    (void) posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                    POSIX_SPAWN_SETSIGDEF);
    (void) posix_spawnattr_setpgroup(attributes, 0);
    (void) posix_spawnattr_setsigmask(attributes, &none);
    (void) posix_spawnattr_setsigdefault(attributes, &all);
}

/* Here and not before: a start that waits its turn holds no descriptors. */
static int open_pipes(struct spawn *spawn)
{
    for (size_t i = 0; i < KOA_ARRAY_COUNT(spawn->pipes); i += 2) {
        if (pipe2(spawn->pipes + i, O_CLOEXEC) != 0) {
            spawn->pipes[i] = spawn->pipes[i + 1] = -1;
            return errno;
        }
    }
    return 0;
}

static void start_child(struct spawn *spawn)
{
    static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    static char language[] = "LANG=C";
    static char *const environment[] = {path, language, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    (void) posix_spawn_file_actions_init(&actions);
    (void) posix_spawnattr_init(&attributes);
    set_up_signals(&attributes);
    spawn->error = set_up_descriptors(&actions, spawn);
    if (spawn->error == 0) {
        spawn->error = posix_spawnp(&spawn->pid, spawn->command[0], &actions, &attributes,
                                    spawn->command, environment);
    }
    if (spawn->error != 0)
        spawn->pid = 0;
    (void) posix_spawnattr_destroy(&attributes);
    (void) posix_spawn_file_actions_destroy(&actions);
}

static void work(struct koa_job *job)
{
    struct spawn *spawn = KOA_CONTAINER_OF(job, struct spawn, job);

    spawn->failed = "make a pipe for";
    spawn->error = open_pipes(spawn);
    if (spawn->error == 0) {
        spawn->failed = "start";
        start_child(spawn);
    }
}

static void release(struct koa_job *job)
{
    struct spawn *spawn = KOA_CONTAINER_OF(job, struct spawn, job);

    if (spawn->pid != 0)
        koa_child_end_now(spawn->pid);
    for (size_t i = 0; i < KOA_ARRAY_COUNT(spawn->pipes); i++)
        close_descriptor(&spawn->pipes[i]);
    for (size_t i = 0; spawn->command != NULL && spawn->command[i] != NULL; i++)
        koa_free(spawn->command[i]);
    koa_free(spawn->command);
    koa_free(spawn);
}

static void run(struct koa_process *process, struct spawn *spawn)
{
    struct koa_error error;
    struct koa_process_result result = {.error = &error};
    enum koa_err err = KOA_OK;

    if (spawn->error != 0) {
        err = koa_fail_errno(&error, KOA_ERR_IO, spawn->error, "cannot %s '%s'", spawn->failed,
                             spawn->command[0]);
    }
    if (err == KOA_OK)
        err = open_pipe(&process->output, &spawn->pipes[0], &error);
    if (err == KOA_OK)
        err = open_pipe(&process->errors, &spawn->pipes[2], &error);
    if (err == KOA_OK) {
        koa_child_watch(process->child, on_child_ended, process);
        return;
    }
    if (spawn->error == 0)
        let_go(process);
    finish(process, &result);
}

static void on_spawned(struct koa_job *job, bool abandoned)
{
    struct spawn *spawn = KOA_CONTAINER_OF(job, struct spawn, job);
    struct koa_process *process = spawn->process;
    struct koa_child *child = spawn->child;
    struct koa_process_result timed_out = {.timed_out = true, .signal = SIGKILL};

    if (process != NULL)
        process->spawn = NULL;
    if (abandoned || spawn->error != 0) {
        koa_child_destroy(child);
        child = NULL;
    } else {
        koa_child_adopt(child, spawn->pid, spawn->without_pidfd);
        spawn->pid = 0;
    }
    if (process == NULL && child != NULL)
        koa_child_kill(child);
    if (process == NULL)
        return;
    process->child = child;
    if (abandoned) {
        finish(process, &timed_out);
        return;
    }
    close_descriptor(&spawn->pipes[1]);
    close_descriptor(&spawn->pipes[3]);
    run(process, spawn);
}

/* ---- what others call */

static enum koa_err copy_command(struct spawn *spawn, const char *const *command,
                                 struct koa_error *reterr)
{
    size_t count = 0;

    while (command[count] != NULL)
        count++;
    if (count == 0 || count > ARGUMENT_LIMIT) {
        return koa_fail(reterr, KOA_ERR_INVALID, "a command has 1 to %d words, not %zu",
                        ARGUMENT_LIMIT, count);
    }
    spawn->command = koa_calloc(count + 1, sizeof(*spawn->command));
    if (spawn->command == NULL)
        return koa_require_memory(NULL, reterr);
    for (size_t i = 0; i < count; i++) {
        spawn->command[i] = koa_strdup(command[i]);
        if (spawn->command[i] == NULL)
            return koa_require_memory(NULL, reterr);
    }
    return KOA_OK;
}

static struct spawn *create_spawn(struct koa_process *process, const struct koa_process_opts *opts)
{
    struct spawn *spawn = koa_calloc(1, sizeof(*spawn));

    if (spawn == NULL)
        return NULL;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(spawn->pipes); i++)
        spawn->pipes[i] = -1;
    spawn->job = (struct koa_job){.work = work,
                                  .done = on_spawned,
                                  .release = release,
                                  .deadline_ms = opts->deadline_ms,
                                  .queue_limit = STARTS_LIMIT};
    spawn->process = process;
    spawn->without_pidfd = opts->without_pidfd;
    spawn->child = koa_child_create(process->loop);
    if (spawn->child != NULL)
        return spawn;
    koa_free(spawn);
    return NULL;
}

static enum koa_err start(struct koa_process *process, const struct koa_process_opts *opts,
                          struct koa_error *reterr)
{
    struct spawn *spawn = create_spawn(process, opts);
    enum koa_err err = koa_require_memory(spawn, reterr);
    char key[KEY_SIZE];

    if (err != KOA_OK)
        return err;
    err = copy_command(spawn, opts->command, reterr);
    if (err == KOA_OK) {
        (void) snprintf(key, sizeof(key), "exec:%s", spawn->command[0]);
        err = koa_workers_run(opts->workers, process->loop, key, &spawn->job, reterr);
    }
    if (err == KOA_OK) {
        process->spawn = spawn;
        return KOA_OK;
    }
    koa_child_destroy(spawn->child);
    release(&spawn->job);
    return err;
}

enum koa_err koa_process_start(struct koa_loop *loop, const struct koa_process_opts *opts,
                               struct koa_process **ret_process, struct koa_error *reterr)
{
    struct koa_process *process = koa_calloc(1, sizeof(*process));
    enum koa_err err = koa_require_memory(process, reterr);

    if (err != KOA_OK)
        return err;
    KOA_ASSERT(koa_loop_is_here(loop));
    process->loop = loop;
    process->done = opts->done;
    process->context = opts->context;
    process->output = (struct pipe_end){
        .process = process, .descriptor = -1, .text = {.limit = opts->output_limit}};
    process->errors =
        (struct pipe_end){.process = process, .descriptor = -1, .text = {.limit = ERRORS_LIMIT}};
    if (!koa_loop_after(loop, &process->deadline, opts->deadline_ms, on_deadline))
        err = koa_require_memory(NULL, reterr);
    if (err == KOA_OK)
        err = start(process, opts, reterr);
    if (err == KOA_OK)
        *ret_process = KOA_MOVE(process);
    free_process(process);
    return err;
}

void koa_process_cancel(struct koa_process *process)
{
    if (process == NULL)
        return;
    let_go(process);
    free_process(process);
}

/* Runs a Nagios plugin and takes its word: exit code 0 healthy, 1 degraded, 2 unhealthy, 3 unknown.
 * The process, its pipes and its end are loop/process.c's matter. */
#include <stdio.h>

#include "base/memory.h"
#include "base/str.h"
#include "builtin/checks/plugin_output.h"
#include "health/probe.h"
#include "loop/process.h"

enum {
    OUTPUT_LIMIT = 16384,
    MESSAGE_SIZE = 1025,
    /* The check's own deadline comes first; this is only a net below it. */
    PROCESS_GRACE_MS = 1000
};

struct config {
    struct koa_texts command;
};

static const struct koa_option options[] = {
    {KOA_TEXTS(struct config, command), .required = true,
     .help = "program and arguments, without a shell: a list"},
    {0},
};

struct run {
    struct koa_probe *probe;
    struct koa_process *process;
    const char *program;
};

static void cancel(void *context)
{
    struct run *run = context;

    koa_process_cancel(run->process);
    koa_free(run);
}

/* The plugin's words, or what can be said for it. */
static void find_message(const struct run *run, const struct koa_process_result *result,
                         char message[MESSAGE_SIZE], struct koa_verdict *verdict)
{
    struct koa_str output = {.data = result->output, .size = result->output_size};
    struct koa_str line = koa_plugin_output_read(output, verdict);

    if (line.size == 0) {
        line =
            koa_str_trim(koa_str_split(koa_str_from(result->errors), '\n', &(struct koa_str){0}));
    }
    if (line.size > 0) {
        (void) koa_str_copy(message, MESSAGE_SIZE, line);
    } else {
        (void) snprintf(message, MESSAGE_SIZE, "%s printed nothing", run->program);
    }
    if (result->output_is_cut)
        koa_verdict_detail(verdict, "output_is_cut", KOA_VALUE_BOOL(true));
}

static void judge_exit(int exit_code, const char *message, struct koa_verdict *verdict)
{
    koa_verdict_detail(verdict, "exit_code", KOA_VALUE_INT(exit_code));
    switch (exit_code) {
    case 0:
        koa_verdict_healthy(verdict, "%s", message);
        break;
    case 1:
        koa_verdict_degraded(verdict, "%s", message);
        break;
    case 2:
        koa_verdict_unhealthy(verdict, "%s", message);
        break;
    case 3:
        koa_verdict_unknown(verdict, "%s", message);
        break;
    default:
        koa_verdict_unhealthy(verdict, "exit code %d is none of a plugin (0 to 3): %s", exit_code,
                              message);
        break;
    }
}

static void judge(const struct run *run, const struct koa_process_result *result,
                  struct koa_verdict *verdict)
{
    char message[MESSAGE_SIZE];

    if (result->error != NULL) {
        koa_verdict_unknown(verdict, "Cannot run %s: %s", run->program, result->error->text);
        return;
    }
    find_message(run, result, message, verdict);
    if (result->timed_out) {
        koa_verdict_unhealthy(verdict, "%s did not end in time and was killed: %s", run->program,
                              message);
    } else if (!result->exited) {
        koa_verdict_detail(verdict, "signal", KOA_VALUE_INT(result->signal));
        koa_verdict_unhealthy(verdict, "%s was ended by signal %d: %s", run->program,
                              result->signal, message);
    } else {
        judge_exit(result->exit_code, message, verdict);
    }
}

static void on_done(void *context, const struct koa_process_result *result)
{
    struct run *run = context;
    struct koa_probe *probe = run->probe;

    judge(run, result, koa_probe_verdict(probe));
    koa_free(run);
    koa_probe_finish(probe);
}

static enum koa_err begin(const struct config *settings, struct run *run, struct koa_error *reterr)
{
    const struct koa_probe_services *services = koa_probe_services(run->probe);
    KOA_AUTOFREE const char **command = koa_calloc(settings->command.count + 1, sizeof(char *));
    struct koa_process_opts opts = {
        .workers = services->workers,
        .deadline_ms = koa_verdict_remaining_ms(koa_probe_verdict(run->probe)) + PROCESS_GRACE_MS,
        .output_limit = OUTPUT_LIMIT,
        .done = on_done,
        .context = run,
    };

    if (command == NULL)
        return koa_require_memory(NULL, reterr);
    for (size_t i = 0; i < settings->command.count; i++)
        command[i] = settings->command.rows[i];
    opts.command = command;
    return koa_process_start(services->loop, &opts, &run->process, reterr);
}

static void start(const void *config, struct koa_probe *probe)
{
    const struct config *settings = config;
    struct run *run = koa_calloc(1, sizeof(*run));
    struct koa_error error = {.text = "no memory"};

    if (run != NULL) {
        run->probe = probe;
        run->program = settings->command.rows[0];
        if (begin(settings, run, &error) == KOA_OK) {
            koa_probe_on_cancel(probe, cancel, run);
            return;
        }
    }
    koa_free(run);
    koa_verdict_unknown(koa_probe_verdict(probe), "Cannot run %s: %s", settings->command.rows[0],
                        error.text);
    koa_probe_finish(probe);
}

static enum koa_err prepare(void *config, struct koa_error *reterr)
{
    const struct config *settings = config;

    if (settings->command.count == 0 || settings->command.rows[0][0] == '\0')
        return koa_fail(reterr, KOA_ERR_INVALID, "command names no program");
    return KOA_OK;
}

const struct koa_check_ops koa_check_exec = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "exec",
    .help = "A program of its own: any Nagios plugin",
    .options = options,
    .config_size = sizeof(struct config),
    .start = start,
    .prepare = prepare,
};

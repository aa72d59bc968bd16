/* The check is a function of its script alone, so that tests decide what it finds and when. */
#include "script.h"

#include <string.h>

#include "health/probe.h"

static void script_run(const void *config, void *context, struct koa_verdict *verdict)
{
    struct script *script = context;
    int run = atomic_fetch_add(&script->runs, 1) + 1;

    (void) config;
    kit_gate_pass(&script->entered);
    if (atomic_load(&script->hangs))
        kit_gate_wait(&script->released, 1);
    koa_verdict_detail(verdict, "run", KOA_VALUE_INT(run));
    switch ((enum koa_status) atomic_load(&script->status)) {
    case KOA_STATUS_HEALTHY:
        koa_verdict_healthy(verdict, "run %d", run);
        break;
    case KOA_STATUS_DEGRADED:
        koa_verdict_degraded(verdict, "run %d", run);
        break;
    case KOA_STATUS_UNHEALTHY:
        koa_verdict_unhealthy(verdict, "run %d", run);
        break;
    case KOA_STATUS_UNKNOWN:
    case KOA_STATUS_COUNT:
        break;
    }
}

const struct koa_check_ops script_check = {KOA_OPS_INIT(koa_check_ops), .name = "script",
                                           .help = "Does as told", .run = script_run};

static void prompt_start(const void *config, struct koa_probe *probe)
{
    (void) config;
    koa_verdict_healthy(koa_probe_verdict(probe), "at once");
    koa_probe_finish(probe);
}

const struct koa_check_ops prompt_check = {KOA_OPS_INIT(koa_check_ops), .name = "prompt",
                                           .help = "Ends in start", .start = prompt_start};

void script_init(struct script *script, enum koa_status status)
{
    memset(script, 0, sizeof(*script));
    script->entered = (struct kit_gate) KIT_GATE_INIT;
    script->released = (struct kit_gate) KIT_GATE_INIT;
    atomic_store(&script->status, status);
}

void expect_result(struct koa_board *board, const char *name, enum koa_status status,
                   const char *message)
{
    const struct koa_result *result = koa_board_find(board, name);

    assert_non_null(result);
    KIT_EXPECT_TEXT(name, koa_status_name(status), koa_status_name(result->status));
    KIT_EXPECT_TEXT(name, message, result->message);
    koa_board_unref(board);
}

struct wish {
    struct kit_checks *checks;
    const char *name;
    enum koa_status status;
    const char *text; /* start of the message */
};

static bool shows(void *context)
{
    const struct wish *wish = context;
    KOA_AUTO(koa_board) *board = koa_health_board(wish->checks->health);
    const struct koa_result *result = koa_board_find(board, wish->name);

    return result != NULL && result->status == wish->status &&
           strncmp(result->message, wish->text, strlen(wish->text)) == 0;
}

void wait_until(struct kit_checks *checks, const char *name, enum koa_status status)
{
    struct wish wish = {.checks = checks, .name = name, .status = status, .text = ""};

    kit_loop_run_until(&checks->kit, shows, &wish);
}

void wait_until_told(struct kit_checks *checks, const char *name, const char *text)
{
    struct wish wish = {
        .checks = checks, .name = name, .status = KOA_STATUS_UNHEALTHY, .text = text};

    kit_loop_run_until(&checks->kit, shows, &wish);
}

void count_call(void *context, const struct koa_board *board)
{
    (void) board;
    kit_gate_pass(context);
}

/* A blocking function as a check: the core gives it worker, deadline, history, metric, endpoint. */
#include <koa/agent.h>
#include <stdio.h>

static void check_queue(const void *config, void *context, struct koa_verdict *verdict)
{
    const size_t *waiting = context;

    (void) config; /* no options */
    koa_verdict_detail(verdict, "waiting", KOA_VALUE_INT(*waiting));
    if (*waiting > 1000)
        koa_verdict_unhealthy(verdict, "%zu jobs wait", *waiting);
    else
        koa_verdict_healthy(verdict, "%zu jobs wait", *waiting);
}

static const struct koa_check_ops queue_check = {KOA_OPS_INIT(koa_check_ops), .name = "queue",
                                                 .help = "Length of the job queue",
                                                 .run = check_queue};

int main(void)
{
    struct koa_agent_opts opts = KOA_AGENT_OPTS_INIT;
    KOA_AUTO(koa_agent) *agent = NULL;
    struct koa_error error;
    size_t queue = 1200;

    if (koa_agent_create(&opts, &agent, &error) != KOA_OK ||
        koa_agent_add_check(agent, "queue", &queue_check, KOA_CONTEXT(&queue), &error) != KOA_OK ||
        koa_agent_start(agent, &error) != KOA_OK)
        return (void) fprintf(stderr, "%s\n", error.text), 1;

    KOA_AUTO(koa_board) *board = koa_agent_run_checks(agent, 5000);
    const struct koa_result *result = koa_board_find(board, "queue");

    if (result != NULL)
        (void) printf("queue: %s: %s\n", koa_status_name(result->status), result->message);
    return result == NULL;
}

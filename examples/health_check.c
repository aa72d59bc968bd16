/* Registers a database check, runs all checks, prints the overall status. */
#include <koa/agent.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "sqlite:///tmp/orders.db";
    struct koa_agent_opts opts = KOA_AGENT_OPTS_INIT;
    KOA_AUTO(koa_agent) *agent = NULL;
    struct koa_error error;

    if (koa_agent_create(&opts, &agent, &error) != KOA_OK ||
        koa_agent_add_check(agent, "orders_db", &koa_check_database,
                            KOA_SETTINGS({"url", url}, {"timeout", "2s"}), &error) != KOA_OK ||
        koa_agent_start(agent, &error) != KOA_OK)
        return (void) fprintf(stderr, "%s\n", error.text), 1;

    KOA_AUTO(koa_board) *board = koa_agent_run_checks(agent, 5000); /* all, now, for at most 5 s */

    (void) printf("overall: %s\n", koa_status_name(koa_board_overall(board))); /* NULL is unknown */
    return 0;
}

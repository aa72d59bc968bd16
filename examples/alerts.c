/* A rule and a notifier: the log gets a line when a check turns unhealthy. */
#include <koa/agent.h>
#include <stdio.h>
#include <unistd.h>

static int fail(const struct koa_error *error)
{
    (void) fprintf(stderr, "%s\n", error->text);
    return 1;
}

int main(void)
{
    struct koa_agent_opts opts = KOA_AGENT_OPTS_INIT;
    KOA_AUTO(koa_agent) *agent = NULL;
    struct koa_error error;

    opts.log_fd = STDOUT_FILENO;
    if (koa_agent_create(&opts, &agent, &error) != KOA_OK ||
        koa_agent_add_check(agent, "orders_db", &koa_check_database,
                            KOA_SETTINGS({"url", "sqlite:///no/such/orders.db"}), &error) != KOA_OK)
        return fail(&error);
    if (koa_agent_add_rule(agent, "system_unhealthy", &koa_rule_health_status,
                           KOA_SETTINGS({"status", "unhealthy"}, {"severity", "critical"}),
                           &error) != KOA_OK ||
        koa_agent_add_notifier(agent, "log", &koa_notifier_log, KOA_NO_SETTINGS, &error) !=
            KOA_OK ||
        koa_agent_start(agent, &error) != KOA_OK)
        return fail(&error);
    koa_board_unref(koa_agent_run_checks(agent, 5000));
    (void) sleep(2); /* health changes are looked at once a second at most */
    return 0;
}

/* A notifier of our own: `send` runs on a worker and may block. Exactly one outcome. */
#include <koa/agent.h>
#include <stdio.h>
#include <unistd.h>

static enum koa_outcome send_page(const void *config, void *context,
                                  const struct koa_notification *note)
{
    (void) config, (void) context;
    return printf("page: %s\n", koa_notification_text(note)) > 0 ? KOA_DELIVERED : KOA_RETRY_LATER;
}

static const struct koa_notifier_ops pager = {KOA_OPS_INIT(koa_notifier_ops), .name = "pager",
                                              .help = "Pages the operator", .send = send_page};

int main(void)
{
    struct koa_agent_opts opts = KOA_AGENT_OPTS_INIT;
    KOA_AUTO(koa_agent) *agent = NULL;
    struct koa_error error;

    if (koa_agent_create(&opts, &agent, &error) != KOA_OK ||
        koa_agent_add_check(agent, "orders_db", &koa_check_database,
                            KOA_SETTINGS({"url", "sqlite:///no/such/orders.db"}),
                            &error) != KOA_OK ||
        koa_agent_add_rule(agent, "orders_db_down", &koa_rule_health_status,
                           KOA_SETTINGS({"check", "orders_db"}, {"status", "unhealthy"}),
                           &error) != KOA_OK ||
        koa_agent_add_notifier(agent, "pager", &pager, KOA_NO_SETTINGS, &error) != KOA_OK ||
        koa_agent_start(agent, &error) != KOA_OK)
        return (void) fprintf(stderr, "%s\n", error.text), 1;
    koa_board_unref(koa_agent_run_checks(agent, 5000));
    (void) sleep(2); /* health changes are looked at once a second at most */
    return 0;
}

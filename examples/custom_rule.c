/* A rule of our own: looks at the published state and reports what holds. Hold time, hysteresis,
 * identity and delivery are the core's. */
#include <koa/agent.h>
#include <stdio.h>
#include <unistd.h>

static void evaluate(const void *config, void *context, const struct koa_view *view,
                     struct koa_observations *out)
{
    double waiting;

    (void) config, (void) context;
    if (koa_view_get(view, "queue_waiting", KOA_NO_LABELS, &waiting))
        koa_observations_add(out, waiting > 1000, waiting, KOA_NO_LABELS, "%.0f jobs wait",
                             waiting);
}

static const struct koa_rule_ops queue_rule = {KOA_OPS_INIT(koa_rule_ops), .name = "queue_full",
                                               .help = "Too many jobs wait", .evaluate = evaluate};

int main(void)
{
    struct koa_agent_opts opts = KOA_AGENT_OPTS_INIT;
    KOA_AUTO(koa_agent) *agent = NULL;
    struct koa_error error;

    opts.log_fd = STDOUT_FILENO;
    opts.settings = KOA_SETTINGS({"alerting.interval", "1s"});
    if (koa_agent_create(&opts, &agent, &error) != KOA_OK ||
        koa_agent_add_rule(agent, "queue_full", &queue_rule, KOA_NO_SETTINGS, &error) != KOA_OK ||
        koa_agent_add_notifier(agent, "log", &koa_notifier_log, KOA_NO_SETTINGS, &error) !=
            KOA_OK ||
        koa_agent_start(agent, &error) != KOA_OK)
        return (void) fprintf(stderr, "%s\n", error.text), 1;
    koa_metrics_set(koa_agent_metrics(agent), "queue_waiting", 1500, KOA_NO_LABELS);
    (void) sleep(3); /* the rule is looked at every second */
    return 0;
}

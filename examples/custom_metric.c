/* Says type and help before use; a second, different registration is an error that names both. */
#include <koa/agent.h>
#include <stdio.h>

int main(void)
{
    struct koa_agent_opts opts = KOA_AGENT_OPTS_INIT;
    KOA_AUTO(koa_agent) *agent = NULL;
    struct koa_error error;

    if (koa_agent_create(&opts, &agent, &error) != KOA_OK ||
        koa_metrics_register(
            koa_agent_metrics(agent),
            &(struct koa_family){KOA_FAMILY_INIT, .name = "custom_operations_total",
                                 .type = KOA_COUNTER, .help = "Custom operations performed"},
            &error) != KOA_OK) {
        (void) fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    koa_metrics_count(koa_agent_metrics(agent), "custom_operations_total", 3, KOA_NO_LABELS);
    if (koa_metrics_register(koa_agent_metrics(agent),
                             &(struct koa_family){KOA_FAMILY_INIT,
                                                  .name = "custom_operations_total",
                                                  .type = KOA_GAUGE, .help = "Something else"},
                             &error) != KOA_OK)
        (void) printf("refused: %s\n", error.text);
    return 0;
}

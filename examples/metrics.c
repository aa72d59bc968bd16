/* Counts, sets, observes and times; a handle for the hot path. The numbers are at /metrics. */
#include <koa/agent.h>
#include <stdio.h>

static void run_query(void)
{
    for (volatile int step = 0; step < 100000; step++)
        continue;
}

int main(int argc, char **argv)
{
    struct koa_agent_opts opts = KOA_AGENT_OPTS_INIT;
    KOA_AUTO(koa_agent) *agent = NULL;
    struct koa_error error;

    opts.settings = KOA_SETTINGS({"web.host", "127.0.0.1"}, {"web.port", argc > 1 ? argv[1] : "0"});
    if (koa_agent_create(&opts, &agent, &error) != KOA_OK ||
        koa_agent_start(agent, &error) != KOA_OK)
        return (void) fprintf(stderr, "%s\n", error.text), 1;

    struct koa_metrics *metrics = koa_agent_metrics(agent);
    /* The hot path: resolve once, then one atomic add. */
    struct koa_counter hits =
        koa_metrics_counter(metrics, "cache_hits_total", KOA_LABELS({"tier", "l1"}));

    koa_metrics_count(metrics, "api_requests_total", 1, KOA_LABELS({"endpoint", "/topics"}));
    koa_metrics_set(metrics, "active_users", 42, KOA_NO_LABELS);
    koa_metrics_observe(metrics, "response_time_seconds", 0.25, KOA_NO_LABELS);
    {
        KOA_TIME_SCOPE(metrics, "database_query"); /* records on every way out of the block */
        run_query();
    }
    koa_counter_add(hits, 1);
    (void) printf("%s/metrics until end of input\n", koa_agent_url(agent)), (void) fflush(stdout);
    while (getchar() != EOF)
        continue;
    return 0;
}

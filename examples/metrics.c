/* Counts, sets, observes and times; a handle for the hot path. */
#include <stdio.h>

#include <koa/agent.h>

static void run_query(void)
{
}

int main(void)
{
    struct koa_agent_opts opts = KOA_AGENT_OPTS_INIT;
    KOA_AUTO(koa_agent) *agent = NULL;
    struct koa_error error;

    if (koa_agent_create(&opts, &agent, &error) != KOA_OK) {
        (void) fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct koa_metrics *metrics = koa_agent_metrics(agent);

    koa_metrics_count(metrics, "api_requests_total", 1, KOA_LABELS({"endpoint", "/topics"}));
    koa_metrics_set(metrics, "active_users", 42, KOA_NO_LABELS);
    koa_metrics_observe(metrics, "response_time_seconds", 0.25, KOA_NO_LABELS);
    {
        KOA_TIME_SCOPE(metrics,
                       "database_query"); /* a timer; records on every way out of the block */
        run_query();
    }
    /* The hot path: resolve once, then one atomic add. */
    struct koa_counter hits =
        koa_metrics_counter(metrics, "cache_hits_total", KOA_LABELS({"tier", "l1"}));

    koa_counter_add(hits, 1);
    (void) printf("counted\n");
    return 0;
}

/* Starts and stops an agent: listener, loops, and the order in which they come and go. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "agent/composition.h"
#include "base/memory.h"
#include "loop/clock.h"

enum { WEB_ARENA_LIMIT = 1 << 20 };

static bool wants_listener(const struct koa_agent *agent)
{
    for (size_t i = 0; i < agent->settings.count; i++) {
        if (strncmp(agent->settings.rows[i].key, "web.", 4) == 0)
            return true;
    }
    return agent->use_defaults || agent->config_file != NULL;
}

static enum koa_err create_server(struct koa_agent *agent, struct koa_error *reterr)
{
    struct koa_http_server_opts opts = {.host = agent->configuration->web.host,
                                        .port = (int) agent->configuration->web.port,
                                        .routes = koa_api_routes,
                                        .route_count = koa_api_route_count,
                                        .context = &agent->api,
                                        .authenticators = agent->authenticators,
                                        .authenticator_count = agent->authenticator_count,
                                        .loop = agent->engine,
                                        .workers = agent->workers,
                                        .metrics = agent->metrics,
                                        .log = koa_agent_log(agent, "httpserver"),
                                        .wall = koa_clock_wall,
                                        .mono = koa_clock_mono,
                                        .ticks_ns = koa_clock_ticks_ns};
    KOA_AUTO(koa_arena) *arena = koa_arena_create(WEB_ARENA_LIMIT);

    if (arena == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the listener");
    koa_agent_web_settings(agent->configuration, &opts.settings, arena);
    return koa_http_server_create(&opts, &agent->server, reterr);
}

static void start_on_engine(void *message)
{
    struct koa_agent *agent = message;

    koa_health_start(agent->health);
    koa_alerts_start(agent->alerts);
    koa_agent_sampling_start(agent);
}

static void log_start(struct koa_agent *agent)
{
    if (agent->server != NULL) {
        koa_log_info(agent->log, "agent.start",
                     "kafka-ops-agent %s (%s) listens on %s; from this machine: %s", koa_version(),
                     koa_revision(), koa_http_server_address(agent->server), koa_agent_url(agent));
    } else {
        koa_log_info(agent->log, "agent.start", "kafka-ops-agent %s (%s) runs, without a listener",
                     koa_version(), koa_revision());
    }
    if (agent->use_defaults && agent->configuration->clusters.count == 0) {
        koa_log_info(
            agent->log, "agent.start",
            "no Kafka cluster is watched: set clusters, KAFKA_BOOTSTRAP_SERVERS or --bootstrap");
    }
}

/* What whoever starts the agent can do about an address that cannot be had. */
static const char *listen_remedy(int error_number)
{
    switch (error_number) {
    case EADDRINUSE:
        return "; another process listens there: stop it, or choose another port (--port, web.port "
               "or MONITORING_PORT)";
    case EADDRNOTAVAIL:
        return "; no interface of this machine has that address: choose another (--host, web.host "
               "or MONITORING_HOST)";
    case EACCES:
        return "; ports below 1024 need CAP_NET_BIND_SERVICE: give it, or choose another port "
               "(--port, web.port or MONITORING_PORT)";
    default:
        return "";
    }
}

static enum koa_err listen_here(struct koa_agent *agent, struct koa_error *reterr)
{
    enum koa_err err = koa_http_server_start(agent->server, reterr);
    int foreign = reterr->foreign;

    if (err == KOA_ERR_IO) {
        (void) koa_fail(reterr, err, "%s%s", reterr->text, listen_remedy(foreign));
        reterr->foreign = foreign;
    }
    return err;
}

static enum koa_err start_locked(struct koa_agent *agent, struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    if (agent->is_started)
        return koa_fail(reterr, KOA_ERR_STATE, "the agent has been started already");
    if (wants_listener(agent))
        err = create_server(agent, reterr);
    if (err == KOA_OK)
        err = koa_loop_start(agent->kafka, reterr);
    if (err == KOA_OK)
        err = koa_loop_start(agent->engine, reterr);
    if (err != KOA_OK)
        return err;
    agent->is_started = true;
    if (agent->server != NULL)
        err = listen_here(agent, reterr);
    if (err != KOA_OK)
        return err;
    koa_agent_parts_start(agent);
    if (!koa_loop_call(agent->engine, start_on_engine, agent))
        return koa_fail(reterr, KOA_ERR_STATE, "the engine does not take messages");
    agent->is_running = true;
    log_start(agent);
    return KOA_OK;
}

enum koa_err koa_agent_start(struct koa_agent *agent, struct koa_error *reterr)
{
    struct koa_error own;
    enum koa_err err;

    if (reterr == NULL)
        reterr = &own;
    (void) pthread_mutex_lock(&agent->changing);
    err = start_locked(agent, reterr);
    if (err != KOA_OK)
        koa_agent_log_start_failure(agent, reterr);
    (void) pthread_mutex_unlock(&agent->changing);
    return err;
}

/* The engine's last deliveries, waited for by the thread that stops the agent. */
struct flush {
    struct koa_agent *agent;
    int64_t timeout_ms;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_done;
};

static void flush_done(void *context)
{
    struct flush *flush = context;

    (void) pthread_mutex_lock(&flush->mutex);
    flush->is_done = true;
    (void) pthread_cond_signal(&flush->changed);
    (void) pthread_mutex_unlock(&flush->mutex);
}

static void stop_on_engine(void *message)
{
    struct flush *flush = message;

    koa_timers_disarm(koa_loop_timers(flush->agent->engine), &flush->agent->sampling);
    koa_health_stop(flush->agent->health);
    koa_alerts_stop(flush->agent->alerts, flush->timeout_ms, flush_done, flush);
}

static void stop_engine(struct koa_agent *agent, int64_t timeout_ms)
{
    struct flush flush = {.agent = agent,
                          .timeout_ms = timeout_ms,
                          .mutex = PTHREAD_MUTEX_INITIALIZER,
                          .changed = PTHREAD_COND_INITIALIZER};

    if (!koa_loop_call(agent->engine, stop_on_engine, &flush))
        return;
    /* The engine's own timer bounds this wait. */
    (void) pthread_mutex_lock(&flush.mutex);
    while (!flush.is_done)
        (void) pthread_cond_wait(&flush.changed, &flush.mutex);
    (void) pthread_mutex_unlock(&flush.mutex);
}

void koa_agent_stop(struct koa_agent *agent, int64_t timeout_ms)
{
    if (agent == NULL)
        return;
    (void) pthread_mutex_lock(&agent->changing);
    if (agent->is_started && !agent->is_stopped) {
        /* Of what has not come to run nothing is under way. */
        if (agent->is_running) {
            koa_log_info(agent->log, "agent.stop", "stopping; deliveries under way get %d ms",
                         (int) timeout_ms);
        }
        atomic_store(&agent->api.is_draining, true);
        if (agent->server != NULL)
            koa_http_server_quiesce(agent->server);
        stop_engine(agent, timeout_ms);
        if (agent->server != NULL)
            koa_http_server_stop(agent->server);
        koa_agent_parts_stop(agent);
        koa_loop_stop(agent->engine);
        koa_loop_stop(agent->kafka);
        if (agent->is_running)
            koa_log_info(agent->log, "agent.stop", "stopped");
    }
    agent->is_stopped = true;
    (void) pthread_mutex_unlock(&agent->changing);
}

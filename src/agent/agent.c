/* Creates, starts and stops an agent: the order in which parts come and go. What each part does is
 * its room's business. */
#include "agent/composition.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "builtin/builtin.h"
#include "crypto/crypto.h"
#include "loop/clock.h"
#include "metrics/catalog.h"

enum {
    ARENA_LIMIT = 8 << 20,
    URL_SIZE = 512,
    /* Writes of alert states that are queued get this long when an agent ends. */
    STORE_FLUSH_MS = 2000,
    WORKERS_WAIT_MS = 1000,
    DEFAULT_STOP_MS = 10000,
};

static const char *read_variable(void *context, const char *name)
{
    (void) context;
    /* The environment is only read, and before our threads exist or under a host's own rules. */
    return getenv(name); // NOLINT(concurrency-mt-unsafe)
}

static pthread_once_t seeded = PTHREAD_ONCE_INIT;

/* Once a process: the key of tables that exist must never change. Without random bytes it stays
 * zero, which costs protection against floods, not correctness. */
static void seed_hash(void)
{
    struct koa_hash_key key;

    if (koa_random_bytes(&key, sizeof(key)))
        koa_hash_seed(key);
}

static enum koa_err copy_opts(struct koa_agent *agent, const struct koa_agent_opts *opts,
                              struct koa_error *reterr)
{
    const struct koa_settings *settings = opts->settings;
    size_t count = settings != NULL ? settings->count : 0;
    struct koa_setting *rows = koa_arena_alloc(agent->arena, count + 1, sizeof(*rows));

    for (size_t i = 0; rows != NULL && i < count; i++) {
        rows[i].key = koa_arena_strdup(agent->arena, settings->rows[i].key);
        rows[i].value = koa_arena_strdup(agent->arena, settings->rows[i].value);
    }
    if (opts->config_file != NULL)
        agent->config_file = koa_arena_strdup(agent->arena, opts->config_file);
    agent->settings = (struct koa_settings){.rows = rows, .count = count};
    agent->use_environment = opts->use_environment;
    agent->use_defaults = opts->use_defaults;
    return koa_arena_failed(agent->arena)
               ? koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the options")
               : KOA_OK;
}

enum koa_err koa_agent_load_configuration(const struct koa_agent *agent,
                                          struct koa_configuration **ret_configuration,
                                          struct koa_configuration_errors *errors,
                                          struct koa_error *reterr)
{
    struct koa_configuration_opts opts = {
        .file = agent->config_file,
        .settings = &agent->settings,
        .getenv = agent->use_environment ? read_variable : NULL,
    };

    return koa_configuration_load(&opts, ret_configuration, errors, reterr);
}

struct koa_log *koa_agent_log(const struct koa_agent *agent, const char *component)
{
    return agent->logger != NULL ? koa_logger_component(agent->logger, component) : NULL;
}

static enum koa_err open_log(struct koa_agent *agent, const struct koa_agent_opts *opts,
                             struct koa_error *reterr)
{
    koa_log_sink_fn *sink = opts->log;
    void *context = opts->log_context;
    enum koa_err err = KOA_OK;

    if (sink == NULL && opts->log_fd >= 0) {
        err = koa_log_writer_create(opts->log_fd,
                                    (enum koa_log_format) agent->configuration->log.format,
                                    &agent->log_writer, reterr);
        sink = koa_log_writer_sink;
        context = agent->log_writer;
    }
    if (err != KOA_OK || sink == NULL)
        return err;
    agent->logger = koa_logger_create(sink, context, koa_clock_wall);
    if (agent->logger == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the log");
    agent->log = koa_agent_log(agent, "agent");
    return koa_agent_apply_log_levels(agent, agent->configuration, reterr);
}

static enum koa_err create_loops(struct koa_agent *agent, struct koa_error *reterr)
{
    struct koa_loop_opts engine = {.name = "engine", .log = koa_agent_log(agent, "loop")};
    struct koa_loop_opts kafka = {.name = "kafka", .log = koa_agent_log(agent, "loop")};
    enum koa_err err = koa_loop_create(&engine, &agent->engine, reterr);

    if (err == KOA_OK)
        err = koa_loop_create(&kafka, &agent->kafka, reterr);
    if (err == KOA_OK) {
        err = koa_workers_create(&(struct koa_workers_opts){.log = koa_agent_log(agent, "loop")},
                                 &agent->workers, reterr);
    }
    if (err != KOA_OK)
        return err;
    agent->resolver = koa_resolver_create(agent->workers, agent->engine);
    agent->kafka_resolver = koa_resolver_create(agent->workers, agent->kafka);
    if (agent->resolver == NULL || agent->kafka_resolver == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for name resolution");
    return koa_http_client_create(agent->engine, agent->resolver,
                                  koa_agent_log(agent, "httpclient"), &agent->http, reterr);
}

/* NULL: in memory. Root's default is the FHS place for state; others have XDG's. */
static const char *state_directory(const struct koa_agent *agent, char path[PATH_MAX])
{
    const char *configured = agent->configuration->state_directory;
    const char *home;

    if (koa_text_equal(configured, ":memory:"))
        return NULL;
    if (configured[0] != '\0')
        return configured;
    if (!agent->use_defaults)
        return NULL;
    if (geteuid() == 0)
        return "/var/lib/kafka-ops-agent";
    home = read_variable(NULL, "HOME");
    (void) snprintf(path, PATH_MAX, "%s/.local/state/kafka-ops-agent",
                    home != NULL ? home : "/nonexistent");
    return path;
}

static enum koa_err open_store(struct koa_agent *agent, struct koa_error *reterr)
{
    char path[PATH_MAX];
    struct koa_store_opts opts = {.directory = state_directory(agent, path),
                                  .workers = agent->workers,
                                  .loop = agent->engine,
                                  .log = koa_agent_log(agent, "store")};

    return koa_store_create(&opts, &agent->store, reterr);
}

static struct koa_board *rules_board(void *context)
{
    const struct koa_agent *agent = context;

    return koa_health_board(agent->health);
}

static const struct koa_metrics_sources *rules_sources(void *context)
{
    /* The engine replaces the parts itself, so that what it borrows here cannot end meanwhile. */
    struct koa_agent_parts *parts = koa_agent_parts_get(context);

    koa_agent_parts_unref(parts);
    return parts != NULL ? &parts->api.sources : NULL;
}

static void on_health_changed(void *context, const struct koa_board *board,
                              const struct koa_result *result, enum koa_status before)
{
    struct koa_agent *agent = context;

    (void) board, (void) result, (void) before;
    if (agent->alerts != NULL)
        koa_alerts_poke(agent->alerts);
}

static enum koa_err create_engine(struct koa_agent *agent, struct koa_error *reterr)
{
    const struct koa_configuration *configuration = agent->configuration;
    struct koa_health_opts health = {.snapshots = koa_agent_snapshots,
                                     .metrics = agent->metrics,
                                     .history = (size_t) configuration->health.history,
                                     .changed = on_health_changed,
                                     .context = agent};
    struct koa_alerts_opts alerts = {.loop = agent->engine,
                                     .workers = agent->workers,
                                     .store = agent->store,
                                     .metrics = agent->metrics,
                                     .http = agent->http,
                                     .log = koa_agent_log(agent, "alerts"),
                                     .external_url = agent->external_url,
                                     .inputs = {.context = agent,
                                                .board = rules_board,
                                                .sources = rules_sources,
                                                .is_stale = koa_agent_is_stale},
                                     .interval_ms = configuration->alerting.interval,
                                     .history = (size_t) configuration->alerting.history};
    enum koa_err err;

    agent->services = (struct koa_probe_services){.loop = agent->engine,
                                                  .workers = agent->workers,
                                                  .resolver = agent->resolver,
                                                  .http = agent->http,
                                                  .store = agent->store,
                                                  .log = koa_agent_log(agent, "health")};
    health.services = agent->services;
    health.snapshots.context = agent;
    err = koa_health_create(&health, &agent->health, reterr);
    if (err == KOA_OK)
        err = koa_alerts_create(&alerts, &agent->alerts, reterr);
    if (err == KOA_OK)
        err = koa_alerts_restore(agent->alerts, reterr);
    return err;
}

static enum koa_err create_history(struct koa_agent *agent, struct koa_error *reterr)
{
    const struct koa_configuration *configuration = agent->configuration;
    struct koa_history_opts opts = {.retention_ms = configuration->metrics.retention,
                                    .bytes_limit = configuration->metrics.history_bytes,
                                    .exclude = configuration->metrics.history_exclude.rows,
                                    .exclude_count = configuration->metrics.history_exclude.count};

    return koa_history_create(&opts, &agent->history, reterr);
}

static enum koa_err create_metrics(struct koa_agent *agent, struct koa_error *reterr)
{
    struct koa_metrics_opts opts = {
        .ticks_ns = koa_clock_ticks_ns,
        .series_per_family = (size_t) agent->configuration->metrics.max_series_per_family,
        .log = koa_agent_log(agent, "metrics"),
    };
    enum koa_err err = koa_metrics_create(&opts, &agent->metrics, reterr);

    if (err == KOA_OK)
        err = koa_metrics_declare(agent->metrics, koa_catalog_own, koa_catalog_own_count, reterr);
    if (err == KOA_OK) {
        err = koa_metrics_reserve_rows(agent->metrics, koa_catalog_kafka, koa_catalog_kafka_count,
                                       reterr);
    }
    return err;
}

/* Everything the configuration names, and the defaults. */
static enum koa_err add_configured(struct koa_agent *agent, struct koa_configuration_errors *errors,
                                   struct koa_error *reterr)
{
    struct koa_agent_build build = {.configuration = agent->configuration,
                                    .use_defaults = agent->use_defaults,
                                    .errors = &errors->list};
    enum koa_err err = KOA_OK;

    if (!koa_agent_build(&build))
        err = koa_config_errors_fail(&errors->list, reterr);
    if (err == KOA_OK)
        err = koa_health_replace(agent->health, build.checks, build.check_count, reterr);
    if (err == KOA_OK)
        koa_agent_configure_alerts(agent, &build);
    koa_agent_build_deinit(&build);
    return err;
}

static bool wants_listener(const struct koa_agent *agent)
{
    for (size_t i = 0; i < agent->settings.count; i++) {
        if (strncmp(agent->settings.rows[i].key, "web.", 4) == 0)
            return true;
    }
    return agent->use_defaults || agent->config_file != NULL;
}

static void fill_api(struct koa_agent *agent)
{
    struct koa_api *api = &agent->api;
    struct utsname system;

    *api = (struct koa_api){.parts = &agent->parts,
                            .health = agent->health,
                            .alerts = agent->alerts,
                            .history = agent->history,
                            .resolution_ms = agent->configuration->metrics.resolution,
                            .engine = agent->engine,
                            .wall = koa_clock_wall,
                            .mono = koa_clock_mono,
                            .started = koa_clock_wall(),
                            .calls = &koa_agent_calls,
                            .agent = agent};
    if (gethostname(api->hostname, sizeof(api->hostname) - 1) != 0)
        api->hostname[0] = '\0';
    if (uname(&system) == 0) {
        (void) snprintf(api->platform, sizeof(api->platform), "%.64s-%.64s-%.64s", system.sysname,
                        system.release, system.machine);
    }
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
    KOA_AUTO(koa_arena) *arena = koa_arena_create(ARENA_LIMIT);

    if (arena == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the listener");
    koa_agent_web_settings(agent->configuration, &opts.settings, arena);
    return koa_http_server_create(&opts, &agent->server, reterr);
}

static enum koa_err choose_external_url(struct koa_agent *agent, struct koa_error *reterr)
{
    const char *configured = agent->configuration->web.external_url;
    char hostname[256] = "localhost";

    (void) gethostname(hostname, sizeof(hostname) - 1);
    agent->external_url =
        configured[0] != '\0'
            ? koa_arena_strdup(agent->arena, configured)
            : koa_arena_printf(agent->arena, "http%s://%s:%d",
                               agent->configuration->web.tls.cert_file[0] != '\0' ? "s" : "",
                               hostname, (int) agent->configuration->web.port);
    return koa_require_memory(agent->external_url, reterr);
}

static enum koa_err build(struct koa_agent *agent, const struct koa_agent_opts *opts,
                          struct koa_configuration_errors *errors, struct koa_error *reterr)
{
    struct koa_agent_parts *parts = NULL;
    enum koa_err err = copy_opts(agent, opts, reterr);

    if (err == KOA_OK)
        err = koa_agent_load_configuration(agent, &agent->configuration, errors, reterr);
    if (err == KOA_OK)
        err = open_log(agent, opts, reterr);
    if (err == KOA_OK)
        err = choose_external_url(agent, reterr);
    if (err == KOA_OK)
        err = create_metrics(agent, reterr);
    if (err == KOA_OK)
        err = create_loops(agent, reterr);
    if (err == KOA_OK)
        err = open_store(agent, reterr);
    if (err == KOA_OK)
        err = create_engine(agent, reterr);
    if (err == KOA_OK)
        err = create_history(agent, reterr);
    if (err == KOA_OK)
        err = koa_agent_parts_create(agent, agent->configuration, NULL, &parts, reterr);
    if (err != KOA_OK)
        return err;
    koa_published_set(&agent->parts, &parts->api.object);
    fill_api(agent);
    return add_configured(agent, errors, reterr);
}

/* One call a line. */
static void tell_errors(const struct koa_agent_opts *opts, const struct koa_config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        struct koa_config_errors one = {.rows = &errors->rows[i], .count = 1};
        struct koa_error error;

        (void) koa_config_errors_fail(&one, &error);
        opts->config_error(opts->config_error_context, error.text);
    }
}

enum koa_err koa_agent_create(const struct koa_agent_opts *opts, struct koa_agent **ret_agent,
                              struct koa_error *reterr)
{
    struct koa_agent *agent = koa_calloc(1, sizeof(*agent));
    struct koa_configuration_errors errors = {0};
    enum koa_err err = koa_require_memory(agent, reterr);

    (void) pthread_once(&seeded, seed_hash);
    if (err != KOA_OK)
        return err;
    (void) pthread_mutex_init(&agent->changing, NULL);
    koa_published_init(&agent->parts);
    agent->arena = koa_arena_create(ARENA_LIMIT);
    err = koa_require_memory(agent->arena, reterr);
    if (err == KOA_OK)
        err = build(agent, opts, &errors, reterr);
    if (err != KOA_OK && opts->config_error != NULL)
        tell_errors(opts, &errors.list);
    koa_configuration_errors_deinit(&errors);
    if (err == KOA_OK)
        *ret_agent = KOA_MOVE(agent);
    koa_agent_destroy(agent);
    return err;
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
    char problem[512];

    koa_log_info(agent->log, "agent.start", "kafka-ops-agent %s (%s) runs%s%s", koa_version(),
                 koa_revision(), agent->server != NULL ? " at " : "", koa_agent_url(agent));
    if (agent->use_defaults && agent->configuration->clusters.count == 0) {
        koa_log_info(
            agent->log, "agent.start",
            "no Kafka cluster is watched: set clusters, KAFKA_BOOTSTRAP_SERVERS or --bootstrap");
    }
    if (koa_store_problem(agent->store, problem, sizeof(problem))) {
        koa_log_warn(agent->log, "agent.start", "%s; alert states do not survive a restart",
                     problem);
    }
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
        err = koa_http_server_start(agent->server, reterr);
    if (err != KOA_OK)
        return err;
    koa_agent_parts_start(agent);
    if (!koa_loop_call(agent->engine, start_on_engine, agent))
        return koa_fail(reterr, KOA_ERR_STATE, "the engine does not take messages");
    log_start(agent);
    return KOA_OK;
}

enum koa_err koa_agent_start(struct koa_agent *agent, struct koa_error *reterr)
{
    enum koa_err err;

    (void) pthread_mutex_lock(&agent->changing);
    err = start_locked(agent, reterr);
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
        koa_log_info(agent->log, "agent.stop", "stopping; deliveries under way get %d ms",
                     (int) timeout_ms);
        atomic_store(&agent->api.is_draining, true);
        if (agent->server != NULL)
            koa_http_server_quiesce(agent->server);
        stop_engine(agent, timeout_ms);
        if (agent->server != NULL)
            koa_http_server_stop(agent->server);
        koa_agent_parts_stop(agent);
        koa_loop_stop(agent->engine);
        koa_loop_stop(agent->kafka);
        koa_log_info(agent->log, "agent.stop", "stopped");
    }
    agent->is_stopped = true;
    (void) pthread_mutex_unlock(&agent->changing);
}

void koa_agent_destroy(struct koa_agent *agent)
{
    if (agent == NULL)
        return;
    koa_agent_stop(agent, DEFAULT_STOP_MS);
    koa_alerts_destroy(agent->alerts);
    koa_health_destroy(agent->health);
    koa_store_destroy(agent->store, STORE_FLUSH_MS);
    koa_http_client_destroy(agent->http);
    koa_resolver_destroy(agent->resolver);
    koa_resolver_destroy(agent->kafka_resolver);
    koa_workers_destroy(agent->workers, WORKERS_WAIT_MS);
    koa_http_server_destroy(agent->server);
    koa_published_deinit(&agent->parts);
    koa_loop_destroy(agent->kafka);
    koa_loop_destroy(agent->engine);
    koa_history_destroy(agent->history);
    koa_metrics_destroy(agent->metrics);
    koa_logger_destroy(agent->logger);
    koa_log_writer_destroy(agent->log_writer);
    koa_configuration_destroy(agent->configuration);
    koa_arena_destroy(agent->arena);
    (void) pthread_mutex_destroy(&agent->changing);
    koa_free(agent);
}

struct koa_metrics *koa_agent_metrics(struct koa_agent *agent)
{
    return agent->metrics;
}

struct koa_board *koa_agent_board(struct koa_agent *agent)
{
    return koa_health_board(agent->health);
}

const char *koa_agent_url(struct koa_agent *agent)
{
    return agent->server != NULL ? koa_http_server_url(agent->server) : "";
}

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
    const char **origins = koa_arena_alloc(agent->arena, count + 1, sizeof(*origins));

    for (size_t i = 0; rows != NULL && origins != NULL && i < count; i++) {
        rows[i].key = koa_arena_strdup(agent->arena, settings->rows[i].key);
        rows[i].value = koa_arena_strdup(agent->arena, settings->rows[i].value);
        if (settings->origins != NULL && settings->origins[i] != NULL)
            origins[i] = koa_arena_strdup(agent->arena, settings->origins[i]);
    }
    if (opts->config_file != NULL)
        agent->config_file = koa_arena_strdup(agent->arena, opts->config_file);
    agent->settings = (struct koa_settings){.rows = rows, .count = count, .origins = origins};
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
        .judge = agent->use_defaults ? koa_agent_judge_with_defaults : koa_agent_judge,
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
    err = koa_http_client_create(agent->engine, agent->resolver, koa_agent_log(agent, "httpclient"),
                                 &agent->http, reterr);
    if (err == KOA_OK) {
        err =
            koa_http_client_create(agent->kafka, agent->kafka_resolver,
                                   koa_agent_log(agent, "httpclient"), &agent->kafka_http, reterr);
    }
    return err;
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

static void take_hash_key(void *context, struct koa_str key, struct koa_wall time,
                          struct koa_str bytes)
{
    struct koa_agent *agent = context;

    (void) time;
    if (koa_str_equal(key, KOA_STR("hash_key")) && bytes.size == sizeof(agent->hash_key)) {
        memcpy(&agent->hash_key, bytes.data, bytes.size);
        agent->has_hash_key = true;
    }
}

static enum koa_err choose_probe_id(struct koa_agent *agent, struct koa_error *reterr)
{
    unsigned char bytes[(KOA_AGENT_PROBE_ID - 1) / 2];

    if (!koa_random_bytes(bytes, sizeof(bytes)))
        return koa_fail(reterr, KOA_ERR_IO, "the system gives no random bytes for the probe");
    koa_hex(bytes, sizeof(bytes), agent->probe_id);
    return KOA_OK;
}

/* Labels that are hashed must keep their values over restarts, so their key is kept too. */
static enum koa_err choose_hash_key(struct koa_agent *agent, struct koa_error *reterr)
{
    struct koa_store_row row = {.key = KOA_STR("hash_key"), .time = koa_clock_wall()};
    enum koa_err err = koa_store_scan(agent->store, "agent", take_hash_key, agent, reterr);

    if (err != KOA_OK || agent->has_hash_key)
        return err;
    if (!koa_random_bytes(&agent->hash_key, sizeof(agent->hash_key)))
        return koa_fail(reterr, KOA_ERR_IO, "the system gives no random bytes for a key");
    row.bytes =
        (struct koa_str){.data = (const char *) &agent->hash_key, .size = sizeof(agent->hash_key)};
    koa_store_put(agent->store, "agent", &row);
    return KOA_OK;
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

enum koa_err koa_agent_configure_history(struct koa_agent *agent,
                                         const struct koa_configuration *configuration,
                                         struct koa_error *reterr)
{
    struct koa_history_opts opts = {
        .retention_ms = configuration->metrics.retention,
        .bytes_limit = configuration->metrics.history_bytes,
        .exclude = configuration->metrics.history_exclude.rows,
        .exclude_count = configuration->metrics.history_exclude.count,
    };

    return agent->history != NULL ? koa_history_configure(agent->history, &opts, reterr)
                                  : koa_history_create(&opts, &agent->history, reterr);
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

/* All that can be wrong with the configuration, before the log is opened: its errors are text for
 * whoever starts the agent. */
static enum koa_err read_configuration(struct koa_agent *agent, struct koa_agent_build *build,
                                       struct koa_configuration_errors *errors,
                                       struct koa_error *reterr)
{
    enum koa_err err = koa_agent_load_configuration(agent, &agent->configuration, errors, reterr);

    if (err != KOA_OK)
        return err;
    *build = (struct koa_agent_build){.configuration = agent->configuration,
                                      .use_defaults = agent->use_defaults,
                                      .errors = &errors->list};
    return koa_agent_build(build) ? KOA_OK : koa_config_errors_fail(&errors->list, reterr);
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

/* Everything around what the configuration names. */
static enum koa_err create_rooms(struct koa_agent *agent, struct koa_error *reterr)
{
    struct koa_agent_parts *parts = NULL;
    enum koa_err err = choose_external_url(agent, reterr);

    if (err == KOA_OK)
        err = create_metrics(agent, reterr);
    if (err == KOA_OK)
        err = create_loops(agent, reterr);
    if (err == KOA_OK)
        err = open_store(agent, reterr);
    if (err == KOA_OK)
        err = choose_hash_key(agent, reterr);
    if (err == KOA_OK)
        err = choose_probe_id(agent, reterr);
    if (err == KOA_OK)
        err = create_engine(agent, reterr);
    if (err == KOA_OK)
        err = koa_agent_configure_history(agent, agent->configuration, reterr);
    if (err == KOA_OK)
        err = koa_agent_parts_create(agent, agent->configuration, NULL, &parts, reterr);
    if (err != KOA_OK)
        return err;
    koa_published_set(&agent->parts, &parts->api.object);
    fill_api(agent);
    return KOA_OK;
}

static enum koa_err build(struct koa_agent *agent, const struct koa_agent_opts *opts,
                          struct koa_configuration_errors *errors, struct koa_error *reterr)
{
    struct koa_agent_build build = {.configuration = NULL};
    enum koa_err err = copy_opts(agent, opts, reterr);

    if (err == KOA_OK)
        err = read_configuration(agent, &build, errors, reterr);
    if (err == KOA_OK)
        err = open_log(agent, opts, reterr);
    if (err == KOA_OK)
        err = create_rooms(agent, reterr);
    if (err == KOA_OK)
        err = koa_health_replace(agent->health, build.checks, build.check_count, reterr);
    if (err == KOA_OK)
        koa_agent_configure_alerts(agent, &build);
    koa_agent_build_deinit(&build);
    return err;
}

void koa_agent_log_warnings(const struct koa_agent *agent, const struct koa_config_errors *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct koa_config_errors one = {.rows = &list->rows[i], .count = 1, .total = 1};
        struct koa_error error;

        (void) koa_config_errors_fail(&one, &error);
        koa_log_warn(agent->log, "config.doubtful", "%s", error.text);
    }
}

void koa_agent_log_start_failure(const struct koa_agent *agent, struct koa_error *error)
{
    koa_log_error(agent->log, "agent.start", "not started: %s", error->text);
    error->is_logged = agent->log != NULL;
}

/* One call a line. */
static void tell_errors(const struct koa_agent_opts *opts, const struct koa_config_errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        struct koa_config_errors one = {.rows = &errors->rows[i], .count = 1, .total = 1};
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
    struct koa_error own;
    enum koa_err err;

    if (reterr == NULL)
        reterr = &own;
    err = koa_require_memory(agent, reterr);
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
    if (err != KOA_OK && errors.list.count == 0)
        koa_agent_log_start_failure(agent, reterr);
    if (err == KOA_OK)
        koa_agent_log_warnings(agent, &errors.warnings);
    koa_configuration_errors_deinit(&errors);
    if (err == KOA_OK)
        *ret_agent = KOA_MOVE(agent);
    koa_agent_destroy(agent);
    return err;
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
    koa_http_client_destroy(agent->kafka_http);
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

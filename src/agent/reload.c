/* A reload: reads everything again, checks it whole, then takes it; or changes nothing. What a
 * running agent cannot change keeps its value and is named in the log. */
#include <string.h>

#include "agent/composition.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "base/str.h"
#include "config/options.h"
#include "loop/clock.h"

void koa_agent_web_settings(const struct koa_configuration *configuration,
                            struct koa_http_settings *settings, struct koa_arena *arena)
{
    const struct koa_web_settings *web = &configuration->web;
    const struct koa_user_settings *users = web->users.rows;
    const struct koa_token_settings *tokens = web->tokens.rows;
    struct koa_http_user *http_users =
        koa_arena_alloc(arena, web->users.count + 1, sizeof(*http_users));
    struct koa_http_bearer *bearers =
        koa_arena_alloc(arena, web->tokens.count + 1, sizeof(*bearers));

    for (size_t i = 0; http_users != NULL && i < web->users.count; i++) {
        http_users[i] = (struct koa_http_user){.name = users[i].name,
                                               .password_hash = users[i].password_hash,
                                               .scopes = koa_scope_bits(users[i].scopes)};
    }
    for (size_t i = 0; bearers != NULL && i < web->tokens.count; i++) {
        bearers[i] = (struct koa_http_bearer){.name = tokens[i].name,
                                              .value = tokens[i].token,
                                              .scopes = koa_scope_bits(tokens[i].scopes)};
    }
    *settings = (struct koa_http_settings){
        .cert_file = web->tls.cert_file,
        .key_file = web->tls.key_file,
        .connections = web->limits.connections,
        .connections_per_address = web->limits.connections_per_address,
        .header_bytes = web->limits.header_bytes,
        .body_bytes = web->limits.body_bytes,
        .header_timeout_ms = web->limits.header_timeout,
        .idle_timeout_ms = web->limits.idle_timeout,
        .login_failures_per_minute = web->limits.login_failures_per_minute,
        .users = http_users,
        .user_count = http_users != NULL ? web->users.count : 0,
        .bearers = bearers,
        .bearer_count = bearers != NULL ? web->tokens.count : 0,
        .open = web->open.rows,
        .open_count = web->open.count,
    };
}

enum koa_err koa_agent_apply_log_levels(struct koa_agent *agent,
                                        const struct koa_configuration *configuration,
                                        struct koa_error *reterr)
{
    const struct koa_pairs *components = &configuration->log.components;
    enum koa_err err;

    if (agent->logger == NULL)
        return KOA_OK;
    if (agent->log_writer != NULL) {
        koa_log_writer_set_format(agent->log_writer,
                                  (enum koa_log_format) configuration->log.format);
    }
    err = koa_logger_set_level(agent->logger, NULL, (enum koa_log_level) configuration->log.level,
                               reterr);
    for (size_t i = 0; i < components->count && err == KOA_OK; i++) {
        enum koa_log_level level;

        err = koa_log_level_parse(components->rows[i].value, &level, reterr);
        if (err == KOA_OK)
            err = koa_logger_set_level(agent->logger, components->rows[i].key, level, reterr);
    }
    return err;
}

/* A new configuration with everything that was made from it, not yet in force. */
struct candidate {
    struct koa_agent *agent;
    struct koa_configuration *configuration;
    struct koa_agent_build build;
    struct koa_agent_parts *parts;
    enum koa_err err;
    struct koa_error *reterr;
};

/* The configured set; a host's own checks stay behind it. */
static enum koa_err replace_checks(struct candidate *candidate)
{
    struct koa_agent *agent = candidate->agent;
    struct koa_check_unit **units =
        koa_calloc(candidate->build.check_count + KOA_HEALTH_CHECKS, sizeof(void *));
    size_t count = 0;
    struct koa_check_unit *unit;
    enum koa_err err = koa_require_memory(units, candidate->reterr);

    if (err != KOA_OK)
        return err;
    for (size_t i = 0; i < candidate->build.check_count; i++)
        units[count++] = candidate->build.checks[i];
    for (size_t i = 0; (unit = koa_health_unit(agent->health, i)) != NULL; i++) {
        if (!unit->is_configured)
            units[count++] = unit;
    }
    err = koa_health_replace(agent->health, units, count, candidate->reterr);
    koa_free(units);
    return err;
}

void koa_agent_configure_alerts(struct koa_agent *agent, struct koa_agent_build *build)
{
    struct koa_alerts_config config = {
        .interval_ms = build->configuration->alerting.interval,
        .history = (size_t) build->configuration->alerting.history,
        .rules = build->rules,
        .rule_count = build->rule_count,
        .notifiers = build->notifiers,
        .notifier_count = build->notifier_count,
    };

    koa_alerts_configure(agent->alerts, &config);
    /* Adopted. */
    build->rule_count = 0;
    build->notifier_count = 0;
}

/* The one step that can still fail comes first. */
static void take_on_engine(void *message)
{
    struct candidate *candidate = message;
    struct koa_agent *agent = candidate->agent;
    struct koa_agent_parts *before = koa_agent_parts_get(agent);

    koa_object_ref(&candidate->parts->api.object);
    koa_published_set(&agent->parts, &candidate->parts->api.object);
    candidate->err = replace_checks(candidate);
    if (candidate->err != KOA_OK) {
        koa_published_set(&agent->parts, &before->api.object);
        return;
    }
    koa_agent_parts_unref(before);
    koa_agent_configure_alerts(agent, &candidate->build);
    koa_board_history_resize(koa_health_history(agent->health),
                             (size_t) candidate->configuration->health.history);
    koa_metrics_set_series_limit(agent->metrics,
                                 (size_t) candidate->configuration->metrics.max_series_per_family);
    candidate->err =
        koa_agent_configure_history(agent, candidate->configuration, candidate->reterr);
}

static enum koa_err take_web(struct candidate *candidate)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(1 << 20);
    struct koa_http_settings settings;

    if (candidate->agent->server == NULL)
        return KOA_OK;
    if (arena == NULL)
        return koa_fail(candidate->reterr, KOA_ERR_NOMEM, "no memory for the listener's settings");
    koa_agent_web_settings(candidate->configuration, &settings, arena);
    return koa_http_server_reload(candidate->agent->server, &settings, candidate->reterr);
}

static enum koa_err take(struct candidate *candidate)
{
    struct koa_agent *agent = candidate->agent;
    struct koa_agent_parts *before = koa_agent_parts_get(agent);
    enum koa_err err = take_web(candidate);

    if (err == KOA_OK && !koa_loop_call(agent->engine, take_on_engine, candidate))
        err = koa_fail(candidate->reterr, KOA_ERR_STATE, "the engine does not run");
    if (err == KOA_OK)
        err = candidate->err;
    if (err == KOA_OK) {
        koa_agent_parts_switch(before, candidate->parts);
        err = koa_agent_apply_log_levels(agent, candidate->configuration, candidate->reterr);
    }
    koa_agent_parts_unref(before);
    return err;
}

/* Names of the sections that differ, and a line for what needs a restart. */
static void compare(struct koa_agent *agent, const struct koa_configuration *after,
                    struct koa_buf *changed)
{
    const struct koa_configuration *before = agent->configuration;
    struct koa_json json = {.buf = changed};

    koa_json_list(&json, NULL);
    for (const struct koa_option *row = koa_configuration_options; row->key != NULL; row++) {
        const struct koa_option table[] = {*row, {0}};

        if (!koa_options_equal(table, before, after))
            koa_json_text(&json, NULL, row->key);
    }
    koa_json_list_end(&json);
    if (!koa_text_equal(before->web.host, after->web.host) || before->web.port != after->web.port ||
        !koa_text_equal(before->state_directory, after->state_directory)) {
        koa_log_warn(agent->log, "config.restart",
                     "web.host, web.port and state_directory keep their values until a restart");
    }
}

static void tell_refusal(struct koa_agent *agent, const struct koa_config_errors *errors,
                         struct koa_error *error)
{
    for (size_t i = 0; errors->count > 1 && i < errors->count; i++) {
        struct koa_config_errors one = {.rows = &errors->rows[i], .count = 1, .total = 1};
        struct koa_error line;

        (void) koa_config_errors_fail(&one, &line);
        koa_log_error(agent->log, "config.error", "%s", line.text);
    }
    koa_log_error(agent->log, "config.reload", "not reloaded: %s; the configuration in force stays",
                  error->text);
    error->is_logged = agent->log != NULL;
}

static void tell(struct koa_agent *agent, enum koa_err err, const struct koa_buf *changed)
{
    koa_metrics_set(agent->metrics, "kafka_ops_config_last_reload_success", err == KOA_OK ? 1 : 0,
                    KOA_NO_LABELS);
    koa_metrics_set(agent->metrics, "kafka_ops_config_last_reload_timestamp_seconds",
                    (double) koa_clock_wall().ms / 1000.0, KOA_NO_LABELS);
    if (err == KOA_OK) {
        koa_log_notice(agent->log, "config.reload", "reloaded; changed: %s", koa_buf_text(changed));
    }
}

static enum koa_err reload_locked(struct koa_agent *agent, struct koa_buf *changed,
                                  struct koa_configuration_errors *errors, struct koa_error *reterr)
{
    struct candidate candidate = {.agent = agent, .reterr = reterr};
    struct koa_agent_parts *before;
    enum koa_err err;

    if (!agent->is_started || agent->is_stopped)
        return koa_fail(reterr, KOA_ERR_STATE, "the agent does not run");
    err = koa_agent_load_configuration(agent, &candidate.configuration, errors, reterr);
    if (err == KOA_OK) {
        candidate.build = (struct koa_agent_build){.configuration = candidate.configuration,
                                                   .use_defaults = agent->use_defaults,
                                                   .errors = &errors->list};
        if (!koa_agent_build(&candidate.build))
            err = koa_config_errors_fail(&errors->list, reterr);
    }
    if (err == KOA_OK) {
        before = koa_agent_parts_get(agent);
        err = koa_agent_parts_create(agent, candidate.configuration, before, &candidate.parts,
                                     reterr);
        koa_agent_parts_unref(before);
    }
    if (err == KOA_OK)
        err = take(&candidate);
    if (err == KOA_OK) {
        struct koa_configuration *old = agent->configuration;

        compare(agent, candidate.configuration, changed);
        koa_agent_log_warnings(agent, &errors->warnings);
        atomic_store(&agent->api.resolution_ms, candidate.configuration->metrics.resolution);
        agent->configuration = candidate.configuration;
        candidate.configuration = old;
    }
    koa_agent_build_deinit(&candidate.build);
    koa_agent_parts_unref(candidate.parts);
    koa_configuration_destroy(candidate.configuration);
    return err;
}

enum koa_err koa_agent_reload_now(struct koa_agent *agent, struct koa_buf *changed,
                                  struct koa_configuration_errors *errors, struct koa_error *reterr)
{
    enum koa_err err;

    (void) pthread_mutex_lock(&agent->changing);
    err = reload_locked(agent, changed, errors, reterr);
    tell(agent, err, changed);
    if (err != KOA_OK)
        tell_refusal(agent, &errors->list, reterr);
    (void) pthread_mutex_unlock(&agent->changing);
    return err;
}

enum koa_err koa_agent_reload(struct koa_agent *agent, struct koa_error *reterr)
{
    struct koa_configuration_errors errors = {0};
    struct koa_buf changed = {.limit = 65536};
    struct koa_error own;
    enum koa_err err =
        koa_agent_reload_now(agent, &changed, &errors, reterr != NULL ? reterr : &own);

    koa_configuration_errors_deinit(&errors);
    koa_buf_deinit(&changed);
    return err;
}

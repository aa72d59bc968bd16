/* The agent's parts and who owns them: the one struct that only this room sees. */
#ifndef AGENT_COMPOSITION_H
#define AGENT_COMPOSITION_H

#include <koa/agent.h>

#include "agent/configuration.h"
#include "alerts/engine.h"
#include "api/api.h"
#include "cluster/cluster.h"
#include "health/engine.h"
#include "httpclient/client.h"
#include "httpserver/server.h"
#include "loop/log_writer.h"
#include "loop/loop.h"
#include "loop/resolver.h"
#include "loop/worker.h"
#include "metrics/filter.h"
#include "metrics/history.h"
#include "metrics/registry.h"
#include "store/store.h"

enum {
    KOA_AGENT_AUTHENTICATORS = 8,
    KOA_AGENT_CLUSTERS = 100,
    KOA_AGENT_PROBE_ID = 17, /* 8 random bytes in hex */
    KOA_AGENT_SOURCES = 3,   /* registry, health, clusters */
};

/* A set of clusters, filters and sources: what a reload replaces as one. The last request that uses
 * it frees it. */
struct koa_agent_parts {
    struct koa_api_parts api; /* first: it is what is published */
    struct koa_metrics_filter *filter;
    struct koa_metrics_source *wrapped[KOA_AGENT_SOURCES];
    const struct koa_metrics_source *sources[KOA_AGENT_SOURCES];
    struct koa_metrics_source *clusters_source;
    struct koa_cluster *clusters[KOA_AGENT_CLUSTERS];
};

struct koa_agent {
    /* How it was asked for; copied, for reloads. */
    struct koa_arena *arena;
    const char *config_file;
    struct koa_settings settings;
    bool use_environment, use_defaults;

    struct koa_log_writer *log_writer; /* NULL: a host's sink, or none */
    struct koa_logger *logger;
    struct koa_log *log; /* of component "agent" */
    struct koa_configuration *configuration;

    struct koa_metrics *metrics;
    struct koa_loop *engine, *kafka;
    struct koa_workers *workers;
    struct koa_resolver *resolver, *kafka_resolver;
    struct koa_http_client *http, *kafka_http; /* of the two loops */
    struct koa_store *store;
    struct koa_hash_key hash_key; /* of metrics.hash_labels */
    bool has_hash_key;
    struct koa_health *health;
    struct koa_alerts *alerts;
    struct koa_history *history;
    struct koa_published parts; /* struct koa_agent_parts */
    struct koa_probe_services services;
    char probe_id[KOA_AGENT_PROBE_ID]; /* key of this run's messages in the probe's topics */

    struct koa_http_server *server;
    struct koa_api api;
    const struct koa_authenticator *authenticators[KOA_AGENT_AUTHENTICATORS];
    size_t authenticator_count;
    char *external_url;

    /* Of kafka_ops_queue_dropped_total: what was counted of each queue; names are constants. */
    struct {
        const char *name;
        int64_t dropped;
    } queues[16];
    double counted_cpu_seconds; /* of process_cpu_seconds_total */
    struct koa_timer sampling;  /* engine's: history and the agent's own gauges */
    pthread_mutex_t changing;   /* one start, stop, reload or addition at a time */
    bool is_started, is_stopped;
    bool is_running; /* the start has succeeded; stays when it stops */
};

/* Writes to the log, if there is one, and notes in the error that this was done. */
void koa_agent_log_start_failure(const struct koa_agent *agent, struct koa_error *error);

/* build.c: configuration to checks, rules and notifiers. Errors are added to `errors`. */
struct koa_agent_build {
    const struct koa_configuration *configuration;
    bool use_defaults;
    struct koa_config_errors *errors;

    struct koa_check_unit **checks;
    size_t check_count;
    struct koa_rule **rules;
    size_t rule_count;
    struct koa_notifier **notifiers;
    size_t notifier_count;
};
KOA_MUST_USE bool koa_agent_build(struct koa_agent_build *build);
/* For struct koa_configuration_opts: builds for the errors only. */
void koa_agent_judge(const struct koa_configuration *configuration,
                     struct koa_config_errors *errors);
void koa_agent_judge_with_defaults(const struct koa_configuration *configuration,
                                   struct koa_config_errors *errors);
/* Frees what nobody has taken. */
void koa_agent_build_deinit(struct koa_agent_build *build);
/* How a check of this type is loaded: the timeouts that hold for it. */
struct koa_check_load_opts koa_agent_check_opts(const struct koa_configuration *configuration,
                                                const struct koa_check_ops *ops, const char *path);

/* One rule or notifier to be made; NULL comes back when an error was added. */
struct koa_agent_item {
    const char *name; /* NULL: the node's */
    const struct koa_node *node;
    const char *path;
    void *context;      /* a host's */
    bool is_configured; /* from file or defaults: a reload replaces it */
};
KOA_MUST_USE struct koa_rule *koa_agent_build_rule(const struct koa_rule_ops *ops,
                                                   const struct koa_agent_item *item,
                                                   struct koa_config_errors *errors);
KOA_MUST_USE struct koa_notifier *koa_agent_build_notifier(const struct koa_notifier_ops *ops,
                                                           const struct koa_agent_item *item,
                                                           struct koa_config_errors *errors);
/* Hands rules and notifiers of `build` to alerts/. Engine's thread, or before the start. */
void koa_agent_configure_alerts(struct koa_agent *agent, struct koa_agent_build *build);

/* agent.c */
/* Makes the history, or gives it new settings. Engine's thread, or before the start. */
KOA_MUST_USE enum koa_err koa_agent_configure_history(struct koa_agent *agent,
                                                      const struct koa_configuration *configuration,
                                                      struct koa_error *reterr);
struct koa_log *koa_agent_log(const struct koa_agent *agent, const char *component);
KOA_MUST_USE enum koa_err koa_agent_load_configuration(const struct koa_agent *agent,
                                                       struct koa_configuration **ret_configuration,
                                                       struct koa_configuration_errors *errors,
                                                       struct koa_error *reterr);

/* A line in the log for each setting that is allowed and hardly meant. */
void koa_agent_log_warnings(const struct koa_agent *agent, const struct koa_config_errors *list);

/* parts.c: clusters and sources of a configuration. Clusters of the same settings are kept from
 * `previous` (may be NULL). */
KOA_MUST_USE enum koa_err koa_agent_parts_create(struct koa_agent *agent,
                                                 const struct koa_configuration *configuration,
                                                 const struct koa_agent_parts *previous,
                                                 struct koa_agent_parts **ret_parts,
                                                 struct koa_error *reterr);
/* A reference to the present ones. Any thread. */
struct koa_agent_parts *koa_agent_parts_get(struct koa_agent *agent);
void koa_agent_parts_unref(struct koa_agent_parts *parts);
/* Stops the collectors that only `before` has, starts those that only `after` has. NULL: none. */
void koa_agent_parts_switch(const struct koa_agent_parts *before,
                            const struct koa_agent_parts *after);
/* The same for the present ones. */
void koa_agent_parts_start(struct koa_agent *agent);
void koa_agent_parts_stop(struct koa_agent *agent);
/* What checks see of them; `context` is the agent. */
extern const struct koa_health_snapshots koa_agent_snapshots;
/* For rules: is the source of `family` stale, and why? `context` is the agent. */
bool koa_agent_is_stale(void *context, const char *family, char *text, size_t size);

/* sampling.c */
void koa_agent_sampling_start(struct koa_agent *agent);

/* reload.c: the settings of the listener, and the levels of the log. */
void koa_agent_web_settings(const struct koa_configuration *configuration,
                            struct koa_http_settings *settings, struct koa_arena *arena);
KOA_MUST_USE enum koa_err koa_agent_apply_log_levels(struct koa_agent *agent,
                                                     const struct koa_configuration *configuration,
                                                     struct koa_error *reterr);
/* Takes a new configuration or changes nothing. `changed` gets the names of changed sections as a
 * JSON list. The caller deinits `errors`. Not on the engine's thread. */
KOA_MUST_USE enum koa_err koa_agent_reload_now(struct koa_agent *agent, struct koa_buf *changed,
                                               struct koa_configuration_errors *errors,
                                               struct koa_error *reterr);

/* calls.c: what the endpoints ask. */
extern const struct koa_api_calls koa_agent_calls;

#endif

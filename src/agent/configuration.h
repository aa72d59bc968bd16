/* The whole configuration as typed structs: what docs/config.md documents. Loaded from file,
 * environment and flags into one immutable object. */
#ifndef AGENT_CONFIGURATION_H
#define AGENT_CONFIGURATION_H

#include <koa/option.h>

#include "base/buf.h"
#include "cluster/cluster.h"
#include "config/node.h"
#include "config/yaml.h"
#include "kafka/security.h"

struct koa_user_settings {
    const char *name;
    const char *password_hash;
    unsigned scopes; /* bits 1 << n, see koa_scope_bits() */
};

struct koa_token_settings {
    const char *name;
    const char *token;
    unsigned scopes;
};

struct koa_web_settings {
    const char *host;
    int64_t port;
    const char *external_url;
    struct {
        const char *cert_file, *key_file;
    } tls;
    struct koa_list users;  /* struct koa_user_settings */
    struct koa_list tokens; /* struct koa_token_settings */
    struct koa_texts open;
    struct {
        int64_t connections, connections_per_address;
        int64_t header_bytes, body_bytes;
        int64_t header_timeout, idle_timeout; /* ms */
        int64_t login_failures_per_minute;
    } limits;
};

struct koa_names_settings {
    struct koa_texts include, exclude; /* anchored regular expressions */
};

/* A secret and its file: `x` is what the file held when the configuration was read, `x_file` where
 * it lies, so that it can be read again. */
struct koa_cluster_settings {
    const char *name;
    struct koa_texts bootstrap_servers;
    int64_t interval, request_timeout, slow_interval; /* ms */
    struct {
        bool enabled;
        const char *ca_file, *cert_file, *key_file, *server_name;
        const char *key_password, *key_password_file;
    } tls;
    struct {
        const char *mechanism, *username, *token_url, *token_ca_file, *client_id, *scope;
        const char *password, *password_file;
        const char *token, *token_file;
        const char *client_secret, *client_secret_file;
    } sasl;
    int64_t batch, connections;
    struct {
        bool enabled;
        const char *topic;
        int64_t interval;
    } probe;
    struct koa_names_settings topics, groups;
    int granularity;
};

struct koa_label_rule_settings {
    const char *family;
    const char *label;
};

struct koa_configuration {
    struct koa_web_settings web;
    const char *state_directory; /* "": the default for this user */
    struct {
        int level;  /* enum koa_log_level */
        int format; /* enum koa_log_format */
        struct koa_pairs components;
    } log;
    struct koa_list clusters;      /* struct koa_cluster_settings */
    const struct koa_node *checks; /* rows of health/ and of the type */
    struct {
        int64_t history;
        int64_t check_timeout; /* ms; 0: the type's own, else 30 s */
    } health;
    struct {
        int64_t retention, resolution; /* ms */
        int64_t history_bytes;
        struct koa_texts history_exclude;
        int64_t max_series_per_family;
        struct koa_texts exclude;
        struct koa_list drop_labels, hash_labels; /* struct koa_label_rule_settings */
    } metrics;
    struct {
        int64_t interval; /* ms */
        int64_t history;
        const struct koa_node *rules, *notifiers;
    } alerting;

    struct koa_arena *arena; /* holds all of the above */
};

struct koa_configuration;

struct koa_configuration_opts {
    const char *file;                    /* NULL: none */
    const struct koa_settings *settings; /* outrank everything; NULL: none */
    koa_getenv_fn *getenv;               /* NULL: the environment is not read */
    /* Called when there are errors already, to add those of checks, rules and notifiers; NULL:
     * none.
     */
    void (*judge)(const struct koa_configuration *configuration, struct koa_config_errors *errors);
    void *context;
};

/* All errors are collected: `errors` (its arena is made here, see koa_configuration_errors) */
struct koa_configuration_errors {
    struct koa_arena *arena;
    struct koa_config_errors list;
    struct koa_config_errors warnings; /* what is allowed and hardly meant; also on success */
};
void koa_configuration_errors_deinit(struct koa_configuration_errors *errors);

/* On failure `errors` has at least one row and `reterr` the first of them as one line. The caller
 * deinits `errors` in every case. */
KOA_MUST_USE enum koa_err koa_configuration_load(const struct koa_configuration_opts *opts,
                                                 struct koa_configuration **ret_configuration,
                                                 struct koa_configuration_errors *errors,
                                                 struct koa_error *reterr);
void koa_configuration_destroy(struct koa_configuration *configuration);
KOA_DEFINE_AUTO(koa_configuration, koa_configuration_destroy)

/* Scopes of users and tokens as bits of enum koa_scope. */
unsigned koa_scope_bits(unsigned choices);

/* A cluster's `tls` and `sasl` as its connections want them; borrows the settings. */
void koa_cluster_settings_security(const struct koa_cluster_settings *settings,
                                   struct koa_kafka_security *ret_security);
/* What else a cluster's settings say, the probe left out; borrows them. */
void koa_cluster_settings_opts(const struct koa_cluster_settings *settings,
                               struct koa_cluster_opts *ret_opts);

/* The rows themselves, for documentation and for what a reload may not change. */
extern const struct koa_option koa_configuration_options[];
extern const struct koa_option koa_cluster_options[];

/* Effective settings as YAML, secrets masked, but for the subtrees of checks, rules, notifiers. */
void koa_configuration_print(const struct koa_configuration *configuration, struct koa_buf *buf);

#endif

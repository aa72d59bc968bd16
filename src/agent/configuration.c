/* Loads the configuration: file, environment and flags become one tree, the tree becomes structs.
 * What one row cannot judge (two clusters of one name) is judged here. */
#include "agent/configuration.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/str.h"
#include "config/options.h"
#include "metrics/filter.h"

enum {
    ARENA_LIMIT = 64 << 20,
    ERRORS_LIMIT = 1 << 20,
    BOOTSTRAP_SIZE = 16384,
};

struct load {
    const struct koa_configuration_opts *opts;
    struct koa_configuration *configuration;
    struct koa_config_errors *errors, *warnings;
};

void koa_configuration_errors_deinit(struct koa_configuration_errors *errors)
{
    koa_arena_destroy(errors->arena);
    *errors = (struct koa_configuration_errors){0};
}

void koa_configuration_destroy(struct koa_configuration *configuration)
{
    /* The struct itself lives in its arena. */
    if (configuration != NULL)
        koa_arena_destroy(configuration->arena);
}

/* KAFKA_BOOTSTRAP_SERVERS defines one cluster named "default". */
static const struct koa_node *read_bootstrap(struct load *load)
{
    const char *servers = load->opts->getenv(load->opts->context, "KAFKA_BOOTSTRAP_SERVERS");
    struct koa_buf value = {.limit = BOOTSTRAP_SIZE};
    const struct koa_node *tree = NULL;
    struct koa_str rest = koa_str_from(servers);

    if (rest.size == 0)
        return NULL;
    koa_buf_append_text(&value, "[{name: default, bootstrap_servers: [");
    while (rest.size > 0) {
        struct koa_str server = koa_str_trim(koa_str_split(rest, ',', &rest));

        /* Single quotes: in YAML nothing but the quote itself has a meaning there. */
        for (size_t i = 0; i < server.size; i++) {
            if (i == 0)
                koa_buf_append_char(&value, '\'');
            koa_buf_append(&value, server.data + i, 1);
            if (server.data[i] == '\'')
                koa_buf_append_char(&value, '\'');
        }
        if (server.size > 0)
            koa_buf_append_text(&value, "',");
    }
    koa_buf_append_text(&value, "]}]");
    if (value.failed) {
        koa_config_errors_add(load->errors, NULL, "KAFKA_BOOTSTRAP_SERVERS",
                              "is longer than %d characters", (int) BOOTSTRAP_SIZE);
    } else {
        struct koa_settings settings = {
            .rows = &(struct koa_setting){.key = "clusters", .value = koa_buf_text(&value)},
            .count = 1};

        tree = koa_node_from_settings(&settings, "KAFKA_BOOTSTRAP_SERVERS",
                                      load->configuration->arena, load->errors);
    }
    koa_buf_deinit(&value);
    return tree;
}

static const struct koa_node *merge(struct load *load, const struct koa_node *under,
                                    const struct koa_node *over)
{
    if (under == NULL || over == NULL)
        return under != NULL ? under : over;
    return koa_node_merge(under, over, load->configuration->arena);
}

static const struct koa_node *read_file(struct load *load)
{
    struct koa_yaml_opts opts = {
        .file = load->opts->file, .getenv = load->opts->getenv, .context = load->opts->context};

    if (load->opts->file == NULL)
        return NULL;
    return koa_yaml_read(load->opts->file, &opts, load->configuration->arena, load->errors);
}

static const struct koa_node *read_environment(struct load *load)
{
    struct koa_arena *arena = load->configuration->arena;

    if (load->opts->getenv == NULL)
        return NULL;
    return merge(load,
                 koa_node_from_environment(koa_configuration_options, load->opts->getenv,
                                           load->opts->context, arena, load->errors),
                 read_bootstrap(load));
}

static const struct koa_node *read_settings(struct load *load)
{
    if (load->opts->settings == NULL || load->opts->settings->count == 0)
        return NULL;
    return koa_node_from_settings(load->opts->settings, "settings", load->configuration->arena,
                                  load->errors);
}

void koa_cluster_settings_opts(const struct koa_cluster_settings *settings,
                               struct koa_cluster_opts *ret_opts)
{
    *ret_opts = (struct koa_cluster_opts){
        .name = settings->name,
        .bootstrap_servers = settings->bootstrap_servers.rows,
        .bootstrap_count = settings->bootstrap_servers.count,
        .interval_ms = settings->interval,
        .request_timeout_ms = settings->request_timeout,
        .slow_interval_ms = settings->slow_interval,
        .topics_include = settings->topics.include.rows,
        .topics_include_count = settings->topics.include.count,
        .topics_exclude = settings->topics.exclude.rows,
        .topics_exclude_count = settings->topics.exclude.count,
        .groups_include = settings->groups.include.rows,
        .groups_include_count = settings->groups.include.count,
        .groups_exclude = settings->groups.exclude.rows,
        .groups_exclude_count = settings->groups.exclude.count,
        .batch = settings->batch,
        .connections = settings->connections,
        .granularity = (enum koa_granularity) settings->granularity,
    };
}

void koa_cluster_settings_security(const struct koa_cluster_settings *settings,
                                   struct koa_kafka_security *ret_security)
{
    *ret_security = (struct koa_kafka_security){
        .use_tls = settings->tls.enabled,
        .ca_file = settings->tls.ca_file,
        .cert_file = settings->tls.cert_file,
        .key_file = settings->tls.key_file,
        .key_password = {settings->tls.key_password, settings->tls.key_password_file},
        .server_name = settings->tls.server_name,
        .mechanism = settings->sasl.mechanism,
        .username = settings->sasl.username,
        .password = {settings->sasl.password, settings->sasl.password_file},
        .token = {settings->sasl.token, settings->sasl.token_file},
        .token_url = settings->sasl.token_url,
        .client_id = settings->sasl.client_id,
        .scope = settings->sasl.scope,
        .client_secret = {settings->sasl.client_secret, settings->sasl.client_secret_file},
        .token_ca_file = settings->sasl.token_ca_file,
    };
}

static const struct koa_node *item_at(const struct koa_node *list, size_t index)
{
    const struct koa_node *item = list != NULL ? list->children : NULL;

    while (item != NULL && index-- > 0)
        item = item->next;
    return item;
}

/* The kafka check takes data older than three intervals for a collector that hangs. */
static void doubt_cluster(struct load *load, const struct koa_node *item, size_t index)
{
    const struct koa_cluster_settings *rows = load->configuration->clusters.rows;
    const struct koa_cluster_settings *row = &rows[index];
    const struct koa_node *where = koa_node_get(item, "request_timeout");
    char path[48];

    if (row->request_timeout < row->interval)
        return;
    (void) snprintf(path, sizeof(path), "clusters[%zu].request_timeout", index);
    koa_config_errors_add(
        load->warnings, where != NULL ? where : item, path,
        "is not below the interval: a broker that freezes holds up one collection for that long, "
        "and the kafka check may find the data too old (unhealthy) where one broker is missing "
        "(degraded)");
}

static void judge_security(struct load *load, const struct koa_node *item, size_t index)
{
    const struct koa_cluster_settings *rows = load->configuration->clusters.rows;
    const struct koa_cluster_settings *row = &rows[index];
    const struct koa_node *tls = koa_node_get(item, "tls");
    const struct koa_node *sasl = koa_node_get(item, "sasl");
    struct koa_kafka_security security;
    struct koa_error error;
    char path[48];

    (void) snprintf(path, sizeof(path), "clusters[%zu]", index);
    koa_cluster_settings_security(row, &security);
    if (koa_kafka_security_check(&security, &error) != KOA_OK) {
        const struct koa_node *where = strncmp(error.text, "tls.", 4) == 0 ? tls : sasl;

        koa_config_errors_add(load->errors, where != NULL ? where : item, path, "%s", error.text);
    }
    if (!security.use_tls && (security.ca_file[0] != '\0' || security.cert_file[0] != '\0')) {
        koa_config_errors_add(load->warnings, tls, path,
                              "tls names certificates, but tls.enabled is false: the connections "
                              "are plaintext");
    }
}

static void check_clusters(struct load *load, const struct koa_node *tree)
{
    const struct koa_cluster_settings *rows = load->configuration->clusters.rows;
    const struct koa_node *list = koa_node_get(tree, "clusters");

    for (size_t i = 0; i < load->configuration->clusters.count; i++) {
        const struct koa_node *item = item_at(list, i);

        doubt_cluster(load, item, i);
        judge_security(load, item, i);
        for (size_t k = 0; k < i; k++) {
            if (koa_text_equal(rows[i].name, rows[k].name)) {
                koa_config_errors_add(load->errors, item, "clusters", "two are named '%s'",
                                      rows[i].name);
            }
        }
    }
}

/* A name in `cluster` that no cluster has is hardly meant: the check has nothing to look at. The
 * file's own clusters are replaced by KAFKA_BOOTSTRAP_SERVERS, which is why this is no error. */
static void doubt_checks(struct load *load)
{
    const struct koa_configuration *configuration = load->configuration;
    const struct koa_cluster_settings *rows = configuration->clusters.rows;
    const struct koa_node *item = item_at(configuration->checks, 0);

    for (size_t index = 0; item != NULL && configuration->clusters.count > 0;
         item = item->next, index++) {
        const struct koa_node *cluster = koa_node_get(item, "cluster");
        bool is_found = koa_node_is_empty(cluster) || cluster->type != KOA_NODE_SCALAR ||
                        cluster->value[0] == '\0';
        char path[48];

        for (size_t i = 0; !is_found && i < configuration->clusters.count; i++)
            is_found = koa_text_equal(rows[i].name, cluster->value);
        if (is_found)
            continue;
        (void) snprintf(path, sizeof(path), "checks[%zu].cluster", index);
        koa_config_errors_add(load->warnings, cluster, path,
                              "no cluster is named '%s': the check has nothing to look at",
                              cluster->value);
    }
}

static void check_label_rules(struct load *load, const struct koa_list *rules,
                              const struct koa_node *where, const char *path)
{
    if (rules->count > KOA_FILTER_RULES_LIMIT) {
        koa_config_errors_add(load->errors, where, path, "has %zu items, at most %d are allowed",
                              rules->count, (int) KOA_FILTER_RULES_LIMIT);
    }
}

static void check_metrics(struct load *load, const struct koa_node *tree)
{
    const struct koa_node *section = koa_node_get(tree, "metrics");

    check_label_rules(load, &load->configuration->metrics.drop_labels,
                      koa_node_get(section, "drop_labels"), "metrics.drop_labels");
    check_label_rules(load, &load->configuration->metrics.hash_labels,
                      koa_node_get(section, "hash_labels"), "metrics.hash_labels");
}

static void check_web(struct load *load, const struct koa_node *tree)
{
    const struct koa_web_settings *web = &load->configuration->web;
    const struct koa_node *section = koa_node_get(tree, "web");
    const struct koa_user_settings *users = web->users.rows;

    for (size_t i = 0; i < web->users.count; i++) {
        for (size_t k = 0; k < i; k++) {
            if (koa_text_equal(users[i].name, users[k].name)) {
                koa_config_errors_add(load->errors, item_at(koa_node_get(section, "users"), i),
                                      "web.users", "two are named '%s'", users[i].name);
            }
        }
    }
    if ((web->tls.cert_file[0] == '\0') != (web->tls.key_file[0] == '\0')) {
        koa_config_errors_add(load->errors, koa_node_get(section, "tls"), "web.tls",
                              "cert_file and key_file must be set together");
    }
}

static bool is_component(const char *name)
{
    for (size_t i = 0; koa_log_components[i] != NULL; i++) {
        if (koa_text_equal(koa_log_components[i], name))
            return true;
    }
    return false;
}

static void check_log(struct load *load, const struct koa_node *tree)
{
    const struct koa_pairs *components = &load->configuration->log.components;
    const struct koa_node *where = koa_node_get(koa_node_get(tree, "log"), "components");

    for (size_t i = 0; i < components->count; i++) {
        if (!is_component(components->rows[i].key)) {
            koa_options_unknown(load->errors, where, "log.components",
                                &(struct koa_unknown_word){"component", components->rows[i].key,
                                                           koa_log_components});
        }
    }
}

static void load_tree(struct load *load)
{
    const struct koa_node *tree = read_file(load);

    tree = merge(load, tree, read_environment(load));
    tree = merge(load, tree, read_settings(load));
    if (koa_options_load_one(koa_configuration_options, load->configuration, tree,
                             &(struct koa_options_opts){.path = "",
                                                        .arena = load->configuration->arena,
                                                        .errors = load->errors,
                                                        .read_secret_files = true})) {
        check_clusters(load, tree);
        doubt_checks(load);
        check_metrics(load, tree);
        check_web(load, tree);
        check_log(load, tree);
    }
}

enum koa_err koa_configuration_load(const struct koa_configuration_opts *opts,
                                    struct koa_configuration **ret_configuration,
                                    struct koa_configuration_errors *errors,
                                    struct koa_error *reterr)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(ARENA_LIMIT);
    struct koa_configuration *configuration = NULL;

    *errors = (struct koa_configuration_errors){.arena = koa_arena_create(ERRORS_LIMIT)};
    errors->list.arena = errors->warnings.arena = errors->arena;
    if (arena != NULL)
        configuration = koa_arena_alloc(arena, 1, sizeof(*configuration));
    if (configuration == NULL || errors->arena == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for the configuration");
    configuration->arena = arena;
    load_tree(&(struct load){.opts = opts,
                             .configuration = configuration,
                             .errors = &errors->list,
                             .warnings = &errors->warnings});
    if (errors->list.count > 0 && opts->judge != NULL)
        opts->judge(configuration, &errors->list);
    if (errors->list.count > 0)
        return koa_config_errors_fail(&errors->list, reterr);
    if (koa_arena_failed(arena)) {
        return koa_fail(reterr, KOA_ERR_LIMIT, "the configuration takes more than %d MiB of memory",
                        (int) (ARENA_LIMIT >> 20));
    }
    *ret_configuration = configuration;
    arena = NULL; /* the configuration's now */
    return KOA_OK;
}

void koa_configuration_print(const struct koa_configuration *configuration, struct koa_buf *buf)
{
    koa_options_print(koa_configuration_options, configuration, 0, buf);
}

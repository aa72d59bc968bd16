/* Finds the cluster's settings and starts a loop for its connections. Reads the configuration as
 * `serve` does, so that what works there works here. */
#include "cli/target.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/str.h"
#include "cli/serve.h"
#include "crypto/crypto.h"
#include "httpclient/client.h"
#include "loop/resolver.h"
#include "loop/worker.h"

enum { CLUSTERS_TEXT_SIZE = 16384, ERRORS_LIMIT = 1 << 20, WORKERS_WAIT_MS = 1000 };

const struct cli_flag cli_target_flags[] = {
    {"bootstrap", "HOST:PORT,...", NULL, "the cluster's servers"},
    {"config", "FILE", NULL, "configuration file: the cluster's servers, tls, sasl and filters"},
    {"cluster", "NAME", NULL, "a cluster of the configuration (the first)"},
    {0},
};

static const char *read_variable(void *context, const char *name)
{
    (void) context;
    return getenv(name); // NOLINT(concurrency-mt-unsafe): no other thread runs yet
}

static void print_errors(const struct cli_arguments *arguments, const struct koa_error *error,
                         const struct koa_configuration_errors *errors)
{
    struct koa_buf text = {.limit = ERRORS_LIMIT};

    koa_config_errors_print(&errors->list, &text);
    if (text.size > 0) {
        (void) fprintf(stderr, "%s", koa_buf_text(&text));
    } else {
        (void) fprintf(stderr, "kafka-ops-agent %s: %s\n", arguments->command->name, error->text);
    }
    koa_buf_deinit(&text);
}

static bool load(const struct cli_arguments *arguments, struct cli_target *target)
{
    const char *bootstrap = cli_value(arguments, "bootstrap");
    struct koa_configuration_errors errors = {.arena = NULL};
    struct koa_configuration_opts opts = {.file = cli_value(arguments, "config"),
                                          .getenv = read_variable};
    struct koa_setting setting = {.key = "clusters"};
    struct koa_settings settings = {
        .rows = &setting, .origins = &(const char *){"--bootstrap"}, .count = 1};
    char clusters[CLUSTERS_TEXT_SIZE];
    struct koa_error error = {.text = ""};
    enum koa_err err;

    if (bootstrap != NULL) {
        if (!cli_clusters_setting(bootstrap, clusters, sizeof(clusters))) {
            (void) fprintf(stderr, "kafka-ops-agent %s: --bootstrap: '%.100s' names no servers\n",
                           arguments->command->name, bootstrap);
            return false;
        }
        setting.value = clusters;
        opts.settings = &settings;
    }
    err = koa_configuration_load(&opts, &target->configuration, &errors, &error);
    if (err != KOA_OK)
        print_errors(arguments, &error, &errors);
    koa_configuration_errors_deinit(&errors);
    return err == KOA_OK;
}

static bool choose(const struct cli_arguments *arguments, struct cli_target *target)
{
    const char *name = cli_value(arguments, "cluster");
    const struct koa_cluster_settings *rows = target->configuration->clusters.rows;
    size_t count = target->configuration->clusters.count;

    for (size_t i = 0; i < count && target->settings == NULL; i++) {
        if (name == NULL || koa_text_equal(rows[i].name, name))
            target->settings = &rows[i];
    }
    if (target->settings != NULL)
        return true;
    if (name == NULL || count == 0) {
        (void) fprintf(stderr,
                       "kafka-ops-agent %s: no cluster is named: give --bootstrap HOST:PORT, "
                       "--config FILE, or set KAFKA_BOOTSTRAP_SERVERS\n",
                       arguments->command->name);
    } else {
        (void) fprintf(stderr, "kafka-ops-agent %s: --cluster: there is no '%s'; there is",
                       arguments->command->name, name);
        for (size_t i = 0; i < count; i++)
            (void) fprintf(stderr, "%s '%s'", i > 0 ? "," : "", rows[i].name);
        (void) fputc('\n', stderr);
    }
    return false;
}

static enum koa_err start(struct cli_target *target, struct koa_error *reterr)
{
    struct koa_loop_opts loop = {.name = "kafka"};
    struct koa_hash_key key;
    enum koa_err err = koa_loop_create(&loop, &target->loop, reterr);

    if (koa_random_bytes(&key, sizeof(key)))
        koa_hash_seed(key);
    if (err == KOA_OK) {
        err =
            koa_workers_create(&(struct koa_workers_opts){.threads = 0}, &target->workers, reterr);
    }
    if (err != KOA_OK)
        return err;
    target->resolver = koa_resolver_create(target->workers, target->loop);
    err = koa_require_memory(target->resolver, reterr);
    if (err == KOA_OK)
        err = koa_http_client_create(target->loop, target->resolver, NULL, &target->http, reterr);
    return err == KOA_OK ? koa_loop_start(target->loop, reterr) : err;
}

bool cli_target_open(const struct cli_arguments *arguments, struct cli_target *ret_target)
{
    struct koa_error error = {.text = ""};

    *ret_target = (struct cli_target){.configuration = NULL};
    if (!load(arguments, ret_target) || !choose(arguments, ret_target)) {
        cli_target_close(ret_target);
        return false;
    }
    koa_cluster_settings_security(ret_target->settings, &ret_target->security);
    if (start(ret_target, &error) != KOA_OK) {
        (void) fprintf(stderr, "kafka-ops-agent %s: %s\n", arguments->command->name, error.text);
        cli_target_close(ret_target);
        return false;
    }
    return true;
}

void cli_target_close(struct cli_target *target)
{
    if (target->loop != NULL)
        koa_loop_stop(target->loop);
    koa_http_client_destroy(target->http);
    koa_resolver_destroy(target->resolver);
    if (target->workers != NULL)
        koa_workers_destroy(target->workers, WORKERS_WAIT_MS);
    koa_loop_destroy(target->loop);
    koa_configuration_destroy(target->configuration);
    *target = (struct cli_target){.configuration = NULL};
}

void cli_target_opts(const struct cli_target *target, struct koa_cluster_opts *ret_opts)
{
    koa_cluster_settings_opts(target->settings, ret_opts);
    ret_opts->resolver = target->resolver;
    ret_opts->security = &target->security;
    ret_opts->workers = target->workers;
    ret_opts->http = target->http;
}

/* Reads the scenario and the flags of a simulated cluster and starts it. */
#include "cli/simulated.h"

#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "sim/scenario.h"

enum { FLAG_SIZE = 32, HOST_SIZE = 256, ERRORS_LIMIT = 1 << 20 };

static bool read_number(const struct cli_arguments *arguments, const char *prefix, const char *name,
                        int64_t maximum, int64_t *value)
{
    char flag[FLAG_SIZE];

    (void) snprintf(flag, sizeof(flag), "%s%s", prefix, name);
    return cli_number(arguments, flag, 1, maximum, value);
}

/* "HOST:PORT", "[::1]:PORT" or "PORT". */
static bool read_listen(const struct cli_arguments *arguments, const char *prefix, char *host,
                        struct koa_simulation_opts *opts)
{
    char flag[FLAG_SIZE];
    const char *text;
    const char *colon;
    struct koa_str name;
    int64_t port;

    (void) snprintf(flag, sizeof(flag), "%slisten", prefix);
    text = cli_value(arguments, flag);
    if (text == NULL)
        return true;
    colon = strrchr(text, ':');
    name = (struct koa_str){.data = text, .size = colon != NULL ? (size_t) (colon - text) : 0};
    if (name.size > 2 && text[0] == '[' && text[name.size - 1] == ']')
        name = (struct koa_str){.data = text + 1, .size = name.size - 2};
    if (!koa_str_copy(host, HOST_SIZE, name) ||
        koa_parse_int(koa_str_from(colon != NULL ? colon + 1 : text), 0, 65535, &port) != KOA_OK) {
        (void) fprintf(stderr, "kafka-ops-agent %s: --%s: '%s' is not HOST:PORT\n",
                       arguments->command->name, flag, text);
        return false;
    }
    if (host[0] != '\0')
        opts->host = host;
    opts->port = (int) port;
    return true;
}

static bool refuse(const struct cli_arguments *arguments, const char *flag, const char *text,
                   const char *allowed)
{
    (void) fprintf(stderr, "kafka-ops-agent %s: --%s: '%s' is not %s\n", arguments->command->name,
                   flag, text, allowed);
    return false;
}

/* 0 is a cluster without groups. */
static bool read_groups(const struct cli_arguments *arguments, const char *prefix,
                        struct koa_simulation_opts *opts)
{
    char flag[FLAG_SIZE];

    (void) snprintf(flag, sizeof(flag), "%sgroups", prefix);
    if (!cli_number(arguments, flag, 0, KOA_SIM_GROUPS_MAX, &opts->groups))
        return false;
    if (cli_value(arguments, flag) != NULL && opts->groups == 0)
        opts->groups = -1;
    return true;
}

static bool read_latency(const struct cli_arguments *arguments, const char *prefix,
                         struct koa_simulation_opts *opts)
{
    char flag[FLAG_SIZE];
    const char *text;

    (void) snprintf(flag, sizeof(flag), "%slatency", prefix);
    text = cli_value(arguments, flag);
    if (text == NULL || (koa_parse_duration(koa_str_from(text), 1, &opts->latency_ms) == KOA_OK &&
                         opts->latency_ms <= KOA_SIM_LATENCY_MS_MAX))
        return true;
    return refuse(arguments, flag, text, "a duration up to 60s, such as 5ms");
}

static bool read_version(const struct cli_arguments *arguments, const char *prefix,
                         struct koa_simulation_opts *opts)
{
    char flag[FLAG_SIZE];
    const char *text;

    (void) snprintf(flag, sizeof(flag), "%skafka-version", prefix);
    text = cli_value(arguments, flag);
    if (text == NULL || koa_sim_version_find(text, &opts->version))
        return true;
    return refuse(arguments, flag, text, "one of 2.8, 3.9, 4.0, 4.x");
}

/* Every mistake of the file is printed as check-config prints those of a configuration. */
static bool read_scenario(const struct cli_arguments *arguments, const char *prefix,
                          struct koa_simulation_opts *opts)
{
    struct koa_buf errors = {.limit = ERRORS_LIMIT};
    char flag[FLAG_SIZE];
    const char *path;
    struct koa_error error;
    bool is_read;

    (void) snprintf(flag, sizeof(flag), "%sscenario", prefix);
    path = cli_value(arguments, flag);
    if (path == NULL)
        return true;
    is_read = koa_sim_scenario_read(path, &errors, &opts->scenario, &error) == KOA_OK;
    if (!is_read) {
        (void) fprintf(stderr, "%skafka-ops-agent %s: --%s: %s\n", koa_buf_text(&errors),
                       arguments->command->name, flag, error.text);
    }
    koa_buf_deinit(&errors);
    return is_read;
}

/* What the scenario says of it; flags come later, and win. */
static void take_size(struct koa_simulation_opts *opts, int64_t *seed)
{
    const struct koa_sim_size *size;

    if (opts->scenario == NULL || !opts->scenario->has_size)
        return;
    size = &opts->scenario->size;
    opts->brokers = size->brokers;
    opts->topics = size->topics;
    opts->partitions = size->partitions;
    opts->groups = size->groups > 0 ? size->groups : -1;
    opts->group_partitions = size->group_partitions;
    opts->members = size->members;
    opts->latency_ms = size->latency_ms;
    opts->version = (enum koa_sim_version) size->version;
    *seed = size->seed;
}

static bool read_flags(const struct cli_arguments *arguments, const char *prefix,
                       struct koa_simulation_opts *opts, int64_t *seed)
{
    return read_number(arguments, prefix, "brokers", KOA_SIM_BROKERS_MAX, &opts->brokers) &&
           read_number(arguments, prefix, "topics", KOA_SIM_TOPICS_MAX, &opts->topics) &&
           read_number(arguments, prefix, "partitions", KOA_SIM_PARTITIONS_MAX,
                       &opts->partitions) &&
           read_number(arguments, prefix, "group-partitions", KOA_SIM_GROUP_PARTITIONS_MAX,
                       &opts->group_partitions) &&
           read_number(arguments, prefix, "members", KOA_SIM_MEMBERS_MAX, &opts->members) &&
           read_number(arguments, prefix, "seed", INT64_MAX, seed) &&
           read_groups(arguments, prefix, opts) && read_latency(arguments, prefix, opts) &&
           read_version(arguments, prefix, opts);
}

static void print_warning(const char *text)
{
    (void) fprintf(stderr, "kafka-ops-agent: simulated cluster: %s\n", text);
}

bool cli_simulation_start(const struct cli_arguments *arguments, const char *prefix,
                          struct koa_simulation **ret_simulation)
{
    char host[HOST_SIZE];
    struct koa_simulation_opts opts = {
        .brokers = 3, .topics = 20, .partitions = 100, .warn = print_warning};
    int64_t seed = 1;
    struct koa_error error;

    if (!read_listen(arguments, prefix, host, &opts) || !read_scenario(arguments, prefix, &opts))
        return false;
    take_size(&opts, &seed);
    if (!read_flags(arguments, prefix, &opts, &seed)) {
        koa_sim_scenario_destroy(opts.scenario);
        return false;
    }
    opts.seed = (uint64_t) seed;
    if (koa_simulation_start(&opts, ret_simulation, &error) == KOA_OK)
        return true;
    (void) fprintf(stderr, "kafka-ops-agent %s: the simulated cluster did not start: %s\n",
                   arguments->command->name, error.text);
    return false;
}

/* `serve`: runs the agent until a signal ends it. Uses the public library only, as any host would,
 * and sim/ for --simulate. */
#include "cli/serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/notify.h"
#include "cli/signals.h"
#include "cli/simulated.h"

enum {
    /* Deliveries and requests under way get this long at a stop: below the 30 s that Kubernetes and
     * the 90 s that systemd wait before they kill. */
    STOP_LIMIT_MS = 10000,
    CLUSTERS_TEXT_SIZE = 16384,
};

const struct cli_flag cli_agent_flags[] = {
    {"config", "FILE", NULL, "configuration file (docs/config.md)"},
    {"bootstrap", "HOST:PORT,...", NULL, "watch this Kafka cluster, named \"default\""},
    {"state-dir", "DIR", "state_directory", "where alert states are kept"},
    {"host", "ADDRESS", "web.host", "address to listen on"},
    {"port", "PORT", "web.port", "port to listen on; 0: any free one"},
    {"log-level", "LEVEL", "log.level", "error, warning, notice, info or debug"},
    {"log-format", "FORMAT", "log.format", "text or json"},
    {0},
};

bool cli_clusters_setting(const char *bootstrap, char *text, size_t size)
{
    size_t used = (size_t) snprintf(text, size, "[{name: default, bootstrap_servers: [");

    while (*bootstrap != '\0') {
        size_t length = strcspn(bootstrap, ",");

        /* Quoted, so that nothing in it can be read as more than one server's name. */
        if (memchr(bootstrap, '"', length) != NULL || memchr(bootstrap, '\\', length) != NULL ||
            used + length + 8 >= size)
            return false;
        used += (size_t) snprintf(text + used, size - used, "\"%.*s\",", (int) length, bootstrap);
        bootstrap += length;
        if (*bootstrap == ',')
            bootstrap++;
    }
    return used + 4 < size && snprintf(text + used, size - used, "]}]") == 3;
}

static void on_debug_signal(struct koa_agent *agent, enum koa_log_level level)
{
    struct koa_error error;

    if (koa_agent_set_log_level(agent, NULL, level, &error) != KOA_OK)
        (void) fprintf(stderr, "kafka-ops-agent: %s\n", error.text);
}

/* The agent logs what a reload changed or why it was refused. */
static void on_hangup(struct koa_agent *agent)
{
    struct koa_error error;

    cli_notify("RELOADING=1");
    if (koa_agent_reload(agent, &error) != KOA_OK && !error.is_logged)
        (void) fprintf(stderr, "kafka-ops-agent: not reloaded: %s\n", error.text);
    cli_notify("READY=1");
}

int cli_wait_for_stop(struct koa_agent *agent, int64_t limit_ms)
{
    int64_t period_ms = cli_notify_watchdog_ms();
    int found;

    if (period_ms < 0 || (limit_ms >= 0 && limit_ms < period_ms))
        period_ms = limit_ms;
    for (;;) {
        found = cli_signals_wait(period_ms);
        if (found == SIGTERM || found == SIGINT)
            return found;
        if (found == SIGHUP) {
            on_hangup(agent);
        } else if (found == SIGUSR1) {
            on_debug_signal(agent, KOA_LOG_DEBUG);
        } else if (found == SIGUSR2) {
            on_debug_signal(agent, KOA_LOG_INFO);
        } else if (limit_ms >= 0) {
            return 0;
        } else {
            cli_notify("WATCHDOG=1");
        }
    }
}

int cli_agent_failure(const struct cli_arguments *arguments, const struct koa_error *error,
                      bool is_told)
{
    if (!is_told && !error->is_logged)
        (void) fprintf(stderr, "kafka-ops-agent %s: %s\n", arguments->command->name, error->text);
    return error->code == KOA_ERR_PARSE || error->code == KOA_ERR_INVALID ||
                   error->code == KOA_ERR_RANGE
               ? CLI_USAGE
               : CLI_FAILED;
}

static void print_welcome(struct koa_agent *agent, bool is_simulated)
{
    const char *url = koa_agent_url(agent);

    if (url[0] == '\0' || isatty(STDOUT_FILENO) == 0)
        return;
    (void) printf("\n  kafka-ops-agent %s runs at %s%s\n\n"
                  "    %s/            every endpoint\n"
                  "    %s/health      is it healthy?\n"
                  "    %s/metrics/prometheus\n"
                  "    %s/alerts\n\n  Ctrl-C ends it.\n\n",
                  koa_version(), url, is_simulated ? ", watching a simulated cluster" : "", url,
                  url, url, url);
    (void) fflush(stdout);
}

static void print_config_error(void *context, const char *line)
{
    *(bool *) context = true;
    (void) fprintf(stderr, "%s\n", line);
}

static int run_agent(const struct cli_arguments *arguments, struct koa_agent_opts *opts,
                     bool is_simulated)
{
    KOA_AUTO(koa_agent) *agent = NULL;
    bool is_printed = false;
    struct koa_error error;

    opts->config_error = print_config_error;
    opts->config_error_context = &is_printed;
    if (koa_agent_create(opts, &agent, &error) != KOA_OK ||
        koa_agent_start(agent, &error) != KOA_OK)
        return cli_agent_failure(arguments, &error, is_printed);
    cli_notify("READY=1");
    print_welcome(agent, is_simulated);
    (void) cli_wait_for_stop(agent, -1);
    cli_notify("STOPPING=1");
    koa_agent_stop(agent, STOP_LIMIT_MS);
    return CLI_OK;
}

static const struct cli_flag simulate_flags[] = {
    {"simulate", NULL, NULL, "watch a simulated cluster made for it"},
    {"sim-brokers", "N", NULL, "its brokers (3)"},
    {"sim-topics", "N", NULL, "its topics (20)"},
    {"sim-partitions", "N", NULL, "its partitions in all (100)"},
    {"sim-groups", "N", NULL, "its groups, of every type (10)"},
    {"sim-group-partitions", "N", NULL, "its partitions with commits in all (10 for each group)"},
    {"sim-members", "N", NULL, "members of each group that has some (3)"},
    {"sim-latency", "DURATION", NULL, "added to every answer, such as 5ms (0)"},
    {"sim-kafka-version", "VERSION", NULL, "its APIs as of Kafka 2.8, 3.9, 4.0 or 4.x (4.x)"},
    {"sim-scenario", "FILE", NULL, "its size, and what happens to it when (docs/simulate.md)"},
    {"sim-seed", "N", NULL, "same seed, same cluster (1)"},
    {"sim-listen", "HOST:PORT", NULL, "address of its first broker (127.0.0.1, any free ports)"},
    {0},
};

/* Flags of a simulated cluster say nothing without one. */
static bool check_simulate_flags(const struct cli_arguments *arguments)
{
    for (const struct cli_flag *flag = simulate_flags + 1; flag->name != NULL; flag++) {
        if (cli_is_given(arguments, flag->name) && !cli_is_given(arguments, "simulate")) {
            (void) fprintf(stderr, "kafka-ops-agent serve: --%s needs --simulate\n", flag->name);
            return false;
        }
    }
    return true;
}

static int serve(const struct cli_arguments *arguments)
{
    struct cli_settings settings;
    struct koa_settings view;
    struct koa_agent_opts opts = KOA_AGENT_OPTS_INIT;
    const char *bootstrap = cli_value(arguments, "bootstrap");
    struct koa_simulation *simulation = NULL;
    char clusters[CLUSTERS_TEXT_SIZE];
    int code = CLI_USAGE;

    if (!check_simulate_flags(arguments))
        return CLI_USAGE;
    cli_settings_collect(arguments, &settings);
    cli_signals_block();
    if (cli_is_given(arguments, "simulate") &&
        !cli_simulation_start(arguments, "sim-", &simulation))
        return CLI_USAGE;
    if (simulation != NULL && bootstrap == NULL)
        bootstrap = koa_simulation_bootstrap(simulation);
    if (bootstrap != NULL && !cli_clusters_setting(bootstrap, clusters, sizeof(clusters))) {
        (void) fprintf(stderr, "kafka-ops-agent serve: --bootstrap: '%s' is not HOST:PORT,...\n",
                       bootstrap);
    } else {
        if (bootstrap != NULL)
            cli_settings_add(&settings, "clusters", clusters, "bootstrap");
        view = cli_settings_view(&settings);
        opts.config_file = cli_value(arguments, "config");
        opts.settings = &view;
        opts.use_environment = true;
        opts.use_defaults = true;
        opts.log_fd = STDERR_FILENO;
        code = run_agent(arguments, &opts, simulation != NULL);
    }
    koa_simulation_stop(simulation);
    return code;
}

const struct cli_command cli_serve = {
    .name = "serve",
    .summary = "Run the agent",
    .help =
        "Signals: SIGTERM and SIGINT stop it, SIGHUP reloads the configuration, SIGUSR1 logs at\n"
        "level debug, SIGUSR2 at level info again.\n"
        "Exit codes: 0 stopped by a signal; 1 it could not start or run; 2 flags, environment or\n"
        "configuration are not right.\n",
    .flag_tables = (const struct cli_flag *const[]){cli_agent_flags, simulate_flags, NULL},
    .run = serve,
};

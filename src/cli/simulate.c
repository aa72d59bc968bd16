/* `simulate`: only the simulated Kafka cluster, for Kafka's tools, exporters and tests. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/signals.h"
#include "cli/simulated.h"

static int simulate(const struct cli_arguments *arguments)
{
    struct koa_simulation *simulation = NULL;

    cli_signals_block();
    if (!cli_simulation_start(arguments, "", &simulation))
        return CLI_USAGE;
    (void) printf("bootstrap.servers=%s\n", koa_simulation_bootstrap(simulation));
    (void) fflush(stdout);
    (void) cli_signals_wait(-1);
    koa_simulation_stop(simulation);
    return CLI_OK;
}

static const struct cli_flag flags[] = {
    {"listen", "HOST:PORT", NULL,
     "address of the first broker, the others follow (127.0.0.1, any free ports)"},
    {"brokers", "N", NULL, "number of brokers (3)"},
    {"topics", "N", NULL, "number of topics (20)"},
    {"partitions", "N", NULL, "number of partitions in all (100)"},
    {"groups", "N", NULL, "number of groups, of every type (10)"},
    {"group-partitions", "N", NULL, "partitions with commits in all (10 for each group)"},
    {"members", "N", NULL, "members of each group that has some (3)"},
    {"latency", "DURATION", NULL, "added to every answer, such as 5ms (0)"},
    {"kafka-version", "VERSION", NULL, "APIs and versions as of Kafka 2.8, 3.9, 4.0 or 4.x (4.x)"},
    {"scenario", "FILE", NULL, "its size, and what happens to it when (docs/simulate.md)"},
    {"seed", "N", NULL, "same seed, same cluster (1)"},
    {0},
};

const struct cli_command cli_simulate = {
    .name = "simulate",
    .summary = "Run a simulated Kafka cluster only",
    .help = "Prints bootstrap.servers on the first line, then runs until SIGTERM or SIGINT.\n"
            "Exit codes: 0 stopped by a signal; 2 flags are not right or an address is taken.\n",
    .flag_tables = (const struct cli_flag *const[]){flags, NULL},
    .run = simulate,
};

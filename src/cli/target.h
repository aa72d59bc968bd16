/* The cluster that a command looks at by itself, without an agent: from flags, a configuration file
 * or the environment, with the threads that a client needs. */
#ifndef CLI_TARGET_H
#define CLI_TARGET_H

#include "agent/configuration.h"
#include "cli/command.h"
#include "cluster/cluster.h"

/* --bootstrap, --config, --cluster. */
extern const struct cli_flag cli_target_flags[];

struct cli_target {
    struct koa_configuration *configuration;
    const struct koa_cluster_settings *settings; /* of the cluster */
    struct koa_kafka_security security;          /* of the settings */
    struct koa_loop *loop;                       /* runs */
    struct koa_workers *workers;
    struct koa_resolver *resolver;
    struct koa_http_client *http; /* of the loop */
};

/* Prints what is wrong and returns false; nothing is left open then. */
bool cli_target_open(const struct cli_arguments *arguments, struct cli_target *ret_target);
/* Whatever uses the loop must be gone. */
void cli_target_close(struct cli_target *target);
/* Everything but `published`, for koa_cluster_create(). */
void cli_target_opts(const struct cli_target *target, struct koa_cluster_opts *ret_opts);

#endif

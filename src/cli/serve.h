/* What commands that run an agent share. */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include <koa/agent.h>

#include "cli/command.h"

extern const struct cli_flag cli_agent_flags[];

/* "a:1,b:2" as the value of the setting `clusters`: one cluster named "default". False when it does
 * not fit or holds what no host name may. */
bool cli_clusters_setting(const char *bootstrap, char *text, size_t size);

/* Tells why an agent was not made or started, unless the log says it; returns the exit code. */
int cli_agent_failure(const struct cli_arguments *arguments, const struct koa_error *error,
                      bool is_told);

/* Waits for SIGTERM or SIGINT and returns it; handles the other signals. Returns 0 after
 * `limit_ms` without one (-1: waits for ever). */
int cli_wait_for_stop(struct koa_agent *agent, int64_t limit_ms);

#endif

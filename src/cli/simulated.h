/* The simulated cluster as flags describe it. */
#ifndef CLI_SIMULATED_H
#define CLI_SIMULATED_H

#include "cli/command.h"
#include "sim/simulation.h"

/* Starts one from the flags PREFIXbrokers, PREFIXtopics and so on, as `simulate` lists them. Prints
 * what is wrong and returns false. */
bool cli_simulation_start(const struct cli_arguments *arguments, const char *prefix,
                          struct koa_simulation **ret_simulation);

#endif

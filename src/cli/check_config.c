/* `check-config`: says everything that is wrong with a file, or prints the effective settings with
 * secrets masked. Builds the agent as `serve` would, but starts nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/check.h"
#include "cli/command.h"

static int check_config(const struct cli_arguments *arguments)
{
    struct koa_buf text = {.limit = KOA_CONFIGURATION_TEXT_LIMIT};
    struct koa_buf warnings = {.limit = KOA_CONFIGURATION_TEXT_LIMIT};
    bool is_right = koa_configuration_check(arguments->operand, &text, &warnings);

    if (warnings.size > 0)
        (void) fprintf(stderr, "Allowed, but look at:\n%s", koa_buf_text(&warnings));
    (void) fputs(koa_buf_text(&text), is_right ? stdout : stderr);
    koa_buf_deinit(&text);
    koa_buf_deinit(&warnings);
    return is_right ? CLI_OK : CLI_USAGE;
}

static const struct cli_flag flags[] = {{0}};

const struct cli_command cli_check_config = {
    .name = "check-config",
    .operand = "FILE",
    .summary = "Validate a configuration file, or print the effective settings",
    .help =
        "The environment counts as it does for `serve`. Secrets are printed as ***.\n"
        "Exit codes: 0 the file is right, settings are on standard output; 2 it is not, every "
        "error\n"
        "is on standard error as file:line:column: path: what and what is allowed. What is allowed "
        "and\n"
        "hardly meant is told there too, and changes no exit code.\n",
    .flag_tables = (const struct cli_flag *const[]){flags, NULL},
    .run = check_config,
};

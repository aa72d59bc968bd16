/* The program: finds the command and hands it the arguments. */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <koa/version.h>

#include "base/str.h"
#include "cli/command.h"
#include "cli/signals.h"

static const struct cli_command *find_command(const char *name)
{
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        if (koa_text_equal((*command)->name, name))
            return *command;
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *nearest = NULL;
    int best = 3;

    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        int distance = koa_text_distance(name, (*command)->name, best);

        if (distance < best && !(*command)->is_hidden) {
            best = distance;
            nearest = (*command)->name;
        }
    }
    (void) fprintf(stderr, "kafka-ops-agent: unknown command '%s'", name);
    if (nearest != NULL)
        (void) fprintf(stderr, "; did you mean '%s'?", nearest);
    (void) fprintf(stderr, "\n'kafka-ops-agent --help' lists the commands\n");
    return CLI_USAGE;
}

static int run_command(const struct cli_command *command, int count, char **words)
{
    struct cli_arguments arguments;
    bool is_done;

    if (!cli_arguments_parse(command, count, words, &arguments, &is_done))
        return CLI_USAGE;
    return is_done ? CLI_OK : command->run(&arguments);
}

/* Blocks from this size on go back to the system when they are freed, so that what a cycle or a
 * scrape needs for a moment is resident for a moment only. glibc begins with the same size, but
 * raises it with each larger block that is freed. */
enum { OWN_MAPPING_BYTES = 128 * 1024 };

/* A program that is started without one of them would open the next file in its place, and write
 * its log there: into its own event loop, or its database. */
static void open_standard_files(void)
{
    int descriptor = open("/dev/null", O_RDWR);

    while (descriptor >= 0 && descriptor <= STDERR_FILENO)
        descriptor = open("/dev/null", O_RDWR);
    if (descriptor > STDERR_FILENO)
        (void) close(descriptor);
}

int main(int count, char **words)
{
    const struct cli_command *command;

#ifdef __GLIBC__
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no other thread runs yet */
    (void) mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
#endif
    open_standard_files();
    cli_signals_ignore_pipe();
    if (count < 2)
        return run_command(cli_commands[0], count, words);
    if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0 ||
        strcmp(words[1], "help") == 0) {
        cli_program_help();
        return CLI_OK;
    }
    if (strcmp(words[1], "--version") == 0) {
        (void) printf("kafka-ops-agent %s (%s)\n", koa_version(), koa_revision());
        return CLI_OK;
    }
    if (words[1][0] == '-')
        return run_command(cli_commands[0], count, words);
    command = find_command(words[1]);
    return command != NULL ? run_command(command, count - 1, words + 1) : unknown_command(words[1]);
}

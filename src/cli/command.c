/* Flags of a command by its rows: reads them with getopt_long and writes the help text. What a flag
 * means is left to the command, or to the configuration when the row names a setting. */
#include "cli/command.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"

enum { HELP_COLUMNS = 80, HELP_INDENT = 30 /* of what a flag does */ };

const struct cli_command *const cli_commands[] = {
    &cli_serve, &cli_verify, &cli_demo, &cli_simulate, &cli_check_config,
    &cli_lag,   &cli_doctor, &cli_docs, NULL,
};

static void collect_flags(const struct cli_command *command, struct cli_arguments *arguments)
{
    for (const struct cli_flag *const *table = command->flag_tables; *table != NULL; table++) {
        for (const struct cli_flag *flag = *table; flag->name != NULL; flag++) {
            KOA_ASSERT(arguments->flag_count < CLI_FLAG_LIMIT);
            arguments->flags[arguments->flag_count++] = flag;
        }
    }
}

/* getopt_long's table: --help is row 0, flag i has value i + 1. No value is a letter. */
_Static_assert(CLI_FLAG_LIMIT < ' ', "a flag's value must not look like a letter");
static void fill_getopt(const struct cli_arguments *arguments, struct option *rows)
{
    rows[0] = (struct option){.name = "help", .val = 0};
    for (size_t i = 0; i < arguments->flag_count; i++) {
        const char *argument = arguments->flags[i]->argument;

        rows[i + 1] = (struct option){
            .name = arguments->flags[i]->name,
            .has_arg = argument == NULL     ? no_argument
                       : argument[0] == '[' ? optional_argument
                                            : required_argument,
            .val = (int) i + 1,
        };
    }
}

/* getopt has passed the word that it refuses, unless that is one of several short flags. `optopt`
 * is a short flag's letter, a long one's value, or 0. */
static const char *refused_word(char **words)
{
    const char *word = words[optind - 1];
    bool is_passed =
        optopt < ' ' || (word[0] == '-' && word[1] == (char) optopt && word[2] == '\0');

    return is_passed ? word : words[optind];
}

static bool is_ambiguous(const struct cli_arguments *arguments, const char *word)
{
    size_t size = strcspn(word, "=");
    size_t count = 0;

    for (size_t i = 0; i < arguments->flag_count; i++) {
        if (size > 2 && strncmp(arguments->flags[i]->name, word + 2, size - 2) == 0)
            count++;
    }
    return count > 1;
}

static void print_bad_flag(const struct cli_arguments *arguments, int reason, char **words)
{
    const char *command = arguments->command->name;
    const char *word = refused_word(words);
    const char *why = "unknown flag";

    if (reason == ':') {
        why = "a value must follow";
    } else if (optopt > 0 && optopt < ' ') {
        why = "no value is taken by";
    } else if (is_ambiguous(arguments, word)) {
        why = "several flags begin with";
    }
    (void) fprintf(stderr,
                   "kafka-ops-agent %s: %s '%s'; 'kafka-ops-agent %s --help' lists the flags\n",
                   command, why, word, command);
}

static bool take_operand(const struct cli_command *command, int count, char **words,
                         struct cli_arguments *arguments)
{
    int expected = command->operand != NULL ? 1 : 0;

    if (count - optind > expected) {
        (void) fprintf(stderr, "kafka-ops-agent %s: unexpected '%s'\n", command->name,
                       words[optind + expected]);
        return false;
    }
    if (count - optind < expected) {
        (void) fprintf(stderr, "kafka-ops-agent %s: %s is missing\n", command->name,
                       command->operand);
        return false;
    }
    if (expected == 1)
        arguments->operand = words[optind];
    return true;
}

/* The program parses before it starts any thread. */
static int next_flag(int count, char **words, const struct option *rows)
{
    return getopt_long(count, words, ":", rows, NULL); // NOLINT(concurrency-mt-unsafe)
}

bool cli_arguments_parse(const struct cli_command *command, int count, char **words,
                         struct cli_arguments *arguments, bool *ret_done)
{
    struct option rows[CLI_FLAG_LIMIT + 2] = {0};
    int found;

    *arguments = (struct cli_arguments){.command = command};
    *ret_done = false;
    collect_flags(command, arguments);
    fill_getopt(arguments, rows);
    optind = 0; /* glibc forgets a former call's place */
    opterr = 0;
    while ((found = next_flag(count, words, rows)) != -1) {
        if (found == ':' || found == '?') {
            print_bad_flag(arguments, found, words);
            return false;
        }
        if (found == 0) {
            cli_command_help(command);
            *ret_done = true;
            return true;
        }
        arguments->values[found - 1] = optarg != NULL ? optarg : "";
    }
    return take_operand(command, count, words, arguments);
}

const char *cli_value(const struct cli_arguments *arguments, const char *flag)
{
    for (size_t i = 0; i < arguments->flag_count; i++) {
        if (koa_text_equal(arguments->flags[i]->name, flag))
            return arguments->values[i];
    }
    return NULL;
}

bool cli_is_given(const struct cli_arguments *arguments, const char *flag)
{
    return cli_value(arguments, flag) != NULL;
}

bool cli_number(const struct cli_arguments *arguments, const char *flag, int64_t minimum,
                int64_t maximum, int64_t *value)
{
    const char *text = cli_value(arguments, flag);

    if (text == NULL || koa_parse_int(koa_str_from(text), minimum, maximum, value) == KOA_OK)
        return true;
    (void) fprintf(stderr,
                   "kafka-ops-agent %s: --%s: '%s' is not a whole number from %" PRId64
                   " to %" PRId64 "\n",
                   arguments->command->name, flag, text, minimum, maximum);
    return false;
}

void cli_settings_collect(const struct cli_arguments *arguments, struct cli_settings *settings)
{
    *settings = (struct cli_settings){.count = 0};
    for (size_t i = 0; i < arguments->flag_count; i++) {
        const struct cli_flag *flag = arguments->flags[i];

        if (flag->setting != NULL && arguments->values[i] != NULL)
            cli_settings_add(settings, flag->setting, arguments->values[i], flag->name);
    }
}

void cli_settings_add(struct cli_settings *settings, const char *key, const char *value,
                      const char *flag)
{
    size_t at = settings->count++;

    KOA_ASSERT(at < CLI_SETTING_LIMIT);
    settings->rows[at] = (struct koa_setting){.key = key, .value = value};
    if (flag != NULL) {
        (void) snprintf(settings->flags[at], CLI_ORIGIN_SIZE, "--%s", flag);
        settings->origins[at] = settings->flags[at];
    }
}

struct koa_settings cli_settings_view(const struct cli_settings *settings)
{
    return (struct koa_settings){
        .rows = settings->rows, .origins = settings->origins, .count = settings->count};
}

/* Words until the terminal's 80 columns are full; what follows is indented. A line of the text ends
 * only where a sentence does: how the source breaks it does not matter. */
static void print_wrapped(const char *text, int column, int indent)
{
    int start = column;

    while (*text != '\0') {
        int size = (int) strcspn(text, " \n");
        int space = column > start ? 1 : 0;

        if (space + column + size > HELP_COLUMNS && column > start) {
            (void) printf("\n%*s", indent, "");
            column = start = indent;
            space = 0;
        }
        (void) printf("%*s%.*s", space, "", size, text);
        column += space + size;
        text += size;
        if (*text == '\n' && size > 0 && text[-1] == '.') {
            (void) printf("\n");
            column = start = 0;
        }
        text += *text != '\0';
    }
    if (column > start)
        (void) printf("\n");
}

void cli_command_help(const struct cli_command *command)
{
    struct cli_arguments arguments = {.command = command};

    (void) printf("Usage: kafka-ops-agent %s [flags]%s%s\n\n%s.\n\nFlags:\n", command->name,
                  command->operand != NULL ? " " : "",
                  command->operand != NULL ? command->operand : "", command->summary);
    collect_flags(command, &arguments);
    for (size_t i = 0; i < arguments.flag_count; i++) {
        const struct cli_flag *flag = arguments.flags[i];
        const char *argument = flag->argument != NULL ? flag->argument : "";
        int width = printf("  --%s%s%s", flag->name,
                           argument[0] != '\0' && argument[0] != '[' ? " " : "", argument);

        if (width > HELP_INDENT - 2) {
            (void) printf("\n");
            width = 0;
        }
        (void) printf("%*s", HELP_INDENT - width, "");
        print_wrapped(flag->help, HELP_INDENT, HELP_INDENT);
    }
    (void) printf("  --help%*s%s\n", 22, "", "print this text");
    if (command->help != NULL) {
        (void) printf("\n");
        print_wrapped(command->help, 0, 0);
    }
}

void cli_program_help(void)
{
    (void) printf("kafka-ops-agent watches Apache Kafka clusters and everything around them.\n\n"
                  "Usage: kafka-ops-agent [COMMAND] [flags]\n\nCommands:\n");
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        if (!(*command)->is_hidden) {
            (void) printf("  %-14s %s%s\n", (*command)->name, (*command)->summary,
                          *command == cli_commands[0] ? " (the default)" : "");
        }
    }
    (void) printf("\n'kafka-ops-agent COMMAND --help' lists a command's flags and exit codes.\n"
                  "'kafka-ops-agent --version' prints the version.\n");
}

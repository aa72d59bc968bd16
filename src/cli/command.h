/* A command is a row: name, flags, and a function. The same rows write --help. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <koa/option.h>

struct cli_flag {
    const char *name;     /* "port" for --port */
    const char *argument; /* "PORT"; "[=PORT]": may be left out; NULL: a switch */
    const char *setting;  /* the configuration key it sets; NULL: the command reads it itself */
    const char *help;
};

struct cli_arguments;

/* Exit codes that every command shares. */
enum cli_exit {
    CLI_OK = 0,
    CLI_FAILED = 1, /* it ran, and the answer is no */
    CLI_USAGE = 2,  /* flags, environment or configuration are not right; nothing was started */
};

struct cli_command {
    const char *name;
    const char *operand;                       /* "FILE"; NULL: none is taken */
    const char *summary;                       /* one line for the list */
    const char *help;                          /* what follows the flags: exit codes, an example */
    const struct cli_flag *const *flag_tables; /* ends with NULL; each table with an all-zero row */
    bool is_hidden;
    int (*run)(const struct cli_arguments *arguments);
};

enum { CLI_FLAG_LIMIT = 31, CLI_SETTING_LIMIT = 32, CLI_ORIGIN_SIZE = 40 };

struct cli_arguments {
    const struct cli_command *command;
    const struct cli_flag *flags[CLI_FLAG_LIMIT]; /* of all tables, in order */
    const char *values[CLI_FLAG_LIMIT];           /* NULL: not given; "" for a switch that is */
    size_t flag_count;
    const char *operand;
};

/* All commands; ends with NULL. The first is run when no command is named. */
extern const struct cli_command *const cli_commands[];

/* Reads flags and operand after the command's name. Prints what is wrong and returns false; a call
 * for --help prints it and sets `*ret_done`. */
bool cli_arguments_parse(const struct cli_command *command, int count, char **words,
                         struct cli_arguments *arguments, bool *ret_done);
/* The value of a flag, or NULL when it was not given. */
const char *cli_value(const struct cli_arguments *arguments, const char *flag);
bool cli_is_given(const struct cli_arguments *arguments, const char *flag);
/* A whole number within the range, or `fallback` when the flag was not given. Prints what is wrong
 * and returns false. */
bool cli_number(const struct cli_arguments *arguments, const char *flag, int64_t minimum,
                int64_t maximum, int64_t *value);
/* Settings with the flags they come from, so that an error names what was written. */
struct cli_settings {
    struct koa_setting rows[CLI_SETTING_LIMIT];
    const char *origins[CLI_SETTING_LIMIT];
    char flags[CLI_SETTING_LIMIT][CLI_ORIGIN_SIZE];
    size_t count;
};

/* The settings that the given flags set. */
void cli_settings_collect(const struct cli_arguments *arguments, struct cli_settings *settings);
/* One more; its texts are borrowed. `flag` is its name, or NULL: it is the command's own. There is
 * room for what a command adds: see the limit. */
void cli_settings_add(struct cli_settings *settings, const char *key, const char *value,
                      const char *flag);
/* As the library takes them; borrows. */
struct koa_settings cli_settings_view(const struct cli_settings *settings);

void cli_command_help(const struct cli_command *command);
void cli_program_help(void);

extern const struct cli_command cli_serve;
extern const struct cli_command cli_verify;
extern const struct cli_command cli_demo;
extern const struct cli_command cli_simulate;
extern const struct cli_command cli_check_config;
extern const struct cli_command cli_lag;
extern const struct cli_command cli_doctor;
extern const struct cli_command cli_docs;

#endif

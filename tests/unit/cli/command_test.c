/* Flags by their rows: what is read, what is refused and what the message says. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kit/kit.h"

enum { WORDS = 8 };

static const struct cli_flag common_flags[] = {
    {"port", "PORT", "web.port", "port to listen on"},
    {"url", "URL", NULL, "whom to ask"},
    {0},
};
static const struct cli_flag more_flags[] = {
    {"simulate", NULL, NULL, "a switch"},
    {"sim-topics", "N", NULL, "how many"},
    {"fast", NULL, "fast", "a switch that sets something"},
    {0},
};
static const struct cli_flag *const tables[] = {common_flags, more_flags, NULL};
static const struct cli_command plain = {.name = "serve", .summary = "Run", .flag_tables = tables};
static const struct cli_command taking = {
    .name = "check-config", .operand = "FILE", .summary = "Check", .flag_tables = tables};

/* What the function under test wrote to the standard error. */
static FILE *before;
static char *text;
static size_t text_size;

static void begin_capture(void)
{
    before = stderr;
    stderr = open_memstream(&text, &text_size);
    assert_non_null(stderr);
}

static void end_capture(void)
{
    (void) fclose(stderr);
    stderr = before;
}

static bool parse(const struct cli_command *command, const char *const *words,
                  struct cli_arguments *arguments)
{
    char *copies[WORDS + 2] = {NULL}; /* getopt changes their order, never the words */
    int count = 1;
    bool is_done = true;
    bool is_right;

    memcpy(&copies[0], &command->name, sizeof(copies[0]));
    for (; words[count - 1] != NULL; count++)
        memcpy(&copies[count], &words[count - 1], sizeof(copies[0]));
    begin_capture();
    is_right = cli_arguments_parse(command, count, copies, arguments, &is_done);
    end_capture();
    assert_false(is_done);
    return is_right;
}

static const struct {
    const char *name;
    const char *words[WORDS];
    const char *port, *simulate, *operand;
} right[] = {
    {"nothing", {NULL}, NULL, NULL, NULL},
    {"two words", {"--port", "80"}, "80", NULL, NULL},
    {"one word", {"--port=80"}, "80", NULL, NULL},
    {"an empty value", {"--port="}, "", NULL, NULL},
    {"the last one counts", {"--port", "1", "--port", "2"}, "2", NULL, NULL},
    {"a switch", {"--simulate"}, NULL, "", NULL},
    {"a value that looks like a flag", {"--port", "--simulate"}, "--simulate", NULL, NULL},
    {"an unambiguous beginning", {"--simu"}, NULL, "", NULL},
};

static void flags_are_read(void **state)
{
    (void) state;
    KIT_EACH (c, right) {
        struct cli_arguments arguments;

        KIT_EXPECT(c->name, parse(&plain, c->words, &arguments));
        KIT_EXPECT_TEXT(c->name, c->port, cli_value(&arguments, "port"));
        KIT_EXPECT_TEXT(c->name, c->simulate, cli_value(&arguments, "simulate"));
        KIT_EXPECT(c->name, cli_is_given(&arguments, "simulate") == (c->simulate != NULL));
        KIT_EXPECT_TEXT(c->name, NULL, cli_value(&arguments, "no-such-flag"));
        KIT_EXPECT_TEXT(c->name, "", text);
        free(text);
    }
}

static const struct {
    const char *name;
    const char *words[WORDS];
    const char *says;
} wrong[] = {
    {"unknown", {"--prot", "80"}, "serve: unknown flag '--prot'; 'kafka-ops-agent serve --help'"},
    {"unknown with a value", {"--prot=80"}, "unknown flag '--prot=80'"},
    {"unknown between others", {"--port", "80", "--what", "--simulate"}, "unknown flag '--what'"},
    {"a short one", {"-x"}, "unknown flag '-x'"},
    {"several short ones", {"--simulate", "-xyz"}, "unknown flag '-xyz'"},
    {"an ambiguous beginning", {"--sim"}, "several flags begin with '--sim'"},
    {"no value", {"--port"}, "a value must follow '--port'"},
    {"an empty beginning", {"--=1"}, "unknown flag '--=1'"},
    {"a switch with a value", {"--simulate=yes"}, "no value is taken by '--simulate=yes'"},
    {"an operand", {"--port", "80", "file"}, "unexpected 'file'"},
    {"behind --", {"--", "--port"}, "unexpected '--port'"},
};

static void what_is_wrong_is_named(void **state)
{
    (void) state;
    KIT_EACH (c, wrong) {
        struct cli_arguments arguments;

        KIT_EXPECT(c->name, !parse(&plain, c->words, &arguments));
        KIT_EXPECT_CONTAINS(c->name, c->says, text);
        KIT_EXPECT(c->name, text[strlen(text) - 1] == '\n');
        free(text);
    }
}

static void an_operand_is_taken_once(void **state)
{
    static const char *const none[WORDS] = {"--port", "1"};
    static const char *const one[WORDS] = {"--port", "1", "koa.yaml"};
    static const char *const before_flags[WORDS] = {"koa.yaml", "--port", "1"};
    static const char *const two[WORDS] = {"koa.yaml", "more.yaml"};
    struct cli_arguments arguments;

    (void) state;
    assert_false(parse(&taking, none, &arguments));
    KIT_EXPECT_CONTAINS("none", "check-config: FILE is missing", text);
    free(text);
    assert_true(parse(&taking, one, &arguments));
    KIT_EXPECT_TEXT("one", "koa.yaml", arguments.operand);
    free(text);
    assert_true(parse(&taking, before_flags, &arguments));
    KIT_EXPECT_TEXT("before the flags", "koa.yaml", arguments.operand);
    KIT_EXPECT_TEXT("before the flags", "1", cli_value(&arguments, "port"));
    free(text);
    assert_false(parse(&taking, two, &arguments));
    KIT_EXPECT_CONTAINS("two", "unexpected 'more.yaml'", text);
    free(text);
}

static void numbers_have_a_range(void **state)
{
    static const struct {
        const char *value;
        bool is_right;
        int64_t number;
    } numbers[] = {
        {NULL, true, 7}, {"1", true, 1},    {"9", true, 9},    {"0", false, 7},  {"10", false, 7},
        {"", false, 7},  {"2.5", false, 7}, {"two", false, 7}, {"-1", false, 7}, {"9 ", false, 7},
    };

    (void) state;
    KIT_EACH (c, numbers) {
        const char *words[WORDS] = {"--sim-topics", c->value};
        const char *const nothing[WORDS] = {NULL};
        struct cli_arguments arguments;
        int64_t number = 7;

        assert_true(parse(&plain, c->value != NULL ? words : nothing, &arguments));
        free(text);
        begin_capture();
        KIT_EXPECT("number", cli_number(&arguments, "sim-topics", 1, 9, &number) == c->is_right);
        end_capture();
        KIT_EXPECT_INT(c->value != NULL ? c->value : "none", c->number, number);
        KIT_EXPECT_CONTAINS("says", c->is_right ? "" : "--sim-topics: '", text);
        KIT_EXPECT_CONTAINS("says", c->is_right ? "" : "is not a whole number from 1 to 9", text);
        free(text);
    }
}

static void given_flags_become_settings(void **state)
{
    static const char *const words[WORDS] = {"--fast", "--url", "http://x", "--port", "80"};
    struct cli_settings settings;
    struct koa_settings view;
    struct cli_arguments arguments;

    (void) state;
    assert_true(parse(&plain, words, &arguments));
    free(text);
    cli_settings_collect(&arguments, &settings);
    cli_settings_add(&settings, "state_directory", ":memory:", NULL);
    view = cli_settings_view(&settings);
    assert_int_equal(view.count, 3);
    KIT_EXPECT_TEXT("in the order of the tables", "web.port", view.rows[0].key);
    KIT_EXPECT_TEXT("its value", "80", view.rows[0].value);
    KIT_EXPECT_TEXT("what an error calls it", "--port", view.origins[0]);
    KIT_EXPECT_TEXT("a switch", "fast", view.rows[1].key);
    KIT_EXPECT_TEXT("what an error calls it", "--fast", view.origins[1]);
    KIT_EXPECT_TEXT("the command's own", ":memory:", view.rows[2].value);
    KIT_EXPECT("from no flag", view.origins[2] == NULL);
}

/* The commands' own rows: limits hold, names are unique, help says what happens. */
static void every_command_s_rows_fit(void **state)
{
    (void) state;
    for (const struct cli_command *const *command = cli_commands; *command != NULL; command++) {
        size_t count = 0;
        size_t settings = 0;

        for (const struct cli_flag *const *table = (*command)->flag_tables; *table != NULL;
             table++) {
            for (const struct cli_flag *flag = *table; flag->name != NULL; flag++) {
                count++;
                settings += flag->setting != NULL ? 1 : 0;
                KIT_EXPECT(flag->name, flag->help[0] != '\0');
            }
        }
        KIT_EXPECT((*command)->name, count <= CLI_FLAG_LIMIT);
        /* serve and demo add rows of their own. */
        KIT_EXPECT((*command)->name, settings + 4 <= CLI_SETTING_LIMIT);
        if (!(*command)->is_hidden)
            KIT_EXPECT_CONTAINS((*command)->name, "Exit codes:", (*command)->help);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_read),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(an_operand_is_taken_once),
        cmocka_unit_test(numbers_have_a_range),
        cmocka_unit_test(given_flags_become_settings),
        cmocka_unit_test(every_command_s_rows_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

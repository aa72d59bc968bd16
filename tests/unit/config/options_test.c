/* Rows and YAML together: values, errors with their places, defaults, secrets. */
#include "config/options.h"

#include <string.h>

#include "config/yaml.h"
#include "kit/kit.h"

struct inner {
    const char *cert_file;
};

struct item {
    const char *name;
    int64_t weight;
};

struct settings {
    bool on;
    int64_t count;
    double ratio;
    int64_t size;
    int64_t wait;
    const char *text;
    const char *password;
    int color;
    unsigned scopes;
    struct koa_texts names;
    struct koa_counts codes;
    struct koa_pairs labels;
    struct inner tls;
    struct koa_list items;
};

static const struct koa_choice colors[] = {{"red", 1}, {"green", 2}, {0}};
static const struct koa_choice scopes[] = {{"read", 0}, {"admin", 1}, {0}};
static const struct koa_option inner_rows[] = {
    {KOA_TEXT(struct inner, cert_file), .fallback = "", .help = "certificate"}, {0}};
static const struct koa_option item_rows[] = {
    {KOA_TEXT(struct item, name), .required = true, .help = "its name"},
    {KOA_COUNT(struct item, weight), .fallback = "1", .minimum = 1, .maximum = 10,
     .help = "weight"},
    {0}};
static const struct koa_option rows[] = {
    {KOA_BOOL(struct settings, on), .fallback = "true", .help = "on"},
    {KOA_COUNT(struct settings, count), .fallback = "3", .minimum = 1, .maximum = 100,
     .help = "count"},
    {KOA_NUMBER(struct settings, ratio), .fallback = "0.8", .minimum = 0, .maximum = 1,
     .help = "ratio"},
    {KOA_SIZE(struct settings, size), .fallback = "64KiB", .help = "size"},
    {KOA_DURATION(struct settings, wait), .fallback = "1m30s", .environment = "WAIT_HOURS",
     .bare_unit = "h", .help = "wait"},
    {KOA_TEXT(struct settings, text), .fallback = "plain", .help = "text"},
    {KOA_SECRET(struct settings, password), .help = "secret"},
    {KOA_CHOICE(struct settings, color, colors), .fallback = "red", .help = "color"},
    {KOA_CHOICES(struct settings, scopes, scopes), .fallback = "[read]", .help = "scopes"},
    {KOA_TEXTS(struct settings, names), .fallback = "[a, b]", .help = "names"},
    {KOA_COUNTS(struct settings, codes), .fallback = "[200]", .help = "codes"},
    {KOA_PAIRS(struct settings, labels), .fallback = "{}", .help = "labels"},
    {KOA_GROUP(struct settings, tls, inner_rows), .help = "tls"},
    {KOA_LIST(struct settings, items, struct item, item_rows), .help = "items"},
    {0},
};

struct fixture {
    struct koa_arena *arena;
    struct koa_config_errors errors;
    struct settings settings;
};

static const char *fake_getenv(void *context, const char *name)
{
    (void) context;
    if (strcmp(name, "WAIT_HOURS") == 0)
        return "2";
    return strcmp(name, "NAME") == 0 ? "va: [lue" : NULL;
}

static bool load_node(struct fixture *fixture, const struct koa_node *node)
{
    return koa_options_load_one(rows, &fixture->settings, node,
                                &(struct koa_options_opts){.path = "",
                                                           .arena = fixture->arena,
                                                           .errors = &fixture->errors,
                                                           .read_secret_files = true});
}

static bool load(struct fixture *fixture, const char *text)
{
    struct koa_yaml_opts opts = {.file = "x.yaml", .getenv = fake_getenv};
    struct koa_node *root;

    *fixture = (struct fixture){.arena = koa_arena_create(1 << 20)};
    fixture->errors.arena = fixture->arena;
    root = koa_yaml_parse((struct koa_str){text, strlen(text)}, &opts, fixture->arena,
                          &fixture->errors);
    return root != NULL && load_node(fixture, root) && fixture->errors.count == 0;
}

static void an_empty_file_gives_the_defaults(void **state)
{
    struct fixture f;

    (void) state;
    KIT_EXPECT("loads", load(&f, ""));
    KIT_EXPECT_INT("on", 1, f.settings.on);
    KIT_EXPECT_INT("count", 3, f.settings.count);
    KIT_EXPECT_DOUBLE("ratio", 0.8, f.settings.ratio);
    KIT_EXPECT_INT("size", 65536, f.settings.size);
    KIT_EXPECT_INT("wait", 90000, f.settings.wait);
    KIT_EXPECT_TEXT("text", "plain", f.settings.text);
    KIT_EXPECT_TEXT("password", "", f.settings.password);
    KIT_EXPECT_INT("color", 1, f.settings.color);
    KIT_EXPECT_INT("scopes", 1, f.settings.scopes);
    KIT_EXPECT_INT("names", 2, f.settings.names.count);
    KIT_EXPECT_INT("codes", 200, f.settings.codes.rows[0]);
    koa_arena_destroy(f.arena);
}

static void every_kind_of_value_is_read(void **state)
{
    struct fixture f;

    (void) state;
    KIT_EXPECT("loads",
               load(&f, "on: off\ncount: 7\nratio: 1e-1\nsize: 10MiB\nwait: 500ms\ntext: \"\"\n"
                        "password: hunter2!\ncolor: green\nscopes: [read, admin]\nnames: one\n"
                        "codes: [200, 204]\nlabels: {team: payments}\ntls: {cert_file: /x}\n"
                        "items:\n  - name: first\n  - {name: second, weight: 5}\n"));
    KIT_EXPECT_INT("on", 0, f.settings.on);
    KIT_EXPECT_DOUBLE("ratio", 0.1, f.settings.ratio);
    KIT_EXPECT_INT("size", 10485760, f.settings.size);
    KIT_EXPECT_INT("wait", 500, f.settings.wait);
    KIT_EXPECT_TEXT("text", "", f.settings.text);
    KIT_EXPECT_TEXT("password", "hunter2!", f.settings.password);
    KIT_EXPECT_INT("color", 2, f.settings.color);
    KIT_EXPECT_INT("scopes", 3, f.settings.scopes);
    KIT_EXPECT_TEXT("a scalar is a list of one", "one", f.settings.names.rows[0]);
    KIT_EXPECT_INT("codes", 204, f.settings.codes.rows[1]);
    KIT_EXPECT_TEXT("labels", "payments", f.settings.labels.rows[0].value);
    KIT_EXPECT_TEXT("tls", "/x", f.settings.tls.cert_file);
    KIT_EXPECT_INT("items", 5, ((struct item *) f.settings.items.rows)[1].weight);
    koa_arena_destroy(f.arena);
}

static const struct {
    const char *name;
    const char *text;
    const char *error; /* contained in the printed errors */
} bad[] = {
    {"a misspelt key names the right one", "cuont: 3\n", "x.yaml:1:1: cuont: unknown key 'cuont'"},
    {"... and asks", "cuont: 3\n", "did you mean 'count'?"},
    {"out of range", "count: 0\n",
     "x.yaml:1:8: count: must be a whole number from 1 to 100, not '0'"},
    {"a suffix is no number", "count: 2s\n", "not '2s'"},
    {"scientific notation is no whole number", "count: 1e3\n", "not '1e3'"},
    {"not a duration", "wait: soon\n", "must be a duration such as"},
    {"not a size", "size: 3 apples\n", "must be a size such as"},
    {"not a boolean", "on: maybe\n", "must be true or false"},
    {"a wrong word", "color: gren\n", "did you mean 'green'?"},
    {"a wrong word in a set", "scopes: [read, root]\n", "unknown word 'root'"},
    {"a list where one value is wanted", "text: [a]\n", "must be one value, not a list"},
    {"a mapping where a list is wanted", "names: {a: b}\n", "must be a list, not a mapping"},
    {"an unknown key of a group", "tls: {cert: x}\n", "x.yaml:1:7: tls.cert: unknown key"},
    {"a required key is missing", "items: [{weight: 2}]\n", "items[0].name: is missing: its name"},
    {"a key twice", "on: true\non: false\n", "x.yaml:2:1: on: the key stands here a second time"},
    {"not YAML", "on: [1\n", "not YAML"},
    {"not a mapping", "- 1\n", "the whole must be a mapping"},
    {"two documents", "on: true\n---\non: false\n", "a second document"},
    {"an unset variable", "text: ${MISSING}\n", "variable MISSING is not set"},
    {"an alias without anchor", "text: *x\n", "x.yaml:1:7"},
    {"a secret file that is missing", "password_file: /no/such\n", "cannot be opened"},
};

static void bad_input_says_where_and_what(void **state)
{
    (void) state;
    KIT_EACH (c, bad) {
        struct koa_buf printed = {.limit = 65536};
        struct fixture f;

        KIT_EXPECT(c->name, !load(&f, c->text));
        koa_config_errors_print(&f.errors, &printed);
        KIT_EXPECT_CONTAINS(c->name, c->error, koa_buf_text(&printed));
        koa_buf_deinit(&printed);
        koa_arena_destroy(f.arena);
    }
}

static void all_errors_come_together(void **state)
{
    struct fixture f;

    (void) state;
    KIT_EXPECT("fails", !load(&f, "count: 0\nwait: x\ncolor: blue\n"));
    KIT_EXPECT_INT("three", 3, f.errors.count);
    koa_arena_destroy(f.arena);
}

static void a_wrong_secret_is_not_shown(void **state)
{
    static const struct koa_option strict[] = {
        {KOA_SECRET(struct settings, password), .validate = NULL, .help = "secret"}, {0}};
    struct koa_buf printed = {.limit = 65536};
    struct fixture f;

    (void) state;
    KIT_EXPECT("loads", load(&f, "password: tops3cret\n"));
    koa_options_print(strict, &f.settings, 0, &printed);
    KIT_EXPECT_TEXT("masked", "password: \"***\"\n", koa_buf_text(&printed));
    koa_buf_deinit(&printed);
    koa_arena_destroy(f.arena);
}

static void variables_are_replaced_inside_values_only(void **state)
{
    struct fixture f;

    (void) state;
    KIT_EXPECT("loads", load(&f, "text: ${NAME}-${OTHER:-x}-$${\n"));
    KIT_EXPECT_TEXT("no structure", "va: [lue-x-${", f.settings.text);
    koa_arena_destroy(f.arena);
}

static void the_environment_outranks_the_file(void **state)
{
    struct fixture f;
    struct koa_node *environment;
    struct koa_node *file;
    struct koa_yaml_opts opts = {.file = "x.yaml"};

    (void) state;
    f = (struct fixture){.arena = koa_arena_create(1 << 20)};
    f.errors.arena = f.arena;
    environment = koa_node_from_environment(rows, fake_getenv, NULL, f.arena, &f.errors);
    file = koa_yaml_parse(KOA_STR("wait: 1s\ncount: 9\n"), &opts, f.arena, &f.errors);
    KIT_EXPECT("loads", load_node(&f, koa_node_merge(file, environment, f.arena)));
    KIT_EXPECT_INT("a bare number is hours", 7200000, f.settings.wait);
    KIT_EXPECT_INT("others stay", 9, f.settings.count);
    koa_arena_destroy(f.arena);
}

static void dotted_settings_nest(void **state)
{
    struct fixture f = {.arena = koa_arena_create(1 << 20)};
    const struct koa_settings *settings =
        KOA_SETTINGS({"tls.cert_file", "/a: b"}, {"names", "[x, 'y, z']"}, {"count", "8"});

    (void) state;
    f.errors.arena = f.arena;
    KIT_EXPECT("loads",
               load_node(&f, koa_node_from_settings(settings, "settings", f.arena, &f.errors)));
    KIT_EXPECT_TEXT("nested", "/a: b", f.settings.tls.cert_file);
    KIT_EXPECT_TEXT("flow", "y, z", f.settings.names.rows[1]);
    koa_arena_destroy(f.arena);
}

static void texts_made_to_hurt_are_refused(void **state)
{
    struct koa_buf text = {.limit = 1 << 20};
    struct fixture f;

    (void) state;
    for (int i = 0; i < 200; i++)
        koa_buf_append_text(&text, "[");
    KIT_EXPECT("deep nesting", !load(&f, koa_buf_text(&text)));
    koa_arena_destroy(f.arena);
    koa_buf_clear(&text);
    koa_buf_append_text(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++) {
        koa_buf_printf(&text, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i,
                       i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    KIT_EXPECT("alias bomb", !load(&f, koa_buf_text(&text)));
    koa_arena_destroy(f.arena);
    koa_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(every_kind_of_value_is_read),
        cmocka_unit_test(bad_input_says_where_and_what),
        cmocka_unit_test(all_errors_come_together),
        cmocka_unit_test(a_wrong_secret_is_not_shown),
        cmocka_unit_test(variables_are_replaced_inside_values_only),
        cmocka_unit_test(the_environment_outranks_the_file),
        cmocka_unit_test(dotted_settings_nest),
        cmocka_unit_test(texts_made_to_hurt_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

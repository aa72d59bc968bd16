/* Settings and environment as trees, and which of them wins. */
#include <string.h>

#include "config/options.h"
#include "config/yaml.h"
#include "kit/kit.h"

struct values {
    int64_t port, retention, interval;
    const char *host;
};

static const struct koa_option web_rows[] = {
    {KOA_COUNT(struct values, port), .fallback = "8080", .minimum = 1, .maximum = 65535,
     .environment = "PORT", .help = "port"},
    {KOA_TEXT(struct values, host), .fallback = "0.0.0.0", .environment = "HOST", .help = "host"},
    {0},
};
static const struct koa_option rows[] = {
    {.key = "web", .type = KOA_OPTION_GROUP, .rows = web_rows, .help = "web"},
    {KOA_DURATION(struct values, retention), .fallback = "24h", .environment = "RETENTION_HOURS",
     .bare_unit = "h", .help = "retention"},
    {KOA_DURATION(struct values, interval), .fallback = "60s", .environment = "INTERVAL",
     .help = "interval"},
    {0},
};

struct fixture {
    struct koa_arena *arena;
    struct koa_config_errors errors;
    struct values values;
    struct koa_buf printed;
};

static void start(struct fixture *f)
{
    *f = (struct fixture){.arena = koa_arena_create(1 << 20), .printed = {.limit = 1 << 16}};
    f->errors.arena = f->arena;
}

static void load(struct fixture *f, const struct koa_node *root)
{
    size_t before = f->errors.count;
    bool is_loaded = koa_options_load_one(
        rows, &f->values, root,
        &(struct koa_options_opts){.path = "", .arena = f->arena, .errors = &f->errors});

    koa_config_errors_print(&f->errors, &f->printed);
    KIT_EXPECT_INT("an error for each failure", f->errors.count == before, is_loaded);
}

static void finish(struct fixture *f)
{
    koa_buf_deinit(&f->printed);
    koa_arena_destroy(f->arena);
}

/* The context is a table of variables. */
static const char *look_up(void *context, const char *name)
{
    const struct koa_labels *variables = context;

    for (size_t i = 0; i < variables->count; i++) {
        if (strcmp(variables->rows[i].name, name) == 0)
            return variables->rows[i].value;
    }
    return NULL;
}

static struct koa_node *from_environment(struct fixture *f, const struct koa_labels *variables)
{
    struct koa_labels copy = *variables;

    return koa_node_from_environment(rows, look_up, &copy, f->arena, &f->errors);
}

static void the_later_source_wins_key_by_key(void **state)
{
    struct fixture f;
    const struct koa_node *tree;

    (void) state;
    start(&f);
    tree = koa_yaml_parse(KOA_STR("web: {port: 1, host: file}\nretention: 1h\ninterval: 1s\n"),
                          &(struct koa_yaml_opts){.file = "f"}, f.arena, &f.errors);
    tree = koa_node_merge(
        tree, from_environment(&f, KOA_LABELS({"PORT", "2"}, {"RETENTION_HOURS", "2"})), f.arena);
    tree = koa_node_merge(
        tree, koa_node_from_settings(KOA_SETTINGS({"web.port", "3"}), "--port", f.arena, &f.errors),
        f.arena);
    load(&f, tree);
    KIT_EXPECT_TEXT("errors", "", koa_buf_text(&f.printed));
    KIT_EXPECT_INT("flag", 3, f.values.port);
    KIT_EXPECT_INT("environment", 7200000, f.values.retention);
    KIT_EXPECT_INT("file", 1000, f.values.interval);
    KIT_EXPECT_TEXT("beside a flag", "file", f.values.host);
    finish(&f);
}

static void an_error_of_a_setting_names_its_origin(void **state)
{
    static const char *const origins[] = {"--port", NULL};
    struct koa_settings settings = {
        .rows = (const struct koa_setting[]){{"web.port", "abc"}, {"retention", "soon"}},
        .origins = origins,
        .count = 2};
    struct fixture f;

    (void) state;
    start(&f);
    load(&f, koa_node_from_settings(&settings, "settings", f.arena, &f.errors));
    KIT_EXPECT_CONTAINS("its flag", "--port: web.port: must be a whole number",
                        koa_buf_text(&f.printed));
    KIT_EXPECT_CONTAINS("none", "settings: retention: must be ", koa_buf_text(&f.printed));
    finish(&f);
}

static void durations_of_the_environment_may_lack_a_unit(void **state)
{
    static const struct {
        const char *retention, *interval;
        int64_t retention_ms, interval_ms;
    } cases[] = {
        {"24", "30", 86400000, 30000},
        {"30s", "1m30s", 30000, 90000},
        {"1.5", "24h", 5400000, 86400000},
        {"", "", 86400000, 60000},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct fixture f;

        start(&f);
        load(&f, from_environment(
                     &f, KOA_LABELS({"RETENTION_HOURS", c->retention}, {"INTERVAL", c->interval})));
        KIT_EXPECT_TEXT(c->retention, "", koa_buf_text(&f.printed));
        KIT_EXPECT_INT(c->retention, c->retention_ms, f.values.retention);
        KIT_EXPECT_INT(c->interval, c->interval_ms, f.values.interval);
        finish(&f);
    }
}

static void a_bad_variable_is_named_with_what_is_allowed(void **state)
{
    struct fixture f;

    (void) state;
    start(&f);
    load(&f, from_environment(&f, KOA_LABELS({"PORT", "http"}, {"RETENTION_HOURS", "soon"})));
    KIT_EXPECT_TEXT("both, without a line",
                    "PORT: web.port: must be a whole number from 1 to 65535, not 'http'\n"
                    "RETENTION_HOURS: retention: must be a duration such as 500ms, 30s, 1m30s or "
                    "24h, not 'soon'\n",
                    koa_buf_text(&f.printed));
    finish(&f);
}

static void without_variables_there_is_no_tree(void **state)
{
    struct fixture f;

    (void) state;
    start(&f);
    KIT_EXPECT("none", from_environment(&f, KOA_LABELS({"OTHER", "1"})) == NULL);
    finish(&f);
}

static void settings_are_texts_lists_or_maps(void **state)
{
    struct fixture f;
    const struct koa_node *root;

    (void) state;
    start(&f);
    root = koa_node_from_settings(KOA_SETTINGS({"url", "http://h/x#y: z"}, {"list", "[a, 'b, c']"},
                                               {"map", "{k: v}"}, {"tls.ca.file", "/x"},
                                               {"tls.ca.name", "*"}, {"url", "> last"}),
                                  "settings", f.arena, &f.errors);
    KIT_EXPECT_INT("errors", 0, f.errors.count);
    KIT_EXPECT_TEXT("the last counts", "> last", koa_node_get(root, "url")->value);
    KIT_EXPECT_TEXT("flow", "b, c", koa_node_get(root, "list")->children->next->value);
    KIT_EXPECT_TEXT("map", "v", koa_node_get(koa_node_get(root, "map"), "k")->value);
    KIT_EXPECT_TEXT("verbatim", "*",
                    koa_node_get(koa_node_get(koa_node_get(root, "tls"), "ca"), "name")->value);
    finish(&f);
}

static void bad_settings_name_the_key_and_no_line(void **state)
{
    static const struct {
        const char *key, *value, *error;
    } cases[] = {
        {"web", "[1", "settings: web: not YAML"},
        {"web.host.x", "1", "settings: web.host.x: a part of this key is set to a value already"},
        {NULL, "1", "settings: a setting needs a key and a value"},
        {"web", NULL, "settings: web: a setting needs a key and a value"},
        {"web", "{prot: 1}", "settings: web.prot: unknown key 'prot'"},
        {"web..port", "1", "settings: web.: unknown key ''"},
        {"web.port", "[x]", "settings: web.port: must be a whole number"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        const struct koa_settings *settings = KOA_SETTINGS({"web.host", "h"}, {c->key, c->value});
        struct fixture f;

        start(&f);
        load(&f, koa_node_from_settings(settings, "settings", f.arena, &f.errors));
        KIT_EXPECT_CONTAINS(c->error, c->error, koa_buf_text(&f.printed));
        finish(&f);
    }
}

static void a_merge_leaves_its_sources_alone(void **state)
{
    struct koa_yaml_opts opts = {.file = "f"};
    struct fixture f;
    struct koa_node *under;
    struct koa_node *over;
    const struct koa_node *merged;

    (void) state;
    start(&f);
    under = koa_yaml_parse(KOA_STR("a: {x: 1, y: 2}\nb: [1]\n"), &opts, f.arena, &f.errors);
    over = koa_yaml_parse(KOA_STR("a: {y: 3, z: 4}\nb: [2, 3]\nc: 5\n"), &opts, f.arena, &f.errors);
    merged = koa_node_merge(under, over, f.arena);
    KIT_EXPECT_TEXT("kept", "1", koa_node_get(koa_node_get(merged, "a"), "x")->value);
    KIT_EXPECT_TEXT("replaced", "3", koa_node_get(koa_node_get(merged, "a"), "y")->value);
    KIT_EXPECT_TEXT("added", "4", koa_node_get(koa_node_get(merged, "a"), "z")->value);
    KIT_EXPECT_TEXT("lists are replaced", "2", koa_node_get(merged, "b")->children->value);
    KIT_EXPECT_TEXT("new", "5", koa_node_get(merged, "c")->value);
    KIT_EXPECT_TEXT("under", "2", koa_node_get(koa_node_get(under, "a"), "y")->value);
    KIT_EXPECT("under", koa_node_get(under, "c") == NULL);
    KIT_EXPECT("over", koa_node_get(koa_node_get(over, "a"), "x") == NULL);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_later_source_wins_key_by_key),
        cmocka_unit_test(an_error_of_a_setting_names_its_origin),
        cmocka_unit_test(durations_of_the_environment_may_lack_a_unit),
        cmocka_unit_test(a_bad_variable_is_named_with_what_is_allowed),
        cmocka_unit_test(without_variables_there_is_no_tree),
        cmocka_unit_test(settings_are_texts_lists_or_maps),
        cmocka_unit_test(bad_settings_name_the_key_and_no_line),
        cmocka_unit_test(a_merge_leaves_its_sources_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

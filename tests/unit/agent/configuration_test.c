/* The configuration as a whole: the example file, the environment, and typical mistakes. */
#include "agent/configuration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <koa/auth.h>
#include <koa/log.h>

#include "agent/check.h"
#include "config/options.h"
#include "kit/kit.h"

struct fixture {
    struct koa_configuration *configuration;
    struct koa_configuration_errors errors;
    struct koa_error error;
    struct koa_buf printed;
    enum koa_err err;
};

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

static void load(struct fixture *f, const struct koa_configuration_opts *opts)
{
    *f = (struct fixture){.printed = {.limit = 1 << 20}};
    f->err = koa_configuration_load(opts, &f->configuration, &f->errors, &f->error);
    koa_config_errors_print(&f->errors.list, &f->printed);
}

static void load_environment(struct fixture *f, const struct koa_labels *variables)
{
    struct koa_labels copy = *variables;

    load(f, &(struct koa_configuration_opts){.getenv = look_up, .context = &copy});
}

static void load_text(struct fixture *f, const char *text)
{
    char *directory = kit_temporary_directory();
    struct koa_labels none = {0};
    char path[256];
    FILE *file;

    (void) snprintf(path, sizeof(path), "%s/koa.yaml", directory);
    file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    load(f, &(struct koa_configuration_opts){.file = path, .getenv = look_up, .context = &none});
    kit_remove_directory(directory);
}

static void finish(struct fixture *f)
{
    koa_configuration_destroy(f->configuration);
    koa_configuration_errors_deinit(&f->errors);
    koa_buf_deinit(&f->printed);
}

static void without_anything_the_defaults_are_those_of_the_example(void **state)
{
    struct fixture f;
    const struct koa_configuration *c;

    (void) state;
    load(&f, &(struct koa_configuration_opts){0});
    KIT_EXPECT_TEXT("errors", "", koa_buf_text(&f.printed));
    c = f.configuration;
    KIT_EXPECT_INT("loads", KOA_OK, f.err);
    KIT_EXPECT_TEXT("host", "0.0.0.0", c->web.host);
    KIT_EXPECT_INT("port", 8080, c->web.port);
    KIT_EXPECT_INT("open", 3, c->web.open.count);
    KIT_EXPECT_INT("connections", 512, c->web.limits.connections);
    KIT_EXPECT_INT("header", 16384, c->web.limits.header_bytes);
    KIT_EXPECT_INT("idle", 60000, c->web.limits.idle_timeout);
    KIT_EXPECT_INT("clusters", 0, c->clusters.count);
    KIT_EXPECT("checks", c->checks == NULL);
    KIT_EXPECT_INT("boards", 1000, c->health.history);
    KIT_EXPECT_INT("retention", 86400000, c->metrics.retention);
    KIT_EXPECT_INT("history", 33554432, c->metrics.history_bytes);
    KIT_EXPECT_INT("excluded", 3, c->metrics.history_exclude.count);
    KIT_EXPECT_INT("interval", 60000, c->alerting.interval);
    KIT_EXPECT_INT("transitions", 10000, c->alerting.history);
    finish(&f);
}

static void the_example_file_loads_and_is_the_default_but_for_its_lists(void **state)
{
    const char *root =
        getenv("KIT_SOURCE_ROOT"); /* NOLINT(concurrency-mt-unsafe): nobody sets it */
    struct koa_labels none = {0};
    struct koa_buf plain = {.limit = 1 << 20};
    struct fixture f;
    struct fixture defaults;
    const struct koa_cluster_settings *cluster;
    char path[4096];

    (void) state;
    (void) snprintf(path, sizeof(path), "%s/tests/kit/data/config-example.yaml",
                    root != NULL ? root : ".");
    load(&f, &(struct koa_configuration_opts){.file = path, .getenv = look_up, .context = &none});
    KIT_EXPECT_TEXT("errors", "", koa_buf_text(&f.printed));
    KIT_EXPECT_INT("one cluster", 1, f.configuration->clusters.count);
    cluster = f.configuration->clusters.rows;
    KIT_EXPECT_TEXT("name", "prod", cluster->name);
    KIT_EXPECT_TEXT("servers", "kafka-2:9092", cluster->bootstrap_servers.rows[1]);
    KIT_EXPECT_INT("interval", 15000, cluster->interval);
    KIT_EXPECT_TEXT("topics", ".*", cluster->topics.include.rows[0]);
    KIT_EXPECT_TEXT("probe", "__kafka_ops_probe", cluster->probe.topic);
    KIT_EXPECT_INT("checks", KOA_NODE_LIST, f.configuration->checks->type);
    KIT_EXPECT_INT("rules", KOA_NODE_LIST, f.configuration->alerting.rules->type);
    /* All else in the file is what is used without it. */
    load(&defaults, &(struct koa_configuration_opts){0});
    f.configuration->clusters = (struct koa_list){0};
    koa_configuration_print(defaults.configuration, &plain);
    koa_buf_clear(&f.printed);
    koa_configuration_print(f.configuration, &f.printed);
    KIT_EXPECT_TEXT("the rest", koa_buf_text(&plain), koa_buf_text(&f.printed));
    koa_buf_deinit(&plain);
    finish(&defaults);
    finish(&f);
}

static void the_environment_is_that_of_the_contract(void **state)
{
    struct fixture f;
    const struct koa_configuration *c;
    const struct koa_cluster_settings *cluster;

    (void) state;
    load_environment(&f,
                     KOA_LABELS({"MONITORING_PORT", "9000"}, {"MONITORING_HOST", "127.0.0.1"},
                                {"HEALTH_CHECK_TIMEOUT", "12"}, {"METRICS_RETENTION_HOURS", "2"},
                                {"ALERT_CHECK_INTERVAL", "1m30s"}, {"STATE_DIRECTORY", "/var/x"},
                                {"KAFKA_BOOTSTRAP_SERVERS", "a:1, b:2,,[::1]:3"},
                                {"KOA_LOG_LEVEL", "debug"}));
    KIT_EXPECT_TEXT("errors", "", koa_buf_text(&f.printed));
    c = f.configuration;
    KIT_EXPECT_INT("port", 9000, c->web.port);
    KIT_EXPECT_TEXT("host", "127.0.0.1", c->web.host);
    KIT_EXPECT_INT("a bare number is seconds", 12000, c->health.check_timeout);
    KIT_EXPECT_INT("a bare number is hours", 7200000, c->metrics.retention);
    KIT_EXPECT_INT("interval", 90000, c->alerting.interval);
    KIT_EXPECT_TEXT("state", "/var/x", c->state_directory);
    KIT_EXPECT_INT("level", KOA_LOG_DEBUG, c->log.level);
    KIT_EXPECT_INT("one cluster", 1, c->clusters.count);
    cluster = c->clusters.rows;
    KIT_EXPECT_TEXT("its name", "default", cluster->name);
    KIT_EXPECT_INT("its servers", 3, cluster->bootstrap_servers.count);
    KIT_EXPECT_TEXT("trimmed", "b:2", cluster->bootstrap_servers.rows[1]);
    KIT_EXPECT_TEXT("verbatim", "[::1]:3", cluster->bootstrap_servers.rows[2]);
    finish(&f);
}

static void a_bad_variable_stops_with_its_name_and_what_is_allowed(void **state)
{
    static const struct {
        const char *variable, *value, *error;
    } cases[] = {
        {"MONITORING_PORT", "http",
         "MONITORING_PORT: web.port: must be a whole number from 0 to 65535, not 'http'\n"},
        {"MONITORING_PORT", "65536", "not '65536'"},
        {"HEALTH_CHECK_TIMEOUT", "24h1s", "from 0s to 24h, not '24h1s'"},
        {"ALERT_CHECK_INTERVAL", "24h1s", "from 100ms to 24h, not '24h1s'"},
        {"HEALTH_CHECK_TIMEOUT", "-1", "HEALTH_CHECK_TIMEOUT: "},
        {"METRICS_RETENTION_HOURS", "a day", "METRICS_RETENTION_HOURS: metrics.retention: "},
        {"ALERT_CHECK_INTERVAL", "0", "ALERT_CHECK_INTERVAL: alerting.interval: "},
        {"KOA_LOG_LEVEL", "verbose",
         "KOA_LOG_LEVEL: log.level: unknown word 'verbose'; allowed: error, warning, notice"},
        {"MONITORING_HOST", "my-host", "MONITORING_HOST: web.host: must be an IP address of this"},
        {"MONITORING_HOST", "256.0.0.1", "or localhost, not '256.0.0.1'\n"},
        {"KAFKA_BOOTSTRAP_SERVERS", ",", "KAFKA_BOOTSTRAP_SERVERS: clusters[0].bootstrap_servers"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct fixture f;

        load_environment(&f, KOA_LABELS({c->variable, c->value}));
        KIT_EXPECT_INT(c->variable, KOA_ERR_PARSE, f.err);
        KIT_EXPECT_CONTAINS(c->variable, c->error, koa_buf_text(&f.printed));
        KIT_EXPECT_CONTAINS("the first is the error", f.errors.list.rows[0].text, f.error.text);
        finish(&f);
    }
}

#define BCRYPT "$2y$05$bvIG6Nmid91Mu9RcmmWZfO5HJIMCT8riNW0hEp8f6/FuA2/mHZFpe"

static void mistakes_in_a_file_are_told_with_their_place(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"web: {prot: 80}\n", "koa.yaml:1:7: web.prot: unknown key 'prot'"},
        {"web: {prot: 80}\n", "did you mean 'port'?"},
        {"Web: {port: 80}\n", "did you mean 'web'?"},
        {"web: {external_url: example.org}\n", "must be an http:// or https:// URL"},
        {"web: {open: [health]}\n", "koa.yaml:1:14: web.open: must be a path that starts with /"},
        {"web: {users: [{name: a, password_hash: geheim}]}\n",
         "web.users[0].password_hash: must be"},
        {"web: {users: [{name: a}]}\n", "web.users[0].password_hash: is missing"},
        {"web: {tokens: [{name: a, token_file: /no/such}]}\n",
         "web.tokens[0].token: the file '/no/such' cannot be opened"},
        {"web: {tls: {cert_file: /x}}\n", "cert_file and key_file must be set together"},
        {"clusters: [{name: a}]\n", "clusters[0].bootstrap_servers: is missing"},
        {"clusters: [{name: \"a b\", bootstrap_servers: \"x:1\"}]\n",
         "clusters[0].name: must be 1 to 100"},
        {"clusters: [{name: .., bootstrap_servers: \"x:1\"}]\n", "but not . or .., not '..'"},
        {"clusters: [{name: a, bootstrap_servers: \"x:1\"}, {name: a, bootstrap_servers: "
         "\"y:1\"}]\n",
         "two are named 'a'"},
        {"clusters: [{name: a, bootstrap_servers: \"x:1\", topics: {include: [\"(\"]}}]\n",
         "clusters[0].topics.include: must be a POSIX extended regular expression of at most 1024 "
         "bytes, not '('"},
        {"metrics: {exclude: [\"[a\"]}\n",
         "metrics.exclude: must be a POSIX extended regular expression"},
        {"clusters: [{name: a, bootstrap_servers: [\"it's\"]}]\n",
         "koa.yaml:1:42: clusters[0].bootstrap_servers: must be host:port"},
        {"clusters: [{name: a, bootstrap_servers: \"h:0\"}]\n", "must be host:port"},
        {"clusters: [{name: a, bootstrap_servers: []}]\n", "bootstrap_servers: is missing"},
        {"log: {components: {kafka: loud}}\n",
         "koa.yaml:1:27: log.components: must be one of error, warning, notice, info, debug"},
        {"log: {components: {kafca: debug}}\n", "unknown component 'kafca'"},
        {"log: {format: xml}\n", "unknown word 'xml'; allowed: text, json"},
        {"metrics: {retention: 1ms}\n", "from 1s to"},
        {"metrics: {history_bytes: 32M}\n", "must be a size such as"},
        {"metrics: {drop_labels: [{family: x}]}\n", "metrics.drop_labels[0].label: is missing"},
        {"metrics: {hash_labels: [{family: x, label: a-b}]}\n",
         "koa.yaml:1:44: metrics.hash_labels[0].label: must be the name of a label"},
        {"web: {tokens: [{name: a, token: two words}]}\n",
         "koa.yaml:1:33: web.tokens[0].token: must be without blanks"},
        {"web: {users: [{name: a, password_hash: \"" BCRYPT
         "\"}, {name: a, password_hash: \"" BCRYPT "\"}]}\n",
         "koa.yaml:1:105: web.users: two are named 'a'"},
        {"alerting: {intervall: 5s}\n", "did you mean 'interval'?"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct fixture f;

        load_text(&f, c->text);
        KIT_EXPECT_INT(c->text, KOA_ERR_PARSE, f.err);
        KIT_EXPECT_CONTAINS(c->text, c->error, koa_buf_text(&f.printed));
        KIT_EXPECT("not shown", strstr(koa_buf_text(&f.printed), "geheim") == NULL);
        KIT_EXPECT("nothing half-made", f.configuration == NULL);
        finish(&f);
    }
}

static void the_printed_settings_load_again(void **state)
{
    struct fixture f;
    struct fixture again;

    (void) state;
    load_text(&f, "web: {port: 81, external_url: \"http://h\"}\nlog: {components: {kafka: debug}}\n"
                  "clusters:\n  - {name: a, bootstrap_servers: [\"x:1\"], interval: 20s}\n"
                  "metrics: {drop_labels: [{family: \"k.*\", label: client_id}]}\n");
    KIT_EXPECT_TEXT("errors", "", koa_buf_text(&f.printed));
    koa_configuration_print(f.configuration, &f.printed);
    load_text(&again, koa_buf_text(&f.printed));
    KIT_EXPECT_TEXT("errors", "", koa_buf_text(&again.printed));
    KIT_EXPECT("the same",
               koa_options_equal(koa_configuration_options, f.configuration, again.configuration));
    finish(&again);
    finish(&f);
}

static void secrets_are_masked_in_print(void **state)
{
    struct fixture f;

    (void) state;
    load_text(&f,
              "web:\n  tokens: [{name: grafana, token: tok-12345678, scopes: [metrics, read]}]\n");
    KIT_EXPECT_TEXT("errors", "", koa_buf_text(&f.printed));
    koa_configuration_print(f.configuration, &f.printed);
    KIT_EXPECT_CONTAINS("masked", "token: \"***\"", koa_buf_text(&f.printed));
    KIT_EXPECT("nowhere", strstr(koa_buf_text(&f.printed), "tok-12345678") == NULL);
    KIT_EXPECT_INT(
        "scopes", KOA_SCOPE_METRICS | KOA_SCOPE_READ,
        koa_scope_bits(((struct koa_token_settings *) f.configuration->web.tokens.rows)->scopes));
    finish(&f);
}

static void flags_outrank_environment_and_file(void **state)
{
    struct koa_labels variables = *KOA_LABELS({"MONITORING_PORT", "1"}, {"MONITORING_HOST", "::1"});
    struct fixture f;

    (void) state;
    load(&f, &(struct koa_configuration_opts){.getenv = look_up,
                                              .context = &variables,
                                              .settings = KOA_SETTINGS({"web.port", "2"})});
    KIT_EXPECT_INT("flag", 2, f.configuration->web.port);
    KIT_EXPECT_TEXT("environment", "::1", f.configuration->web.host);
    finish(&f);
}

static void the_document_names_every_variable_and_type(void **state)
{
    static const char *const words[] = {
        "MONITORING_PORT",
        "MONITORING_HOST",
        "HEALTH_CHECK_TIMEOUT",
        "METRICS_RETENTION_HOURS",
        "ALERT_CHECK_INTERVAL",
        "KAFKA_BOOTSTRAP_SERVERS",
        "STATE_DIRECTORY",
        "KOA_LOG_LEVEL",
        "`web.limits.idle_timeout`",
        "`clusters[].topics.include`",
        "`type: disk_space`",
        "`type: error_rate`",
        "`type: webhook`",
        "`failure_threshold`",
        "`min_severity`",
        "`missing_data`",
    };
    struct koa_buf buf = {.limit = 1 << 20};

    (void) state;
    koa_configuration_document(&buf);
    KIT_EACH (word, words)
        KIT_EXPECT_CONTAINS(*word, *word, koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static void check_text(const char *text, struct koa_buf *ret_settings, struct koa_buf *ret_warnings)
{
    char *directory = kit_temporary_directory();
    char path[256];
    FILE *file;

    (void) snprintf(path, sizeof(path), "%s/koa.yaml", directory);
    file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    (void) koa_configuration_check(path, ret_settings, ret_warnings);
    kit_remove_directory(directory);
}

static void mistakes_in_lists_are_told_with_their_place(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"checks:\n  - {type: memory}\n  - {type: memory}\n",
         "koa.yaml:3:5: checks[1]: the name 'memory' is taken already"},
        {"checks:\n  - {type: memory}\n  - {name: memory, type: disk_space}\n",
         "koa.yaml:3:5: checks[1]: the name 'memory' is taken already"},
        {"checks:\n  - {type: service, service: a, url: \"tcp://h:1\"}\n"
         "  - {name: service_a, type: memory}\n",
         "koa.yaml:3:5: checks[1]: the name 'service_a' is taken already"},
        {"alerting: {rules: [{name: a, type: health_status, labels: {a-b: c}}]}\n",
         "koa.yaml:1:20: alerting.rules[0]: 'a-b' in labels must be the name of a label"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_buf text = {.limit = 1 << 20};
        struct koa_buf warnings = {.limit = 1 << 20};

        check_text(c->text, &text, &warnings);
        KIT_EXPECT_CONTAINS(c->text, c->error, koa_buf_text(&text));
        koa_buf_deinit(&text);
        koa_buf_deinit(&warnings);
    }
}

/* Silently leaving some out would leave them unwatched. */
static void a_list_that_is_too_long_is_an_error(void **state)
{
    struct koa_buf file = {.limit = 1 << 20};
    struct koa_buf text = {.limit = 1 << 20};
    struct koa_buf warnings = {.limit = 1 << 20};

    (void) state;
    koa_buf_append_text(&file, "checks:\n");
    for (int i = 0; i < 997; i++)
        koa_buf_printf(&file, "  - {name: m%d, type: memory}\n", i);
    koa_buf_append_text(&file, "alerting:\n  notifiers:\n");
    for (int i = 0; i < 100; i++)
        koa_buf_printf(&file, "    - {name: l%d, type: log}\n", i);
    check_text(koa_buf_text(&file), &text, &warnings);
    KIT_EXPECT_CONTAINS("checks", "checks: is one too many: at most 1000", koa_buf_text(&text));
    KIT_EXPECT_CONTAINS("notifiers",
                        "koa.yaml:1100:7: alerting.notifiers[99]: is one too many: at most 100",
                        koa_buf_text(&text));
    koa_buf_deinit(&file);
    koa_buf_deinit(&text);
    koa_buf_deinit(&warnings);
}

/* What check-config prints is a file with the same meaning: `critical` is once the flag, once the
 * limit, and a check without a name takes the place of the default one of its type. */
static void the_effective_settings_are_a_file(void **state)
{
    struct koa_buf once = {.limit = 1 << 20};
    struct koa_buf again = {.limit = 1 << 20};
    struct koa_buf warnings = {.limit = 1 << 20};

    (void) state;
    check_text("checks:\n"
               "  - {type: memory, critical: 0.95}\n"
               "  - {type: disk_space, critical: false}\n"
               "alerting:\n"
               "  rules: [{name: r, type: health_status, check: memory, labels: {team: a}}]\n"
               "  notifiers: [{name: page, type: log}]\n",
               &once, &warnings);
    KIT_EXPECT_CONTAINS("limit", "    critical: 0.95\n", koa_buf_text(&once));
    KIT_EXPECT_CONTAINS("flag", "    critical: false\n", koa_buf_text(&once));
    KIT_EXPECT_CONTAINS("rules", "\n    - name: \"r\"\n", koa_buf_text(&once));
    KIT_EXPECT_CONTAINS("notifiers", "\n    - name: \"page\"\n", koa_buf_text(&once));
    check_text(koa_buf_text(&once), &again, &warnings);
    KIT_EXPECT_TEXT("the same", koa_buf_text(&once), koa_buf_text(&again));
    koa_buf_deinit(&once);
    koa_buf_deinit(&again);
    koa_buf_deinit(&warnings);
}

static void a_cluster_that_is_not_there_is_a_warning(void **state)
{
    struct koa_buf text = {.limit = 1 << 20};
    struct koa_buf warnings = {.limit = 1 << 20};

    (void) state;
    check_text("clusters: [{name: prod, bootstrap_servers: \"h:1\"}]\n"
               "checks:\n"
               "  - {name: kafka, cluster: prod}\n"
               "  - {name: lag, type: consumer_lag, critical: 5, cluster: prd}\n",
               &text, &warnings);
    KIT_EXPECT_CONTAINS("told", "koa.yaml:4:59: checks[1].cluster: no cluster is named 'prd'",
                        koa_buf_text(&warnings));
    KIT_EXPECT("only that", strstr(koa_buf_text(&warnings), "checks[0]") == NULL);
    koa_buf_deinit(&text);
    koa_buf_deinit(&warnings);
}

static void every_failed_allocation_is_an_error(void **state)
{
    struct koa_labels variables = *KOA_LABELS({"KAFKA_BOOTSTRAP_SERVERS", "a:1"});
    struct koa_configuration_opts opts = {.getenv = look_up, .context = &variables};
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_configuration *configuration = NULL;
        struct koa_configuration_errors errors;
        struct koa_error error = {0};

        ok = koa_configuration_load(&opts, &configuration, &errors, &error) == KOA_OK;
        KIT_EXPECT("complete or told",
                   ok ? configuration->clusters.count == 1 : error.text[0] != '\0');
        koa_configuration_errors_deinit(&errors);
        koa_configuration_destroy(configuration);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_anything_the_defaults_are_those_of_the_example),
        cmocka_unit_test(the_example_file_loads_and_is_the_default_but_for_its_lists),
        cmocka_unit_test(the_environment_is_that_of_the_contract),
        cmocka_unit_test(a_bad_variable_stops_with_its_name_and_what_is_allowed),
        cmocka_unit_test(mistakes_in_a_file_are_told_with_their_place),
        cmocka_unit_test(the_printed_settings_load_again),
        cmocka_unit_test(secrets_are_masked_in_print),
        cmocka_unit_test(flags_outrank_environment_and_file),
        cmocka_unit_test(the_document_names_every_variable_and_type),
        cmocka_unit_test(mistakes_in_lists_are_told_with_their_place),
        cmocka_unit_test(a_list_that_is_too_long_is_an_error),
        cmocka_unit_test(the_effective_settings_are_a_file),
        cmocka_unit_test(a_cluster_that_is_not_there_is_a_warning),
        cmocka_unit_test(every_failed_allocation_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* `demo`: agent, simulated cluster, and four simulated services that can be made to fail, so that a
 * reader sees a failure travel from health to alerts and end. */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json_read.h"
#include "base/memory.h"
#include "base/str.h"
#include "cli/fetch.h"
#include "cli/serve.h"
#include "cli/signals.h"
#include "cli/simulated.h"
#include "loop/clock.h"

enum {
    SERVICE_COUNT = 4,
    LINE_SIZE = 256,
    CLUSTERS_TEXT_SIZE = 4096,
    REQUEST_TIMEOUT_MS = 5000,
    STOP_LIMIT_MS = 2000,
    INPUT_POLL_MS = 200, /* how soon a signal is seen while a line is awaited */
    LOAD_REQUESTS = 500,
    MINUTES_MAX = 1440,
    FAIL_AFTER_MS = 8000, /* the unattended demo: `database` fails ... */
    FIX_AFTER_MS = 20000, /* ... and is fixed again */
    REPORT_EVERY_MS = 4000,
    TOLD_LIMIT_MS = 5000, /* for a service's state to reach health and alerts; 2 s are usual */
    TOLD_POLL_MS = 100,
};

struct service {
    const char *name;
    const char *check; /* "service_api" */
    const char *rule;  /* "api_unhealthy" */
    atomic_bool is_failing;
};

static struct service services[SERVICE_COUNT] = {
    {.name = "api", .check = "service_api", .rule = "api_unhealthy"},
    {.name = "database", .check = "service_database", .rule = "database_unhealthy"},
    {.name = "cache", .check = "service_cache", .rule = "cache_unhealthy"},
    {.name = "queue", .check = "service_queue", .rule = "queue_unhealthy"},
};

struct demo {
    struct koa_agent *agent;
    struct cli_fetcher *fetcher;
};

static void run_service(const void *config, void *context, struct koa_verdict *verdict)
{
    const struct service *service = context;

    (void) config;
    if (atomic_load(&service->is_failing)) {
        koa_verdict_unhealthy(verdict, "%s is unhealthy: it was told to fail", service->name);
    } else {
        koa_verdict_healthy(verdict, "%s is healthy", service->name);
    }
}

static const struct koa_check_ops service_check = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "demo_service",
    .help = "A simulated service that fails when it is told to",
    .timeout = "2s",
    .run = run_service,
};

static enum koa_err add_services(struct koa_agent *agent, struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    for (size_t i = 0; i < SERVICE_COUNT && err == KOA_OK; i++) {
        err = koa_agent_add_check(agent, services[i].check, &service_check,
                                  KOA_CONTEXT_SETTINGS(&services[i], {"interval", "1s"}), reterr);
        if (err == KOA_OK) {
            err = koa_agent_add_rule(agent, services[i].rule, &koa_rule_health_status,
                                     KOA_SETTINGS({"check", services[i].check},
                                                  {"status", "unhealthy"}, {"severity", "warning"}),
                                     reterr);
        }
    }
    return err;
}

/* The answer of `path` as a tree, or NULL after printing why. */
static struct koa_json_value *fetch_tree(struct demo *demo, const char *path)
{
    const struct cli_answer *answer;
    struct koa_json_value *root = NULL;
    struct koa_error error;

    if (cli_fetch(demo->fetcher, path, NULL, &answer, &error) != KOA_OK ||
        koa_json_parse((struct koa_str){.data = answer->body.data, .size = answer->body.size},
                       &root, &error) != KOA_OK)
        (void) printf("%s: %s\n", path, error.text);
    return root;
}

static const char *text_of(const struct koa_json_value *object, const char *key)
{
    const char *text = koa_json_value_text(koa_json_get(object, key));

    return text != NULL ? text : "-";
}

static void print_alerts(const struct koa_json_value *alerts)
{
    const struct koa_json_value *active = koa_json_get(alerts, "active_alerts");

    if (koa_json_count(active) == 0)
        (void) printf("  no active alerts\n");
    for (size_t i = 0; i < koa_json_count(active); i++) {
        const struct koa_json_value *alert = koa_json_at(active, i);

        (void) printf("  %-8s %-9s %-20s %s\n", text_of(alert, "severity"), text_of(alert, "state"),
                      text_of(alert, "name"), text_of(alert, "message"));
    }
}

static void show_status(struct demo *demo)
{
    KOA_AUTO(koa_json_value) *root = fetch_tree(demo, "/status");

    if (root == NULL)
        return;
    (void) printf("overall: %s\n", text_of(root, "overall_status"));
    print_alerts(koa_json_get(root, "alerts"));
}

static void show_health(struct demo *demo)
{
    KOA_AUTO(koa_json_value) *root = fetch_tree(demo, "/health");
    const struct koa_json_value *checks = koa_json_get(root, "checks");

    if (root == NULL)
        return;
    (void) printf("overall: %s\n", text_of(root, "overall_status"));
    for (size_t i = 0; i < koa_json_count(checks); i++) {
        const struct koa_json_value *check = koa_json_at(checks, i);

        (void) printf("  %-18s %-10s %s\n", text_of(check, "name"), text_of(check, "status"),
                      text_of(check, "message"));
    }
}

static void show_metrics(struct demo *demo)
{
    static const char *const kinds[] = {"counters", "gauges", "histograms", "timers"};
    KOA_AUTO(koa_json_value) *root = fetch_tree(demo, "/metrics");

    if (root == NULL)
        return;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(kinds); i++) {
        (void) printf("  %-12s %zu series\n", kinds[i],
                      koa_json_count(koa_json_get(root, kinds[i])));
    }
    (void) printf("  the whole text: %s/metrics/prometheus\n", koa_agent_url(demo->agent));
}

static void show_alerts(struct demo *demo)
{
    KOA_AUTO(koa_json_value) *root = fetch_tree(demo, "/alerts");

    if (root != NULL)
        print_alerts(root);
}

static void make_load(struct demo *demo)
{
    struct koa_metrics *metrics = koa_agent_metrics(demo->agent);

    for (int i = 0; i < LOAD_REQUESTS; i++) {
        const struct service *service = &services[i % SERVICE_COUNT];

        koa_metrics_count(metrics, "demo_requests_total", 1,
                          KOA_LABELS({"service", service->name}));
        koa_metrics_observe(metrics, "demo_request_duration_seconds", 0.001 * (i % 50),
                            KOA_NO_LABELS);
    }
    (void) printf("counted %d simulated requests in demo_requests_total\n", LOAD_REQUESTS);
}

static const struct koa_json_value *find_named(const struct koa_json_value *list, const char *name)
{
    for (size_t i = 0; i < koa_json_count(list); i++) {
        if (koa_text_equal(text_of(koa_json_at(list, i), "name"), name))
            return koa_json_at(list, i);
    }
    return NULL;
}

/* Health and alerts tell what the service was told. */
static bool is_told(struct demo *demo, const struct service *service)
{
    KOA_AUTO(koa_json_value) *root = fetch_tree(demo, "/status");
    const struct koa_json_value *checks = koa_json_get(koa_json_get(root, "health"), "checks");
    const struct koa_json_value *active =
        koa_json_get(koa_json_get(root, "alerts"), "active_alerts");
    bool is_failing = atomic_load(&service->is_failing);

    return koa_text_equal(text_of(find_named(checks, service->check), "status"),
                          is_failing ? "unhealthy" : "healthy") &&
           (find_named(active, service->rule) != NULL) == is_failing;
}

/* So that whoever asks next, a script above all, sees it: checks run, and rules are looked at, once
 * a second at most. */
static void await_told(struct demo *demo, const struct service *service)
{
    int64_t until_ms = koa_clock_mono().ms + TOLD_LIMIT_MS;

    while (!is_told(demo, service) && koa_clock_mono().ms < until_ms) {
        koa_board_unref(koa_agent_run_checks(demo->agent, REQUEST_TIMEOUT_MS));
        (void) poll(NULL, 0, TOLD_POLL_MS);
    }
}

static void set_failing(struct demo *demo, const char *name, bool is_failing)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (koa_text_equal(services[i].name, name)) {
            atomic_store(&services[i].is_failing, is_failing);
            (void) printf("%s %s; see health, then alerts\n", name,
                          is_failing ? "fails now" : "is fixed");
            (void) fflush(stdout);
            await_told(demo, &services[i]);
            return;
        }
    }
    (void) printf("no service '%s'; there are api, database, cache, queue\n", name);
}

static void show_help(struct demo *demo)
{
    (void) demo;
    (void) printf("  status           overall status and active alerts\n"
                  "  health           every check\n"
                  "  metrics          how many series there are\n"
                  "  alerts           active alerts\n"
                  "  fail SERVICE     make api, database, cache or queue fail\n"
                  "  fix SERVICE      make it work again\n"
                  "  load             count simulated requests\n"
                  "  help             this list\n"
                  "  quit             leave (so do end of input and Ctrl-C)\n");
}

static const struct {
    const char *word;
    void (*show)(struct demo *demo);
} commands[] = {
    {"status", show_status}, {"health", show_health}, {"metrics", show_metrics},
    {"alerts", show_alerts}, {"load", make_load},     {"help", show_help},
};

/* False ends the demo. */
static bool obey(struct demo *demo, struct koa_str line)
{
    struct koa_str operand;
    struct koa_str word = koa_str_split(koa_str_trim(line), ' ', &operand);
    char name[LINE_SIZE];

    (void) koa_str_copy(name, sizeof(name), koa_str_trim(operand));
    if (word.size == 0)
        return true;
    if (koa_str_equal_text(word, "quit") || koa_str_equal_text(word, "exit"))
        return false;
    if (koa_str_equal_text(word, "fail") || koa_str_equal_text(word, "fix")) {
        set_failing(demo, name, koa_str_equal_text(word, "fail"));
        return true;
    }
    for (size_t i = 0; i < KOA_ARRAY_COUNT(commands); i++) {
        if (koa_str_equal_text(word, commands[i].word)) {
            commands[i].show(demo);
            return true;
        }
    }
    (void) printf("unknown command '%.*s'; 'help' lists them\n", (int) word.size, word.data);
    return true;
}

/* Obeys the whole lines of `buf` and keeps the rest. */
static bool obey_lines(struct demo *demo, struct koa_buf *buf, bool is_end)
{
    for (;;) {
        const char *end = buf->size > 0 ? memchr(buf->data, '\n', buf->size) : NULL;
        size_t size = end != NULL ? (size_t) (end - buf->data) : buf->size;

        if (end == NULL && (!is_end || size == 0))
            return !is_end;
        if (!obey(demo, (struct koa_str){.data = buf->data, .size = size}))
            return false;
        koa_buf_consume(buf, size + (end != NULL ? 1 : 0));
        (void) printf("> ");
        (void) fflush(stdout);
    }
}

static void run_interactive(struct demo *demo, int64_t until_ms)
{
    struct koa_buf input = {.limit = 65536};
    char chunk[LINE_SIZE];
    bool goes_on = true;

    show_help(demo);
    (void) printf("> ");
    (void) fflush(stdout);
    while (goes_on && koa_clock_mono().ms < until_ms) {
        struct pollfd source = {.fd = STDIN_FILENO, .events = POLLIN};
        int found = cli_signals_wait(0);
        ssize_t size;

        if (found == SIGTERM || found == SIGINT)
            break;
        if (poll(&source, 1, INPUT_POLL_MS) <= 0)
            continue;
        size = read(STDIN_FILENO, chunk, sizeof(chunk));
        if (size > 0)
            koa_buf_append(&input, chunk, (size_t) size);
        goes_on = obey_lines(demo, &input, size <= 0) && !input.failed;
    }
    (void) printf("\n");
    koa_buf_deinit(&input);
}

static void run_unattended(struct demo *demo, int64_t start_ms, int64_t until_ms)
{
    bool has_failed = false;
    bool is_fixed = false;

    while (koa_clock_mono().ms < until_ms) {
        int64_t age_ms = koa_clock_mono().ms - start_ms;

        if (!has_failed && age_ms >= FAIL_AFTER_MS) {
            set_failing(demo, "database", true);
            has_failed = true;
        } else if (!is_fixed && age_ms >= FIX_AFTER_MS) {
            set_failing(demo, "database", false);
            is_fixed = true;
        }
        make_load(demo);
        show_status(demo);
        (void) fflush(stdout);
        if (cli_wait_for_stop(demo->agent, REPORT_EVERY_MS) != 0)
            return;
    }
}

static enum koa_err start(struct demo *demo, const struct koa_agent_opts *opts,
                          struct koa_error *reterr)
{
    enum koa_err err = koa_agent_create(opts, &demo->agent, reterr);

    if (err == KOA_OK)
        err = add_services(demo->agent, reterr);
    if (err == KOA_OK)
        err = koa_agent_start(demo->agent, reterr);
    if (err == KOA_OK) {
        /* The first look shows what is, not that nothing has run yet. */
        koa_board_unref(koa_agent_run_checks(demo->agent, REQUEST_TIMEOUT_MS));
        err = cli_fetcher_create(&(struct cli_fetcher_opts){.url = koa_agent_url(demo->agent),
                                                            .timeout_ms = REQUEST_TIMEOUT_MS},
                                 &demo->fetcher, reterr);
    }
    return err;
}

static int run_demo(const struct cli_arguments *arguments, const struct koa_agent_opts *opts,
                    int64_t minutes)
{
    struct demo demo = {0};
    int64_t start_ms = koa_clock_mono().ms;
    struct koa_error error;
    int code = CLI_OK;

    if (start(&demo, opts, &error) != KOA_OK) {
        code = cli_agent_failure(arguments, &error, false);
    } else {
        (void) printf(
            "The demo runs at %s for %d minutes, watching a simulated cluster and the services "
            "api, database, cache, queue.\n",
            koa_agent_url(demo.agent), (int) minutes);
        if (cli_is_given(arguments, "interactive")) {
            run_interactive(&demo, start_ms + minutes * 60000);
        } else {
            run_unattended(&demo, start_ms, start_ms + minutes * 60000);
        }
        (void) printf("The demo has ended.\n");
    }
    cli_fetcher_destroy(demo.fetcher);
    koa_agent_stop(demo.agent, STOP_LIMIT_MS);
    koa_agent_destroy(demo.agent);
    return code;
}

static int demo_command(const struct cli_arguments *arguments)
{
    struct cli_settings settings;
    struct koa_settings view;
    struct koa_agent_opts opts = KOA_AGENT_OPTS_INIT;
    struct koa_simulation *simulation = NULL;
    char clusters[CLUSTERS_TEXT_SIZE];
    int64_t minutes = 5;
    int code = CLI_USAGE;

    if (!cli_number(arguments, "duration", 1, MINUTES_MAX, &minutes))
        return CLI_USAGE;
    cli_settings_collect(arguments, &settings);
    cli_signals_block();
    if (!cli_simulation_start(arguments, "sim-", &simulation))
        return CLI_FAILED;
    if (cli_clusters_setting(koa_simulation_bootstrap(simulation), clusters, sizeof(clusters))) {
        cli_settings_add(&settings, "clusters", clusters, NULL);
        cli_settings_add(&settings, "web.host", "127.0.0.1", NULL);
        cli_settings_add(&settings, "alerting.interval", "1s", NULL);
        /* Every run starts fresh: a demo keeps nothing. */
        cli_settings_add(&settings, "state_directory", ":memory:", NULL);
        view = cli_settings_view(&settings);
        opts.settings = &view;
        opts.use_defaults = true;
        code = run_demo(arguments, &opts, minutes);
    }
    koa_simulation_stop(simulation);
    return code;
}

static const struct cli_flag flags[] = {
    {"duration", "MINUTES", NULL, "ends by itself after this long (5)"},
    {"interactive", NULL, NULL,
     "read commands: status, health, metrics, alerts, fail, fix, load, help, quit"},
    {"port", "PORT", "web.port", "port to listen on; 0: any free one (8080)"},
    {"sim-brokers", "N", NULL, "brokers of the simulated cluster (3)"},
    {"sim-scenario", "FILE", NULL, "its size, and what happens to it when (docs/simulate.md)"},
    {0},
};

const struct cli_command cli_demo = {
    .name = "demo",
    .summary = "Run agent, simulated cluster and four simulated services",
    .help = "Exit codes: 0 it ended by itself, by 'quit', end of input or a signal; 1 it could not "
            "start;\n"
            "2 flags are not right.\n",
    .flag_tables = (const struct cli_flag *const[]){flags, NULL},
    .run = demo_command,
};

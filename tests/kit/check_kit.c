/* The bench for checks, over the real engine, loop and workers. */
#include "kit/check_kit.h"

#include <string.h>

#include "base/str.h"
#include "config/yaml.h"
#include "kit/kit.h"
#include "loop/clock.h"
#include "metrics/registry.h"

void kit_checks_start(struct kit_checks *checks, const char *directory)
{
    struct koa_metrics_opts metrics_opts = {.ticks_ns = koa_clock_ticks_ns};
    struct koa_health_opts opts = {
        .snapshots = checks->snapshots, .changed = checks->changed, .context = checks->context};
    struct koa_error error = {.text = ""};

    kit_loop_start(&checks->kit, 0);
    if (koa_metrics_create(&metrics_opts, &checks->metrics, &error) != KOA_OK ||
        koa_http_client_create(checks->kit.loop, checks->kit.resolver, NULL, &checks->http,
                               &error) != KOA_OK)
        fail_msg("%s", error.text);
    if (directory != NULL) {
        struct koa_store_opts store_opts = {
            .directory = directory, .workers = checks->kit.workers, .loop = checks->kit.loop};

        if (koa_store_create(&store_opts, &checks->store, &error) != KOA_OK)
            fail_msg("%s", error.text);
    }
    opts.metrics = checks->metrics;
    opts.services = (struct koa_probe_services){.loop = checks->kit.loop,
                                                .workers = checks->kit.workers,
                                                .resolver = checks->kit.resolver,
                                                .http = checks->http,
                                                .store = checks->store};
    if (koa_health_create(&opts, &checks->health, &error) != KOA_OK)
        fail_msg("%s", error.text);
}

static void end_on_loop(void *message)
{
    struct kit_checks *checks = message;

    koa_health_stop(checks->health);
    koa_http_client_destroy(checks->http);
    koa_store_destroy(checks->store, 1000);
}

void kit_checks_end(struct kit_checks *checks)
{
    struct koa_health *health = checks->health;

    kit_loop_call(&checks->kit, end_on_loop, checks);
    koa_loop_stop(checks->kit.loop);
    koa_health_destroy(health);
    kit_loop_end(&checks->kit);
    koa_metrics_destroy(checks->metrics);
    memset(checks, 0, sizeof(*checks));
}

static void copy_errors(const struct koa_config_errors *errors, char *text, size_t size)
{
    struct koa_buf buf = {.limit = 65536};

    koa_config_errors_print(errors, &buf);
    if (text != NULL)
        (void) koa_str_copy(text, size, koa_str_from(koa_buf_text(&buf)));
    koa_buf_deinit(&buf);
}

struct koa_check_unit *kit_check_load(const struct koa_check_ops *ops, const char *name,
                                      const struct koa_settings *settings, char *errors,
                                      size_t size)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(1 << 20);
    struct koa_config_errors found = {.arena = arena};
    struct koa_check_load_opts opts = {
        .name = name,
        .ops = ops,
        .context = settings != NULL ? settings->context : NULL,
        .path = "check",
        .default_timeout_ms = 30000,
    };
    struct koa_node *node = NULL;
    struct koa_check_unit *unit = NULL;

    if (settings != NULL)
        node = koa_node_from_settings(settings, "settings", arena, &found);
    if (found.count == 0)
        unit = koa_check_unit_load(&opts, node, &found);
    copy_errors(&found, errors, size);
    return unit;
}

void kit_check_judge(const struct koa_check_ops *ops, const struct koa_settings *settings,
                     const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *ret_verdict)
{
    char errors[2048];
    struct koa_check_unit *unit = kit_check_load(ops, NULL, settings, errors, sizeof(errors));

    if (unit == NULL)
        fail_msg("%s", errors);
    koa_verdict_init(ret_verdict, (struct koa_mono){.ms = INT64_MAX});
    ops->evaluate(unit->config, snapshot, now, ret_verdict);
    koa_check_unit_unref(unit);
}

struct addition {
    struct kit_checks *checks;
    struct koa_check_unit *unit;
    struct koa_error error;
    enum koa_err err;
};

static void add_on_loop(void *message)
{
    struct addition *addition = message;

    if (!addition->checks->is_started)
        koa_health_start(addition->checks->health);
    addition->checks->is_started = true;
    addition->err = koa_health_add(addition->checks->health, addition->unit, &addition->error);
}

void kit_checks_add(struct kit_checks *checks, const struct koa_check_ops *ops, const char *name,
                    const struct koa_settings *settings)
{
    char errors[2048];
    struct addition addition = {
        .checks = checks, .unit = kit_check_load(ops, name, settings, errors, sizeof(errors))};

    if (addition.unit == NULL)
        fail_msg("%s", errors);
    kit_loop_call(&checks->kit, add_on_loop, &addition);
    koa_check_unit_unref(addition.unit);
    if (addition.err != KOA_OK)
        fail_msg("%s", addition.error.text);
}

struct waiting {
    struct kit_gate gate;
    struct koa_health *health;
    struct koa_board *board;
};

static void on_ran(void *context, const struct koa_board *board)
{
    struct waiting *waiting = context;

    (void) board;
    waiting->board = koa_health_board(waiting->health);
    kit_gate_pass(&waiting->gate);
}

/* Runs on the loop, so that a check that was just added is known. */
struct request {
    struct kit_checks *checks;
    const char *name;
    struct waiting *waiting;
    struct koa_error error;
    enum koa_err err;
};

static void request_on_loop(void *message)
{
    struct request *request = message;

    request->err = koa_health_run_now(request->checks->health, request->name, on_ran,
                                      request->waiting, &request->error);
}

struct koa_board *kit_checks_run(struct kit_checks *checks, const char *name)
{
    struct waiting waiting = {.gate = KIT_GATE_INIT, .health = checks->health};
    struct request request = {.checks = checks, .name = name, .waiting = &waiting};

    kit_loop_call(&checks->kit, request_on_loop, &request);
    if (request.err != KOA_OK)
        fail_msg("%s", request.error.text);
    kit_gate_wait(&waiting.gate, 1);
    return waiting.board;
}

struct koa_board *kit_checks_look(struct kit_checks *checks, const struct koa_check_ops *ops,
                                  const struct koa_settings *settings)
{
    kit_checks_add(checks, ops, "check", settings);
    return kit_checks_run(checks, "check");
}

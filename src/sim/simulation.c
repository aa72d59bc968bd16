/* The thread and the listeners of a simulated cluster. What brokers say is answers.c's business,
 * what happens to them that of events.c; here sockets follow it. */
#include "sim/simulation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/memory.h"
#include "loop/clock.h"
#include "loop/loop.h"
#include "sim/events.h"
#include "sim/scenario.h"
#include "sim/session.h"

enum {
    BOOTSTRAP_LIMIT = 65536,
    STREAM_LIMIT = 64 << 20,
    ARENA_LIMIT = 256 << 20, /* one answer; Metadata of 200,000 partitions takes about 30 MB */
    WARNING_LIMIT = 4096,
    DEFAULT_GROUPS = 10,
    DEFAULT_GROUP_PARTITIONS = 10, /* of each */
    DEFAULT_MEMBERS = 3,
};

struct koa_simulation {
    struct koa_loop *loop;
    struct koa_sim_model *model;
    struct koa_sim_cluster cluster;
    struct koa_sim_broker *brokers;
    struct koa_arena *arena;
    int *ports;
    char *host;
    struct koa_buf bootstrap;
    struct koa_sim_scenario *scenario; /* the texts of the model's events live in it */
    struct koa_timer next_event;
    void (*warn)(const char *text);
};

static void on_accepted(void *context, struct koa_stream *stream)
{
    koa_sim_session_accept(context, stream);
}

static enum koa_err listen_on(struct koa_simulation *simulation, int32_t index, int port,
                              struct koa_error *reterr)
{
    return koa_listener_create(&(struct koa_listener_opts){.loop = simulation->loop,
                                                           .host = simulation->host,
                                                           .port = port,
                                                           .accepted = on_accepted,
                                                           .context = &simulation->brokers[index],
                                                           .write_limit = STREAM_LIMIT},
                               &simulation->brokers[index].listener, reterr);
}

static enum koa_err listen_all(struct koa_simulation *simulation,
                               const struct koa_simulation_opts *opts, struct koa_error *reterr)
{
    bool is_v6 = strchr(simulation->host, ':') != NULL;
    int32_t count = simulation->model->broker_count;
    enum koa_err err = KOA_OK;

    if (opts->port > 0 && opts->port + count - 1 > 65535) {
        return koa_fail(reterr, KOA_ERR_RANGE,
                        "port %d leaves no room for %d brokers on the ports from it on", opts->port,
                        (int) count);
    }
    for (int32_t i = 0; i < count && err == KOA_OK; i++) {
        struct koa_sim_broker *broker = &simulation->brokers[i];

        *broker = (struct koa_sim_broker){.cluster = &simulation->cluster,
                                          .loop = simulation->loop,
                                          .id = i + 1,
                                          .arena = simulation->arena,
                                          .log = opts->log};
        koa_list_init(&broker->sessions);
        err = listen_on(simulation, i, opts->port > 0 ? opts->port + i : 0, reterr);
        if (err == KOA_OK) {
            simulation->ports[i] = koa_listener_port(broker->listener);
            koa_buf_printf(&simulation->bootstrap, "%s%s%s%s:%d", i > 0 ? "," : "",
                           is_v6 ? "[" : "", simulation->host, is_v6 ? "]" : "",
                           simulation->ports[i]);
        }
    }
    return err == KOA_OK ? koa_buf_status(&simulation->bootstrap, "the list of brokers", reterr)
                         : err;
}

/* ---- events */

static void warn(const struct koa_simulation *simulation, const char *format, ...) KOA_PRINTF(2, 3);

static void warn(const struct koa_simulation *simulation, const char *format, ...)
{
    struct koa_buf text = {.limit = WARNING_LIMIT};
    va_list args;

    va_start(args, format);
    koa_buf_vprintf(&text, format, args);
    va_end(args);
    if (simulation->warn != NULL)
        simulation->warn(koa_buf_text(&text));
    koa_buf_deinit(&text);
}

/* Sockets as the model has the broker. */
static void follow(struct koa_simulation *simulation, int32_t index)
{
    const struct koa_sim_node *node = &simulation->model->nodes[index];
    struct koa_sim_broker *broker = &simulation->brokers[index];
    struct koa_error error;

    if (node->is_dead || node->hang_ups != broker->hang_ups)
        koa_sim_sessions_close(broker);
    broker->hang_ups = node->hang_ups;
    if (node->is_dead) {
        koa_listener_destroy(broker->listener);
        broker->listener = NULL;
    } else if (broker->listener == NULL &&
               listen_on(simulation, index, simulation->ports[index], &error) != KOA_OK) {
        warn(simulation, "broker %d is not back: %s; it stays away until it is restarted again",
             broker->id, error.text);
    }
    if (node->is_frozen != broker->is_frozen)
        koa_sim_sessions_freeze(broker, node->is_frozen);
}

static void on_failed(void *context, const struct koa_sim_event *event,
                      const struct koa_error *error)
{
    const struct koa_simulation *simulation = context;

    warn(simulation, "%s at %" PRId64 " ms: %s; it is left out", event->action->name, event->at_ms,
         error->text);
}

static void on_event(struct koa_timer *timer, struct koa_mono now);

static void arm_next(struct koa_simulation *simulation)
{
    struct koa_mono due;

    if (koa_sim_events_next(simulation->model, &due) &&
        !koa_timers_arm(koa_loop_timers(simulation->loop), &simulation->next_event, due, on_event))
        warn(simulation, "no memory: the scenario ends here");
}

static void on_event(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_simulation *simulation = KOA_CONTAINER_OF(timer, struct koa_simulation, next_event);

    (void) koa_sim_events_run(simulation->model, now, on_failed, simulation);
    for (int32_t i = 0; i < simulation->model->broker_count; i++)
        follow(simulation, i);
    arm_next(simulation);
}

/* ---- life */

static enum koa_err build_model(struct koa_simulation *simulation,
                                const struct koa_simulation_opts *opts, struct koa_error *reterr)
{
    struct koa_sim_model_opts model = {
        .brokers = (int32_t) (opts->brokers > 0 ? opts->brokers : 3),
        .topics = (int32_t) (opts->topics > 0 ? opts->topics : 20),
        .partitions = (int32_t) (opts->partitions > 0 ? opts->partitions : 100),
        .groups = (int32_t) (opts->groups != 0 ? opts->groups : DEFAULT_GROUPS),
        .group_partitions = opts->group_partitions,
        .members = (int32_t) (opts->members > 0 ? opts->members : DEFAULT_MEMBERS),
        .latency_ms = opts->latency_ms,
        .version = opts->version,
        .seed = opts->seed,
        .now = koa_clock_mono(),
    };
    enum koa_err err;

    if (model.groups < 0)
        model.groups = 0;
    if (model.group_partitions == 0)
        model.group_partitions = (int64_t) model.groups * DEFAULT_GROUP_PARTITIONS;
    err = koa_sim_model_create(&model, &simulation->model, reterr);
    if (err == KOA_OK && opts->scenario != NULL)
        err = koa_sim_scenario_play(opts->scenario, simulation->model, reterr);
    return err;
}

static enum koa_err build(struct koa_simulation *simulation, const struct koa_simulation_opts *opts,
                          struct koa_error *reterr)
{
    enum koa_err err = build_model(simulation, opts, reterr);
    size_t count;

    if (err != KOA_OK)
        return err;
    count = (size_t) simulation->model->broker_count;
    simulation->warn = opts->warn;
    simulation->bootstrap.limit = BOOTSTRAP_LIMIT;
    simulation->host = koa_strdup(opts->host != NULL ? opts->host : "127.0.0.1");
    simulation->ports = koa_calloc(count, sizeof(*simulation->ports));
    simulation->brokers = koa_calloc(count, sizeof(*simulation->brokers));
    simulation->arena = koa_arena_create(ARENA_LIMIT);
    if (simulation->host == NULL || simulation->ports == NULL || simulation->brokers == NULL ||
        simulation->arena == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for %zu simulated brokers", count);
    simulation->cluster = (struct koa_sim_cluster){
        .model = simulation->model, .host = simulation->host, .ports = simulation->ports};
    err = koa_loop_create(&(struct koa_loop_opts){.name = "sim", .log = opts->log},
                          &simulation->loop, reterr);
    if (err == KOA_OK)
        err = listen_all(simulation, opts, reterr);
    if (err == KOA_OK) {
        arm_next(simulation);
        err = koa_loop_start(simulation->loop, reterr);
    }
    return err;
}

enum koa_err koa_simulation_start(const struct koa_simulation_opts *opts,
                                  struct koa_simulation **ret_simulation, struct koa_error *reterr)
{
    struct koa_simulation *simulation = koa_calloc(1, sizeof(*simulation));
    enum koa_err err = koa_require_memory(simulation, reterr);

    if (err != KOA_OK) {
        koa_sim_scenario_destroy(opts->scenario);
        return err;
    }
    simulation->scenario = opts->scenario;
    err = build(simulation, opts, reterr);
    if (err == KOA_OK)
        *ret_simulation = KOA_MOVE(simulation);
    koa_simulation_stop(simulation);
    return err;
}

const char *koa_simulation_bootstrap(const struct koa_simulation *simulation)
{
    return koa_buf_text(&simulation->bootstrap);
}

void koa_simulation_stop(struct koa_simulation *simulation)
{
    if (simulation == NULL)
        return;
    if (simulation->loop != NULL) {
        koa_loop_stop(simulation->loop);
        koa_timers_disarm(koa_loop_timers(simulation->loop), &simulation->next_event);
    }
    for (int32_t i = 0; simulation->brokers != NULL && i < simulation->model->broker_count; i++) {
        koa_listener_destroy(simulation->brokers[i].listener);
        if (simulation->brokers[i].loop != NULL)
            koa_sim_sessions_close(&simulation->brokers[i]);
    }
    koa_loop_destroy(simulation->loop);
    koa_arena_destroy(simulation->arena);
    koa_sim_model_destroy(simulation->model);
    koa_sim_scenario_destroy(simulation->scenario);
    koa_buf_deinit(&simulation->bootstrap);
    koa_free(simulation->brokers);
    koa_free(simulation->ports);
    koa_free(simulation->host);
    koa_free(simulation);
}

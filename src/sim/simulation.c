/* The thread and the listeners of a simulated cluster. What brokers say is answers.c's business. */
#include "sim/simulation.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/memory.h"
#include "loop/clock.h"
#include "loop/loop.h"
#include "sim/session.h"

enum {
    BOOTSTRAP_LIMIT = 65536,
    STREAM_LIMIT = 64 << 20,
    DEFAULT_GROUPS = 10,
    DEFAULT_GROUP_PARTITIONS = 10, /* of each */
    DEFAULT_MEMBERS = 3,
};

struct koa_simulation {
    struct koa_loop *loop;
    struct koa_sim_model *model;
    struct koa_sim_cluster cluster;
    struct koa_sim_broker *brokers;
    int *ports;
    char *host;
    struct koa_buf bootstrap;
};

static void on_accepted(void *context, struct koa_stream *stream)
{
    koa_sim_session_accept(context, stream);
}

static enum koa_err listen_all(struct koa_simulation *simulation,
                               const struct koa_simulation_opts *opts, struct koa_error *reterr)
{
    enum koa_err err = KOA_OK;

    for (int32_t i = 0; i < simulation->model->broker_count && err == KOA_OK; i++) {
        struct koa_sim_broker *broker = &simulation->brokers[i];

        broker->cluster = &simulation->cluster;
        broker->id = i + 1;
        broker->log = opts->log;
        koa_list_init(&broker->sessions);
        err = koa_listener_create(
            &(struct koa_listener_opts){.loop = simulation->loop,
                                        .host = simulation->host,
                                        .port = opts->port > 0 ? opts->port + i : 0,
                                        .accepted = on_accepted,
                                        .context = broker,
                                        .write_limit = STREAM_LIMIT},
            &broker->listener, reterr);
        if (err == KOA_OK) {
            simulation->ports[i] = koa_listener_port(broker->listener);
            koa_buf_printf(&simulation->bootstrap, "%s%s:%d", i > 0 ? "," : "", simulation->host,
                           simulation->ports[i]);
        }
    }
    return err == KOA_OK ? koa_buf_status(&simulation->bootstrap, "the list of brokers", reterr)
                         : err;
}

static enum koa_err build(struct koa_simulation *simulation, const struct koa_simulation_opts *opts,
                          struct koa_error *reterr)
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

    if (err != KOA_OK)
        return err;
    simulation->bootstrap.limit = BOOTSTRAP_LIMIT;
    simulation->host = koa_strdup(opts->host != NULL ? opts->host : "127.0.0.1");
    simulation->ports = koa_calloc((size_t) model.brokers, sizeof(*simulation->ports));
    simulation->brokers = koa_calloc((size_t) model.brokers, sizeof(*simulation->brokers));
    if (simulation->host == NULL || simulation->ports == NULL || simulation->brokers == NULL) {
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for %" PRId32 " simulated brokers",
                        model.brokers);
    }
    simulation->cluster = (struct koa_sim_cluster){
        .model = simulation->model, .host = simulation->host, .ports = simulation->ports};
    err = koa_loop_create(&(struct koa_loop_opts){.name = "sim", .log = opts->log},
                          &simulation->loop, reterr);
    if (err == KOA_OK)
        err = listen_all(simulation, opts, reterr);
    if (err == KOA_OK)
        err = koa_loop_start(simulation->loop, reterr);
    return err;
}

enum koa_err koa_simulation_start(const struct koa_simulation_opts *opts,
                                  struct koa_simulation **ret_simulation, struct koa_error *reterr)
{
    struct koa_simulation *simulation = koa_calloc(1, sizeof(*simulation));
    enum koa_err err = koa_require_memory(simulation, reterr);

    if (err == KOA_OK)
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
    if (simulation->loop != NULL)
        koa_loop_stop(simulation->loop);
    for (int32_t i = 0; simulation->brokers != NULL && i < simulation->model->broker_count; i++) {
        koa_listener_destroy(simulation->brokers[i].listener);
        koa_sim_sessions_close(&simulation->brokers[i]);
    }
    koa_loop_destroy(simulation->loop);
    koa_sim_model_destroy(simulation->model);
    koa_buf_deinit(&simulation->bootstrap);
    koa_free(simulation->brokers);
    koa_free(simulation->ports);
    koa_free(simulation->host);
    koa_free(simulation);
}

/* The server's life: made, started, reloaded, quiesced, stopped. Everything that happens to
 * connections and requests in between is in the other files. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "httpserver/internal.h"

enum {
    STOP_LIMIT_MS = 2000, /* for answers under way when the server stops */
    STOP_STEP_MS = 5
};

enum koa_err koa_http_server_create(const struct koa_http_server_opts *opts,
                                    struct koa_http_server **ret_server, struct koa_error *reterr)
{
    KOA_AUTO(koa_http_server) *server = koa_calloc(1, sizeof(*server));
    enum koa_err err;

    if (server == NULL)
        return koa_require_memory(server, reterr);
    server->opts = *opts;
    server->listener = -1;
    server->waker = -1;
    (void) pthread_mutex_init(&server->mutex, NULL);
    (void) pthread_mutex_init(&server->limiter_mutex, NULL);
    (void) pthread_mutex_init(&server->reload_mutex, NULL);
    koa_list_init(&server->connections);
    koa_list_init(&server->tokens);
    koa_list_init(&server->generations);
    server->stats.name = "http_connections";
    server->limiter = koa_http_limiter_create();
    err = koa_require_memory(server->limiter, reterr);
    if (err == KOA_OK)
        err = koa_http_router_create(opts->routes, opts->route_count, &server->router, reterr);
    if (err == KOA_OK)
        err = koa_http_policy_create(opts, &opts->settings, &server->policy, reterr);
    if (err == KOA_OK)
        err = koa_http_telemetry_create(&server->opts, &server->telemetry, reterr);
    if (err != KOA_OK)
        return err;
    server->stats.limit = server->policy->settings.connections;
    *ret_server = KOA_MOVE(server);
    return KOA_OK;
}

static enum koa_err start_acceptor(struct koa_http_server *server, struct koa_error *reterr)
{
    sigset_t all;
    sigset_t before;
    int code;

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&server->acceptor, NULL, koa_http_listener_run, server);
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, code, "cannot start the HTTP listener's thread");
    (void) pthread_setname_np(server->acceptor, "http-accept");
    return KOA_OK;
}

static void close_descriptors(struct koa_http_server *server)
{
    if (server->listener >= 0)
        (void) close(server->listener);
    if (server->waker >= 0)
        (void) close(server->waker);
    server->listener = -1;
    server->waker = -1;
    koa_http_gate_destroy(KOA_MOVE(server->gate));
}

enum koa_err koa_http_server_start(struct koa_http_server *server, struct koa_error *reterr)
{
    enum koa_err err;

    if (server->runs || atomic_load(&server->stops))
        return koa_fail(reterr, KOA_ERR_STATE, "the HTTP server was started before");
    (void) pthread_mutex_lock(&server->reload_mutex);
    server->tls_signature = koa_http_tls_signature(&server->policy->settings);
    err = koa_http_listener_open(server, reterr);
    if (err == KOA_OK)
        err = koa_http_generation_start(server, server->policy, reterr);
    (void) pthread_mutex_unlock(&server->reload_mutex);
    if (err == KOA_OK)
        err = start_acceptor(server, reterr);
    if (err != KOA_OK) {
        koa_http_generations_reap(server, server->opts.mono(), true);
        close_descriptors(server);
        return err;
    }
    server->runs = true;
    return KOA_OK;
}

const char *koa_http_server_url(const struct koa_http_server *server)
{
    return server->urls[atomic_load(&server->is_tls) ? 1 : 0];
}

const char *koa_http_server_address(const struct koa_http_server *server)
{
    return server->address;
}

enum koa_err koa_http_server_reload(struct koa_http_server *server,
                                    const struct koa_http_settings *settings,
                                    struct koa_error *reterr)
{
    struct koa_http_policy *policy = NULL;
    uint64_t signature;
    enum koa_err err = koa_http_policy_create(&server->opts, settings, &policy, reterr);

    if (err != KOA_OK)
        return err;
    (void) pthread_mutex_lock(&server->reload_mutex);
    signature = koa_http_tls_signature(&policy->settings);
    if (!server->runs || atomic_load(&server->quiesced)) {
        err = koa_fail(reterr, KOA_ERR_STATE, "the HTTP server does not run");
    } else {
        err = koa_http_generation_start(server, policy, reterr);
    }
    if (err == KOA_OK) {
        server->tls_signature = signature;
        server->stats.limit = policy->settings.connections;
    }
    (void) pthread_mutex_unlock(&server->reload_mutex);
    koa_object_unref(&policy->object);
    return err;
}

static void wake(struct koa_http_server *server)
{
    uint64_t one = 1;

    if (server->waker >= 0)
        (void) !write(server->waker, &one, sizeof(one));
}

void koa_http_server_look_at_files(struct koa_http_server *server)
{
    atomic_store(&server->looks, true);
    wake(server);
}

void koa_http_server_quiesce(struct koa_http_server *server)
{
    atomic_store(&server->quiesced, true);
    wake(server);
}

void koa_http_server_stop(struct koa_http_server *server)
{
    if (!server->runs)
        return;
    /* Under the mutex: a suspension that is being made is either in the list below or refused. */
    (void) pthread_mutex_lock(&server->mutex);
    atomic_store(&server->refuses, true);
    (void) pthread_mutex_unlock(&server->mutex);
    koa_http_server_quiesce(server);
    koa_http_tokens_expire(server, NULL);
    for (int waited = 0; waited < STOP_LIMIT_MS && koa_http_connections_busy(server) > 0;
         waited += STOP_STEP_MS)
        (void) poll(NULL, 0, STOP_STEP_MS);
    atomic_store(&server->stops, true);
    wake(server);
    (void) pthread_join(server->acceptor, NULL);
    koa_http_gate_destroy(KOA_MOVE(server->gate));
    /* A reload under way ends first; the next one is refused. */
    (void) pthread_mutex_lock(&server->reload_mutex);
    koa_http_generations_reap(server, server->opts.mono(), true);
    (void) pthread_mutex_unlock(&server->reload_mutex);
    close_descriptors(server);
    server->runs = false;
}

void koa_http_server_destroy(struct koa_http_server *server)
{
    if (server == NULL)
        return;
    koa_http_server_stop(server);
    koa_http_telemetry_destroy(server->telemetry);
    koa_http_router_destroy(server->router);
    koa_http_limiter_destroy(server->limiter);
    if (server->policy != NULL)
        koa_object_unref(&server->policy->object);
    koa_free(server->by_descriptor);
    (void) pthread_mutex_destroy(&server->mutex);
    (void) pthread_mutex_destroy(&server->limiter_mutex);
    (void) pthread_mutex_destroy(&server->reload_mutex);
    koa_free(server);
}

struct koa_limit_stats *koa_http_server_stats(struct koa_http_server *server)
{
    return &server->stats;
}

/* One run of the library: its threads, memory sizes and certificates are fixed when it starts, so
 * new ones mean a new run. It has no listening socket: listener.c accepts and hands connections to
 * the newest generation, which lets an older one end when its last connection has. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "httpserver/internal.h"

enum {
    /* A head of 64 KiB, far beyond the limit, still comes to our filter and is refused in our
     * words; what does not fit is refused by the library in its own. More is not free: after each
     * request that leaves its connection open the library writes zeros over all of it, so all of it
     * is resident, and 512 KiB would take three times the CPU of a small answer. */
    CONNECTION_MEMORY_MINIMUM = 80 << 10,
    CONNECTION_MEMORY_MAXIMUM = 1 << 20,
    DRAIN_LIMIT_MS = 60000 /* what a connection of a replaced generation may still take */
};

KOA_PRINTF(2, 0)
static void log_message(void *context, const char *format, va_list args)
{
    struct koa_http_generation *generation = context;
    char text[sizeof(generation->last_message)];
    size_t size;

    (void) vsnprintf(text, sizeof(text), format, args);
    size = strlen(text);
    while (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    if (generation->daemon == NULL) /* starting: this thread alone */
        memcpy(generation->last_message, text, size + 1);
    koa_log_debug(generation->server->opts.log, "http.library", "%s", text);
}

/* Targets and queries are taken apart by target.c, from the untouched text. */
static size_t keep_escapes(void *context, struct MHD_Connection *handle, char *text)
{
    (void) context;
    (void) handle;
    return strlen(text);
}

/* Room for the head and, at the same time, for the answer's head. */
size_t koa_http_connection_memory(const struct koa_http_settings *settings)
{
    int64_t size = 2 * settings->header_bytes;

    if (size < CONNECTION_MEMORY_MINIMUM)
        return CONNECTION_MEMORY_MINIMUM;
    return size > CONNECTION_MEMORY_MAXIMUM ? CONNECTION_MEMORY_MAXIMUM : (size_t) size;
}

static struct MHD_Daemon *start_daemon(struct koa_http_generation *generation)
{
    struct koa_http_server *server = generation->server;
    const struct koa_http_settings *settings = &generation->policy->settings;
    bool is_tls = generation->certificate != NULL;
    unsigned threads = server->opts.threads > 0 ? (unsigned) server->opts.threads : 2;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (is_tls ? MHD_USE_TLS : 0U);
    /* The limit is split among the threads, and ours, in connection.c, is the one that decides. */
    unsigned limit = (unsigned) (settings->connections + settings->connections / 4 + 16) * threads;
    char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, generation->certificate},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, generation->key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
        {MHD_OPTION_END, 0, NULL},
    };

    return MHD_start_daemon(
        flags, 0, NULL, NULL, koa_http_request_step, server,
        /* First, so that messages about the other options come here too. */
        MHD_OPTION_EXTERNAL_LOGGER, log_message, generation,                                  /* */
        MHD_OPTION_THREAD_POOL_SIZE, threads > 1 ? threads : 0U,                              /* */
        MHD_OPTION_CONNECTION_LIMIT, limit,                                                   /* */
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, koa_http_connection_memory(settings),             /* */
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned) ((settings->idle_timeout_ms + 999) / 1000), /* */
        MHD_OPTION_STRICT_FOR_CLIENT, koa_http_is_layout_known() ? 0 : 1,                     /* */
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,                                     /* */
        MHD_OPTION_URI_LOG_CALLBACK, koa_http_request_begin, server,                          /* */
        MHD_OPTION_NOTIFY_CONNECTION, koa_http_connection_notify, server,                     /* */
        MHD_OPTION_NOTIFY_COMPLETED, koa_http_request_end, server,                            /* */
        is_tls ? MHD_OPTION_ARRAY : MHD_OPTION_END, tls, MHD_OPTION_END);
}

static void destroy(struct koa_http_generation *generation)
{
    if (generation->daemon != NULL) {
        MHD_stop_daemon(generation->daemon);
        koa_http_connections_forget(generation->server, generation);
    }
    koa_free(generation->certificate);
    koa_free_secret(generation->key);
    koa_object_unref(&generation->policy->object);
    koa_free(generation);
}

static enum koa_err run(struct koa_http_generation *generation, struct koa_error *reterr)
{
    sigset_t all;
    sigset_t before;
    struct MHD_Daemon *daemon;

    /* The library's threads inherit this mask: the host's signals are not theirs. */
    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);
    daemon = start_daemon(generation);
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (daemon == NULL) {
        return koa_fail(reterr, generation->certificate != NULL ? KOA_ERR_TLS : KOA_ERR_IO,
                        "the HTTP server cannot start: %s",
                        generation->last_message[0] != '\0' ? generation->last_message
                                                            : "no reason given");
    }
    generation->daemon = daemon;
    return KOA_OK;
}

/* The previous newest one takes no more connections and ends its idle ones. */
static void install(struct koa_http_generation *generation)
{
    struct koa_http_server *server = generation->server;
    struct koa_http_policy *previous = NULL;

    (void) pthread_mutex_lock(&server->mutex);
    KOA_LIST_FOREACH (node, &server->generations) {
        struct koa_http_generation *older =
            KOA_CONTAINER_OF(node, struct koa_http_generation, node);

        if (older->drains)
            continue;
        older->drains = true;
        older->drain_until = koa_mono_add_ms(server->opts.mono(), DRAIN_LIMIT_MS);
    }
    koa_list_push_back(server->generations.next, &generation->node); /* in front */
    if (server->policy != generation->policy) {
        previous = server->policy;
        server->policy = generation->policy;
        koa_object_ref(&server->policy->object);
    }
    (void) pthread_mutex_unlock(&server->mutex);
    atomic_store(&server->is_tls, generation->certificate != NULL);
    if (previous != NULL)
        koa_object_unref(&previous->object);
}

enum koa_err koa_http_generation_start(struct koa_http_server *server,
                                       struct koa_http_policy *policy, struct koa_error *reterr)
{
    struct koa_http_generation *generation = koa_calloc(1, sizeof(*generation));
    enum koa_err err = koa_require_memory(generation, reterr);

    if (err != KOA_OK)
        return err;
    generation->server = server;
    generation->policy = policy;
    koa_object_ref(&policy->object);
    err = koa_http_tls_load(&policy->settings, &generation->certificate, &generation->key, reterr);
    if (err == KOA_OK)
        err = run(generation, reterr);
    if (err != KOA_OK) {
        destroy(generation);
        return err;
    }
    install(generation);
    return KOA_OK;
}

static bool is_over_locked(const struct koa_http_generation *generation, struct koa_mono now)
{
    return generation->drains &&
           (generation->connections == 0 || koa_mono_diff_ms(now, generation->drain_until) >= 0);
}

void koa_http_generations_reap(struct koa_http_server *server, struct koa_mono now, bool all)
{
    struct koa_http_generation *over;

    do {
        over = NULL;
        (void) pthread_mutex_lock(&server->mutex);
        KOA_LIST_FOREACH (node, &server->generations) {
            struct koa_http_generation *generation =
                KOA_CONTAINER_OF(node, struct koa_http_generation, node);

            if (all || is_over_locked(generation, now))
                over = generation;
        }
        if (over != NULL)
            koa_list_remove(&over->node);
        (void) pthread_mutex_unlock(&server->mutex);
        if (over != NULL) {
            /* With a suspended request left the library would end the process. */
            koa_http_tokens_expire(server, over);
            destroy(over);
        }
    } while (over != NULL);
}

/* The table of connections: total and per-address limits, and the deadlines that the library lacks.
 * Its own timer measures inactivity, so a client that sends a byte a second would live for ever;
 * here every phase has an end. A cut is a shutdown() of the socket: the library sees the end of
 * the stream and closes it, and tells us before it does, so the descriptor is still its own. */
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "httpserver/internal.h"

/* An address and what the table holds of it. */
struct census {
    size_t going;
    size_t same_address;
    struct koa_http_connection *oldest_idle;
};

static int phase_of(const struct koa_http_connection *connection)
{
    return atomic_load_explicit(&connection->phase, memory_order_relaxed);
}

static int64_t age_ms(const struct koa_http_connection *connection, struct koa_mono now)
{
    return now.ms - atomic_load_explicit(&connection->since_ms, memory_order_relaxed);
}

void koa_http_connection_set_phase(struct koa_http_connection *connection,
                                   enum koa_http_phase phase)
{
    if (phase_of(connection) == KOA_HTTP_PHASE_GOES)
        return;
    atomic_store_explicit(&connection->since_ms, connection->server->opts.mono().ms,
                          memory_order_relaxed);
    atomic_store_explicit(&connection->phase, (int) phase, memory_order_relaxed);
}

static void cut_locked(struct koa_http_connection *connection, const char *reason)
{
    atomic_store_explicit(&connection->phase, KOA_HTTP_PHASE_GOES, memory_order_relaxed);
    if (reason != NULL) {
        koa_http_telemetry_rejected(connection->server->telemetry, reason);
        koa_log_debug(connection->server->opts.log, "http.cut", "connection of %s closed: %s",
                      connection->peer, reason);
    }
    (void) shutdown(connection->descriptor, SHUT_RDWR);
}

static void set_address(struct koa_http_connection *connection,
                        const struct sockaddr_storage *address)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool is_mapped;

    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *) (const void *) address;

        memcpy(connection->address, mapped, sizeof(mapped));
        memcpy(connection->address + sizeof(mapped), &v4->sin_addr, 4);
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *) (const void *) address;

        memcpy(connection->address, &v6->sin6_addr, 16);
    }
    is_mapped = memcmp(connection->address, mapped, sizeof(mapped)) == 0;
    if (is_mapped) {
        (void) inet_ntop(AF_INET, connection->address + sizeof(mapped), connection->peer,
                         sizeof(connection->peer));
    } else {
        (void) inet_ntop(AF_INET6, connection->address, connection->peer, sizeof(connection->peer));
    }
    connection->is_loopback = is_mapped ? connection->address[12] == 127
                                        : memcmp(connection->address, &in6addr_loopback, 16) == 0;
}

static struct census count_locked(struct koa_http_server *server, const unsigned char *address)
{
    struct census census = {0};

    KOA_LIST_FOREACH (node, &server->connections) {
        struct koa_http_connection *connection =
            KOA_CONTAINER_OF(node, struct koa_http_connection, node);
        int phase = phase_of(connection);

        if (phase == KOA_HTTP_PHASE_GOES) {
            census.going++;
            continue;
        }
        census.same_address += memcmp(connection->address, address, 16) == 0;
        if (phase == KOA_HTTP_PHASE_IDLE &&
            (census.oldest_idle == NULL ||
             atomic_load_explicit(&connection->since_ms, memory_order_relaxed) <
                 atomic_load_explicit(&census.oldest_idle->since_ms, memory_order_relaxed)))
            census.oldest_idle = connection;
    }
    return census;
}

/* NULL, or the reason to refuse. When all places are taken, the keep-alive connection that has been
 * idle longest makes room. */
static const char *admit_locked(struct koa_http_server *server,
                                const struct koa_http_connection *connection)
{
    struct census census = count_locked(server, connection->address);
    const struct koa_http_settings *settings = &server->policy->settings;

    if (census.same_address >= (size_t) settings->connections_per_address)
        return "connections_per_address";
    if (server->connection_count - census.going < (size_t) settings->connections)
        return NULL;
    if (census.oldest_idle == NULL)
        return "connections";
    cut_locked(census.oldest_idle, NULL);
    return NULL;
}

static bool grow_locked(struct koa_http_server *server, size_t descriptor)
{
    size_t count = descriptor + 64;
    struct koa_http_connection **rows;

    if (descriptor < server->descriptor_count)
        return true;
    rows = koa_realloc_array(server->by_descriptor, count, sizeof(struct koa_http_connection *));
    if (rows == NULL)
        return false;
    for (size_t i = server->descriptor_count; i < count; i++)
        rows[i] = NULL;
    server->by_descriptor = rows;
    server->descriptor_count = count;
    return true;
}

static void remove_locked(struct koa_http_connection *connection)
{
    struct koa_http_server *server = connection->server;

    koa_list_remove(&connection->node);
    if (server->by_descriptor[connection->descriptor] == connection)
        server->by_descriptor[connection->descriptor] = NULL;
    server->connection_count--;
    atomic_store(&server->stats.used, (int_fast64_t) server->connection_count);
    if (connection->generation != NULL)
        connection->generation->connections--;
}

static void release(struct koa_http_connection *connection)
{
    koa_http_telemetry_connections(connection->server->telemetry, -1);
    koa_http_request_deinit(&connection->request);
    koa_free(connection);
}

static const char *insert_locked(struct koa_http_connection *connection)
{
    struct koa_http_server *server = connection->server;
    size_t descriptor = (size_t) connection->descriptor;
    const char *reason;

    if (!grow_locked(server, descriptor))
        return "memory";
    /* The library lost one before it told us of it, and closed its descriptor: here it is again. */
    if (server->by_descriptor[descriptor] != NULL) {
        struct koa_http_connection *lost = server->by_descriptor[descriptor];

        remove_locked(lost);
        release(lost);
    }
    reason = admit_locked(server, connection);
    if (reason != NULL)
        return reason;
    koa_list_push_back(&server->connections, &connection->node);
    server->by_descriptor[descriptor] = connection;
    server->connection_count++;
    atomic_store(&server->stats.used, (int_fast64_t) server->connection_count);
    connection->generation =
        KOA_CONTAINER_OF(server->generations.next, struct koa_http_generation, node);
    connection->generation->connections++;
    return NULL;
}

struct koa_http_connection *koa_http_connection_add(struct koa_http_server *server, int descriptor,
                                                    const struct sockaddr_storage *address)
{
    struct koa_http_connection *connection = koa_calloc(1, sizeof(*connection));
    const char *reason = "memory";

    if (connection != NULL) {
        connection->server = server;
        connection->descriptor = descriptor;
        connection->request.connection = connection;
        set_address(connection, address);
        koa_http_connection_set_phase(connection, KOA_HTTP_PHASE_HEAD);
        (void) pthread_mutex_lock(&server->mutex);
        reason = insert_locked(connection);
        (void) pthread_mutex_unlock(&server->mutex);
    }
    if (reason == NULL) {
        koa_http_telemetry_connections(server->telemetry, 1);
        return connection;
    }
    koa_free(connection);
    atomic_fetch_add(&server->stats.dropped, 1);
    koa_http_telemetry_rejected(server->telemetry, reason);
    koa_log_debug(server->opts.log, "http.refused", "connection refused: limit '%s' is reached",
                  reason);
    return NULL;
}

void koa_http_connection_drop(struct koa_http_connection *connection)
{
    struct koa_http_server *server = connection->server;

    (void) pthread_mutex_lock(&server->mutex);
    remove_locked(connection);
    (void) pthread_mutex_unlock(&server->mutex);
    release(connection);
}

void koa_http_connection_notify(void *context, struct MHD_Connection *handle,
                                void **connection_context, enum MHD_ConnectionNotificationCode code)
{
    struct koa_http_server *server = context;
    struct koa_http_connection *connection = *connection_context;
    const union MHD_ConnectionInfo *info;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        *connection_context = NULL;
        if (connection != NULL)
            koa_http_connection_drop(connection);
        return;
    }
    info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    (void) pthread_mutex_lock(&server->mutex);
    if (info != NULL && (size_t) info->connect_fd < server->descriptor_count)
        connection = server->by_descriptor[info->connect_fd];
    if (connection != NULL)
        connection->handle = handle;
    (void) pthread_mutex_unlock(&server->mutex);
    *connection_context = connection;
}

void koa_http_connection_rehome_locked(struct koa_http_connection *connection)
{
    struct koa_http_generation *newest =
        KOA_CONTAINER_OF(connection->server->generations.next, struct koa_http_generation, node);

    connection->generation->connections--;
    connection->generation = newest;
    newest->connections++;
}

/* The reason to cut `connection` now, "" for no fault of the client's, or NULL. */
static const char *overdue(const struct koa_http_connection *connection, struct koa_mono now)
{
    const struct koa_http_settings *settings = &connection->generation->policy->settings;
    int64_t age = age_ms(connection, now);

    switch ((enum koa_http_phase) phase_of(connection)) {
    case KOA_HTTP_PHASE_HEAD:
        return age >= settings->header_timeout_ms ? "header_timeout" : NULL;
    case KOA_HTTP_PHASE_BODY:
        return age >= settings->idle_timeout_ms ? "body_timeout" : NULL;
    case KOA_HTTP_PHASE_IDLE:
        if (connection->generation->drains)
            return "";
        /* The library's timer ends a silent one after idle_timeout; this one who trickles. */
        return age >= settings->idle_timeout_ms + settings->header_timeout_ms ? "header_timeout"
                                                                              : NULL;
    case KOA_HTTP_PHASE_BUSY:
    case KOA_HTTP_PHASE_GOES:
        break;
    }
    return NULL;
}

void koa_http_connections_sweep(struct koa_http_server *server, struct koa_mono now)
{
    (void) pthread_mutex_lock(&server->mutex);
    KOA_LIST_FOREACH (node, &server->connections) {
        struct koa_http_connection *connection =
            KOA_CONTAINER_OF(node, struct koa_http_connection, node);
        const char *reason = connection->handle != NULL ? overdue(connection, now) : NULL;

        if (reason != NULL)
            cut_locked(connection, reason[0] != '\0' ? reason : NULL);
    }
    (void) pthread_mutex_unlock(&server->mutex);
}

size_t koa_http_connections_busy(struct koa_http_server *server)
{
    size_t busy = 0;

    (void) pthread_mutex_lock(&server->mutex);
    KOA_LIST_FOREACH (node, &server->connections)
        busy += phase_of(KOA_CONTAINER_OF(node, struct koa_http_connection, node)) ==
                KOA_HTTP_PHASE_BUSY;
    (void) pthread_mutex_unlock(&server->mutex);
    return busy;
}

void koa_http_connections_forget(struct koa_http_server *server,
                                 const struct koa_http_generation *generation)
{
    (void) pthread_mutex_lock(&server->mutex);
    KOA_LIST_FOREACH (node, &server->connections) {
        struct koa_http_connection *connection =
            KOA_CONTAINER_OF(node, struct koa_http_connection, node);

        if (connection->generation != generation)
            continue;
        remove_locked(connection);
        release(connection);
    }
    (void) pthread_mutex_unlock(&server->mutex);
}

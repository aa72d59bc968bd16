/* Brings broker.c and net/'s streams together: the only file of this room that does I/O. */
#include "kafka/client.h"

#include <koa/version.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"
#include "kafka/broker.h"
#include "kafka/credentials.h"
#include "net/stream.h"

enum {
    /* Metadata of 500,000 partitions is about 30 MB. */
    FRAME_LIMIT = 64 * 1024 * 1024,
    /* Structs are up to four times as large as their bytes. */
    ARENA_LIMIT = 256 * 1024 * 1024,
    /* A broker reads one request of a connection at a time; more on the wire only saves the round
     * trip. */
    IN_FLIGHT_LIMIT = 8,
    /* One cycle asks a broker a few times; 10,000 partitions go into each. */
    WAITING_LIMIT = 1024,
    WRITE_LIMIT = 32 * 1024 * 1024,
    OWNER_LIMIT = 1024, /* a cluster's name has at most 100 characters */
};

/* One connection. The first of a broker stays connected and is told of in the log; further ones are
 * opened when they help. */
struct peer {
    struct koa_list_node node;
    struct koa_kafka_client *client;
    int32_t id;
    bool is_further;
    struct koa_kafka_broker *broker;
    struct koa_stream *stream;
    struct koa_mono connect_by; /* while it waits for certificates */
    bool is_waiting;
    bool is_named; /* by the last koa_kafka_client_set_brokers() */
    bool is_gone;  /* to be closed by the reaper */
};

struct koa_kafka_client {
    struct koa_kafka_client_opts opts;
    struct koa_kafka_credentials *credentials; /* NULL: plaintext, no authentication */
    char *owner;                               /* "prod, probe: "; "" without a name */
    char *server_name;                         /* NULL: each broker's host */
    bool is_encrypted;
    struct koa_list_node peers; /* struct peer */
    size_t broker_count;
    bool has_listed; /* brokers, the first time: what comes later is news */
    struct koa_timer reaper;
};

enum koa_err koa_kafka_server_parse(const char *text, char **ret_host, int *ret_port,
                                    struct koa_error *reterr)
{
    const char *colon = strrchr(text, ':');
    size_t size = colon != NULL ? (size_t) (colon - text) : 0;
    const char *host = text;
    int64_t port = 0;

    if (size >= 2 && host[0] == '[' && host[size - 1] == ']') {
        host++;
        size -= 2;
    } else if (size > 0 && memchr(host, ':', size) != NULL) {
        size = 0; /* an IPv6 address without brackets */
    }
    if (size == 0 || koa_parse_int(koa_str_from(colon + 1), 1, UINT16_MAX, &port) != KOA_OK) {
        return koa_fail(reterr, KOA_ERR_INVALID,
                        "'%s' is no Kafka server: must be host:port, with port 1 to 65535", text);
    }
    *ret_host = koa_strndup(host, size);
    *ret_port = (int) port;
    return koa_require_memory(*ret_host, reterr);
}

/* The clock itself, not the loop's turn: what is worked out at the end of a cycle, within one turn,
 * is part of its duration. */
static struct peer *peer_of(struct koa_list_node *node)
{
    return KOA_CONTAINER_OF(node, struct peer, node);
}

static void on_connected(void *context)
{
    struct peer *peer = context;

    koa_kafka_broker_connected(peer->broker, koa_loop_now(peer->client->opts.loop));
}

static void on_received(void *context, struct koa_str bytes)
{
    struct peer *peer = context;

    koa_kafka_broker_received(peer->broker, bytes, koa_loop_now(peer->client->opts.loop));
}

static void on_closed(void *context, const struct koa_error *error)
{
    struct peer *peer = context;
    struct koa_error copy = *error;

    koa_kafka_broker_closed(peer->broker, &copy, koa_loop_now(peer->client->opts.loop));
}

static enum koa_err open_stream(struct peer *peer, struct koa_tls_client *tls,
                                struct koa_error *reterr)
{
    static const struct koa_stream_events events = {
        .connected = on_connected, .received = on_received, .closed = on_closed};
    int64_t left_ms = koa_mono_diff_ms(peer->connect_by, koa_loop_now(peer->client->opts.loop));
    struct koa_stream_opts opts = {.loop = peer->client->opts.loop,
                                   .events = &events,
                                   .context = peer,
                                   .write_limit = WRITE_LIMIT,
                                   .resolver = peer->client->opts.resolver,
                                   .host = koa_kafka_broker_host(peer->broker),
                                   .port = koa_kafka_broker_port(peer->broker),
                                   .deadline_ms = left_ms > 0 ? left_ms : 0,
                                   .tls = tls,
                                   .server_name = peer->client->server_name};

    return koa_stream_connect(&opts, &peer->stream, reterr);
}

/* Certificates are looked at first: files may have changed since the last connection. */
static enum koa_err connect_peer(struct peer *peer, struct koa_error *reterr)
{
    struct koa_tls_client *tls = NULL;
    enum koa_err err = KOA_OK;

    peer->is_waiting = false;
    if (peer->client->credentials != NULL)
        err = koa_kafka_credentials_tls(peer->client->credentials, &tls, &peer->is_waiting, reterr);
    if (err == KOA_OK && !peer->is_waiting)
        err = open_stream(peer, tls, reterr);
    return err;
}

static enum koa_err transport_connect(void *context, const char *host, int port,
                                      int64_t deadline_ms, struct koa_error *reterr)
{
    struct peer *peer = context;

    (void) host;
    (void) port;
    peer->connect_by = koa_mono_add_ms(koa_loop_now(peer->client->opts.loop), deadline_ms);
    return connect_peer(peer, reterr);
}

/* Certificates or secrets that somebody waited for have come, or will not. */
static void on_credentials(void *context)
{
    struct koa_kafka_client *client = context;
    struct koa_mono now = koa_loop_now(client->opts.loop);

    KOA_LIST_FOREACH (node, &client->peers) {
        struct peer *peer = peer_of(node);
        struct koa_error error;

        if (!peer->is_waiting) {
            koa_kafka_broker_resume(peer->broker, now);
        } else if (connect_peer(peer, &error) != KOA_OK) {
            koa_kafka_broker_closed(peer->broker, &error, now);
        }
    }
}

static enum koa_err transport_write(void *context, struct koa_str bytes, struct koa_error *reterr)
{
    struct peer *peer = context;

    return koa_stream_write(peer->stream, bytes, reterr);
}

static void transport_disconnect(void *context)
{
    struct peer *peer = context;

    peer->is_waiting = false;
    koa_stream_destroy(KOA_MOVE(peer->stream));
}

static void on_answer(void *context, const struct koa_kafka_answer *answer)
{
    const struct peer *peer = context;

    if (peer->client->opts.observe != NULL)
        peer->client->opts.observe(peer->client->opts.context, peer->id, answer);
}

static void on_reconnecting(void *context)
{
    const struct peer *peer = context;

    if (peer->client->opts.reconnecting != NULL)
        peer->client->opts.reconnecting(peer->client->opts.context, peer->id);
}

static void destroy_peer(struct peer *peer)
{
    koa_list_remove(&peer->node);
    koa_kafka_broker_destroy(peer->broker);
    koa_free(peer);
}

static struct koa_kafka_connection_opts connection_opts(struct peer *peer)
{
    const struct koa_kafka_client *client = peer->client;
    struct koa_kafka_connection_opts opts = {.client_id = "kafka-ops-agent",
                                             .software_version = koa_version(),
                                             .frame_limit = FRAME_LIMIT,
                                             .arena_limit = ARENA_LIMIT,
                                             .in_flight_limit = IN_FLIGHT_LIMIT,
                                             .waiting_limit = WAITING_LIMIT,
                                             .observe = on_answer,
                                             .context = peer};

    if (client->credentials != NULL) {
        opts.mechanism = koa_kafka_credentials_mechanism(client->credentials);
        opts.secrets = &koa_kafka_credentials_secrets;
        opts.secrets_context = client->credentials;
        opts.is_encrypted = client->is_encrypted;
    }
    return opts;
}

static enum koa_err add_peer(struct koa_kafka_client *client,
                             const struct koa_kafka_address *address, bool is_further,
                             struct koa_error *reterr)
{
    static const struct koa_kafka_transport_ops transport = {
        .connect = transport_connect, .write = transport_write, .disconnect = transport_disconnect};
    struct peer *peer = koa_calloc(1, sizeof(*peer));
    char name[24] = "of the configuration";
    struct koa_kafka_broker_opts opts = {
        .owner = client->owner,
        .name = name,
        .host = address->host,
        .port = address->port,
        .keep_connected = address->id >= 0 && !is_further,
        .connect_timeout_ms = client->opts.connect_timeout_ms,
        .transport = &transport,
        .transport_context = peer,
        .timers = koa_loop_timers(client->opts.loop),
        .log = is_further ? NULL : client->opts.log,
        .reconnecting = is_further ? NULL : on_reconnecting,
        .context = peer,
    };
    enum koa_err err = koa_require_memory(peer, reterr);

    if (err != KOA_OK)
        return err;
    if (address->id >= 0)
        (void) snprintf(name, sizeof(name), "%d", address->id);
    peer->client = client;
    peer->id = address->id;
    peer->is_further = is_further;
    peer->is_named = true;
    opts.connection = connection_opts(peer);
    err = koa_kafka_broker_create(&opts, &peer->broker, reterr);
    if (err != KOA_OK) {
        koa_free(peer);
        return err;
    }
    koa_list_push_back(&client->peers, &peer->node);
    client->broker_count += address->id >= 0 && !is_further ? 1 : 0;
    return KOA_OK;
}

static enum koa_err take_security(struct koa_kafka_client *client,
                                  const struct koa_kafka_client_opts *opts,
                                  struct koa_error *reterr)
{
    struct koa_kafka_credentials_opts credentials = {.loop = opts->loop,
                                                     .workers = opts->workers,
                                                     .http = opts->http,
                                                     .security = opts->security,
                                                     .name = opts->name,
                                                     .log = opts->log,
                                                     .changed = on_credentials,
                                                     .context = client};
    enum koa_err err = koa_kafka_credentials_create(&credentials, &client->credentials, reterr);

    client->is_encrypted = opts->security->use_tls;
    if (err == KOA_OK && koa_kafka_is_set(opts->security->server_name)) {
        client->server_name = koa_strdup(opts->security->server_name);
        err = koa_require_memory(client->server_name, reterr);
    }
    return err;
}

/* NULL: no memory. */
static char *name_owner(const struct koa_kafka_client_opts *opts)
{
    const char *purpose = opts->purpose != NULL ? opts->purpose : "";
    struct koa_buf owner = {.limit = OWNER_LIMIT};
    char *copy;

    if (opts->name != NULL)
        koa_buf_printf(&owner, "%s%s%s: ", opts->name, purpose[0] != '\0' ? ", " : "", purpose);
    copy = owner.failed ? NULL : koa_strdup(koa_buf_text(&owner));
    koa_buf_deinit(&owner);
    return copy;
}

enum koa_err koa_kafka_client_create(const struct koa_kafka_client_opts *opts,
                                     struct koa_kafka_client **ret_client, struct koa_error *reterr)
{
    struct koa_kafka_client *client = koa_calloc(1, sizeof(*client));
    enum koa_err err = koa_require_memory(client, reterr);

    if (err != KOA_OK)
        return err;
    client->opts = *opts;
    client->opts.security = NULL; /* borrowed for this call only */
    client->opts.name = client->opts.purpose = NULL;
    koa_list_init(&client->peers);
    client->owner = name_owner(opts);
    err = koa_require_memory(client->owner, reterr);
    if (err == KOA_OK && koa_kafka_security_is_on(opts->security))
        err = take_security(client, opts, reterr);
    for (size_t i = 0; i < opts->bootstrap_count && i < KOA_KAFKA_BOOTSTRAP_LIMIT; i++) {
        struct koa_kafka_address address = opts->bootstrap[i];

        address.id = koa_kafka_bootstrap_id(i);
        if (err == KOA_OK)
            err = add_peer(client, &address, false, reterr);
    }
    if (err == KOA_OK)
        *ret_client = KOA_MOVE(client);
    koa_kafka_client_destroy(client);
    return err;
}

void koa_kafka_client_destroy(struct koa_kafka_client *client)
{
    if (client == NULL)
        return;
    koa_timers_disarm(koa_loop_timers(client->opts.loop), &client->reaper);
    while (!koa_list_is_empty(&client->peers))
        destroy_peer(peer_of(client->peers.next));
    koa_kafka_credentials_destroy(client->credentials);
    koa_free(client->server_name);
    koa_free(client->owner);
    koa_free(client);
}

static bool is_of(const struct peer *peer, int32_t id)
{
    return peer->id == id && !peer->is_gone;
}

/* The first connection of a broker. */
static struct peer *find_peer(const struct koa_kafka_client *client, int32_t id)
{
    KOA_LIST_FOREACH (node, &client->peers) {
        if (is_of(peer_of(node), id) && !peer_of(node)->is_further)
            return peer_of(node);
    }
    return NULL;
}

/* One more connection to a busy broker, for requests that are to come. */
static void widen(struct koa_kafka_client *client, const struct peer *first)
{
    struct koa_kafka_address address = {.id = first->id,
                                        .host = koa_kafka_broker_host(first->broker),
                                        .port = koa_kafka_broker_port(first->broker)};
    size_t count = 0;

    KOA_LIST_FOREACH (node, &client->peers) {
        struct peer *peer = peer_of(node);

        if (!is_of(peer, first->id))
            continue;
        count++;
        if (!koa_kafka_broker_is_ready(peer->broker)) {
            koa_kafka_broker_wake(peer->broker, koa_loop_now(client->opts.loop));
            return;
        }
    }
    if (count < client->opts.connections && add_peer(client, &address, true, NULL) == KOA_OK)
        widen(client, first);
}

/* The connection with the least under way. One that is not open takes no request while another is:
 * where a broker refuses further ones, nothing waits for them. */
static struct peer *choose_peer(struct koa_kafka_client *client, int32_t id)
{
    struct peer *first = find_peer(client, id);
    struct peer *best = first;

    if (first == NULL || client->opts.connections < 2 || id < 0)
        return first;
    KOA_LIST_FOREACH (node, &client->peers) {
        struct peer *peer = peer_of(node);

        if (is_of(peer, id) && koa_kafka_broker_is_ready(peer->broker) &&
            (!koa_kafka_broker_is_ready(best->broker) ||
             koa_kafka_broker_pending(peer->broker) < koa_kafka_broker_pending(best->broker)))
            best = peer;
    }
    if (koa_kafka_broker_is_ready(first->broker) && koa_kafka_broker_pending(best->broker) > 0)
        widen(client, first);
    return best;
}

void koa_kafka_client_submit(struct koa_kafka_client *client, int32_t broker,
                             struct koa_kafka_request *request)
{
    struct peer *peer = choose_peer(client, broker);
    struct koa_error error;
    struct koa_kafka_answer answer = {
        .error = &error, .api = koa_kafka_api_find(request->api_key), .version = -1};

    if (peer != NULL) {
        koa_kafka_broker_submit(peer->broker, request, koa_loop_now(client->opts.loop));
        return;
    }
    (void) koa_fail(&error, KOA_ERR_NOT_FOUND, "broker %d is not known", broker);
    request->done(request->context, request, &answer);
}

int16_t koa_kafka_client_version(const struct koa_kafka_client *client, int32_t broker,
                                 int16_t api_key)
{
    const struct peer *peer = find_peer(client, broker);

    if (peer == NULL)
        return -1;
    return koa_kafka_broker_version(peer->broker, api_key);
}

static void reap(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_kafka_client *client = KOA_CONTAINER_OF(timer, struct koa_kafka_client, reaper);

    (void) now;
    KOA_LIST_FOREACH (node, &client->peers) {
        struct peer *peer = peer_of(node);

        /* The cluster has named its brokers: the configuration's servers are those over again. */
        if (peer->is_gone) {
            destroy_peer(peer);
        } else if (peer->id < 0) {
            koa_kafka_broker_rest(peer->broker);
        }
    }
}

static void drop_peer(struct koa_kafka_client *client, struct peer *peer)
{
    peer->is_gone = true;
    client->broker_count -= peer->is_further ? 0 : 1;
}

static bool is_same_address(const struct peer *peer, const struct koa_kafka_address *address)
{
    return koa_kafka_broker_port(peer->broker) == address->port &&
           koa_text_equal(koa_kafka_broker_host(peer->broker), address->host);
}

/* What follows the last word about an outage that ended with the broker leaving the cluster. */
static void log_listing(const struct koa_kafka_client *client,
                        const struct koa_kafka_address *address, bool is_listed)
{
    koa_log_notice(client->opts.log, is_listed ? "kafka.listed" : "kafka.unlisted",
                   "%sbroker %d (%s:%d) %s", client->owner, address->id, address->host,
                   address->port,
                   is_listed ? "is listed by its cluster now, and asked"
                             : "is not listed by its cluster any more, and not asked until it is");
}

static void drop_unnamed(struct koa_kafka_client *client, struct peer *peer)
{
    struct koa_kafka_address address = {.id = peer->id,
                                        .host = koa_kafka_broker_host(peer->broker),
                                        .port = koa_kafka_broker_port(peer->broker)};

    if (!peer->is_further)
        log_listing(client, &address, false);
    drop_peer(client, peer);
}

/* Makes sure that the broker is there, at its present address. */
static void name_broker(struct koa_kafka_client *client, const struct koa_kafka_address *address)
{
    bool is_there = false;
    struct koa_error error;

    KOA_LIST_FOREACH (node, &client->peers) {
        struct peer *peer = peer_of(node);

        if (address->id < 0 || !is_of(peer, address->id))
            continue;
        if (is_same_address(peer, address)) {
            peer->is_named = true;
            is_there = true;
        } else {
            drop_peer(client, peer);
        }
    }
    if (is_there)
        return;
    if (address->id < 0 || client->broker_count >= KOA_KAFKA_BROKER_LIMIT)
        return;
    if (add_peer(client, address, false, &error) != KOA_OK) {
        koa_log_warn(client->opts.log, "kafka.broker",
                     "broker %d cannot be watched: %s; trying again in the next cycle", address->id,
                     error.text);
    } else if (client->has_listed) {
        log_listing(client, address, true);
    }
}

void koa_kafka_client_set_brokers(struct koa_kafka_client *client,
                                  const struct koa_kafka_address *brokers, size_t count)
{
    KOA_LIST_FOREACH (node, &client->peers)
        peer_of(node)->is_named = peer_of(node)->id < 0;
    for (size_t i = 0; i < count; i++)
        name_broker(client, &brokers[i]);
    client->has_listed = client->has_listed || client->broker_count > 0;
    KOA_LIST_FOREACH (node, &client->peers) {
        if (!peer_of(node)->is_named && !peer_of(node)->is_gone)
            drop_unnamed(client, peer_of(node));
    }
    /* Not here: the caller may be inside a callback of one of them. */
    if (!koa_loop_after(client->opts.loop, &client->reaper, 0, reap)) {
        koa_log_warn(client->opts.log, "kafka.broker",
                     "no memory to close connections of former brokers; trying again in the next "
                     "cycle");
    }
}

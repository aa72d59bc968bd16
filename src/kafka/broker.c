/* Decides when to connect and how long to pause after a failure. What is said on a connection is
 * connection.c's matter, how bytes travel the transport's. */
#include "kafka/broker.h"

#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum {
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LIMIT_MS = 10 * 1000,
    /* A request brings the next attempt forward, but never closer than this to the last one. */
    ATTEMPT_SPACING_MS = 500,
    JITTER_PERCENT = 20,
};

enum state { IDLE, CONNECTING, OPEN, PAUSING };

struct koa_kafka_broker {
    struct koa_kafka_broker_opts opts;
    char *owner, *name, *host;
    enum state state;
    struct koa_kafka_connection *connection;
    struct koa_timer timer;
    struct koa_mono attempted;  /* the last attempt to connect */
    struct koa_mono attempt_at; /* the next one, while pausing */
    unsigned failures;          /* in a row, without a handshake in between */
    bool is_loss_told;          /* of this outage */
    bool is_refusal_told;
    struct koa_error refused; /* why connect() itself failed: told by the timer */
    bool was_refused;
};

static void on_timer(struct koa_timer *timer, struct koa_mono now);
static void lose(struct koa_kafka_broker *broker, const struct koa_error *error,
                 struct koa_mono now);

enum koa_err koa_kafka_broker_create(const struct koa_kafka_broker_opts *opts,
                                     struct koa_kafka_broker **ret_broker, struct koa_error *reterr)
{
    struct koa_kafka_broker *broker = koa_calloc(1, sizeof(*broker));
    enum koa_err err = koa_require_memory(broker, reterr);

    if (err != KOA_OK)
        return err;
    broker->opts = *opts;
    broker->owner = koa_strdup(opts->owner != NULL ? opts->owner : "");
    broker->name = koa_strdup(opts->name);
    broker->host = koa_strdup(opts->host);
    broker->opts.connection.spread =
        koa_hash(opts->host, strlen(opts->host)) + (uint64_t) opts->port * UINT64_C(7919);
    broker->connection = koa_kafka_connection_create(&broker->opts.connection);
    if (broker->owner == NULL || broker->name == NULL || broker->host == NULL)
        err = koa_require_memory(NULL, reterr);
    if (err == KOA_OK)
        err = koa_require_memory(broker->connection, reterr);
    if (err == KOA_OK)
        *ret_broker = KOA_MOVE(broker);
    koa_kafka_broker_destroy(broker);
    return err;
}

void koa_kafka_broker_destroy(struct koa_kafka_broker *broker)
{
    struct koa_error error;

    if (broker == NULL)
        return;
    koa_timers_disarm(broker->opts.timers, &broker->timer);
    if (broker->state == CONNECTING || broker->state == OPEN)
        broker->opts.transport->disconnect(broker->opts.transport_context);
    if (broker->connection != NULL) {
        (void) koa_fail(&error, KOA_ERR_CANCELLED, "broker %s is not watched any more",
                        broker->name);
        koa_kafka_connection_close(broker->connection, &error);
    }
    koa_kafka_connection_destroy(broker->connection);
    koa_free(broker->owner);
    koa_free(broker->name);
    koa_free(broker->host);
    koa_free(broker);
}

const char *koa_kafka_broker_host(const struct koa_kafka_broker *broker)
{
    return broker->host;
}

int koa_kafka_broker_port(const struct koa_kafka_broker *broker)
{
    return broker->opts.port;
}

bool koa_kafka_broker_is_ready(const struct koa_kafka_broker *broker)
{
    return broker->state == OPEN && koa_kafka_connection_is_ready(broker->connection);
}

size_t koa_kafka_broker_pending(const struct koa_kafka_broker *broker)
{
    return koa_kafka_connection_pending(broker->connection);
}

int16_t koa_kafka_broker_version(const struct koa_kafka_broker *broker, int16_t api_key)
{
    return koa_kafka_connection_version(broker->connection, api_key);
}

static void arm(struct koa_kafka_broker *broker)
{
    struct koa_mono due = {0};
    bool any = koa_kafka_connection_next(broker->connection, &due);

    if (broker->was_refused) {
        due = broker->attempted;
        any = true;
    } else if (broker->state == PAUSING &&
               (!any || koa_mono_diff_ms(broker->attempt_at, due) < 0)) {
        due = broker->attempt_at;
        any = true;
    }
    if (!any) {
        koa_timers_disarm(broker->opts.timers, &broker->timer);
    } else if (!koa_timers_arm(broker->opts.timers, &broker->timer, due, on_timer)) {
        koa_log_warn(
            broker->opts.log, "kafka.timer",
            "%sno memory to watch the deadlines of broker %s; the next request tries again",
            broker->owner, broker->name);
    }
}

static void start_attempt(struct koa_kafka_broker *broker, struct koa_mono now)
{
    if (broker->failures > 0 && broker->opts.reconnecting != NULL)
        broker->opts.reconnecting(broker->opts.context);
    broker->state = CONNECTING;
    broker->attempted = now;
    broker->was_refused = broker->opts.transport->connect(
                              broker->opts.transport_context, broker->host, broker->opts.port,
                              broker->opts.connect_timeout_ms, &broker->refused) != KOA_OK;
}

/* Grows from 100 ms to 10 s, each time up to a fifth shorter or longer, so that agents that lost
 * the same broker do not come back together. */
static int64_t pause_ms(const struct koa_kafka_broker *broker)
{
    int64_t pause = BACKOFF_FIRST_MS;
    uint64_t spread;

    for (unsigned i = 1; i < broker->failures && pause < BACKOFF_LIMIT_MS; i++)
        pause *= 2;
    if (pause > BACKOFF_LIMIT_MS)
        pause = BACKOFF_LIMIT_MS;
    spread = (koa_hash(broker->host, strlen(broker->host)) + broker->failures * UINT64_C(7919) +
              (uint64_t) broker->opts.port) %
             (2 * JITTER_PERCENT + 1);
    return pause + pause * ((int64_t) spread - JITTER_PERCENT) / 100;
}

static void log_loss(struct koa_kafka_broker *broker, const struct koa_error *error, int64_t pause)
{
    /* Once in an outage: a broker that restarts hangs up, refuses and keeps silent in turn. But
     * what was a refused connection may turn out to be a wrong password, which somebody must mend.
     */
    bool is_refusal = error->code == KOA_ERR_AUTH || error->code == KOA_ERR_TLS;
    bool is_news = !broker->is_loss_told || (is_refusal && !broker->is_refusal_told);
    enum koa_log_level level = is_news ? KOA_LOG_WARNING : KOA_LOG_DEBUG;

    broker->is_loss_told = true;
    broker->is_refusal_told = broker->is_refusal_told || is_refusal;
    KOA_LOG_AT(broker->opts.log, level, "kafka.disconnected",
               "%sbroker %s (%s:%d): %s; trying again %s%" PRId64 " ms", broker->owner,
               broker->name, broker->host, broker->opts.port, error->text,
               broker->opts.keep_connected ? "in " : "when it is asked again, not before ", pause);
}

static void lose(struct koa_kafka_broker *broker, const struct koa_error *error,
                 struct koa_mono now)
{
    int64_t pause;

    broker->opts.transport->disconnect(broker->opts.transport_context);
    broker->was_refused = false;
    broker->failures++;
    pause = pause_ms(broker);
    broker->attempt_at = koa_mono_add_ms(now, pause);
    broker->state = broker->opts.keep_connected ? PAUSING : IDLE;
    log_loss(broker, error, pause);
    koa_kafka_connection_close(broker->connection, error);
}

static void flush(struct koa_kafka_broker *broker, struct koa_mono now)
{
    struct koa_buf *output = koa_kafka_connection_output(broker->connection);
    struct koa_error error;

    if (broker->state == OPEN && output->size > 0) {
        enum koa_err err = broker->opts.transport->write(
            broker->opts.transport_context, (struct koa_str){output->data, output->size}, &error);

        koa_buf_clear(output);
        if (err != KOA_OK)
            lose(broker, &error, now);
    }
    arm(broker);
}

static void want_connection(struct koa_kafka_broker *broker, struct koa_mono now)
{
    struct koa_mono soonest = koa_mono_add_ms(broker->attempted, ATTEMPT_SPACING_MS);

    if (broker->state == IDLE && broker->failures > 0 && koa_mono_diff_ms(soonest, now) > 0) {
        broker->state = PAUSING;
        broker->attempt_at = soonest;
    } else if (broker->state == IDLE) {
        start_attempt(broker, now);
    } else if (broker->state == PAUSING && koa_mono_diff_ms(broker->attempt_at, soonest) > 0) {
        broker->attempt_at = koa_mono_diff_ms(soonest, now) > 0 ? soonest : now;
    }
}

void koa_kafka_broker_submit(struct koa_kafka_broker *broker, struct koa_kafka_request *request,
                             struct koa_mono now)
{
    koa_kafka_connection_submit(broker->connection, request, now);
    if (koa_kafka_connection_pending(broker->connection) > 0)
        want_connection(broker, now);
    flush(broker, now);
}

void koa_kafka_broker_wake(struct koa_kafka_broker *broker, struct koa_mono now)
{
    want_connection(broker, now);
    arm(broker);
}

void koa_kafka_broker_rest(struct koa_kafka_broker *broker)
{
    struct koa_error error;

    if (broker->state != OPEN || koa_kafka_connection_pending(broker->connection) > 0)
        return;
    broker->opts.transport->disconnect(broker->opts.transport_context);
    broker->state = IDLE;
    (void) koa_fail(&error, KOA_ERR_CANCELLED, "the connection is not needed any more");
    koa_kafka_connection_close(broker->connection, &error);
    arm(broker);
}

void koa_kafka_broker_connected(struct koa_kafka_broker *broker, struct koa_mono now)
{
    struct koa_error error;

    broker->state = OPEN;
    if (koa_kafka_connection_open(broker->connection, now,
                                  koa_mono_add_ms(now, broker->opts.connect_timeout_ms),
                                  &error) != KOA_OK)
        lose(broker, &error, now);
    flush(broker, now);
}

/* The handshake is what shows that a Kafka broker is there: a listener alone proves nothing. */
static void note_handshake(struct koa_kafka_broker *broker, bool was_ready)
{
    if (was_ready || !koa_kafka_connection_is_ready(broker->connection))
        return;
    if (broker->failures > 0) {
        koa_log_notice(broker->opts.log, "kafka.reconnected", "%sbroker %s (%s:%d) answers again",
                       broker->owner, broker->name, broker->host, broker->opts.port);
    } else {
        koa_log_debug(broker->opts.log, "kafka.connected", "%sbroker %s (%s:%d) answers",
                      broker->owner, broker->name, broker->host, broker->opts.port);
    }
    broker->failures = 0;
    broker->is_loss_told = broker->is_refusal_told = false;
}

void koa_kafka_broker_received(struct koa_kafka_broker *broker, struct koa_str bytes,
                               struct koa_mono now)
{
    bool was_ready = koa_kafka_connection_is_ready(broker->connection);

    while (bytes.size > 0 && broker->state == OPEN) {
        struct koa_str part = bytes;
        struct koa_error error;

        if (part.size > 65536)
            part.size = 65536;
        bytes.data += part.size;
        bytes.size -= part.size;
        if (koa_kafka_connection_receive(broker->connection, part, now, &error) != KOA_OK)
            lose(broker, &error, now);
    }
    note_handshake(broker, was_ready);
    flush(broker, now);
}

void koa_kafka_broker_resume(struct koa_kafka_broker *broker, struct koa_mono now)
{
    bool was_ready = koa_kafka_connection_is_ready(broker->connection);
    struct koa_error error;

    if (broker->state != OPEN)
        return;
    if (koa_kafka_connection_resume(broker->connection, now, &error) != KOA_OK)
        lose(broker, &error, now);
    note_handshake(broker, was_ready);
    flush(broker, now);
}

void koa_kafka_broker_closed(struct koa_kafka_broker *broker, const struct koa_error *error,
                             struct koa_mono now)
{
    const char *hint = broker->state == OPEN && error->code == KOA_ERR_CLOSED
                           ? koa_kafka_connection_hint(broker->connection)
                           : NULL;
    struct koa_error copy = *error;

    if (hint != NULL) {
        (void) koa_fail(&copy, error->code, "%s; %s", error->text, hint);
        copy.foreign = error->foreign;
        copy.retriable = error->retriable;
    }
    lose(broker, &copy, now);
    flush(broker, now);
}

static void on_timer(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_kafka_broker *broker = KOA_CONTAINER_OF(timer, struct koa_kafka_broker, timer);
    struct koa_error error;

    if (broker->was_refused) {
        struct koa_error refused = broker->refused;

        lose(broker, &refused, now);
    } else if (koa_kafka_connection_tick(broker->connection, now, &error) != KOA_OK) {
        lose(broker, &error, now);
    }
    if (broker->state == PAUSING && koa_mono_diff_ms(now, broker->attempt_at) >= 0) {
        /* Without keep_connected the request that wanted this may have ended meanwhile. */
        if (broker->opts.keep_connected || koa_kafka_connection_pending(broker->connection) > 0) {
            start_attempt(broker, now);
        } else {
            broker->state = IDLE;
        }
    }
    flush(broker, now);
}

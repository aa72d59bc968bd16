/* Asks PostgreSQL one question by libpq's asynchronous calls, so that a server that is silent costs
 * the loop nothing. The connection is kept from run to run; one that has died in between is made
 * anew once. */
#include "builtin/checks/pg_probe.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "health/probe.h"
#include "loop/watch.h"

enum { ROUTE_LIMIT = 8192, ADDRESSES_LIMIT = 32, GRACE_MS = 1000 };

struct run {
    struct koa_probe *probe;
    const struct koa_pg_target *target;
    PGconn *connection;
    struct koa_watch *watch; /* on the connection's present socket, between two steps only */
    struct koa_resolution *resolution;
    struct koa_error unresolved; /* the last name that was not found */
    struct koa_pg_route route;
    size_t next_host;
    bool is_connected;
    bool is_reused; /* the connection is of an earlier run: its death is no news yet */
    bool is_answered;
};

static void resolve_next(struct run *run);
static void advance(struct run *run);

/* ---- ends */

static void ignore_notice(void *context, const char *message)
{
    (void) context;
    (void) message;
}

static void drop_connection(void *kept)
{
    PQfinish(kept);
}

static void free_run(struct run *run)
{
    koa_watch_destroy(run->watch);
    koa_resolution_cancel(run->resolution);
    PQfinish(run->connection);
    koa_buf_deinit(&run->route.hosts);
    koa_buf_deinit(&run->route.addresses);
    koa_buf_deinit(&run->route.ports);
    koa_free(run);
}

static void cancel(void *context)
{
    free_run(context);
}

static void finish(struct run *run)
{
    struct koa_probe *probe = run->probe;

    free_run(run);
    koa_probe_finish(probe);
}

/* Texts of libpq have several lines and end with one. */
static void fail(struct run *run, const char *why)
{
    struct koa_str text = koa_str_trim(koa_str_from(why));
    struct koa_verdict *verdict = koa_probe_verdict(run->probe);

    if (run->is_reused) {
        koa_watch_destroy(KOA_MOVE(run->watch));
        PQfinish(KOA_MOVE(run->connection));
        run->is_reused = run->is_connected = run->is_answered = false;
        resolve_next(run);
        return;
    }
    koa_verdict_unhealthy(verdict, "Database connection failed: %.*s", (int) text.size,
                          text.size > 0 ? text.data : "");
    finish(run);
}

static void succeed(struct run *run)
{
    struct koa_verdict *verdict = koa_probe_verdict(run->probe);
    const char *version = PQparameterStatus(run->connection, "server_version");

    koa_verdict_detail(verdict, "database", KOA_VALUE_TEXT(PQdb(run->connection)));
    koa_verdict_detail(verdict, "host", KOA_VALUE_TEXT(PQhost(run->connection)));
    koa_verdict_detail(verdict, "connection_reused", KOA_VALUE_BOOL(run->is_reused));
    if (version != NULL)
        koa_verdict_detail(verdict, "server_version", KOA_VALUE_TEXT(version));
    koa_verdict_healthy(verdict, "Database connection successful");
    koa_watch_destroy(KOA_MOVE(run->watch));
    koa_probe_keep(run->probe, KOA_MOVE(run->connection), drop_connection);
    finish(run);
}

/* ---- steps over the socket */

static void on_ready(void *context, unsigned events)
{
    struct run *run = context;

    (void) events;
    /* libpq may close this socket and open another in any step, even with the same number. */
    koa_watch_destroy(KOA_MOVE(run->watch));
    advance(run);
}

static void wait_for(struct run *run, unsigned events)
{
    struct koa_watch_opts opts = {
        .descriptor = PQsocket(run->connection), .ready = on_ready, .context = run};
    struct koa_error error;

    if (opts.descriptor < 0) {
        fail(run, "the connection has no socket");
        return;
    }
    if (koa_watch_create(koa_probe_services(run->probe)->loop, &opts, &run->watch, &error) ==
            KOA_OK &&
        koa_watch_set(run->watch, events, &error) == KOA_OK)
        return;
    run->is_reused = false;
    fail(run, error.text);
}

/* False when the run has failed. */
static bool take_result(struct run *run, PGresult *result)
{
    bool is_right = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 &&
                    PQnfields(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "1") == 0;

    if (is_right) {
        run->is_answered = true;
    } else if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        fail(run, "SELECT 1 was not answered with 1");
    } else {
        fail(run, PQresultErrorMessage(result));
    }
    PQclear(result);
    return is_right;
}

static void read_answer(struct run *run)
{
    int unsent = PQflush(run->connection);

    if (unsent < 0 || PQconsumeInput(run->connection) == 0) {
        fail(run, PQerrorMessage(run->connection));
        return;
    }
    while (PQisBusy(run->connection) == 0) {
        PGresult *result = PQgetResult(run->connection);

        if (result == NULL) {
            if (run->is_answered) {
                succeed(run);
            } else {
                fail(run, "the server answered SELECT 1 with nothing");
            }
            return;
        }
        if (!take_result(run, result))
            return;
    }
    wait_for(run, KOA_WATCH_READ | (unsent > 0 ? (unsigned) KOA_WATCH_WRITE : 0U));
}

static void ask(struct run *run)
{
    run->is_connected = true;
    if (PQsetnonblocking(run->connection, 1) != 0 ||
        PQsendQuery(run->connection, "SELECT 1") == 0 || PQflush(run->connection) < 0) {
        fail(run, PQerrorMessage(run->connection));
        return;
    }
    wait_for(run, KOA_WATCH_READ | KOA_WATCH_WRITE);
}

static void advance(struct run *run)
{
    if (run->is_connected) {
        read_answer(run);
        return;
    }
    switch (PQconnectPoll(run->connection)) {
    case PGRES_POLLING_OK:
        ask(run);
        break;
    case PGRES_POLLING_READING:
        wait_for(run, KOA_WATCH_READ);
        break;
    case PGRES_POLLING_WRITING:
        wait_for(run, KOA_WATCH_WRITE);
        break;
    case PGRES_POLLING_FAILED:
    case PGRES_POLLING_ACTIVE:
        fail(run, PQerrorMessage(run->connection));
        break;
    }
}

/* ---- names, then the connection */

static void connect_now(struct run *run)
{
    if (run->target->host_count > 0 && run->route.count == 0) {
        fail(run, run->unresolved.text);
        return;
    }
    run->connection = koa_pg_target_connect(run->target, &run->route);
    if (run->connection == NULL) {
        fail(run, "no memory");
        return;
    }
    (void) PQsetNoticeProcessor(run->connection, ignore_notice, NULL);
    if (PQstatus(run->connection) == CONNECTION_BAD) {
        fail(run, PQerrorMessage(run->connection));
    } else {
        wait_for(run, KOA_WATCH_WRITE);
    }
}

/* One server whose name is not found does not hide the others of the URL. */
static void on_resolved(void *context, const struct koa_address *addresses, size_t count,
                        const struct koa_error *error)
{
    struct run *run = context;
    const struct koa_pg_host *host = &run->target->hosts[run->next_host++];

    run->resolution = NULL;
    if (addresses == NULL)
        run->unresolved = *error;
    for (size_t i = 0; i < count && run->route.count < ADDRESSES_LIMIT; i++) {
        char text[KOA_ADDRESS_TEXT_SIZE];

        koa_address_format_host(&addresses[i], text, sizeof(text));
        koa_pg_route_add(&run->route, host, text);
    }
    resolve_next(run);
}

static void resolve_next(struct run *run)
{
    const struct koa_pg_target *target = run->target;
    struct koa_resolver_query query = {
        .deadline_ms = koa_verdict_remaining_ms(koa_probe_verdict(run->probe)) + GRACE_MS,
        .done = on_resolved,
        .context = run,
    };

    for (; run->next_host < target->host_count; run->next_host++) {
        const struct koa_pg_host *host = &target->hosts[run->next_host];

        query.host = host->name;
        if (!host->needs_lookup) {
            koa_pg_route_add(&run->route, host, host->address);
        } else if (koa_resolver_start(koa_probe_services(run->probe)->resolver, &query,
                                      &run->resolution, &run->unresolved) == KOA_OK) {
            return;
        }
    }
    connect_now(run);
}

void koa_pg_probe_start(const struct koa_pg_target *target, struct koa_probe *probe)
{
    struct run *run = koa_calloc(1, sizeof(*run));

    if (run == NULL) {
        koa_verdict_unknown(koa_probe_verdict(probe), "no memory to ask the database");
        koa_probe_finish(probe);
        return;
    }
    run->probe = probe;
    run->target = target;
    run->route.hosts.limit = run->route.addresses.limit = run->route.ports.limit = ROUTE_LIMIT;
    koa_verdict_detail(koa_probe_verdict(probe), "backend", KOA_VALUE_TEXT("postgresql"));
    koa_probe_on_cancel(probe, cancel, run);
    run->connection = koa_probe_kept(probe);
    koa_probe_keep(probe, NULL, NULL);
    run->is_reused = run->connection != NULL;
    if (run->is_reused) {
        ask(run);
    } else {
        resolve_next(run);
    }
}

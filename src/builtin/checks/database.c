/* Asks a database whether it answers: PostgreSQL, somebody's SQLite file, or by default the agent's
 * own state database. */
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "builtin/checks/pg_probe.h"
#include "health/probe.h"
#include "store/store.h"

enum {
    REASON_SIZE = 512,
    KEY_LIMIT = 4096,
    /* The check's own deadline comes first; this is only a net below it. */
    GRACE_MS = 1000
};

struct config {
    const char *url;
    struct koa_pg_target *target; /* of a PostgreSQL URL, else NULL */
};

static const char sqlite_scheme[] = "sqlite://";

static bool is_scheme(const char *url, const char *scheme)
{
    return url != NULL && strncmp(url, scheme, strlen(scheme)) == 0;
}

static const char *validate_url(const char *value)
{
    if (value[0] == '\0' || is_scheme(value, "postgresql://") || is_scheme(value, "postgres://") ||
        (is_scheme(value, sqlite_scheme) && value[strlen(sqlite_scheme)] == '/'))
        return NULL;
    return "postgresql://..., or sqlite:/// and an absolute path, or empty for the agent's own";
}

static const struct koa_option options[] = {
    {KOA_SECRET(struct config, url), .validate = validate_url,
     .help = "postgresql://user@host/database or sqlite:///path; default: the agent's own state"},
    {0},
};

/* ---- the agent's own state */

struct own_run {
    struct koa_probe *probe;
    struct koa_store_probe *store_probe;
};

static void cancel_own(void *context)
{
    struct own_run *run = context;

    koa_store_probe_cancel(run->store_probe);
    koa_free(run);
}

/* State in memory works and is lost with the process, be it there by necessity or because the disk
 * is full or away at the moment: degraded, not broken. */
static void on_own_answered(void *context, const struct koa_error *error)
{
    struct own_run *run = context;
    struct koa_probe *probe = run->probe;
    struct koa_store *store = koa_probe_services(probe)->store;
    struct koa_verdict *verdict = koa_probe_verdict(probe);
    char reason[REASON_SIZE];

    koa_free(run);
    if (error != NULL && error->code != KOA_ERR_IO) {
        koa_verdict_unhealthy(verdict, "Database connection failed: %s", error->text);
    } else if (koa_store_problem(store, reason, sizeof(reason))) {
        koa_verdict_degraded(verdict, "Database connection successful, but not durable: %s",
                             reason);
    } else if (error != NULL) {
        koa_verdict_degraded(verdict, "Database connection successful, but not durable: %s",
                             error->text);
    } else {
        koa_verdict_healthy(verdict, "Database connection successful");
    }
    koa_probe_finish(probe);
}

static void start_own(struct koa_probe *probe)
{
    struct koa_store *store = koa_probe_services(probe)->store;
    struct koa_verdict *verdict = koa_probe_verdict(probe);
    struct own_run *run;
    struct koa_error error;

    if (store == NULL) {
        koa_verdict_subjectless(verdict, "No database is configured: set url");
        koa_probe_finish(probe);
        return;
    }
    koa_verdict_detail(verdict, "backend", KOA_VALUE_TEXT("state"));
    koa_verdict_detail(verdict, "path", KOA_VALUE_TEXT(koa_store_path(store)));
    run = koa_calloc(1, sizeof(*run));
    if (koa_require_memory(run, &error) == KOA_OK) {
        run->probe = probe;
        run->store_probe = koa_store_probe_start(
            store, koa_verdict_remaining_ms(verdict) + GRACE_MS, on_own_answered, run, &error);
        if (run->store_probe != NULL) {
            koa_probe_on_cancel(probe, cancel_own, run);
            return;
        }
    }
    koa_free(run);
    koa_verdict_unhealthy(verdict, "Database connection failed: %s", error.text);
    koa_probe_finish(probe);
}

/* ---- an SQLite file */

struct sqlite_run {
    struct koa_job job;
    struct koa_probe *probe; /* NULL once the run is gone; the loop's thread only */
    int64_t timeout_ms;
    enum koa_err err;
    struct koa_error error;
    char path[];
};

static void sqlite_work(struct koa_job *job)
{
    struct sqlite_run *run = KOA_CONTAINER_OF(job, struct sqlite_run, job);

    run->err = koa_sqlite_probe(run->path, run->timeout_ms, &run->error);
}

static void sqlite_done(struct koa_job *job, bool abandoned)
{
    struct sqlite_run *run = KOA_CONTAINER_OF(job, struct sqlite_run, job);
    struct koa_probe *probe = run->probe;

    if (probe == NULL)
        return;
    run->probe = NULL;
    if (abandoned) {
        koa_verdict_unhealthy(koa_probe_verdict(probe),
                              "Database connection failed: the file did not answer in time");
    } else if (run->err != KOA_OK) {
        koa_verdict_unhealthy(koa_probe_verdict(probe), "Database connection failed: %s",
                              run->error.text);
    } else {
        koa_verdict_healthy(koa_probe_verdict(probe), "Database connection successful");
    }
    koa_probe_finish(probe);
}

static void sqlite_release(struct koa_job *job)
{
    koa_free(KOA_CONTAINER_OF(job, struct sqlite_run, job));
}

static void cancel_sqlite(void *context)
{
    struct sqlite_run *run = context;

    run->probe = NULL;
}

static enum koa_err begin_sqlite(struct sqlite_run *run, struct koa_error *reterr)
{
    const struct koa_probe_services *services = koa_probe_services(run->probe);
    struct koa_buf key = {.limit = KEY_LIMIT};
    enum koa_err err;

    koa_buf_printf(&key, "sqlite:%s", run->path);
    err = koa_buf_status(&key, "the worker's key", reterr);
    if (err == KOA_OK) {
        err = koa_workers_run(services->workers, services->loop, koa_buf_text(&key), &run->job,
                              reterr);
    }
    koa_buf_deinit(&key);
    return err;
}

static void start_sqlite(const char *path, struct koa_probe *probe)
{
    struct koa_verdict *verdict = koa_probe_verdict(probe);
    struct sqlite_run *run = koa_calloc(1, sizeof(*run) + strlen(path) + 1);
    struct koa_error error;

    koa_verdict_detail(verdict, "backend", KOA_VALUE_TEXT("sqlite"));
    koa_verdict_detail(verdict, "path", KOA_VALUE_TEXT(path));
    if (koa_require_memory(run, &error) == KOA_OK) {
        run->timeout_ms = koa_verdict_remaining_ms(verdict);
        run->job = (struct koa_job){.work = sqlite_work,
                                    .done = sqlite_done,
                                    .release = sqlite_release,
                                    .deadline_ms = run->timeout_ms + GRACE_MS};
        run->probe = probe;
        memcpy(run->path, path, strlen(path));
        if (begin_sqlite(run, &error) == KOA_OK) {
            koa_probe_on_cancel(probe, cancel_sqlite, run);
            return;
        }
    }
    koa_free(run);
    koa_verdict_unhealthy(verdict, "Database connection failed: %s", error.text);
    koa_probe_finish(probe);
}

/* ---- the check */

static void start(const void *config, struct koa_probe *probe)
{
    const struct config *settings = config;

    if (settings->target != NULL) {
        koa_pg_probe_start(settings->target, probe);
    } else if (is_scheme(settings->url, sqlite_scheme)) {
        start_sqlite(settings->url + strlen(sqlite_scheme), probe);
    } else {
        start_own(probe);
    }
}

static enum koa_err prepare(void *config, struct koa_error *reterr)
{
    struct config *settings = config;

    if (!is_scheme(settings->url, "postgres"))
        return KOA_OK;
    return koa_pg_target_create(settings->url, &settings->target, reterr);
}

static void release(void *config)
{
    struct config *settings = config;

    koa_pg_target_destroy(settings->target);
}

const struct koa_check_ops koa_check_database = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "database",
    .help = "A database that must answer: PostgreSQL, SQLite, or the agent's own state",
    .options = options,
    .config_size = sizeof(struct config),
    .timeout = "10s",
    .start = start,
    .prepare = prepare,
    .release = release,
};

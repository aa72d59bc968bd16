/* One write and one read of the state database, behind whatever writes are under way: a disk that
 * hangs shows as a probe that does not end. */
#include "base/memory.h"
#include "loop/clock.h"
#include "store/database.h"
#include "store/store.h"

struct koa_store_probe {
    struct koa_job job;
    struct koa_database *database;
    koa_store_done_fn *done; /* NULL once cancelled */
    void *context;
    struct koa_error error; /* the worker's, until it has returned */
};

static void work(struct koa_job *job)
{
    struct koa_store_probe *probe = KOA_CONTAINER_OF(job, struct koa_store_probe, job);

    probe->error.code = koa_database_probe(probe->database, koa_clock_wall(), &probe->error);
}

static void done(struct koa_job *job, bool abandoned)
{
    struct koa_store_probe *probe = KOA_CONTAINER_OF(job, struct koa_store_probe, job);
    koa_store_done_fn *tell = probe->done;
    struct koa_error error;

    probe->done = NULL;
    if (tell == NULL)
        return;
    if (abandoned) {
        (void) koa_fail(&error, KOA_ERR_TIMEOUT,
                        "the disk of the state database did not answer in time");
        tell(probe->context, &error);
    } else {
        tell(probe->context, probe->error.code != KOA_OK ? &probe->error : NULL);
    }
}

static void release(struct koa_job *job)
{
    struct koa_store_probe *probe = KOA_CONTAINER_OF(job, struct koa_store_probe, job);

    koa_database_unref(probe->database);
    koa_free(probe);
}

struct koa_store_probe *koa_store_probe_start(struct koa_store *store, int64_t deadline_ms,
                                              koa_store_done_fn *tell, void *context,
                                              struct koa_error *reterr)
{
    struct koa_store_probe *probe = koa_calloc(1, sizeof(*probe));
    struct koa_store_parts parts;

    if (koa_require_memory(probe, reterr) != KOA_OK)
        return NULL;
    parts = koa_store_parts(store);
    probe->job = (struct koa_job){
        .work = work, .done = done, .release = release, .deadline_ms = deadline_ms};
    probe->database = parts.database;
    probe->done = tell;
    probe->context = context;
    if (koa_workers_run(parts.workers, parts.loop, "store", &probe->job, reterr) == KOA_OK)
        return probe;
    release(&probe->job);
    return NULL;
}

void koa_store_probe_cancel(struct koa_store_probe *probe)
{
    probe->done = NULL;
}

/* Runs one check once and ends the run in time, whatever the check does: what is late loses its
 * say, and its memory stays until it returns. What the answer means is the schedule's matter. */
#include "health/run.h"

#include <stdatomic.h>
#include <stdio.h>

#include "base/memory.h"
#include "health/verdict.h"
#include "loop/clock.h"

/* What a worker writes to: apart from the run, because an abandoned call may return much later. */
struct run_job {
    struct koa_job job;
    struct koa_probe *probe; /* NULL once the run is gone; the loop's thread only */
    struct koa_check_unit *unit;
    struct koa_verdict verdict;
    int64_t duration_ns;
    bool is_abandoned; /* written in `done`, read in `release`, which comes after it */
};

struct koa_probe {
    struct koa_run_opts opts;
    struct koa_check_unit *unit;
    struct koa_verdict verdict;
    struct koa_mono deadline;
    struct koa_timer timer;
    int64_t started_ns;
    struct run_job *job;
    void (*cancel)(void *context);
    void *cancel_context;
    bool is_waiting;  /* for a snapshot */
    bool is_starting; /* inside the check's own start function */
    struct koa_kept orphan_kept;
    bool is_orphan;   /* its run has ended without it: koa_probe_finish() only frees */
    bool is_finished; /* inside start: to be ended when that returns */
};

static void free_probe(struct koa_probe *probe)
{
    koa_timers_disarm(koa_loop_timers(probe->opts.services->loop), &probe->timer);
    if (probe->orphan_kept.drop != NULL)
        probe->orphan_kept.drop(probe->orphan_kept.kept);
    koa_verdict_deinit(&probe->verdict);
    koa_check_unit_unref(probe->unit);
    koa_free(probe);
}

/* The run's end: tells the owner, who must forget the run in the call. */
static void end_with(struct koa_probe *probe, struct koa_verdict *verdict, double duration_ms)
{
    koa_timers_disarm(koa_loop_timers(probe->opts.services->loop), &probe->timer);
    probe->opts.ended(probe->opts.context, verdict, duration_ms);
}

static double elapsed_ms(int64_t started_ns)
{
    return (double) (koa_clock_ticks_ns() - started_ns) / 1e6;
}

/* Always told the same way, so that clients can look for it. Details that the check has told by now
 * stay. */
static void end_late(struct koa_probe *probe, const char *more)
{
    int64_t timeout_ms = probe->unit->common.timeout_ms;

    koa_verdict_unhealthy(&probe->verdict, "Health check timed out after %.1fs%s%s",
                          (double) timeout_ms / 1000.0, more[0] != '\0' ? ": " : "", more);
    end_with(probe, &probe->verdict, more[0] != '\0' ? 0.0 : (double) timeout_ms);
}

static void end_unknown(struct koa_probe *probe, const char *why)
{
    koa_verdict_unknown(&probe->verdict, "could not run: %s; tried again at the next interval",
                        why);
    end_with(probe, &probe->verdict, 0.0);
    free_probe(probe);
}

/* ---- run: blocking, on a worker */

static void work(struct koa_job *job)
{
    struct run_job *run = KOA_CONTAINER_OF(job, struct run_job, job);
    int64_t started_ns = koa_clock_ticks_ns();

    run->unit->ops->run(run->unit->config, run->unit->context, &run->verdict);
    run->duration_ns = koa_clock_ticks_ns() - started_ns;
}

static void work_done(struct koa_job *job, bool abandoned)
{
    struct run_job *run = KOA_CONTAINER_OF(job, struct run_job, job);
    struct koa_probe *probe = run->probe;

    run->is_abandoned = abandoned;
    if (abandoned)
        (void) atomic_fetch_add(&run->unit->hanging, 1);
    if (probe == NULL)
        return;
    run->probe = NULL;
    probe->job = NULL;
    if (abandoned) {
        end_late(probe, "");
    } else {
        end_with(probe, &run->verdict, (double) run->duration_ns / 1e6);
    }
    free_probe(probe);
}

static void work_release(struct koa_job *job)
{
    struct run_job *run = KOA_CONTAINER_OF(job, struct run_job, job);

    if (run->is_abandoned)
        (void) atomic_fetch_sub(&run->unit->hanging, 1);
    koa_verdict_deinit(&run->verdict);
    koa_check_unit_unref(run->unit);
    koa_free(run);
}

static void choose_key(const struct koa_check_unit *unit, char *key, size_t size)
{
    key[0] = '\0';
    if (unit->ops->worker_key != NULL)
        unit->ops->worker_key(unit->config, key, size);
    if (key[0] == '\0')
        (void) snprintf(key, size, "check:%s", unit->common.name);
}

static void begin_work(struct koa_probe *probe)
{
    const struct koa_probe_services *services = probe->opts.services;
    struct run_job *run = koa_calloc(1, sizeof(*run));
    struct koa_error error;
    char key[256];

    if (run == NULL) {
        end_unknown(probe, "no memory");
        return;
    }
    run->job = (struct koa_job){.work = work,
                                .done = work_done,
                                .release = work_release,
                                .deadline_ms = probe->unit->common.timeout_ms};
    run->probe = probe;
    run->unit = probe->unit;
    koa_check_unit_ref(run->unit);
    koa_verdict_init(&run->verdict, probe->deadline);
    probe->job = run;
    choose_key(probe->unit, key, sizeof(key));
    if (koa_workers_run(services->workers, services->loop, key, &run->job, &error) == KOA_OK)
        return;
    probe->job = NULL;
    work_release(&run->job);
    if (atomic_load(&probe->unit->hanging) == 0) {
        end_unknown(probe, error.text);
        return;
    }
    /* Its own call of before still hangs: the check is as late as it was then. */
    end_late(probe, error.text);
    free_probe(probe);
}

/* ---- evaluate: pure, over a snapshot */

/* Its cluster is named, and others are watched, but that one is not: unlike a check for which no
 * cluster was set up, it was meant to look at something. */
static bool is_of_no_cluster(const struct koa_probe *probe)
{
    const struct koa_health_snapshots *snapshots = probe->opts.snapshots;
    const char *cluster = probe->unit->common.cluster;

    return cluster[0] != '\0' && snapshots->is_configured != NULL &&
           !snapshots->is_configured(snapshots->context, cluster) &&
           snapshots->is_configured(snapshots->context, "");
}

static void evaluate(struct koa_probe *probe)
{
    const struct koa_health_snapshots *snapshots = probe->opts.snapshots;
    const char *cluster = probe->unit->common.cluster;
    struct koa_snapshot *snapshot =
        snapshots->get != NULL ? snapshots->get(snapshots->context, cluster) : NULL;
    int64_t started_ns = koa_clock_ticks_ns();

    if (is_of_no_cluster(probe)) {
        koa_verdict_unknown(&probe->verdict,
                            "No Kafka cluster is named '%s': name one of clusters in the check's "
                            "`cluster`",
                            cluster);
    } else {
        probe->unit->ops->evaluate(probe->unit->config, snapshot, koa_clock_wall(),
                                   &probe->verdict);
    }
    if (snapshot != NULL)
        snapshots->put(snapshots->context, snapshot);
    end_with(probe, &probe->verdict, elapsed_ms(started_ns));
    free_probe(probe);
}

static bool has_snapshot(const struct koa_probe *probe)
{
    const struct koa_health_snapshots *snapshots = probe->opts.snapshots;
    struct koa_snapshot *snapshot = snapshots->get(snapshots->context, probe->unit->common.cluster);

    if (snapshot == NULL)
        return false;
    snapshots->put(snapshots->context, snapshot);
    return true;
}

static void begin_evaluate(struct koa_probe *probe)
{
    const struct koa_health_snapshots *snapshots = probe->opts.snapshots;
    const char *cluster = probe->unit->common.cluster;

    if (snapshots->get != NULL && snapshots->is_configured(snapshots->context, cluster)) {
        if (!has_snapshot(probe)) {
            probe->is_waiting = true;
        } else if (probe->opts.wants_fresh) {
            probe->is_waiting = snapshots->refresh(snapshots->context, cluster);
        }
    }
    if (!probe->is_waiting)
        evaluate(probe);
}

void koa_run_snapshot(struct koa_probe *probe)
{
    if (!probe->is_waiting)
        return;
    probe->is_waiting = false;
    evaluate(probe);
}

/* ---- start: asynchronous, on the loop */

static void begin_start(struct koa_probe *probe)
{
    probe->is_starting = true;
    probe->unit->ops->start(probe->unit->config, probe);
    probe->is_starting = false;
    if (!probe->is_finished)
        return;
    end_with(probe, &probe->verdict, elapsed_ms(probe->started_ns));
    free_probe(probe);
}

/* ---- all three */

/* Takes back what the check has begun. One that cannot be cancelled keeps its memory until it
 * finishes after all. */
static void take_back(struct koa_probe *probe)
{
    if (probe->job != NULL) {
        probe->job->probe = NULL;
        probe->job = NULL;
    }
    if (probe->cancel != NULL) {
        probe->cancel(probe->cancel_context);
        free_probe(probe);
    } else if (probe->unit->ops->start != NULL) {
        koa_timers_disarm(koa_loop_timers(probe->opts.services->loop), &probe->timer);
        probe->is_orphan = true;
        probe->opts.kept = &probe->orphan_kept;
    } else {
        free_probe(probe);
    }
}

static void on_deadline(struct koa_timer *timer, struct koa_mono now)
{
    struct koa_probe *probe = KOA_CONTAINER_OF(timer, struct koa_probe, timer);

    (void) now;
    /* The collector is late, not the check: what it last published tells how late. */
    if (probe->is_waiting && has_snapshot(probe)) {
        koa_run_snapshot(probe);
        return;
    }
    end_late(probe, "");
    take_back(probe);
}

struct koa_probe *koa_run_create(const struct koa_run_opts *opts)
{
    struct koa_probe *probe = koa_calloc(1, sizeof(*probe));

    if (probe == NULL)
        return NULL;
    probe->opts = *opts;
    probe->unit = opts->unit;
    koa_check_unit_ref(probe->unit);
    return probe;
}

void koa_run_begin(struct koa_probe *probe)
{
    struct koa_loop *loop = probe->opts.services->loop;
    const struct koa_check_ops *ops = probe->unit->ops;

    probe->deadline = koa_mono_add_ms(koa_loop_now(loop), probe->unit->common.timeout_ms);
    probe->started_ns = koa_clock_ticks_ns();
    koa_verdict_init(&probe->verdict, probe->deadline);
    /* Workers have a timer of their own for each job. */
    if (ops->run == NULL &&
        !koa_timers_arm(koa_loop_timers(loop), &probe->timer, probe->deadline, on_deadline)) {
        end_unknown(probe, "no memory");
        return;
    }
    if (ops->run != NULL) {
        begin_work(probe);
    } else if (ops->evaluate != NULL) {
        begin_evaluate(probe);
    } else {
        begin_start(probe);
    }
}

void koa_run_cancel(struct koa_probe *probe)
{
    if (probe != NULL)
        take_back(probe);
}

const struct koa_probe_services *koa_probe_services(const struct koa_probe *probe)
{
    return probe->opts.services;
}

struct koa_verdict *koa_probe_verdict(struct koa_probe *probe)
{
    return &probe->verdict;
}

struct koa_mono koa_probe_deadline(const struct koa_probe *probe)
{
    return probe->deadline;
}

void *koa_probe_kept(const struct koa_probe *probe)
{
    return probe->opts.kept->kept;
}

void koa_probe_keep(struct koa_probe *probe, void *kept, void (*drop)(void *kept))
{
    probe->opts.kept->kept = kept;
    probe->opts.kept->drop = drop;
}

void koa_probe_on_cancel(struct koa_probe *probe, void (*cancel)(void *context), void *context)
{
    probe->cancel = cancel;
    probe->cancel_context = context;
}

void koa_probe_finish(struct koa_probe *probe)
{
    if (probe->is_starting) {
        probe->is_finished = true;
        return;
    }
    if (!probe->is_orphan)
        end_with(probe, &probe->verdict, elapsed_ms(probe->started_ns));
    free_probe(probe);
}

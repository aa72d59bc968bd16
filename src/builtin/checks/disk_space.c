/* Decides whether a file system is too full, in bytes or inodes. Each path is asked on a worker of
 * its own, so that a mount that hangs is named while the others still tell their figures. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/memory.h"
#include "base/str.h"
#include "builtin/checks/disk_usage.h"
#include "builtin/checks/ratio.h"
#include "health/probe.h"
#include "store/store.h"

enum {
    PATHS_LIMIT = 64,
    TEXT_LIMIT = 4096,
    KEY_LIMIT = TEXT_LIMIT + 8,
    DETAILS_LIMIT = 15000,
    /* Paths are given up this much before the check's deadline, which would hide the others. */
    MARGIN_MS = 200
};

struct config {
    struct koa_texts paths;
    double warning;
    double critical;
};

static const struct koa_option options[] = {
    {KOA_TEXTS(struct config, paths),
     .help = "a path in each file system to watch; default: / and the state directory"},
    {KOA_NUMBER(struct config, warning), .fallback = "0.8", .minimum = 0, .maximum = 1,
     .help = "share of space or inodes in use from which it is degraded"},
    {KOA_NUMBER(struct config, critical), .fallback = "0.9", .minimum = 0, .maximum = 1,
     .also = "true or false, the flag of every check",
     .help = "share of space or inodes in use from which it is unhealthy"},
    {0},
};

enum row_state { ROW_WAITING, ROW_ANSWERED, ROW_FAILED, ROW_HUNG };

struct row {
    enum row_state state;
    struct look *look; /* while it is under way */
    const char *path;  /* of the settings or of the look: both outlive the run */
    struct koa_disk_usage usage;
    char text[KOA_ERROR_TEXT_SIZE]; /* why it failed or hangs */
};

/* One run: a row per path. */
struct run {
    struct koa_probe *probe;
    const struct config *config;
    int64_t deadline_ms;
    size_t pending;
    size_t count;
    char state_directory[TEXT_LIMIT];
    struct row rows[];
};

/* What a worker touches: apart from the run, because a mount may answer hours later. */
struct look {
    struct koa_job job;
    struct run *run; /* NULL once the run is gone; the loop's thread only */
    size_t index;
    enum koa_err err;
    struct koa_error error;
    struct koa_disk_usage usage;
    char path[];
};

/* ---- the judgement */

struct report {
    const struct config *config;
    enum koa_status status;
    double max_ratio;
    struct koa_buf high, hung, failed; /* parts of the text */
    struct koa_buf details;
};

static void raise_status(struct report *report, enum koa_status status)
{
    if (status > report->status)
        report->status = status;
}

static void judge_ratio(struct report *report, const char *path, const char *what, double ratio)
{
    enum koa_status status =
        koa_ratio_status(ratio, report->config->warning, report->config->critical);

    raise_status(report, status);
    if (ratio > report->max_ratio)
        report->max_ratio = ratio;
    if (status != KOA_STATUS_HEALTHY) {
        koa_buf_printf(&report->high, "%s%s%s: %.1f%%", report->high.size > 0 ? ", " : "", path,
                       what, koa_ratio_percent(ratio));
    }
}

static void judge_row(struct report *report, struct koa_json *json, const struct row *row)
{
    const struct koa_disk_usage *usage = &row->usage;

    koa_json_object(json, NULL);
    koa_json_text(json, "path", row->path);
    if (row->state == ROW_ANSWERED) {
        judge_ratio(report, row->path, "", usage->space_ratio);
        judge_ratio(report, row->path, " inodes", usage->inode_ratio);
        koa_json_double(json, "usage_percent", koa_ratio_percent(usage->space_ratio));
        koa_json_double(json, "inodes_percent", koa_ratio_percent(usage->inode_ratio));
        koa_json_int(json, "total_bytes", usage->total_bytes);
        koa_json_int(json, "used_bytes", usage->used_bytes);
        koa_json_int(json, "available_bytes", usage->available_bytes);
    } else {
        struct koa_buf *part = row->state == ROW_HUNG ? &report->hung : &report->failed;

        raise_status(report, KOA_STATUS_UNHEALTHY);
        koa_buf_printf(part, "%s%s", part->size > 0 ? ", " : "",
                       row->state == ROW_HUNG ? row->path : row->text);
        koa_json_text(json, "error", row->text);
    }
    koa_json_object_end(json);
}

/* "High disk usage: /: 95.0%; no answer within 4.8s: /mnt" */
static void decide(const struct run *run, const struct report *report, struct koa_verdict *verdict)
{
    struct koa_buf text = {.limit = (size_t) TEXT_LIMIT * 4};

    if (report->high.size > 0)
        koa_buf_printf(&text, "High disk usage: %s", koa_buf_text(&report->high));
    if (report->hung.size > 0) {
        koa_buf_printf(&text, "%s within %.1fs: %s", text.size > 0 ? "; no answer" : "No answer",
                       (double) run->deadline_ms / 1000.0, koa_buf_text(&report->hung));
    }
    if (report->failed.size > 0)
        koa_buf_printf(&text, "%s%s", text.size > 0 ? "; " : "", koa_buf_text(&report->failed));
    if (report->status == KOA_STATUS_UNHEALTHY) {
        koa_verdict_unhealthy(verdict, "%s", koa_buf_text(&text));
    } else if (report->status == KOA_STATUS_DEGRADED) {
        koa_verdict_degraded(verdict, "%s", koa_buf_text(&text));
    } else {
        koa_verdict_healthy(verdict, "Disk usage OK (max: %.1f%%)",
                            koa_ratio_percent(report->max_ratio));
    }
    koa_buf_deinit(&text);
}

static void judge(const struct run *run, struct koa_verdict *verdict)
{
    struct report report = {.config = run->config,
                            .status = KOA_STATUS_HEALTHY,
                            .high = {.limit = TEXT_LIMIT},
                            .hung = {.limit = TEXT_LIMIT},
                            .failed = {.limit = TEXT_LIMIT},
                            .details = {.limit = DETAILS_LIMIT}};
    struct koa_json json = {.buf = &report.details};

    koa_json_list(&json, NULL);
    for (size_t i = 0; i < run->count; i++)
        judge_row(&report, &json, &run->rows[i]);
    koa_json_list_end(&json);
    koa_verdict_detail(verdict, "max_usage_percent",
                       KOA_VALUE_DOUBLE(koa_ratio_percent(report.max_ratio)));
    if (!report.details.failed)
        koa_verdict_detail(verdict, "paths", KOA_VALUE_JSON(koa_buf_text(&report.details)));
    decide(run, &report, verdict);
    koa_buf_deinit(&report.high);
    koa_buf_deinit(&report.hung);
    koa_buf_deinit(&report.failed);
    koa_buf_deinit(&report.details);
}

/* ---- one look at a path */

static void settle(struct run *run)
{
    struct koa_probe *probe = run->probe;

    if (run->pending > 0)
        return;
    judge(run, koa_probe_verdict(probe));
    koa_free(run);
    koa_probe_finish(probe);
}

static void look_work(struct koa_job *job)
{
    struct look *look = KOA_CONTAINER_OF(job, struct look, job);

    look->err = koa_disk_usage_read(look->path, &look->usage, &look->error);
}

static void look_done(struct koa_job *job, bool abandoned)
{
    struct look *look = KOA_CONTAINER_OF(job, struct look, job);
    struct run *run = look->run;
    struct row *row;

    if (run == NULL)
        return;
    look->run = NULL;
    row = &run->rows[look->index];
    row->look = NULL;
    if (abandoned) {
        row->state = ROW_HUNG;
        (void) snprintf(row->text, sizeof(row->text), "no answer within %.1fs",
                        (double) run->deadline_ms / 1000.0);
    } else if (look->err == KOA_OK) {
        row->state = ROW_ANSWERED;
        row->usage = look->usage;
    } else {
        row->state = ROW_FAILED;
        (void) koa_str_copy(row->text, sizeof(row->text), koa_str_from(look->error.text));
    }
    run->pending--;
    settle(run);
}

static void look_release(struct koa_job *job)
{
    koa_free(KOA_CONTAINER_OF(job, struct look, job));
}

/* A path's own key, not its mount's: finding the mount would mean asking it. */
static enum koa_err begin_look(struct run *run, size_t index, struct koa_error *reterr)
{
    const struct koa_probe_services *services = koa_probe_services(run->probe);
    const char *path = run->rows[index].path;
    struct look *look = koa_calloc(1, sizeof(*look) + strlen(path) + 1);
    struct koa_buf key = {.limit = KEY_LIMIT};
    enum koa_err err = koa_require_memory(look, reterr);

    koa_buf_printf(&key, "disk:%s", path);
    if (err == KOA_OK)
        err = koa_buf_status(&key, "the worker's key", reterr);
    if (err == KOA_OK) {
        look->job = (struct koa_job){.work = look_work,
                                     .done = look_done,
                                     .release = look_release,
                                     .deadline_ms = run->deadline_ms};
        look->run = run;
        look->index = index;
        memcpy(look->path, path, strlen(path));
        err = koa_workers_run(services->workers, services->loop, koa_buf_text(&key), &look->job,
                              reterr);
    }
    koa_buf_deinit(&key);
    if (err == KOA_OK) {
        run->rows[index].look = look;
    } else {
        koa_free(look);
    }
    return err;
}

static void begin_row(struct run *run, size_t index)
{
    struct row *row = &run->rows[index];
    struct koa_error error;
    enum koa_err err = begin_look(run, index, &error);

    if (err == KOA_OK) {
        run->pending++;
        return;
    }
    /* The workers refuse a key whose last call still hangs. */
    row->state = err == KOA_ERR_LIMIT ? ROW_HUNG : ROW_FAILED;
    (void) koa_str_copy(row->text, sizeof(row->text), koa_str_from(error.text));
}

/* ---- the run */

static void cancel(void *context)
{
    struct run *run = context;

    for (size_t i = 0; i < run->count; i++) {
        if (run->rows[i].look != NULL)
            run->rows[i].look->run = NULL;
    }
    koa_free(run);
}

/* Directory of the state database, or "" when the state lives in memory. */
static void find_state_directory(struct run *run)
{
    struct koa_store *store = koa_probe_services(run->probe)->store;
    const char *path = store != NULL ? koa_store_path(store) : "";
    const char *slash = strrchr(path, '/');

    if (slash != NULL && slash != path) {
        (void) koa_str_copy(run->state_directory, sizeof(run->state_directory),
                            (struct koa_str){.data = path, .size = (size_t) (slash - path)});
    }
}

static void list_paths(struct run *run)
{
    const struct koa_texts *paths = &run->config->paths;

    for (size_t i = 0; i < paths->count; i++)
        run->rows[run->count++].path = paths->rows[i];
    if (run->count > 0)
        return;
    run->rows[run->count++].path = "/";
    find_state_directory(run);
    if (run->state_directory[0] != '\0')
        run->rows[run->count++].path = run->state_directory;
}

static void start(const void *config, struct koa_probe *probe)
{
    const struct config *settings = config;
    int64_t remaining_ms = koa_verdict_remaining_ms(koa_probe_verdict(probe));
    struct run *run =
        koa_calloc(1, sizeof(*run) + (settings->paths.count + 2) * sizeof(struct row));

    if (run == NULL) {
        koa_verdict_unknown(koa_probe_verdict(probe), "no memory to look at the disks");
        koa_probe_finish(probe);
        return;
    }
    run->probe = probe;
    run->config = settings;
    run->deadline_ms = remaining_ms / 2 > MARGIN_MS ? remaining_ms - MARGIN_MS : remaining_ms / 2;
    koa_probe_on_cancel(probe, cancel, run);
    list_paths(run);
    for (size_t i = 0; i < run->count; i++)
        begin_row(run, i);
    settle(run);
}

static enum koa_err prepare(void *config, struct koa_error *reterr)
{
    const struct config *settings = config;

    if (settings->paths.count > PATHS_LIMIT) {
        return koa_fail(reterr, KOA_ERR_RANGE, "paths has %zu entries; %d are allowed",
                        settings->paths.count, PATHS_LIMIT);
    }
    for (size_t i = 0; i < settings->paths.count; i++) {
        if (settings->paths.rows[i][0] != '/' || strlen(settings->paths.rows[i]) >= TEXT_LIMIT) {
            return koa_fail(reterr, KOA_ERR_INVALID, "path '%.100s' must be absolute",
                            settings->paths.rows[i]);
        }
    }
    return koa_ratio_check_limits(settings->warning, settings->critical, reterr);
}

const struct koa_check_ops koa_check_disk_space = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "disk_space",
    .help = "Space and inodes in use on file systems",
    .options = options,
    .config_size = sizeof(struct config),
    .timeout = "5s",
    .start = start,
    .prepare = prepare,
};

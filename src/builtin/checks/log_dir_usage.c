/* Decides whether a broker's log dir is offline, or its file system too full. Space is told by
 * Kafka 3.3 and later; of older brokers only what is offline is known. */
#include <inttypes.h>
#include <koa/check.h>

#include "base/json_write.h"
#include "builtin/checks/ratio.h"
#include "builtin/checks/snapshot_state.h"
#include "cluster/troubles.h"

enum { DETAILS_LIMIT = 15000 };

struct config {
    double warning, critical;
};

static const struct koa_option options[] = {
    {KOA_NUMBER(struct config, warning), .fallback = "0.8", .minimum = 0, .maximum = 1,
     .help = "share of a file system in use from which it is degraded"},
    {KOA_NUMBER(struct config, critical), .fallback = "0.9", .minimum = 0, .maximum = 1,
     .also = "true or false, the flag of every check",
     .help = "share of a file system in use from which it is unhealthy"},
    {0},
};

static enum koa_err prepare(void *memory, struct koa_error *reterr)
{
    const struct config *config = memory;

    return koa_ratio_check_limits(config->warning, config->critical, reterr);
}

struct tally {
    size_t with_space, offline;
    double fullest;
    struct koa_snapshot_log_dir fullest_dir, offline_dir;
};

static void look(const struct koa_snapshot_log_dir *dir, struct tally *tally)
{
    if (dir->error != NULL) {
        tally->offline++;
        tally->offline_dir = *dir;
    }
    if (!dir->has_space)
        return;
    tally->with_space++;
    if (tally->with_space == 1 || koa_log_dir_usage(dir) > tally->fullest) {
        tally->fullest = koa_log_dir_usage(dir);
        tally->fullest_dir = *dir;
    }
}

static void write_dir(struct koa_json *json, const struct koa_snapshot_log_dir *dir)
{
    koa_json_object(json, NULL);
    koa_json_int(json, "broker", dir->broker);
    koa_json_text(json, "path", dir->path);
    koa_json_text(json, "error", dir->error);
    koa_json_int(json, "size_bytes", dir->size);
    if (dir->has_space)
        koa_json_double(json, "usage_percent", koa_ratio_percent(koa_log_dir_usage(dir)));
    koa_json_double(json, "age_seconds", (double) dir->age_ms / 1000.0);
    koa_json_object_end(json);
}

/* All of them, as many as fit. */
static void add_dirs(const struct koa_snapshot *snapshot, struct koa_verdict *verdict)
{
    struct koa_buf buf = {.limit = DETAILS_LIMIT};
    struct koa_json json = {.buf = &buf};
    size_t count = koa_snapshot_log_dir_count(snapshot);

    koa_json_list(&json, NULL);
    for (size_t i = 0; i < count && buf.size + DETAILS_LIMIT / 8 < DETAILS_LIMIT; i++) {
        struct koa_snapshot_log_dir dir;

        koa_snapshot_log_dir(snapshot, i, &dir);
        write_dir(&json, &dir);
    }
    koa_json_list_end(&json);
    if (!buf.failed)
        koa_verdict_detail(verdict, "log_dirs", KOA_VALUE_JSON(koa_buf_text(&buf)));
    koa_buf_deinit(&buf);
}

static void judge(const struct config *config, const struct tally *tally, size_t count,
                  struct koa_verdict *verdict)
{
    enum koa_status status =
        tally->with_space > 0 ? koa_ratio_status(tally->fullest, config->warning, config->critical)
                              : KOA_STATUS_HEALTHY;
    double percent = koa_ratio_percent(tally->fullest);

    if (tally->offline > 0) {
        koa_verdict_unhealthy(verdict,
                              "%zu of %zu log dirs are offline: %s of broker %" PRId32 ": %s",
                              tally->offline, count, tally->offline_dir.path,
                              tally->offline_dir.broker, tally->offline_dir.error);
    } else if (status == KOA_STATUS_UNHEALTHY) {
        koa_verdict_unhealthy(verdict,
                              "High log dir usage: %s of broker %" PRId32 " is %.1f%% full",
                              tally->fullest_dir.path, tally->fullest_dir.broker, percent);
    } else if (status == KOA_STATUS_DEGRADED) {
        koa_verdict_degraded(verdict, "High log dir usage: %s of broker %" PRId32 " is %.1f%% full",
                             tally->fullest_dir.path, tally->fullest_dir.broker, percent);
    } else if (tally->with_space > 0) {
        koa_verdict_healthy(verdict, "Log dir usage OK (max: %.1f%%)", percent);
    } else {
        koa_verdict_healthy(verdict, "%zu log dirs are online; their brokers do not tell the space",
                            count);
    }
}

static void evaluate(const void *memory, const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *verdict)
{
    const struct config *config = memory;
    struct tally tally = {.with_space = 0};
    size_t count;

    if (!koa_snapshot_is_usable(snapshot, now, verdict))
        return;
    count = koa_snapshot_log_dir_count(snapshot);
    if (count == 0) {
        koa_verdict_unknown(verdict,
                            "No broker told its log dirs: that needs the right to Describe "
                            "the cluster");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct koa_snapshot_log_dir dir;

        koa_snapshot_log_dir(snapshot, i, &dir);
        look(&dir, &tally);
    }
    koa_verdict_detail(verdict, "log_dir_count", KOA_VALUE_INT(count));
    koa_verdict_detail(verdict, "offline", KOA_VALUE_INT(tally.offline));
    if (tally.with_space > 0) {
        koa_verdict_detail(verdict, "max_usage_percent",
                           KOA_VALUE_DOUBLE(koa_ratio_percent(tally.fullest)));
    }
    add_dirs(snapshot, verdict);
    judge(config, &tally, count, verdict);
}

const struct koa_check_ops koa_check_log_dir_usage = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "log_dir_usage",
    .help = "The brokers' log dirs: online, and how full their file systems are",
    .options = options,
    .config_size = sizeof(struct config),
    .timeout = "15s",
    .evaluate = evaluate,
    .prepare = prepare,
};

/* Decides whether messages get through, from what the cluster's end-to-end probe saw. */
#include <inttypes.h>
#include <koa/check.h>

#include "builtin/checks/snapshot_state.h"

struct config {
    int64_t silent_ms;
    int64_t warning_ms;
};

static const struct koa_option options[] = {
    {KOA_DURATION(struct config, silent_ms), .key = "for", .fallback = "1m", .minimum = 1000,
     .maximum = 86400000,
     .help = "time without a message that came back from which it is unhealthy"},
    {KOA_DURATION(struct config, warning_ms), .key = "warning", .fallback = "5s", .minimum = 1,
     .maximum = 86400000, .help = "round trip from which it is degraded"},
    {0},
};

struct tally {
    int64_t silent, failing, slow, lost;
    double slowest;
    struct koa_snapshot_probe worst; /* silent before failing before slow */
};

static void look(const struct config *config, const struct koa_snapshot *snapshot,
                 const struct koa_snapshot_probe *row, struct tally *tally)
{
    int64_t age = koa_snapshot_time(snapshot).ms - row->success_time.ms;
    bool is_silent = row->failures > 0 && (row->success_time.ms == 0 || age >= config->silent_ms);
    bool is_slow = row->round_trip_seconds * 1000.0 >= (double) config->warning_ms;

    tally->lost += row->lost;
    if (row->round_trip_seconds > tally->slowest)
        tally->slowest = row->round_trip_seconds;
    if (is_silent ? tally->silent == 0
                  : tally->silent == 0 && tally->failing == 0 && (row->failures > 0 || is_slow))
        tally->worst = *row;
    if (is_silent) {
        tally->silent++;
    } else if (row->failures > 0) {
        tally->failing++;
    } else if (is_slow) {
        tally->slow++;
    }
}

static void judge(const struct tally *tally, size_t count, struct koa_verdict *verdict)
{
    const struct koa_snapshot_probe *worst = &tally->worst;
    const char *error = worst->error != NULL ? worst->error : "no answer yet";

    if (tally->silent > 0) {
        koa_verdict_unhealthy(verdict,
                              "No message gets through %" PRId64 " of %zu partitions of the probe: "
                              "partition %" PRId32 ", broker %" PRId32 ": %s",
                              tally->silent, count, worst->partition, worst->leader, error);
    } else if (tally->failing > 0) {
        koa_verdict_degraded(verdict,
                             "The last message did not get through %" PRId64
                             " of %zu partitions of the probe: partition %" PRId32
                             ", broker %" PRId32 ": %s",
                             tally->failing, count, worst->partition, worst->leader, error);
    } else if (tally->slow > 0) {
        koa_verdict_degraded(verdict,
                             "Messages take long through %" PRId64
                             " of %zu partitions of the probe: %.3f s through broker %" PRId32,
                             tally->slow, count, worst->round_trip_seconds, worst->leader);
    } else {
        koa_verdict_healthy(verdict,
                            "Messages get through all %zu partitions of the probe (max: "
                            "%.3f s)",
                            count, tally->slowest);
    }
}

static void evaluate(const void *memory, const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *verdict)
{
    const struct config *config = memory;
    struct tally tally = {.silent = 0};
    size_t count;

    if (snapshot != NULL && !koa_snapshot_has_probe(snapshot)) {
        koa_verdict_subjectless(verdict,
                                "The cluster's probe is off: set probe.enabled of cluster "
                                "%s",
                                koa_snapshot_cluster(snapshot));
        return;
    }
    if (!koa_snapshot_is_usable(snapshot, now, verdict))
        return;
    count = koa_snapshot_probe_count(snapshot);
    if (count == 0) {
        koa_verdict_unknown(verdict, "The probe does not run yet: %s",
                            koa_snapshot_probe_error(snapshot) != NULL
                                ? koa_snapshot_probe_error(snapshot)
                                : "its topic has no partition");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct koa_snapshot_probe row;

        koa_snapshot_probe(snapshot, i, &row);
        look(config, snapshot, &row, &tally);
    }
    koa_verdict_detail(verdict, "partitions", KOA_VALUE_INT(count));
    koa_verdict_detail(verdict, "lost", KOA_VALUE_INT(tally.lost));
    koa_verdict_detail(verdict, "max_round_trip_seconds", KOA_VALUE_DOUBLE(tally.slowest));
    judge(&tally, count, verdict);
}

const struct koa_check_ops koa_check_probe = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "probe",
    .help = "Messages of the cluster's end-to-end probe: whether they come back, and how fast",
    .options = options,
    .config_size = sizeof(struct config),
    .timeout = "15s",
    .evaluate = evaluate,
};

/* Decides whether a Kafka cluster can be used, from what its collector published. Reads no broker
 * itself: what the collector could not learn in time is evidence too. */
#include <inttypes.h>
#include <koa/check.h>

#include "base/buf.h"
#include "builtin/checks/ratio.h"
#include "builtin/checks/snapshot_state.h"
#include "cluster/cluster.h"
#include "cluster/troubles.h"

enum { TEXT_LIMIT = 1000 }; /* a verdict keeps 1 KiB */

static const struct koa_choice troubles[] = {
    {"missing_brokers", KOA_TROUBLE_MISSING_BROKERS},
    {"leaderless", KOA_TROUBLE_LEADERLESS},
    {"under_replicated", KOA_TROUBLE_UNDER_REPLICATED},
    {"offline_replicas", KOA_TROUBLE_OFFLINE_REPLICAS},
    {"no_controller", KOA_TROUBLE_NO_CONTROLLER},
    {"under_min_isr", KOA_TROUBLE_UNDER_MIN_ISR},
    {"at_min_isr", KOA_TROUBLE_AT_MIN_ISR},
    {"non_preferred_leaders", KOA_TROUBLE_NON_PREFERRED_LEADERS},
    {"reassigning", KOA_TROUBLE_REASSIGNING},
    {"offline_log_dirs", KOA_TROUBLE_OFFLINE_LOG_DIRS},
    {"lagging_voters", KOA_TROUBLE_LAGGING_VOTERS},
    {NULL, 0},
};

/* What is part of every healthy cluster's life is named only when it was chosen to count. */
enum {
    ORDINARY = 1 << KOA_TROUBLE_AT_MIN_ISR | 1 << KOA_TROUBLE_NON_PREFERRED_LEADERS |
               1 << KOA_TROUBLE_REASSIGNING
};

struct config {
    unsigned degraded_when, unhealthy_when; /* bits: 1 << enum koa_trouble */
};

static const struct koa_option options[] = {
    {KOA_CHOICES(struct config, degraded_when, troubles), .fallback = KOA_TROUBLES_DEGRADED_WORDS,
     .help = "what makes a cluster that answers degraded; non_preferred_leaders, at_min_isr and "
             "reassigning are normal after a restart, and lagging_voters are controllers that did "
             "not fetch for 10 s"},
    {KOA_CHOICES(struct config, unhealthy_when, troubles), .fallback = "[]",
     .help = "what makes it unhealthy; that it does not answer, or its data is old, always does"},
    {0},
};

/* Why one of the missing did not answer. */
struct example {
    const char *error; /* NULL: none is missing */
    int32_t id;
};

static struct example find_example(const struct koa_snapshot *snapshot)
{
    struct example example = {.error = NULL};

    for (size_t i = 0; i < koa_snapshot_broker_count(snapshot); i++) {
        struct koa_snapshot_broker broker;

        koa_snapshot_broker(snapshot, i, &broker);
        if (!broker.is_up) {
            example.error = broker.error != NULL ? broker.error : "no answer";
            example.id = broker.id;
        }
    }
    return example;
}

/* Only what is known. */
static void add_state(const struct koa_snapshot *snapshot, const struct koa_troubles *counts,
                      struct koa_verdict *verdict)
{
    koa_verdict_detail(verdict, "partitions_with_non_preferred_leader",
                       KOA_VALUE_INT(counts->non_preferred));
    if (counts->has_min_isr) {
        koa_verdict_detail(verdict, "partitions_under_min_isr",
                           KOA_VALUE_INT(counts->under_min_isr));
        koa_verdict_detail(verdict, "partitions_at_min_isr", KOA_VALUE_INT(counts->at_min_isr));
    }
    if (counts->has_reassigning)
        koa_verdict_detail(verdict, "partitions_reassigning", KOA_VALUE_INT(counts->reassigning));
    if (counts->log_dirs > 0) {
        koa_verdict_detail(verdict, "log_dirs_offline", KOA_VALUE_INT(counts->offline_log_dirs));
    }
    if (counts->has_usage) {
        koa_verdict_detail(verdict, "log_dirs_max_usage_percent",
                           KOA_VALUE_DOUBLE(koa_ratio_percent(counts->max_usage)));
    }
    if (counts->has_quorum) {
        struct koa_snapshot_quorum quorum;

        if (koa_snapshot_quorum(snapshot, &quorum) && quorum.leader >= 0)
            koa_verdict_detail(verdict, "quorum_leader", KOA_VALUE_INT(quorum.leader));
        koa_verdict_detail(verdict, "quorum_max_lag", KOA_VALUE_INT(counts->max_voter_lag));
        koa_verdict_detail(verdict, "quorum_lagging_voters", KOA_VALUE_INT(counts->lagging_voters));
    }
}

static void add_details(const struct koa_snapshot *snapshot, const struct koa_troubles *counts,
                        struct koa_verdict *verdict)
{
    koa_verdict_detail(verdict, "cluster", KOA_VALUE_TEXT(koa_snapshot_cluster(snapshot)));
    koa_verdict_detail(verdict, "broker_count", KOA_VALUE_INT(counts->brokers_up));
    koa_verdict_detail(verdict, "brokers_missing", KOA_VALUE_INT(counts->brokers_missing));
    koa_verdict_detail(verdict, "topic_count", KOA_VALUE_INT(koa_snapshot_topic_count(snapshot)));
    koa_verdict_detail(verdict, "cluster_id", KOA_VALUE_TEXT(koa_snapshot_cluster_id(snapshot)));
    koa_verdict_detail(verdict, "partition_count", KOA_VALUE_INT(counts->partitions));
    koa_verdict_detail(verdict, "partitions_leaderless", KOA_VALUE_INT(counts->leaderless));
    koa_verdict_detail(verdict, "partitions_under_replicated",
                       KOA_VALUE_INT(counts->under_replicated));
    koa_verdict_detail(verdict, "partitions_with_offline_replicas",
                       KOA_VALUE_INT(counts->offline_replicas));
    koa_verdict_detail(verdict, "group_count", KOA_VALUE_INT(koa_snapshot_group_count(snapshot)));
    if (koa_snapshot_controller(snapshot) >= 0) {
        koa_verdict_detail(verdict, "controller_id",
                           KOA_VALUE_INT(koa_snapshot_controller(snapshot)));
    }
    add_state(snapshot, counts, verdict);
}

/* Those that are a mere count of partitions. */
static void tell_partitions(const struct koa_troubles *counts, unsigned shown, struct koa_buf *text)
{
    const struct {
        enum koa_trouble trouble;
        int64_t count;
        const char *words;
    } rows[] = {
        {KOA_TROUBLE_LEADERLESS, counts->leaderless, "have no leader"},
        {KOA_TROUBLE_UNDER_REPLICATED, counts->under_replicated, "are under-replicated"},
        {KOA_TROUBLE_OFFLINE_REPLICAS, counts->offline_replicas, "have offline replicas"},
        {KOA_TROUBLE_UNDER_MIN_ISR, counts->under_min_isr, "are below min.insync.replicas"},
        {KOA_TROUBLE_AT_MIN_ISR, counts->at_min_isr, "are at min.insync.replicas"},
        {KOA_TROUBLE_NON_PREFERRED_LEADERS, counts->non_preferred,
         "are not led by their preferred replica"},
        {KOA_TROUBLE_REASSIGNING, counts->reassigning, "are being reassigned"},
    };

    for (size_t i = 0; i < KOA_ARRAY_COUNT(rows); i++) {
        if ((shown & 1U << rows[i].trouble) != 0)
            koa_buf_printf(text, "; %" PRId64 " partitions %s", rows[i].count, rows[i].words);
    }
}

/* Appends to the text what is wrong: `shown` are bits of enum koa_trouble. */
static void tell(const struct koa_snapshot *snapshot, const struct koa_troubles *counts,
                 unsigned shown, struct koa_buf *text)
{
    if ((shown & 1U << KOA_TROUBLE_MISSING_BROKERS) != 0) {
        struct example example = find_example(snapshot);

        koa_buf_printf(text, "; %" PRId64 " did not answer, broker %" PRId32 ": %.300s",
                       counts->brokers_missing, example.id, example.error);
    }
    tell_partitions(counts, shown, text);
    if ((shown & 1U << KOA_TROUBLE_NO_CONTROLLER) != 0)
        koa_buf_append_text(text, "; no controller is known");
    if ((shown & 1U << KOA_TROUBLE_OFFLINE_LOG_DIRS) != 0) {
        struct koa_snapshot_log_dir dir;

        koa_snapshot_log_dir(snapshot, counts->offline_log_dir, &dir);
        koa_buf_printf(text, "; %" PRId64 " log dirs are offline: %.80s of broker %" PRId32,
                       counts->offline_log_dirs, dir.path, dir.broker);
    }
    if ((shown & 1U << KOA_TROUBLE_LAGGING_VOTERS) != 0) {
        koa_buf_printf(text,
                       "; %" PRId64 " voters of the quorum do not follow its leader: %" PRId32,
                       counts->lagging_voters, counts->lagging_voter);
    }
}

/* Of a cluster that answers. */
static void judge(const struct config *config, const struct koa_snapshot *snapshot,
                  const struct koa_troubles *counts, struct koa_verdict *verdict)
{
    struct koa_buf text = {.limit = TEXT_LIMIT};
    unsigned found = koa_troubles_found(counts);
    unsigned chosen = config->degraded_when | config->unhealthy_when;

    koa_buf_printf(&text, "Kafka cluster accessible with %" PRId64 " brokers", counts->brokers_up);
    tell(snapshot, counts, found & (chosen | ~(unsigned) ORDINARY), &text);
    if ((found & config->unhealthy_when) != 0) {
        koa_verdict_unhealthy(verdict, "%s", koa_buf_text(&text));
    } else if ((found & config->degraded_when) != 0) {
        koa_verdict_degraded(verdict, "%s", koa_buf_text(&text));
    } else {
        koa_verdict_healthy(verdict, "%s", koa_buf_text(&text));
    }
    koa_buf_deinit(&text);
}

static void evaluate(const void *config, const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *verdict)
{
    struct koa_troubles counts;
    const char *error;
    double age;

    if (snapshot == NULL) {
        (void) koa_snapshot_is_usable(snapshot, now, verdict);
        return;
    }
    koa_troubles_count(snapshot, &counts);
    age = (double) koa_snapshot_age_ms(snapshot, now) / 1000.0;
    error = koa_snapshot_error(snapshot);
    add_details(snapshot, &counts, verdict);
    koa_verdict_detail(verdict, "data_age_seconds", KOA_VALUE_DOUBLE(age));
    if (counts.brokers_up == 0) {
        struct example example = find_example(snapshot);

        koa_verdict_unhealthy(verdict, "No Kafka brokers available: %s",
                              error != NULL           ? error
                              : example.error != NULL ? example.error
                                                      : "the cluster lists none");
    } else if (error != NULL) {
        koa_verdict_unhealthy(verdict, "Kafka metadata cannot be read: %s; the data is %.1f s old",
                              error, age);
    } else if (koa_snapshot_is_overdue(snapshot, now)) {
        koa_verdict_unhealthy(
            verdict, "Kafka data is %.1f s old: the collector has not finished a cycle", age);
    } else {
        judge(config, snapshot, &counts, verdict);
    }
}

const struct koa_check_ops koa_check_kafka = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "kafka",
    .help =
        "Brokers of a Kafka cluster that answer, their partitions, and how old what is known is",
    .options = options,
    .config_size = sizeof(struct config),
    .timeout = "15s",
    .evaluate = evaluate,
};

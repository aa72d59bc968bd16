/* Decides whether a Kafka cluster can be used, from what its collector published. Reads no broker
 * itself: what the collector could not learn in time is evidence too. */
#include <inttypes.h>
#include <koa/check.h>

#include "base/buf.h"
#include "builtin/checks/snapshot_state.h"
#include "cluster/cluster.h"

enum { TEXT_LIMIT = 700 };

/* What may be wrong with a cluster that answers. */
enum trouble { MISSING_BROKERS, LEADERLESS, UNDER_REPLICATED, OFFLINE_REPLICAS, NO_CONTROLLER };

static const struct koa_choice troubles[] = {
    {"missing_brokers", MISSING_BROKERS},   {"leaderless", LEADERLESS},
    {"under_replicated", UNDER_REPLICATED}, {"offline_replicas", OFFLINE_REPLICAS},
    {"no_controller", NO_CONTROLLER},       {NULL, 0},
};

struct config {
    unsigned degraded_when, unhealthy_when; /* bits: 1 << enum trouble */
};

static const struct koa_option options[] = {
    {KOA_CHOICES(struct config, degraded_when, troubles),
     .fallback = "[missing_brokers, leaderless, under_replicated]",
     .help = "what makes a cluster that answers degraded"},
    {KOA_CHOICES(struct config, unhealthy_when, troubles), .fallback = "[]",
     .help = "what makes it unhealthy; that it does not answer, or its data is old, always does"},
    {0},
};

struct brokers {
    int64_t up;
    int64_t missing;
    const char *example; /* why one of the missing did not answer */
    int32_t example_id;
};

/* Sums over topics. */
struct partitions {
    int64_t all, leaderless, under_replicated, offline_replicas;
};

static struct brokers count_brokers(const struct koa_snapshot *snapshot)
{
    struct brokers brokers = {.example = NULL};

    for (size_t i = 0; i < koa_snapshot_broker_count(snapshot); i++) {
        struct koa_snapshot_broker broker;

        koa_snapshot_broker(snapshot, i, &broker);
        if (broker.is_up) {
            brokers.up++;
        } else {
            brokers.missing++;
            brokers.example = broker.error != NULL ? broker.error : "no answer";
            brokers.example_id = broker.id;
        }
    }
    return brokers;
}

static struct partitions count_partitions(const struct koa_snapshot *snapshot)
{
    struct partitions partitions = {.all = 0};

    for (size_t i = 0; i < koa_snapshot_topic_count(snapshot); i++) {
        struct koa_snapshot_topic topic;

        koa_snapshot_topic(snapshot, i, &topic);
        partitions.all += topic.partitions;
        partitions.leaderless += topic.leaderless;
        partitions.under_replicated += topic.under_replicated;
        partitions.offline_replicas += topic.with_offline_replicas;
    }
    return partitions;
}

static void add_details(const struct koa_snapshot *snapshot, const struct brokers *brokers,
                        const struct partitions *partitions, struct koa_verdict *verdict)
{
    koa_verdict_detail(verdict, "cluster", KOA_VALUE_TEXT(koa_snapshot_cluster(snapshot)));
    koa_verdict_detail(verdict, "broker_count", KOA_VALUE_INT(brokers->up));
    koa_verdict_detail(verdict, "brokers_missing", KOA_VALUE_INT(brokers->missing));
    koa_verdict_detail(verdict, "topic_count", KOA_VALUE_INT(koa_snapshot_topic_count(snapshot)));
    koa_verdict_detail(verdict, "cluster_id", KOA_VALUE_TEXT(koa_snapshot_cluster_id(snapshot)));
    koa_verdict_detail(verdict, "partition_count", KOA_VALUE_INT(partitions->all));
    koa_verdict_detail(verdict, "partitions_leaderless", KOA_VALUE_INT(partitions->leaderless));
    koa_verdict_detail(verdict, "partitions_under_replicated",
                       KOA_VALUE_INT(partitions->under_replicated));
    koa_verdict_detail(verdict, "partitions_with_offline_replicas",
                       KOA_VALUE_INT(partitions->offline_replicas));
    koa_verdict_detail(verdict, "group_count", KOA_VALUE_INT(koa_snapshot_group_count(snapshot)));
    if (koa_snapshot_controller(snapshot) >= 0) {
        koa_verdict_detail(verdict, "controller_id",
                           KOA_VALUE_INT(koa_snapshot_controller(snapshot)));
    }
}

/* Appends to the text what is wrong, and returns it as bits of enum trouble. */
static unsigned find_troubles(const struct koa_snapshot *snapshot, const struct brokers *brokers,
                              const struct partitions *partitions, struct koa_buf *text)
{
    unsigned found = 0;

    if (brokers->missing > 0) {
        found |= 1U << MISSING_BROKERS;
        koa_buf_printf(text, "; %" PRId64 " did not answer, broker %" PRId32 ": %.300s",
                       brokers->missing, brokers->example_id, brokers->example);
    }
    if (partitions->leaderless > 0) {
        found |= 1U << LEADERLESS;
        koa_buf_printf(text, "; %" PRId64 " partitions have no leader", partitions->leaderless);
    }
    if (partitions->under_replicated > 0) {
        found |= 1U << UNDER_REPLICATED;
        koa_buf_printf(text, "; %" PRId64 " partitions are under-replicated",
                       partitions->under_replicated);
    }
    if (partitions->offline_replicas > 0) {
        found |= 1U << OFFLINE_REPLICAS;
        koa_buf_printf(text, "; %" PRId64 " partitions have offline replicas",
                       partitions->offline_replicas);
    }
    if (koa_snapshot_controller(snapshot) < 0) {
        found |= 1U << NO_CONTROLLER;
        koa_buf_append_text(text, "; no controller is known");
    }
    return found;
}

/* Of a cluster that answers. */
static void judge(const struct config *config, const struct koa_snapshot *snapshot,
                  const struct brokers *brokers, const struct partitions *partitions,
                  struct koa_verdict *verdict)
{
    struct koa_buf text = {.limit = TEXT_LIMIT};
    unsigned found;

    koa_buf_printf(&text, "Kafka cluster accessible with %" PRId64 " brokers", brokers->up);
    found = find_troubles(snapshot, brokers, partitions, &text);
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
    struct partitions partitions;
    struct brokers brokers;
    const char *error;
    double age;

    if (snapshot == NULL) {
        (void) koa_snapshot_is_usable(snapshot, now, verdict);
        return;
    }
    brokers = count_brokers(snapshot);
    partitions = count_partitions(snapshot);
    age = (double) koa_snapshot_age_ms(snapshot, now) / 1000.0;
    error = koa_snapshot_error(snapshot);
    add_details(snapshot, &brokers, &partitions, verdict);
    koa_verdict_detail(verdict, "data_age_seconds", KOA_VALUE_DOUBLE(age));
    if (brokers.up == 0) {
        koa_verdict_unhealthy(verdict, "No Kafka brokers available: %s",
                              error != NULL             ? error
                              : brokers.example != NULL ? brokers.example
                                                        : "the cluster lists none");
    } else if (error != NULL) {
        koa_verdict_unhealthy(verdict, "Kafka metadata cannot be read: %s; the data is %.1f s old",
                              error, age);
    } else if (koa_snapshot_is_overdue(snapshot, now)) {
        koa_verdict_unhealthy(
            verdict, "Kafka data is %.1f s old: the collector has not finished a cycle", age);
    } else {
        judge(config, snapshot, &brokers, &partitions, verdict);
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

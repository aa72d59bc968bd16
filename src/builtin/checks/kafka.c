/* Decides whether a Kafka cluster can be used, from what its collector published. Reads no broker
 * itself: what the collector could not learn in time is evidence too. */
#include <inttypes.h>
#include <koa/check.h>

#include "cluster/cluster.h"

enum { OVERRUN_INTERVALS = 3 };

struct brokers {
    int64_t up;
    int64_t missing;
    const char *example; /* why one of the missing did not answer */
    int32_t example_id;
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

/* Since the last cycle that got metadata; since the first snapshot when none did. */
static int64_t age_ms(const struct koa_snapshot *snapshot, struct koa_wall now)
{
    struct koa_wall good = koa_snapshot_good_time(snapshot);
    int64_t age = now.ms - (good.ms != 0 ? good.ms : koa_snapshot_time(snapshot).ms);

    return age > 0 ? age : 0;
}

static void add_details(const struct koa_snapshot *snapshot, const struct brokers *brokers,
                        int64_t age, struct koa_verdict *verdict)
{
    koa_verdict_detail(verdict, "cluster", KOA_VALUE_TEXT(koa_snapshot_cluster(snapshot)));
    koa_verdict_detail(verdict, "broker_count", KOA_VALUE_INT(brokers->up));
    koa_verdict_detail(verdict, "brokers_missing", KOA_VALUE_INT(brokers->missing));
    koa_verdict_detail(verdict, "topic_count", KOA_VALUE_INT(koa_snapshot_topic_count(snapshot)));
    koa_verdict_detail(verdict, "cluster_id", KOA_VALUE_TEXT(koa_snapshot_cluster_id(snapshot)));
    koa_verdict_detail(verdict, "data_age_seconds", KOA_VALUE_DOUBLE((double) age / 1000.0));
}

static void evaluate(const void *config, const struct koa_snapshot *snapshot, struct koa_wall now,
                     struct koa_verdict *verdict)
{
    struct brokers brokers;
    const char *error;
    int64_t age;

    (void) config;
    if (snapshot == NULL) {
        koa_verdict_subjectless(verdict, "No Kafka cluster is watched yet: set "
                                         "KAFKA_BOOTSTRAP_SERVERS, --bootstrap or clusters");
        return;
    }
    brokers = count_brokers(snapshot);
    age = age_ms(snapshot, now);
    error = koa_snapshot_error(snapshot);
    add_details(snapshot, &brokers, age, verdict);
    if (brokers.up == 0) {
        koa_verdict_unhealthy(verdict, "No Kafka brokers available: %s",
                              error != NULL             ? error
                              : brokers.example != NULL ? brokers.example
                                                        : "the cluster lists none");
    } else if (error != NULL) {
        koa_verdict_unhealthy(verdict, "Kafka metadata cannot be read: %s; the data is %.1f s old",
                              error, (double) age / 1000.0);
    } else if (age > OVERRUN_INTERVALS * koa_snapshot_interval_ms(snapshot)) {
        koa_verdict_unhealthy(verdict,
                              "Kafka data is %.1f s old: the collector has not finished a cycle",
                              (double) age / 1000.0);
    } else if (brokers.missing > 0) {
        koa_verdict_degraded(verdict,
                             "Kafka cluster accessible with %" PRId64 " brokers; %" PRId64
                             " did not answer, broker %" PRId32 ": %s",
                             brokers.up, brokers.missing, brokers.example_id, brokers.example);
    } else {
        koa_verdict_healthy(verdict, "Kafka cluster accessible with %" PRId64 " brokers",
                            brokers.up);
    }
}

const struct koa_check_ops koa_check_kafka = {
    KOA_OPS_INIT(koa_check_ops),
    .name = "kafka",
    .help = "Brokers of a Kafka cluster that answer, and how old what is known is",
    .timeout = "15s",
    .evaluate = evaluate,
};

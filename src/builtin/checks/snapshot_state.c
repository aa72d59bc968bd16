/* Decides whether a snapshot says anything about now. That a cluster does not answer is the kafka
 * check's matter: the others only say that they could not look. */
#include "builtin/checks/snapshot_state.h"

#include "cluster/troubles.h"

bool koa_snapshot_is_usable(const struct koa_snapshot *snapshot, struct koa_wall now,
                            struct koa_verdict *verdict)
{
    double age;

    if (snapshot == NULL) {
        koa_verdict_subjectless(verdict, "No Kafka cluster is watched yet: set "
                                         "KAFKA_BOOTSTRAP_SERVERS, --bootstrap or clusters");
        return false;
    }
    age = (double) koa_snapshot_age_ms(snapshot, now) / 1000.0;
    koa_verdict_detail(verdict, "cluster", KOA_VALUE_TEXT(koa_snapshot_cluster(snapshot)));
    koa_verdict_detail(verdict, "data_age_seconds", KOA_VALUE_DOUBLE(age));
    if (koa_snapshot_error(snapshot) != NULL) {
        koa_verdict_unknown(verdict, "Kafka metadata cannot be read: %s; the data is %.1f s old",
                            koa_snapshot_error(snapshot), age);
        return false;
    }
    if (koa_snapshot_is_overdue(snapshot, now)) {
        koa_verdict_unknown(
            verdict, "Kafka data is %.1f s old: the collector has not finished a cycle", age);
        return false;
    }
    return true;
}

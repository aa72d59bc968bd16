/* Counts what is wrong in a snapshot. Which of it makes a cluster degraded or unhealthy is decided
 * by those who ask; here are only the defaults. */
#include "cluster/troubles.h"

#include "cluster/cluster.h"

int64_t koa_snapshot_age_ms(const struct koa_snapshot *snapshot, struct koa_wall now)
{
    struct koa_wall good = koa_snapshot_good_time(snapshot);
    int64_t age = now.ms - (good.ms != 0 ? good.ms : koa_snapshot_time(snapshot).ms);

    return age > 0 ? age : 0;
}

bool koa_snapshot_is_overdue(const struct koa_snapshot *snapshot, struct koa_wall now)
{
    return koa_snapshot_age_ms(snapshot, now) >
           KOA_OVERRUN_INTERVALS * koa_snapshot_interval_ms(snapshot);
}

double koa_log_dir_usage(const struct koa_snapshot_log_dir *dir)
{
    double used = (double) (dir->total - dir->usable) / (double) dir->total;

    return used > 0 ? used : 0;
}

bool koa_voter_lags(const struct koa_snapshot_voter *voter, const struct koa_snapshot_voter *leader)
{
    /* Brokers before KIP-836 tell no times, and then there is nothing to judge by. */
    if (!voter->is_voter || !leader->has_fetch_time)
        return false;
    return !voter->has_fetch_time ||
           leader->fetch_time.ms - voter->fetch_time.ms > KOA_VOTER_SILENT_MS;
}

bool koa_quorum_leader(const struct koa_snapshot *snapshot, struct koa_snapshot_voter *ret_leader)
{
    struct koa_snapshot_quorum quorum;

    if (!koa_snapshot_quorum(snapshot, &quorum))
        return false;
    for (size_t i = 0; i < quorum.replicas; i++) {
        koa_snapshot_voter(snapshot, i, ret_leader);
        if (ret_leader->is_voter && ret_leader->id == quorum.leader)
            return true;
    }
    return false;
}

static void count_brokers(const struct koa_snapshot *snapshot, struct koa_troubles *troubles)
{
    for (size_t i = 0; i < koa_snapshot_broker_count(snapshot); i++) {
        struct koa_snapshot_broker broker;

        koa_snapshot_broker(snapshot, i, &broker);
        troubles->brokers_up += broker.is_up ? 1 : 0;
        troubles->brokers_missing += broker.is_up ? 0 : 1;
    }
    troubles->has_controller = koa_snapshot_controller(snapshot) >= 0;
}

static void count_partitions(const struct koa_snapshot *snapshot, struct koa_troubles *troubles)
{
    for (size_t i = 0; i < koa_snapshot_topic_count(snapshot); i++) {
        struct koa_snapshot_topic topic;

        koa_snapshot_topic(snapshot, i, &topic);
        troubles->partitions += topic.partitions;
        troubles->leaderless += topic.leaderless;
        troubles->under_replicated += topic.under_replicated;
        troubles->offline_replicas += topic.with_offline_replicas;
        troubles->non_preferred += topic.non_preferred;
        if (topic.has_min_isr) {
            troubles->has_min_isr = true;
            troubles->under_min_isr += topic.under_min_isr;
            troubles->at_min_isr += topic.at_min_isr;
        }
        if (topic.has_reassigning) {
            troubles->has_reassigning = true;
            troubles->reassigning += topic.reassigning;
        }
    }
}

static void count_log_dirs(const struct koa_snapshot *snapshot, struct koa_troubles *troubles)
{
    size_t count = koa_snapshot_log_dir_count(snapshot);

    troubles->log_dirs = (int64_t) count;
    for (size_t i = 0; i < count; i++) {
        struct koa_snapshot_log_dir dir;

        koa_snapshot_log_dir(snapshot, i, &dir);
        if (dir.error != NULL) {
            troubles->offline_log_dirs++;
            troubles->offline_log_dir = i;
        }
        if (dir.has_space) {
            double usage = koa_log_dir_usage(&dir);

            troubles->has_usage = true;
            troubles->max_usage = usage > troubles->max_usage ? usage : troubles->max_usage;
        }
    }
}

static void count_voters(const struct koa_snapshot *snapshot, struct koa_troubles *troubles)
{
    struct koa_snapshot_voter leader;
    struct koa_snapshot_quorum quorum;
    bool has_leader = koa_quorum_leader(snapshot, &leader);

    if (!koa_snapshot_quorum(snapshot, &quorum))
        return;
    troubles->has_quorum = true;
    for (size_t i = 0; i < quorum.replicas; i++) {
        struct koa_snapshot_voter voter;

        koa_snapshot_voter(snapshot, i, &voter);
        if (voter.is_voter && voter.has_lag && voter.lag > troubles->max_voter_lag)
            troubles->max_voter_lag = voter.lag;
        if (has_leader && koa_voter_lags(&voter, &leader)) {
            troubles->lagging_voters++;
            troubles->lagging_voter = voter.id;
        }
    }
}

void koa_troubles_count(const struct koa_snapshot *snapshot, struct koa_troubles *ret_troubles)
{
    *ret_troubles = (struct koa_troubles){.partitions = 0};
    count_brokers(snapshot, ret_troubles);
    count_partitions(snapshot, ret_troubles);
    count_log_dirs(snapshot, ret_troubles);
    count_voters(snapshot, ret_troubles);
}

unsigned koa_troubles_found(const struct koa_troubles *troubles)
{
    const bool has[] = {
        [KOA_TROUBLE_MISSING_BROKERS] = troubles->brokers_missing > 0,
        [KOA_TROUBLE_LEADERLESS] = troubles->leaderless > 0,
        [KOA_TROUBLE_UNDER_REPLICATED] = troubles->under_replicated > 0,
        [KOA_TROUBLE_OFFLINE_REPLICAS] = troubles->offline_replicas > 0,
        [KOA_TROUBLE_NO_CONTROLLER] = !troubles->has_controller,
        [KOA_TROUBLE_UNDER_MIN_ISR] = troubles->under_min_isr > 0,
        [KOA_TROUBLE_AT_MIN_ISR] = troubles->at_min_isr > 0,
        [KOA_TROUBLE_NON_PREFERRED_LEADERS] = troubles->non_preferred > 0,
        [KOA_TROUBLE_REASSIGNING] = troubles->reassigning > 0,
        [KOA_TROUBLE_OFFLINE_LOG_DIRS] = troubles->offline_log_dirs > 0,
        [KOA_TROUBLE_LAGGING_VOTERS] = troubles->lagging_voters > 0,
    };
    unsigned found = 0;

    for (size_t i = 0; i < KOA_ARRAY_COUNT(has); i++)
        found |= has[i] ? 1U << i : 0;
    return found;
}

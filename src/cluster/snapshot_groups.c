/* The public functions that read a snapshot's consumer groups. */
#include <math.h>

#include "base/str.h"
#include "cluster/longest.h"
#include "cluster/name_search.h"
#include "cluster/snapshot.h"

const char *koa_group_type_name(enum koa_group_type type)
{
    static const char *const names[] = {[KOA_GROUP_CLASSIC] = "classic",
                                        [KOA_GROUP_CONSUMER] = "consumer",
                                        [KOA_GROUP_SHARE] = "share",
                                        [KOA_GROUP_STREAMS] = "streams"};

    return (unsigned) type < KOA_GROUP_TYPE_COUNT ? names[type] : "unknown";
}

const char *koa_condition_name(enum koa_condition condition)
{
    static const char *const names[] = {
        [KOA_CONDITION_NO_COMMIT] = "no_commit",
        [KOA_CONDITION_BELOW_START] = "below_log_start",
        [KOA_CONDITION_ABOVE_END] = "above_log_end",
        [KOA_CONDITION_TOPIC_GONE] = "topic_gone",
        [KOA_CONDITION_LEADERLESS] = "leaderless",
        [KOA_CONDITION_STALE] = "stale",
        [KOA_CONDITION_OPEN_TRANSACTION] = "open_transaction",
        [KOA_CONDITION_MARKERS_ONLY] = "markers_only",
    };

    return (unsigned) condition < KOA_CONDITION_COUNT ? names[condition] : "unknown";
}

const char *koa_lag_quality_name(enum koa_lag_quality quality)
{
    static const char *const names[] = {[KOA_LAG_UNKNOWN] = "unknown",
                                        [KOA_LAG_EXACT] = "exact",
                                        [KOA_LAG_INTERPOLATED] = "interpolated",
                                        [KOA_LAG_AT_LEAST] = "at_least"};

    return (unsigned) quality < KOA_LAG_QUALITY_COUNT ? names[quality] : "unknown";
}

size_t koa_snapshot_group_count(const struct koa_snapshot *snapshot)
{
    return snapshot->group_count;
}

static struct koa_str group_name_at(const void *rows, size_t index)
{
    const struct koa_group_row *row = (const struct koa_group_row *) rows + index;

    return (struct koa_str){.data = row->name, .size = row->name_size};
}

bool koa_snapshot_find_group(const struct koa_snapshot *snapshot, struct koa_str name,
                             size_t *ret_index)
{
    *ret_index = koa_name_search(snapshot->groups, snapshot->group_count, group_name_at, name);
    return *ret_index < snapshot->group_count;
}

double koa_decimal(float value)
{
    double number = value;
    double steps = fabs(number) < 1 ? 1e6 : 1e3;

    return round(number * steps) / steps;
}

/* A cycle that learned nothing shows every commit as stale. */
static void copy_conditions(const struct koa_snapshot *snapshot, const uint32_t *from,
                            uint32_t commits, int64_t *to)
{
    for (int i = 0; i < KOA_CONDITION_COUNT; i++)
        to[i] = from[i];
    if (snapshot->base != NULL)
        to[KOA_CONDITION_STALE] = commits;
}

void koa_snapshot_group(const struct koa_snapshot *snapshot, size_t index,
                        struct koa_snapshot_group *ret_group)
{
    const struct koa_group_row *row = &snapshot->groups[index];
    struct koa_longest longest = {.seconds = 0};
    uint32_t commits = 0;

    *ret_group = (struct koa_snapshot_group){
        .name = row->display,
        .type = (enum koa_group_type) row->type,
        .state = row->state,
        .protocol = row->protocol,
        .error = row->error,
        .coordinator = row->coordinator,
        .is_stale = snapshot->base != NULL || (row->flags & KOA_GROUP_STALE) != 0,
        .has_members = (row->flags & KOA_GROUP_HAS_MEMBERS) != 0,
        .has_lag = row->with_lag > 0,
        .age_ms =
            (row->flags & KOA_GROUP_HAS_COMMITS) != 0 ? snapshot->made.ms - row->commits_ms : 0,
        .members = row->members,
        .idle_members = row->idle_members,
        .topics = row->topic_count,
        .lag = row->lag,
        .lag_max = row->lag_max,
    };
    for (uint32_t i = 0; i < row->topic_count; i++) {
        const struct koa_group_topic_row *topic = &row->topics[i];

        commits += topic->commit_count;
        if (topic->with_lag > 0) {
            koa_longest_add(&longest, (enum koa_lag_quality) topic->lag_quality,
                            koa_decimal(topic->lag_seconds));
        }
    }
    ret_group->lag_quality = koa_longest_end(&longest, &ret_group->lag_seconds);
    copy_conditions(snapshot, row->conditions, commits, ret_group->conditions);
}

void koa_snapshot_group_topic(const struct koa_snapshot *snapshot, size_t group, size_t topic,
                              struct koa_snapshot_group_topic *ret_topic)
{
    const struct koa_group_topic_row *row = &snapshot->groups[group].topics[topic];
    double velocity = koa_decimal(row->lag_velocity);
    double consumption = koa_decimal(row->consumption_rate);
    double production = koa_decimal(row->consumption_rate + row->lag_velocity);

    *ret_topic = (struct koa_snapshot_group_topic){
        .name = row->name,
        .is_gone = row->topic == KOA_NO_INDEX,
        .has_lag = row->with_lag > 0,
        .has_assigned = (row->flags & KOA_GROUP_TOPIC_HAS_ASSIGNED) != 0,
        .has_progress = row->progress_ms != 0,
        .has_rates = (row->flags & KOA_GROUP_TOPIC_HAS_RATES) != 0,
        .has_catch_up = (row->flags & KOA_GROUP_TOPIC_HAS_CATCH_UP) != 0,
        .has_retention = (row->flags & KOA_GROUP_TOPIC_HAS_RETENTION) != 0,
        .commits = row->commit_count,
        .assigned = row->assigned,
        .lag = row->lag,
        .lag_max = row->lag_max,
        .committed = row->committed,
        .progress_time = {.ms = row->progress_ms},
        .consumption_rate = consumption,
        .production_rate = production > 0 ? production : 0,
        .lag_velocity = velocity,
        .catch_up_seconds = koa_decimal(row->catch_up_seconds),
        .retention_ratio = koa_decimal(row->retention_ratio),
        .lag_seconds = koa_decimal(row->lag_seconds),
        .lag_quality = (enum koa_lag_quality) row->lag_quality,
        .readable_seconds = koa_decimal(row->readable_seconds),
        .readable_quality = (enum koa_lag_quality) row->readable_quality,
    };
    copy_conditions(snapshot, row->conditions, row->commit_count, ret_topic->conditions);
}

bool koa_commit_lag(const struct koa_snapshot *snapshot, const struct koa_group_topic_row *topic,
                    size_t index, int64_t *ret_lag)
{
    const struct koa_commit_row *commit = &topic->commits[index];
    int64_t lag;

    if ((commit->conditions & (1U << KOA_CONDITION_TOPIC_GONE)) != 0)
        return false;
    if (topic->lags != NULL) {
        *ret_lag = topic->lags[index];
        return *ret_lag >= 0;
    }
    if ((snapshot->partitions.flags[commit->place] & KOA_PARTITION_HAS_END) == 0)
        return false;
    lag = snapshot->partitions.end[commit->place] - commit->offset;
    *ret_lag = lag > 0 ? lag : 0;
    return true;
}

int32_t koa_commit_partition(const struct koa_snapshot *snapshot,
                             const struct koa_commit_row *commit)
{
    if ((commit->conditions & (1U << KOA_CONDITION_TOPIC_GONE)) != 0)
        return (int32_t) commit->place;
    return snapshot->partitions.id[commit->place];
}

static void copy_log_ends(const struct koa_snapshot *snapshot, uint32_t place,
                          struct koa_snapshot_commit *commit)
{
    const struct koa_partition_columns *columns = &snapshot->partitions;

    commit->has_end_offset = (columns->flags[place] & KOA_PARTITION_HAS_END) != 0;
    commit->has_start_offset = (columns->flags[place] & KOA_PARTITION_HAS_START) != 0;
    commit->end_offset = columns->end[place];
    commit->start_offset = columns->start[place];
}

void koa_snapshot_commit(const struct koa_snapshot *snapshot, size_t group, size_t topic,
                         size_t index, struct koa_snapshot_commit *ret_commit)
{
    const struct koa_group_topic_row *row = &snapshot->groups[group].topics[topic];
    const struct koa_commit_row *commit = &row->commits[index];

    *ret_commit = (struct koa_snapshot_commit){
        .partition = koa_commit_partition(snapshot, commit),
        .offset = commit->offset,
        .conditions = commit->conditions,
    };
    ret_commit->has_lag = koa_commit_lag(snapshot, row, index, &ret_commit->lag);
    if ((commit->conditions & (1U << KOA_CONDITION_TOPIC_GONE)) == 0)
        copy_log_ends(snapshot, commit->place, ret_commit);
    if (snapshot->base != NULL)
        ret_commit->conditions |= 1U << KOA_CONDITION_STALE;
}

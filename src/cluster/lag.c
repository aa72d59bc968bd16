/* Joins a cycle with the one before it, group by group. */
#include "cluster/lag.h"

#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "cluster/longest.h"
#include "cluster/offset_history.h"
#include "cluster/progress.h"
#include "cluster/slots.h"

enum {
    HISTORY_LIMIT = 1000000,  /* partitions that groups read; 270 MB */
    PROGRESS_LIMIT = 1000000, /* topics of groups; 180 MB */
    STILL_MOST = UINT8_MAX,
    UNREADABLE = 1 << KOA_CONDITION_OPEN_TRANSACTION | 1 << KOA_CONDITION_MARKERS_ONLY,
};

struct koa_lag {
    struct koa_slots *histories; /* struct koa_offset_history */
    struct koa_slots *progress;  /* struct koa_progress */
    struct koa_markers looked_at, wanted;
};

struct koa_lag *koa_lag_create(void)
{
    struct koa_lag *lag = koa_calloc(1, sizeof(*lag));

    if (lag == NULL)
        return NULL;
    lag->histories = koa_slots_create(sizeof(struct koa_offset_history), HISTORY_LIMIT);
    lag->progress = koa_slots_create(sizeof(struct koa_progress), PROGRESS_LIMIT);
    if (lag->histories == NULL || lag->progress == NULL) {
        koa_lag_destroy(lag);
        return NULL;
    }
    return lag;
}

void koa_lag_destroy(struct koa_lag *lag)
{
    if (lag == NULL)
        return;
    koa_slots_destroy(lag->histories);
    koa_slots_destroy(lag->progress);
    koa_free(lag);
}

struct koa_markers *koa_lag_markers(struct koa_lag *lag)
{
    return &lag->looked_at;
}

size_t koa_lag_bytes(const struct koa_lag *lag)
{
    return koa_slots_bytes(lag->histories) + koa_slots_bytes(lag->progress);
}

/* One group's topic, and what it was a cycle ago. */
struct join {
    struct koa_lag *lag;
    struct koa_snapshot *draft;
    const struct koa_snapshot *previous;
    struct koa_wall now;
    const struct koa_group_row *group;
    struct koa_group_topic_row *topic;
    const struct koa_group_topic_row *old; /* NULL: it was not there */

    uint32_t next_old;          /* commit of `old` */
    int64_t consumed, readable; /* messages that were read, and that could be */
    bool has_moved;
    int64_t retained, retained_lag;
    struct koa_longest age, readable_age;
};

static bool has_flag(const struct koa_snapshot *snapshot, size_t partition, uint8_t flag)
{
    return (snapshot->partitions.flags[partition] & flag) != 0;
}

/* The commit of the same partition a cycle ago, or NULL. Both lists rise. */
static const struct koa_commit_row *find_old(struct join *join, const struct koa_commit_row *commit)
{
    int32_t id = koa_commit_partition(join->draft, commit);

    while (join->old != NULL && join->next_old < join->old->commit_count) {
        const struct koa_commit_row *old = &join->old->commits[join->next_old];
        int32_t old_id = koa_commit_partition(join->previous, old);

        if ((old->conditions & (1U << KOA_CONDITION_TOPIC_GONE)) != 0 || old_id > id)
            return NULL;
        join->next_old++;
        if (old_id == id)
            return old;
    }
    return NULL;
}

/* Commits are read before the last stable offset, which only grows: a reader of committed messages
 * is never beyond it. One at it may be either. */
static bool reads_uncommitted(const struct koa_snapshot *snapshot,
                              const struct koa_commit_row *commit)
{
    return has_flag(snapshot, commit->place, KOA_PARTITION_STABLE_FRESH) &&
           commit->offset > snapshot->partitions.stable[commit->place];
}

static uint8_t conditions_of(const struct join *join, const struct koa_commit_row *commit,
                             int64_t lag, bool has_lag)
{
    const struct koa_partition_columns *columns = &join->draft->partitions;
    size_t at = commit->place;
    bool is_fresh = has_flag(join->draft, at, KOA_PARTITION_END_FRESH);
    unsigned found = 0;

    if (columns->leader[at] < 0)
        found |= 1U << KOA_CONDITION_LEADERLESS;
    if ((join->group->flags & KOA_GROUP_STALE) != 0 || (has_lag && !is_fresh))
        found |= 1U << KOA_CONDITION_STALE;
    if (has_flag(join->draft, at, KOA_PARTITION_HAS_START) && commit->offset < columns->start[at])
        found |= 1U << KOA_CONDITION_BELOW_START;
    if (is_fresh && commit->offset > columns->end[at])
        found |= 1U << KOA_CONDITION_ABOVE_END;
    if (has_lag && lag > 0 && has_flag(join->draft, at, KOA_PARTITION_IS_OPEN) &&
        commit->offset >= columns->stable[at] && !reads_uncommitted(join->draft, commit))
        found |= 1U << KOA_CONDITION_OPEN_TRANSACTION;
    return (uint8_t) found;
}

/* How long the message at the commit has been there. */
static enum koa_lag_quality find_age(const struct join *join, const struct koa_commit_row *commit,
                                     double *ret_seconds)
{
    const struct koa_offset_history *history =
        koa_slots_get(join->lag->histories, join->draft->partitions.history[commit->place]);
    int64_t written_ms = join->now.ms;
    enum koa_lag_quality quality =
        history != NULL ? koa_offset_history_find(history, commit->offset, &written_ms)
                        : KOA_LAG_UNKNOWN;

    *ret_seconds = join->now.ms > written_ms ? (double) (join->now.ms - written_ms) / 1000.0 : 0;
    /* What was first seen in this cycle says nothing of its age yet. */
    if (quality == KOA_LAG_AT_LEAST && written_ms >= join->now.ms)
        return KOA_LAG_UNKNOWN;
    return quality;
}

/* Markers are no messages. What an open transaction holds back is as old as anything else, but
 * waiting for it is not the consumer's fault. */
static void note_time(struct join *join, const struct koa_commit_row *commit, int64_t lag)
{
    bool has_messages = lag > 0 && (commit->conditions & 1U << KOA_CONDITION_MARKERS_ONLY) == 0;
    enum koa_lag_quality quality = KOA_LAG_EXACT;
    double seconds = 0;

    if (has_messages)
        quality = find_age(join, commit, &seconds);
    koa_longest_add(&join->age, quality, seconds);
    if ((commit->conditions & UNREADABLE) == 0) {
        koa_longest_add(&join->readable_age, quality, seconds);
    } else {
        koa_longest_add(&join->readable_age, KOA_LAG_EXACT, 0);
    }
}

static void note_retention(struct join *join, const struct koa_commit_row *commit, int64_t lag)
{
    const struct koa_partition_columns *columns = &join->draft->partitions;
    size_t at = commit->place;

    if (!has_flag(join->draft, at, KOA_PARTITION_HAS_START) ||
        columns->end[at] <= columns->start[at])
        return;
    join->retained += columns->end[at] - columns->start[at];
    join->retained_lag += lag;
}

static void note_movement(struct join *join, struct koa_commit_row *commit)
{
    const struct koa_commit_row *old = find_old(join, commit);
    const struct koa_partition_columns *columns = &join->draft->partitions;
    bool has_end_moved;

    if (old == NULL)
        return;
    if (commit->offset != old->offset) {
        join->has_moved = true;
        join->consumed += commit->offset > old->offset ? commit->offset - old->offset : 0;
        return;
    }
    has_end_moved = columns->end[commit->place] != join->previous->partitions.end[old->place];
    if (!has_end_moved && has_flag(join->draft, commit->place, KOA_PARTITION_END_FRESH)) {
        commit->still_cycles =
            old->still_cycles < STILL_MOST ? (uint8_t) (old->still_cycles + 1) : STILL_MOST;
        commit->conditions |= old->conditions & (1U << KOA_CONDITION_MARKERS_ONLY);
    }
}

/* A lag that does not end is looked at; what was seen stays true while nothing moves. */
static void note_markers(struct join *join, struct koa_commit_row *commit, int64_t lag)
{
    struct koa_str topic = {.data = join->topic->name, .size = join->topic->name_size};
    int32_t partition = join->draft->partitions.id[commit->place];

    if (commit->still_cycles < KOA_MARKERS_STILL || join->topic->lags != NULL ||
        (commit->conditions & (1U << KOA_CONDITION_MARKERS_ONLY)) != 0)
        return;
    if (koa_markers_are_only(&join->lag->looked_at, topic, partition, commit->offset)) {
        commit->conditions |= 1U << KOA_CONDITION_MARKERS_ONLY;
    } else if (koa_markers_are_due(lag, commit->still_cycles)) {
        koa_markers_add(&join->lag->wanted, topic, partition, commit->offset);
    }
}

static void count_conditions(struct koa_group_topic_row *topic, uint8_t conditions)
{
    for (unsigned i = 0; conditions != 0; i++, conditions >>= 1)
        topic->conditions[i] += conditions & 1U;
}

static void finish_commit(struct join *join, uint32_t index)
{
    struct koa_group_topic_row *topic = join->topic;
    struct koa_commit_row *commit = &topic->commits[index];
    int64_t lag = 0;
    bool has_lag = koa_commit_lag(join->draft, topic, index, &lag);

    topic->committed += commit->offset;
    if ((commit->conditions & (1U << KOA_CONDITION_TOPIC_GONE)) == 0) {
        note_movement(join, commit);
        commit->conditions |= conditions_of(join, commit, lag, has_lag);
        if (has_lag) {
            note_markers(join, commit, lag);
            join->readable += (commit->conditions & UNREADABLE) == 0 ? lag : 0;
            note_time(join, commit, lag);
            note_retention(join, commit, lag);
        }
    }
    count_conditions(topic, commit->conditions);
    if (!has_lag)
        return;
    topic->with_lag++;
    topic->lag += lag;
    if (lag > topic->lag_max)
        topic->lag_max = lag;
}

/* The slot of its rates: that of a cycle ago, or a new one. */
static struct koa_progress *progress_of(struct join *join)
{
    struct koa_slots *slots = join->lag->progress;
    struct koa_group_topic_row *topic = join->topic;

    if (join->old != NULL && join->old->progress != KOA_NO_INDEX &&
        koa_slots_keep(slots, join->old->progress)) {
        topic->progress = join->old->progress;
    } else if (!koa_slots_take(slots, &topic->progress)) {
        topic->progress = KOA_NO_INDEX;
        return NULL;
    }
    return koa_slots_get(slots, topic->progress);
}

static void finish_rates(struct join *join)
{
    struct koa_group_topic_row *topic = join->topic;
    struct koa_progress *progress = progress_of(join);
    struct koa_rates rates;

    if (progress == NULL)
        return;
    /* What is stale stands still in our eyes only. */
    if (topic->conditions[KOA_CONDITION_STALE] == 0)
        koa_progress_observe(progress, join->draft->made.ms, join->consumed, topic->lag);
    if (!koa_progress_rates(progress, &rates))
        return;
    topic->flags |= KOA_GROUP_TOPIC_HAS_RATES;
    topic->consumption_rate = (float) rates.consumption;
    topic->lag_velocity = (float) rates.velocity;
    if (topic->lag == 0) {
        topic->flags |= KOA_GROUP_TOPIC_HAS_CATCH_UP;
    } else if (rates.velocity < 0) {
        topic->flags |= KOA_GROUP_TOPIC_HAS_CATCH_UP;
        topic->catch_up_seconds = (float) ((double) topic->lag / -rates.velocity);
    }
}

static void finish_age(const struct koa_longest *age, uint8_t *ret_quality, float *ret_seconds)
{
    double seconds;

    *ret_quality = (uint8_t) koa_longest_end(age, &seconds);
    *ret_seconds = (float) seconds;
}

static void finish_topic(struct join *join)
{
    struct koa_group_topic_row *topic = join->topic;

    for (uint32_t i = 0; i < topic->commit_count; i++)
        finish_commit(join, i);
    if (topic->topic != KOA_NO_INDEX) {
        uint32_t partitions = (uint32_t) join->draft->topics[topic->topic].count;
        uint32_t there = topic->commit_count - topic->conditions[KOA_CONDITION_TOPIC_GONE];

        topic->conditions[KOA_CONDITION_NO_COMMIT] =
            topic->commit_count > 0 ? partitions - there : topic->assigned;
    }
    topic->progress_ms = join->old != NULL ? join->old->progress_ms : 0;
    if (topic->with_lag == 0)
        return;
    if (join->has_moved || join->readable == 0 || topic->progress_ms == 0)
        topic->progress_ms = join->now.ms;
    finish_age(&join->age, &topic->lag_quality, &topic->lag_seconds);
    finish_age(&join->readable_age, &topic->readable_quality, &topic->readable_seconds);
    if (join->retained > 0) {
        double ratio = (double) join->retained_lag / (double) join->retained;

        topic->flags |= KOA_GROUP_TOPIC_HAS_RETENTION;
        topic->retention_ratio = (float) (ratio < 1 ? ratio : 1);
    }
    finish_rates(join);
}

static struct koa_str topic_name(const struct koa_group_topic_row *row)
{
    return (struct koa_str){.data = row->name, .size = row->name_size};
}

/* What was read of a topic that has been made anew since says nothing of this one. */
static bool is_same_topic(const struct join *join, const struct koa_group_topic_row *old)
{
    return join->topic->topic == KOA_NO_INDEX || old->topic == KOA_NO_INDEX ||
           koa_topic_is_same(&join->draft->topics[join->topic->topic],
                             &join->previous->topics[old->topic]);
}

/* `cycle`: what is the same for all groups. `old` may be NULL. */
static void finish_group(const struct join *cycle, struct koa_group_row *group,
                         const struct koa_group_row *old)
{
    uint32_t next = 0;

    for (uint32_t i = 0; i < group->topic_count; i++) {
        struct join join = *cycle;

        join.group = group;
        join.topic = &group->topics[i];
        while (old != NULL && next < old->topic_count) {
            int order = koa_str_compare(topic_name(&old->topics[next]), topic_name(join.topic));

            if (order > 0)
                break;
            if (order == 0 && is_same_topic(&join, &old->topics[next]))
                join.old = &old->topics[next];
            next++;
        }
        finish_topic(&join);
        group->with_lag += join.topic->with_lag;
        group->lag += join.topic->lag;
        if (join.topic->lag_max > group->lag_max)
            group->lag_max = join.topic->lag_max;
        for (int c = 0; c < KOA_CONDITION_COUNT; c++)
            group->conditions[c] += join.topic->conditions[c];
    }
}

/* Every partition that a group has a commit of has a history. */
static void take_histories(struct koa_lag *lag, struct koa_snapshot *draft,
                           const struct koa_group_topic_row *topic)
{
    uint32_t *slots = draft->partitions.history;

    for (uint32_t i = 0; topic->topic != KOA_NO_INDEX && i < topic->commit_count; i++) {
        const struct koa_commit_row *commit = &topic->commits[i];
        bool is_gone = (commit->conditions & (1U << KOA_CONDITION_TOPIC_GONE)) != 0;

        if (!is_gone && slots[commit->place] == KOA_NO_INDEX &&
            !koa_slots_take(lag->histories, &slots[commit->place]))
            return; /* at the limit: it does without */
    }
}

static void note_ends(struct koa_lag *lag, struct koa_snapshot *draft, struct koa_wall now)
{
    for (size_t g = 0; g < draft->group_count; g++) {
        for (uint32_t t = 0; t < draft->groups[g].topic_count; t++)
            take_histories(lag, draft, &draft->groups[g].topics[t]);
    }
    for (size_t at = 0; at < draft->partition_count; at++) {
        struct koa_offset_history *history =
            koa_slots_get(lag->histories, draft->partitions.history[at]);

        if (history == NULL)
            continue;
        history->is_waiting = false;
        if (has_flag(draft, at, KOA_PARTITION_END_FRESH))
            koa_offset_history_observe(history, now.ms, draft->partitions.end[at]);
    }
}

/* A partition keeps its slot while it is there. */
static void keep_histories(struct koa_lag *lag, struct koa_snapshot *draft)
{
    uint32_t *slots = draft->partitions.history;

    for (size_t at = 0; at < draft->partition_count; at++) {
        if (slots[at] != KOA_NO_INDEX && !koa_slots_keep(lag->histories, slots[at]))
            slots[at] = KOA_NO_INDEX;
    }
}

void koa_lag_finish(struct koa_lag *lag, struct koa_snapshot *draft,
                    const struct koa_snapshot *previous, struct koa_wall now)
{
    struct join cycle = {.lag = lag, .draft = draft, .previous = previous, .now = now};
    size_t next = 0;

    keep_histories(lag, draft);
    note_ends(lag, draft, now);
    for (size_t i = 0; i < draft->group_count; i++) {
        struct koa_group_row *group = &draft->groups[i];
        const struct koa_group_row *old = NULL;

        while (previous != NULL && next < previous->group_count && old == NULL) {
            const struct koa_group_row *row = &previous->groups[next];
            int order =
                koa_str_compare((struct koa_str){.data = row->name, .size = row->name_size},
                                (struct koa_str){.data = group->name, .size = group->name_size});

            if (order > 0)
                break;
            if (order == 0)
                old = row;
            next++;
        }
        finish_group(&cycle, group, old);
    }
    koa_slots_sweep(lag->histories);
    koa_slots_sweep(lag->progress);
    lag->looked_at = lag->wanted;
    lag->wanted.count = 0;
}

size_t koa_lag_questions(struct koa_lag *lag, const struct koa_snapshot *draft, struct koa_wall now,
                         struct koa_time_question *ret_questions, size_t limit)
{
    size_t count = 0;

    for (size_t g = 0; g < draft->group_count && count < limit; g++) {
        for (uint32_t t = 0; t < draft->groups[g].topic_count; t++) {
            const struct koa_group_topic_row *topic = &draft->groups[g].topics[t];

            for (uint32_t i = 0; i < topic->commit_count && count < limit; i++) {
                const struct koa_commit_row *commit = &topic->commits[i];
                struct koa_offset_history *history;

                if ((commit->conditions & (1U << KOA_CONDITION_TOPIC_GONE)) != 0)
                    continue;
                history = koa_slots_get(lag->histories, draft->partitions.history[commit->place]);
                if (history != NULL && koa_offset_history_question(history, commit->offset, now.ms,
                                                                   &ret_questions[count].timestamp))
                    ret_questions[count++].partition = commit->place;
            }
        }
    }
    return count;
}

void koa_lag_learn(struct koa_lag *lag, const struct koa_snapshot *draft, size_t partition,
                   int64_t timestamp, int64_t offset)
{
    struct koa_offset_history *history =
        koa_slots_get(lag->histories, draft->partitions.history[partition]);

    if (history != NULL)
        koa_offset_history_learn(history, timestamp, offset);
}

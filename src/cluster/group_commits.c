/* What groups have committed: from OffsetFetch, or from what an earlier cycle knew. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cluster/group_answer.h"

enum {
    NAME_LIMIT = 249, /* Kafka's own limit of a topic's name */
    CONDITION_GONE = 1U << KOA_CONDITION_TOPIC_GONE,
    SHORT_LIST = 64, /* up to here the plain sort is the faster one */
};

bool koa_group_begin_topics(struct koa_group_answers *answers, struct koa_group_row *row,
                            size_t topics)
{
    row->topic_count = 0;
    row->topics = koa_arena_alloc(answers->draft->arena, topics + 1, sizeof(*row->topics));
    return row->topics != NULL;
}

/* The name as the draft has it; a copy when the topic is gone. NULL: not watched, or no name. */
static const char *topic_name(struct koa_group_answers *answers, struct koa_str name,
                              const struct koa_topic_row *topic)
{
    char text[NAME_LIMIT + 1];

    if (topic != NULL)
        return topic->name;
    if (name.size == 0 || name.size > NAME_LIMIT || !koa_utf8_valid(name) ||
        memchr(name.data, '\0', name.size) != NULL)
        return NULL;
    (void) koa_str_copy(text, sizeof(text), name);
    if (answers->topics != NULL && !koa_name_filter_passes(answers->topics, text))
        return NULL;
    return koa_arena_strndup(answers->draft->arena, name.data, name.size);
}

struct koa_group_topic_row *koa_group_add_topic(struct koa_group_answers *answers,
                                                struct koa_group_row *row, struct koa_str name,
                                                size_t commits)
{
    const struct koa_topic_row *topic = koa_snapshot_find_topic(answers->draft, name);
    const char *text = topic_name(answers, name, topic);
    struct koa_group_topic_row *added = &row->topics[row->topic_count];

    if (text == NULL)
        return NULL;
    *added = (struct koa_group_topic_row){
        .name = text,
        .name_size = (uint32_t) name.size,
        .topic = topic != NULL ? (uint32_t) (topic - answers->draft->topics) : KOA_NO_INDEX,
        .progress = KOA_NO_INDEX};
    added->commits =
        koa_arena_alloc(answers->draft->arena, commits > 0 ? commits : 1, sizeof(*added->commits));
    if (added->commits == NULL)
        return NULL;
    row->topic_count++;
    return added;
}

void koa_group_add_commit(const struct koa_snapshot *draft, struct koa_group_topic_row *topic,
                          int32_t partition, int64_t offset)
{
    struct koa_commit_row *commit = &topic->commits[topic->commit_count];
    size_t place = 0;
    bool is_there =
        topic->topic != KOA_NO_INDEX &&
        koa_snapshot_find_partition(draft, &draft->topics[topic->topic], partition, &place);

    if (partition < 0 || offset < 0)
        return;
    commit->offset = offset;
    commit->place = is_there ? (uint32_t) place : (uint32_t) partition;
    commit->conditions = is_there ? 0 : CONDITION_GONE;
    topic->commit_count++;
}

/* Those that are there first, then those that are gone; places are in the partitions' order. */
static int by_place(const void *a, const void *b)
{
    const struct koa_commit_row *first = a;
    const struct koa_commit_row *second = b;
    int gone_first = (first->conditions & CONDITION_GONE) != 0;
    int gone_second = (second->conditions & CONDITION_GONE) != 0;

    if (gone_first != gone_second)
        return gone_first - gone_second;
    return (first->place > second->place) - (first->place < second->place);
}

static bool is_rising(const struct koa_group_topic_row *topic)
{
    for (uint32_t i = 1; i < topic->commit_count; i++) {
        if (by_place(&topic->commits[i - 1], &topic->commits[i]) >= 0)
            return false;
    }
    return true;
}

static void sort_commits(struct koa_commit_row *commits, uint32_t count)
{
    if (count > SHORT_LIST) {
        qsort(commits, count, sizeof(*commits), by_place);
        return;
    }
    for (uint32_t i = 1; i < count; i++) {
        struct koa_commit_row commit = commits[i];
        uint32_t at = i;

        for (; at > 0 && by_place(&commits[at - 1], &commit) > 0; at--)
            commits[at] = commits[at - 1];
        commits[at] = commit;
    }
}

static void order_commits(struct koa_group_topic_row *topic)
{
    uint32_t kept = 0;

    if (is_rising(topic))
        return;
    sort_commits(topic->commits, topic->commit_count);
    for (uint32_t i = 0; i < topic->commit_count; i++) {
        if (kept == 0 || by_place(&topic->commits[kept - 1], &topic->commits[i]) != 0)
            topic->commits[kept++] = topic->commits[i];
    }
    topic->commit_count = kept;
}

static struct koa_str name_of(const struct koa_group_topic_row *topic)
{
    return (struct koa_str){.data = topic->name, .size = topic->name_size};
}

static int by_name(const void *a, const void *b)
{
    return koa_str_compare(name_of(a), name_of(b));
}

void koa_group_end_topics(struct koa_snapshot *draft, struct koa_group_row *row)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < row->topic_count; i++)
        order_commits(&row->topics[i]);
    if (row->topic_count > 1)
        qsort(row->topics, row->topic_count, sizeof(*row->topics), by_name);
    for (uint32_t i = 0; i < row->topic_count; i++) {
        if (kept == 0 || by_name(&row->topics[kept - 1], &row->topics[i]) != 0)
            row->topics[kept++] = row->topics[i];
    }
    row->topic_count = kept;
    row->commits_ms = draft->made.ms;
    row->flags |= KOA_GROUP_HAS_COMMITS;
}

/* Topics of one group. A partition with an error keeps out: `error_code` says the last. */
static bool take_topics(struct koa_group_answers *answers, struct koa_group_row *row,
                        const struct koa_kafka_offset_fetch_topic *topics, size_t count)
{
    if (!koa_group_begin_topics(answers, row, count))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct koa_kafka_offset_fetch_topic *topic = &topics[i];
        struct koa_group_topic_row *added =
            koa_group_add_topic(answers, row, topic->name, topic->partitions.count);

        for (size_t j = 0; added != NULL && j < topic->partitions.count; j++) {
            const struct koa_kafka_offset_fetch_partition *partition = &topic->partitions.rows[j];

            if (koa_group_accepts(answers, row, partition->error_code, "OffsetFetch")) {
                koa_group_add_commit(answers->draft, added, partition->partition_index,
                                     partition->committed_offset);
            }
        }
        if (added != NULL && added->commit_count == 0)
            row->topic_count--;
    }
    koa_group_end_topics(answers->draft, row);
    return !koa_arena_failed(answers->draft->arena);
}

bool koa_take_commits(struct koa_group_answers *answers, struct koa_group_slice asked,
                      const struct koa_kafka_offset_fetch_response *answer)
{
    /* One group a request before version 8, and it is not named. */
    if (answer->groups.count == 0 && asked.count == 1) {
        struct koa_group_row *row = &answers->draft->groups[asked.indexes[0]];

        return !koa_group_accepts(answers, row, answer->error_code, "OffsetFetch") ||
               take_topics(answers, row, answer->topics.rows, answer->topics.count);
    }
    for (size_t i = 0; i < answer->groups.count; i++) {
        const struct koa_kafka_offset_fetch_group *group = &answer->groups.rows[i];
        struct koa_group_row *row = koa_group_answers_find(answers, asked, i, group->group_id);

        if (row == NULL || !koa_group_accepts(answers, row, group->error_code, "OffsetFetch"))
            continue;
        if (!take_topics(answers, row, group->topics.rows, group->topics.count))
            return false;
    }
    return true;
}

/* Among the first `count`, which are in order. */
static struct koa_group_topic_row *find_topic(struct koa_group_row *row, uint32_t count,
                                              struct koa_str name)
{
    struct koa_group_topic_row key = {.name = name.data, .name_size = (uint32_t) name.size};

    return count > 0 ? bsearch(&key, row->topics, count, sizeof(key), by_name) : NULL;
}

struct koa_group_topic_row *koa_group_topic_find(struct koa_group_row *row, struct koa_str name)
{
    return find_topic(row, row->topic_count, name);
}

/* Rows for the `missing` topics that are assigned and have no commit. */
static bool add_assigned(struct koa_group_answers *answers, struct koa_group_row *row,
                         const struct koa_group_work *work, uint32_t missing)
{
    struct koa_group_topic_row *topics = row->topics;
    uint32_t with_commits = row->topic_count;

    row->topics = koa_arena_alloc(answers->draft->arena, with_commits + missing, sizeof(*topics));
    if (row->topics == NULL) {
        row->topics = topics;
        return false;
    }
    if (with_commits > 0)
        memcpy(row->topics, topics, with_commits * sizeof(*topics));
    for (uint32_t i = 0; i < work->assigned_count; i++) {
        struct koa_group_topic_row *topic;

        if (find_topic(row, with_commits, work->assigned[i].topic) != NULL)
            continue;
        topic = koa_group_add_topic(answers, row, work->assigned[i].topic, 0);
        if (topic != NULL)
            topic->assigned = work->assigned[i].partitions;
    }
    qsort(row->topics, row->topic_count, sizeof(*row->topics), by_name);
    return !koa_arena_failed(answers->draft->arena);
}

bool koa_group_join_assigned(struct koa_group_answers *answers, struct koa_group_row *row)
{
    const struct koa_group_work *work = &answers->work[row - answers->draft->groups];
    uint32_t missing = 0;

    if (!work->has_assigned)
        return true;
    for (uint32_t i = 0; i < work->assigned_count; i++) {
        struct koa_group_topic_row *topic =
            find_topic(row, row->topic_count, work->assigned[i].topic);

        if (topic != NULL) {
            topic->assigned = work->assigned[i].partitions;
        } else {
            missing++;
        }
    }
    if (missing > 0 && !add_assigned(answers, row, work, missing))
        return false;
    for (uint32_t i = 0; i < row->topic_count; i++)
        row->topics[i].flags |= KOA_GROUP_TOPIC_HAS_ASSIGNED;
    return true;
}

static bool carry_topic(struct koa_group_answers *answers, struct koa_group_row *row,
                        const struct koa_snapshot *previous, const struct koa_group_topic_row *old)
{
    struct koa_group_topic_row *topic =
        koa_group_add_topic(answers, row, name_of(old), old->commit_count);

    if (topic == NULL)
        return !koa_arena_failed(answers->draft->arena);
    /* With a topic its commits go, whatever has its name now. */
    if (topic->topic != KOA_NO_INDEX && old->topic != KOA_NO_INDEX &&
        !koa_topic_is_same(&answers->draft->topics[topic->topic], &previous->topics[old->topic])) {
        row->topic_count--;
        return true;
    }
    for (uint32_t i = 0; i < old->commit_count; i++) {
        koa_group_add_commit(answers->draft, topic,
                             koa_commit_partition(previous, &old->commits[i]),
                             old->commits[i].offset);
    }
    if (old->lags != NULL && topic->commit_count == old->commit_count) {
        int64_t *lags = koa_arena_alloc(answers->draft->arena, old->commit_count, sizeof(*lags));

        if (lags == NULL)
            return false;
        memcpy(lags, old->lags, old->commit_count * sizeof(*lags));
        topic->lags = lags;
    }
    return true;
}

bool koa_group_carry_over(struct koa_group_answers *answers, struct koa_group_row *row,
                          const struct koa_snapshot *previous, int64_t keep_ms)
{
    const struct koa_group_row *old;
    size_t index;

    if ((row->flags & (KOA_GROUP_HAS_COMMITS | KOA_GROUP_DEAD)) != 0 || previous == NULL ||
        !koa_snapshot_find_group(
            previous, (struct koa_str){.data = row->name, .size = row->name_size}, &index))
        return true;
    old = &previous->groups[index];
    if ((old->flags & KOA_GROUP_HAS_COMMITS) == 0 ||
        answers->draft->made.ms - old->commits_ms > keep_ms)
        return true;
    if (!koa_group_begin_topics(answers, row, old->topic_count))
        return false;
    for (uint32_t i = 0; i < old->topic_count; i++) {
        if (!carry_topic(answers, row, previous, &old->topics[i]))
            return false;
    }
    koa_group_end_topics(answers->draft, row);
    row->commits_ms = old->commits_ms;
    row->flags |= KOA_GROUP_STALE;
    return true;
}

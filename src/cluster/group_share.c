/* Share groups and streams groups, as their own APIs tell them. */
#include "base/str.h"
#include "cluster/group_answer.h"
#include "cluster/group_list.h"

bool koa_take_share_described(struct koa_group_answers *answers, struct koa_group_slice asked,
                              const struct koa_kafka_share_group_describe_response *answer)
{
    struct koa_arena *arena = answers->draft->arena;

    for (size_t i = 0; i < answer->groups.count; i++) {
        const struct koa_kafka_share_group_describe_group *group = &answer->groups.rows[i];
        struct koa_group_row *row = koa_group_answers_find(answers, asked, i, group->group_id);
        struct koa_member_count count;

        if (row == NULL ||
            !koa_group_accepts(answers, row, group->error_code, "ShareGroupDescribe"))
            continue;
        row->state = koa_group_word(arena, group->group_state);
        row->protocol = koa_group_word(arena, group->assignor_name);
        if (row->state == NULL || row->protocol == NULL)
            return false;
        koa_member_begin(&count, answers);
        for (size_t j = 0; j < group->members.count; j++)
            koa_member_add(&count, group->members.rows[j].assignment);
        koa_member_end(&count, row);
    }
    return !koa_arena_failed(arena) && !koa_arena_failed(answers->arena);
}

bool koa_take_streams_described(struct koa_group_answers *answers, struct koa_group_slice asked,
                                const struct koa_kafka_streams_group_describe_response *answer)
{
    struct koa_arena *arena = answers->draft->arena;

    for (size_t i = 0; i < answer->groups.count; i++) {
        const struct koa_kafka_streams_group_describe_group *group = &answer->groups.rows[i];
        struct koa_group_row *row = koa_group_answers_find(answers, asked, i, group->group_id);

        if (row == NULL ||
            !koa_group_accepts(answers, row, group->error_code, "StreamsGroupDescribe"))
            continue;
        row->state = koa_group_word(arena, group->group_state);
        if (group->assignor_name.data != NULL) /* told since version 1 */
            row->protocol = koa_group_word(arena, group->assignor_name);
        if (row->state == NULL || row->protocol == NULL)
            return false;
        row->flags |= KOA_GROUP_HAS_MEMBERS;
        row->members = (int64_t) group->members.count;
        row->idle_members = 0;
        /* Tasks are of subtopologies; which topics' partitions they read is not told. */
        for (size_t j = 0; j < group->members.count; j++) {
            const struct koa_kafka_streams_group_describe_assignment *assignment =
                group->members.rows[j].assignment;

            row->idle_members += assignment == NULL || assignment->active_tasks.count == 0 ? 1 : 0;
        }
    }
    return !koa_arena_failed(arena);
}

/* One topic: where reading starts, and how much is left as the coordinator counts it. */
static bool take_topic(struct koa_group_answers *answers, struct koa_group_row *row,
                       const struct koa_kafka_describe_share_group_offsets_topic *topic)
{
    size_t count = topic->partitions.count;
    struct koa_group_topic_row *added = koa_group_add_topic(answers, row, topic->topic_name, count);

    if (added == NULL)
        return !koa_arena_failed(answers->draft->arena);
    for (size_t i = 0; i < count; i++) {
        const struct koa_kafka_describe_share_group_offsets_partition *partition =
            &topic->partitions.rows[i];

        if (koa_group_accepts(answers, row, partition->error_code, "DescribeShareGroupOffsets")) {
            koa_group_add_commit(answers->draft, added, partition->partition_index,
                                 partition->start_offset);
        }
    }
    return true;
}

/* The lags of one topic, in the order that its commits have by now. */
static bool take_lags(struct koa_group_answers *answers, struct koa_group_row *row,
                      const struct koa_kafka_describe_share_group_offsets_topic *topic)
{
    struct koa_group_topic_row *added = koa_group_topic_find(row, topic->topic_name);
    int64_t *lags;

    if (added == NULL || topic->partitions.count == 0 || topic->partitions.rows[0].lag < 0)
        return true;
    lags = koa_arena_alloc(answers->draft->arena, added->commit_count + 1U, sizeof(*lags));
    if (lags == NULL)
        return false;
    for (uint32_t i = 0; i < added->commit_count; i++) {
        int32_t id = koa_commit_partition(answers->draft, &added->commits[i]);

        lags[i] = -1;
        for (size_t j = 0; j < topic->partitions.count; j++) {
            if (topic->partitions.rows[j].partition_index == id)
                lags[i] = topic->partitions.rows[j].lag;
        }
    }
    added->lags = lags;
    return true;
}

bool koa_take_share_offsets(struct koa_group_answers *answers, struct koa_group_slice asked,
                            const struct koa_kafka_describe_share_group_offsets_response *answer)
{
    for (size_t i = 0; i < answer->groups.count; i++) {
        const struct koa_kafka_describe_share_group_offsets_group *group = &answer->groups.rows[i];
        struct koa_group_row *row = koa_group_answers_find(answers, asked, i, group->group_id);

        if (row == NULL ||
            !koa_group_accepts(answers, row, group->error_code, "DescribeShareGroupOffsets"))
            continue;
        if (!koa_group_begin_topics(answers, row, group->topics.count))
            return false;
        for (size_t j = 0; j < group->topics.count; j++) {
            if (!take_topic(answers, row, &group->topics.rows[j]))
                return false;
        }
        koa_group_end_topics(answers->draft, row);
        for (size_t j = 0; j < group->topics.count; j++) {
            if (!take_lags(answers, row, &group->topics.rows[j]))
                return false;
        }
    }
    return true;
}

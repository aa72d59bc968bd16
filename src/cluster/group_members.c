/* Who is in a group, and what they are assigned, as the describe APIs tell it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/str.h"
#include "cluster/assignment.h"
#include "cluster/group_answer.h"
#include "cluster/group_list.h"
#include "cluster/name_search.h"
#include "kafka/error_code.h"

/* The groups of a request. */
struct asked_groups {
    const struct koa_group_row *groups;
    const size_t *indexes;
};

static struct koa_str asked_name_at(const void *rows, size_t index)
{
    const struct asked_groups *asked = rows;
    const struct koa_group_row *row = &asked->groups[asked->indexes[index]];

    return (struct koa_str){.data = row->name, .size = row->name_size};
}

struct koa_group_row *koa_group_answers_find(const struct koa_group_answers *answers,
                                             struct koa_group_slice asked, size_t hint,
                                             struct koa_str name)
{
    struct koa_group_row *groups = answers->draft->groups;
    const struct asked_groups rows = {.groups = groups, .indexes = asked.indexes};
    size_t found = hint;

    /* Most answers follow the request's order; none has to. */
    if (hint >= asked.count || !koa_str_equal(name, asked_name_at(&rows, hint)))
        found = koa_name_search(&rows, asked.count, asked_name_at, name);
    return found < asked.count ? &groups[asked.indexes[found]] : NULL;
}

static struct koa_group_work *work_of(const struct koa_group_answers *answers,
                                      const struct koa_group_row *row)
{
    return &answers->work[row - answers->draft->groups];
}

bool koa_group_accepts(struct koa_group_answers *answers, struct koa_group_row *row, int16_t code,
                       const char *what)
{
    if (code == KOA_KAFKA_NO_ERROR)
        return true;
    if (code == KOA_KAFKA_GROUP_ID_NOT_FOUND) {
        row->flags |= KOA_GROUP_DEAD;
        return false;
    }
    if (code == KOA_KAFKA_NOT_COORDINATOR)
        work_of(answers, row)->is_refused = true;
    row->error =
        koa_arena_printf(answers->draft->arena, "%s: %s", what, koa_kafka_error_name(code));
    if (row->error == NULL)
        row->error = what;
    return false;
}

void koa_member_begin(struct koa_member_count *count, struct koa_group_answers *answers)
{
    *count = (struct koa_member_count){.answers = answers};
}

static bool add_assigned(void *context, struct koa_str topic, uint32_t partitions)
{
    struct koa_member_count *count = context;

    if (count->count == count->capacity) {
        size_t capacity = count->capacity > 0 ? count->capacity * 2 : 16;
        struct koa_assigned *rows = koa_arena_alloc(count->answers->arena, capacity, sizeof(*rows));

        if (rows == NULL) {
            count->has_failed = true;
            return false;
        }
        if (count->count > 0)
            memcpy(rows, count->rows, count->count * sizeof(*rows));
        count->rows = rows;
        count->capacity = capacity;
    }
    count->rows[count->count++] = (struct koa_assigned){.topic = topic, .partitions = partitions};
    return true;
}

void koa_member_add(struct koa_member_count *count,
                    const struct koa_kafka_group_assignment *assignment)
{
    size_t before = count->count;

    count->members++;
    for (size_t i = 0; assignment != NULL && i < assignment->topic_partitions.count; i++) {
        const struct koa_kafka_group_assignment_topic *topic =
            &assignment->topic_partitions.rows[i];

        if (topic->partitions.count > 0)
            (void) add_assigned(count, topic->topic_name, (uint32_t) topic->partitions.count);
    }
    count->idle += count->count == before ? 1 : 0;
}

static int by_topic(const void *a, const void *b)
{
    return koa_str_compare(((const struct koa_assigned *) a)->topic,
                           ((const struct koa_assigned *) b)->topic);
}

/* Sums up what several members have of one topic. Names are views of the answer's frame: those that
 * stay are copied. */
void koa_member_end(struct koa_member_count *count, struct koa_group_row *row)
{
    struct koa_group_work *work = work_of(count->answers, row);
    size_t kept = 0;

    row->members = count->members;
    row->idle_members = count->idle;
    row->flags |= KOA_GROUP_HAS_MEMBERS;
    if (count->has_failed)
        return;
    if (count->count > 0)
        qsort(count->rows, count->count, sizeof(*count->rows), by_topic);
    for (size_t i = 0; i < count->count; i++) {
        if (kept > 0 && koa_str_equal(count->rows[kept - 1].topic, count->rows[i].topic)) {
            count->rows[kept - 1].partitions += count->rows[i].partitions;
        } else {
            count->rows[kept++] = count->rows[i];
        }
    }
    for (size_t i = 0; i < kept; i++) {
        struct koa_str topic = count->rows[i].topic;

        count->rows[i].topic.data =
            koa_arena_strndup(count->answers->arena, topic.data, topic.size);
        if (count->rows[i].topic.data == NULL)
            return;
    }
    work->assigned = count->rows;
    work->assigned_count = (uint32_t) kept;
    work->has_assigned = true;
}

/* A member of a classic group; of what is no consumer only the number is known. */
static void add_classic(struct koa_member_count *count,
                        const struct koa_kafka_describe_groups_member *member, bool is_consumer)
{
    size_t before = count->count;

    count->members++;
    if (is_consumer)
        (void) koa_assignment_read(member->member_assignment, add_assigned, count);
    if (is_consumer ? count->count == before : member->member_assignment.size == 0)
        count->idle++;
}

bool koa_take_described(struct koa_group_answers *answers, struct koa_group_slice asked,
                        const struct koa_kafka_describe_groups_response *answer)
{
    struct koa_arena *arena = answers->draft->arena;

    for (size_t i = 0; i < answer->groups.count; i++) {
        const struct koa_kafka_describe_groups_group *group = &answer->groups.rows[i];
        struct koa_group_row *row = koa_group_answers_find(answers, asked, i, group->group_id);
        bool is_consumer = koa_str_equal_text(group->protocol_type, "consumer");
        struct koa_member_count count;

        if (row == NULL || !koa_group_accepts(answers, row, group->error_code, "DescribeGroups"))
            continue;
        row->state = koa_group_word(arena, group->group_state);
        row->protocol = koa_group_word(arena, group->protocol_data);
        if (row->state == NULL || row->protocol == NULL)
            return false;
        /* Of another type, or gone: what commits there are is OffsetFetch's to say. */
        if (koa_str_equal_text(group->group_state, "Dead"))
            continue;
        koa_member_begin(&count, answers);
        for (size_t j = 0; j < group->members.count; j++)
            add_classic(&count, &group->members.rows[j], is_consumer);
        koa_member_end(&count, row);
    }
    return !koa_arena_failed(arena) && !koa_arena_failed(answers->arena);
}

bool koa_take_consumer_described(struct koa_group_answers *answers, struct koa_group_slice asked,
                                 const struct koa_kafka_consumer_group_describe_response *answer)
{
    struct koa_arena *arena = answers->draft->arena;

    for (size_t i = 0; i < answer->groups.count; i++) {
        const struct koa_kafka_consumer_group_describe_group *group = &answer->groups.rows[i];
        struct koa_group_row *row = koa_group_answers_find(answers, asked, i, group->group_id);
        struct koa_member_count count;

        if (row == NULL ||
            !koa_group_accepts(answers, row, group->error_code, "ConsumerGroupDescribe"))
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

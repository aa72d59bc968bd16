/* Ids and hosts follow from the group's own random number, assignments from its run of partitions.
 * The bytes are those of ConsumerProtocolSubscription and ConsumerProtocolAssignment. */
#include "sim/member.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "sim/draw.h"

enum { PROTOCOL_VERSION = 1, NAME_SHOWN_MAX = 200 };

/* Big-endian numbers and strings into memory that is known to be long enough. */
struct writer {
    char *at;
};

static void put_number(struct writer *writer, int64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        *writer->at++ = (char) (unsigned char) ((uint64_t) number >> (8 * (size - 1 - i)));
}

static void put_name(struct writer *writer, struct koa_str name)
{
    put_number(writer, (int64_t) name.size, 2);
    memcpy(writer->at, name.data, name.size);
    writer->at += name.size;
}

bool koa_sim_member_fill(const struct koa_sim_question *question, const struct koa_sim_group *group,
                         int32_t index, struct koa_sim_member *ret_member)
{
    uint64_t high = koa_sim_draw_at(group->salt, (uint64_t) index * 2 + 1);
    uint64_t low = koa_sim_draw_at(group->salt, (uint64_t) index * 2 + 2);
    int size =
        group->plan.name.size < NAME_SHOWN_MAX ? (int) group->plan.name.size : NAME_SHOWN_MAX;
    const char *client =
        koa_arena_printf(question->arena, "%.*s-%" PRId32, size, group->plan.name.data, index + 1);
    const char *host = koa_arena_printf(question->arena, "/10.%d.%d.%d", (int) (high >> 8 & 255),
                                        (int) (high >> 16 & 255), (int) (index % 250 + 1));
    const char *id =
        client == NULL
            ? NULL
            : koa_arena_printf(question->arena, "%s-%08x-%04x-4%03x-8%03x-%012" PRIx64, client,
                               (unsigned) (high >> 32), (unsigned) (high & 0xffff),
                               (unsigned) (high >> 16 & 0xfff), (unsigned) (low >> 48 & 0xfff),
                               low & UINT64_C(0xffffffffffff));

    if (host == NULL || id == NULL)
        return false;
    *ret_member = (struct koa_sim_member){.member_id = koa_str_from(id),
                                          .client_id = koa_str_from(client),
                                          .client_host = koa_str_from(host)};
    return true;
}

bool koa_sim_group_topics(const struct koa_sim_question *question,
                          const struct koa_sim_group *group, struct koa_str **ret_names,
                          size_t *ret_count)
{
    const struct koa_sim_model *model = question->cluster->model;
    size_t end = group->plan.first + group->plan.count;
    size_t count = 0;
    struct koa_str *names;
    struct koa_sim_span span;

    for (size_t at = group->plan.first; at < end; at += span.count, count++)
        span = koa_sim_model_span(model, at, end - at);
    names = koa_arena_alloc(question->arena, count, sizeof(*names));
    if (names == NULL)
        return false;
    count = 0;
    for (size_t at = group->plan.first; at < end; at += span.count) {
        span = koa_sim_model_span(model, at, end - at);
        if (!span.topic->is_deleted && koa_sim_group_left(group, at) == NULL)
            names[count++] = span.topic->name;
    }
    *ret_names = names;
    *ret_count = count;
    return true;
}

bool koa_sim_group_subscription(const struct koa_sim_question *question,
                                const struct koa_sim_group *group, struct koa_str *ret_bytes)
{
    struct koa_str *names;
    size_t count;
    size_t size = 2 + 4 + 4 + 4; /* version, topics, no user data, nothing owned */
    struct writer writer;
    char *bytes;

    if (!koa_sim_group_topics(question, group, &names, &count))
        return false;
    for (size_t i = 0; i < count; i++)
        size += 2 + names[i].size;
    bytes = koa_arena_alloc(question->arena, size, 1);
    if (bytes == NULL)
        return false;
    writer.at = bytes;
    put_number(&writer, PROTOCOL_VERSION, 2);
    put_number(&writer, (int64_t) count, 4);
    for (size_t i = 0; i < count; i++)
        put_name(&writer, names[i]);
    put_number(&writer, -1, 4);
    put_number(&writer, 0, 4);
    *ret_bytes = (struct koa_str){.data = bytes, .size = size};
    return true;
}

bool koa_sim_member_assignment(const struct koa_sim_question *question,
                               const struct koa_sim_group *group, int32_t index,
                               struct koa_kafka_group_assignment **ret_assignment)
{
    const struct koa_sim_model *model = question->cluster->model;
    struct koa_kafka_group_assignment *assignment =
        koa_arena_alloc(question->arena, 1, sizeof(*assignment));
    size_t first;
    size_t count;
    size_t topics = 0;
    struct koa_sim_span span;

    koa_sim_group_assignment(group, index, &first, &count);
    for (size_t at = first; at < first + count; at += span.count, topics++)
        span = koa_sim_model_span(model, at, first + count - at);
    if (assignment == NULL || !KOA_SIM_ROWS(question->arena, assignment->topic_partitions, topics))
        return false;
    assignment->topic_partitions.count = 0;
    for (size_t at = first; at < first + count; at += span.count) {
        struct koa_kafka_group_assignment_topic *row;

        span = koa_sim_model_span(model, at, first + count - at);
        if (span.topic->is_deleted || koa_sim_group_left(group, at) != NULL)
            continue;
        row = &assignment->topic_partitions.rows[assignment->topic_partitions.count++];
        row->topic_name = span.topic->name;
        memcpy(row->topic_id.bytes, span.topic->id, sizeof(row->topic_id.bytes));
        if (!KOA_SIM_ROWS(question->arena, row->partitions, span.count))
            return false;
        for (size_t i = 0; i < span.count; i++)
            row->partitions.rows[i] = span.from + (int32_t) i;
    }
    *ret_assignment = assignment;
    return true;
}

bool koa_sim_member_assignment_bytes(const struct koa_sim_question *question,
                                     const struct koa_sim_group *group, int32_t index,
                                     struct koa_str *ret_bytes)
{
    struct koa_kafka_group_assignment *assignment;
    size_t size = 2 + 4 + 4; /* version, topics, no user data */
    struct writer writer;
    char *bytes;

    if (!koa_sim_member_assignment(question, group, index, &assignment))
        return false;
    for (size_t i = 0; i < assignment->topic_partitions.count; i++) {
        const struct koa_kafka_group_assignment_topic *row = &assignment->topic_partitions.rows[i];

        size += 2 + row->topic_name.size + 4 + 4 * row->partitions.count;
    }
    bytes = koa_arena_alloc(question->arena, size, 1);
    if (bytes == NULL)
        return false;
    writer.at = bytes;
    put_number(&writer, PROTOCOL_VERSION, 2);
    put_number(&writer, (int64_t) assignment->topic_partitions.count, 4);
    for (size_t i = 0; i < assignment->topic_partitions.count; i++) {
        const struct koa_kafka_group_assignment_topic *row = &assignment->topic_partitions.rows[i];

        put_name(&writer, row->topic_name);
        put_number(&writer, (int64_t) row->partitions.count, 4);
        for (size_t p = 0; p < row->partitions.count; p++)
            put_number(&writer, row->partitions.rows[p], 4);
    }
    put_number(&writer, -1, 4);
    *ret_bytes = (struct koa_str){.data = bytes, .size = size};
    return true;
}

/* Builds ListOffsets requests. A partition stands once in a request (twice is an error to Kafka),
 * so ends and starts are two. */
#include "cluster/offsets_request.h"

#include <string.h>

/* The topic of a partition, at `from` or after it. */
static const struct koa_topic_row *topic_of(const struct koa_topic_row *from, size_t partition)
{
    while (partition >= from->first + from->count)
        from++;
    return from;
}

static size_t count_topics(const struct koa_snapshot *draft, const size_t *order, size_t count)
{
    const struct koa_topic_row *topic = draft->topics;
    size_t topics = 0;

    for (size_t i = 0; i < count; i++) {
        const struct koa_topic_row *next = topic_of(topic, order[i]);

        topics += i == 0 || next != topic ? 1 : 0;
        topic = next;
    }
    return topics;
}

const struct koa_kafka_list_offsets_request *
koa_offsets_request_make(struct koa_arena *arena, const struct koa_snapshot *draft,
                         const size_t *order, size_t count, struct koa_offsets_wanted wanted)
{
    struct koa_kafka_list_offsets_request *request = koa_arena_alloc(arena, 1, sizeof(*request));
    size_t topic_count = count_topics(draft, order, count);
    struct koa_kafka_list_offsets_request_topic *topics =
        koa_arena_alloc(arena, topic_count + 1, sizeof(*topics));
    struct koa_kafka_list_offsets_request_partition *partitions =
        koa_arena_alloc(arena, count + 1, sizeof(*partitions));
    const struct koa_topic_row *topic = draft->topics;
    size_t used = 0;

    if (request == NULL || topics == NULL || partitions == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const struct koa_topic_row *next = topic_of(topic, order[i]);

        if (i == 0 || next != topic) {
            topics[used].name = (struct koa_str){.data = next->name, .size = next->name_size};
            topics[used].partitions.rows = &partitions[i];
            used++;
        }
        topic = next;
        topics[used - 1].partitions.count++;
        partitions[i] = (struct koa_kafka_list_offsets_request_partition){
            .partition_index = draft->partitions.id[order[i]],
            .current_leader_epoch = -1,
            .timestamp = wanted.timestamps != NULL ? wanted.timestamps[i] : wanted.timestamp,
            .max_num_offsets = 1};
    }
    request->replica_id = -1;
    request->isolation_level = wanted.is_stable ? 1 : 0;
    request->topics.rows = topics;
    request->topics.count = used;
    return request;
}

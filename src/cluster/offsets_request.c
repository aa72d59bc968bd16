/* Builds ListOffsets requests. A partition stands once in a request (twice is an error to Kafka),
 * so ends and starts are two. */
#include "cluster/offsets_request.h"

#include <string.h>

static bool find(const int32_t *brokers, size_t count, int32_t id, size_t *ret_index)
{
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (brokers[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *ret_index = low;
    return low < count && brokers[low] == id;
}

bool koa_leader_order_make(struct koa_arena *arena, const struct koa_snapshot *draft,
                           const int32_t *brokers, size_t count, struct koa_leader_order *ret_order)
{
    const int32_t *leaders = draft->partitions.leader;
    size_t *first = koa_arena_alloc(arena, count + 2, sizeof(*first));
    size_t *order = koa_arena_alloc(arena, draft->partition_count + 1, sizeof(*order));
    size_t at = 0;

    if (first == NULL || order == NULL)
        return false;
    /* Counting sort: first[i + 2] counts those of broker i, then first[i + 1] is where its next one
     * goes, and at the end where they end. */
    for (size_t i = 0; i < draft->partition_count; i++) {
        if (find(brokers, count, leaders[i], &at))
            first[at + 2]++;
    }
    for (size_t i = 2; i <= count + 1; i++)
        first[i] += first[i - 1];
    for (size_t i = 0; i < draft->partition_count; i++) {
        if (find(brokers, count, leaders[i], &at))
            order[first[at + 1]++] = i;
    }
    *ret_order = (struct koa_leader_order){.first = first, .order = order};
    return true;
}

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
                         const size_t *order, size_t count, int64_t timestamp)
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
            .timestamp = timestamp,
            .max_num_offsets = 1};
    }
    request->replica_id = -1;
    request->topics.rows = topics;
    request->topics.count = used;
    return request;
}

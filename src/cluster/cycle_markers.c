/* One small Fetch for each lag that may be transaction markers only. It needs the right to read the
 * topic; without it, the lag is shown as it is. */
#include "base/str.h"
#include "cluster/cycle.h"
#include "kafka/error_code.h"
#include "kafka/messages/fetch.h"

enum {
    /* A marker's batch is 78 bytes; a larger first batch comes whole, and is no marker. */
    FETCH_BYTES = 1024,
};

static const void *fetch_body(struct koa_arena *arena, const struct koa_marker *marker)
{
    struct koa_kafka_fetch_request *body = koa_arena_alloc(arena, 1, sizeof(*body));
    struct koa_kafka_fetch_request_topic *topic = koa_arena_alloc(arena, 1, sizeof(*topic));
    struct koa_kafka_fetch_request_partition *partition =
        koa_arena_alloc(arena, 1, sizeof(*partition));

    if (body == NULL || topic == NULL || partition == NULL)
        return NULL;
    *partition = (struct koa_kafka_fetch_request_partition){.partition = marker->partition,
                                                            .fetch_offset = marker->offset,
                                                            .log_start_offset = -1,
                                                            .high_watermark = INT64_MAX,
                                                            .current_leader_epoch = -1,
                                                            .last_fetched_epoch = -1,
                                                            .partition_max_bytes = FETCH_BYTES};
    topic->topic = koa_str_from(marker->topic);
    topic->partitions.rows = partition;
    topic->partitions.count = 1;
    body->replica_id = -1;
    body->max_bytes = FETCH_BYTES;
    body->session_epoch = -1;
    body->topics.rows = topic;
    body->topics.count = 1;
    return body;
}

static bool find(const struct koa_collector *collector, const struct koa_marker *marker,
                 size_t *ret_partition)
{
    const struct koa_topic_row *topic =
        koa_snapshot_find_topic(collector->draft, koa_str_from(marker->topic));

    return topic != NULL &&
           koa_snapshot_find_partition(collector->draft, topic, marker->partition, ret_partition);
}

void koa_cycle_ask_for_markers(struct koa_collector *collector)
{
    struct koa_markers *markers = koa_lag_markers(collector->lag);

    for (size_t i = 0; i < markers->count; i++) {
        struct koa_task *task;
        size_t partition;
        size_t broker;

        if (!find(collector, &markers->rows[i], &partition) ||
            !koa_broker_order_find(koa_cycle_brokers(collector),
                                   collector->draft->partitions.leader[partition], &broker))
            continue;
        task = koa_cycle_task(collector, collector->brokers[broker], KOA_TASK_MARKERS);
        if (task == NULL)
            return;
        task->marker = &markers->rows[i];
        koa_cycle_submit(collector, task, KOA_KAFKA_FETCH,
                         fetch_body(collector->arena, &markers->rows[i]));
    }
}

void koa_cycle_take_markers(struct koa_collector *collector, const struct koa_task *task,
                            const struct koa_kafka_fetch_response *answer)
{
    const struct koa_kafka_fetch_partition *partition;

    if (answer->responses.count == 0 || answer->responses.rows[0].partitions.count == 0)
        return;
    partition = &answer->responses.rows[0].partitions.rows[0];
    if (partition->error_code == KOA_KAFKA_TOPIC_AUTHORIZATION_FAILED) {
        koa_cycle_note_lacking(collector, task,
                               "no right to read a topic whose lag of a transaction's marker "
                               "could be told apart");
        return;
    }
    task->marker->is_only =
        partition->error_code == KOA_KAFKA_NO_ERROR &&
        koa_markers_read(partition->records, task->marker->offset, partition->high_watermark);
}

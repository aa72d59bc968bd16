/* Log ends, starts and last stable offsets of what each broker leads, and the times of records that
 * lagging groups wait for. Ends come last in a cycle, so that none is older than a commit that is
 * compared with it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cluster/cycle.h"
#include "cluster/offsets_request.h"
#include "kafka/error_code.h"

enum {
    /* Looking for a record's time may read a segment: a bounded number each cycle. */
    QUESTION_LIMIT = 1000,
};

static void submit_offsets(struct koa_collector *collector, int32_t broker, enum koa_task_kind kind,
                           const size_t *partitions, size_t count)
{
    struct koa_task *task = koa_cycle_task(collector, broker, kind);
    struct koa_offsets_wanted wanted = {.timestamp = kind == KOA_TASK_START ? KOA_KAFKA_OFFSET_START
                                                                            : KOA_KAFKA_OFFSET_END,
                                        .is_stable = kind == KOA_TASK_STABLE};

    if (task == NULL)
        return;
    task->partitions = partitions;
    task->partition_count = count;
    koa_cycle_submit(
        collector, task, KOA_KAFKA_LIST_OFFSETS,
        koa_offsets_request_make(collector->arena, collector->draft, partitions, count, wanted));
}

static void ask_broker(struct koa_collector *collector, int32_t broker, const size_t *partitions,
                       size_t count)
{
    for (size_t at = 0; at < count; at += KOA_OFFSETS_PER_REQUEST) {
        size_t part = count - at < KOA_OFFSETS_PER_REQUEST ? count - at : KOA_OFFSETS_PER_REQUEST;

        if (collector->has_slow)
            submit_offsets(collector, broker, KOA_TASK_START, partitions + at, part);
        submit_offsets(collector, broker, KOA_TASK_END, partitions + at, part);
    }
}

static int by_partition(const void *a, const void *b)
{
    size_t first = ((const struct koa_time_question *) a)->partition;
    size_t second = ((const struct koa_time_question *) b)->partition;

    return (first > second) - (first < second);
}

/* The questions of one leader as one request. */
static void ask_times_of(struct koa_collector *collector, int32_t broker,
                         const struct koa_time_question *questions, const size_t *order,
                         size_t count)
{
    struct koa_task *task = koa_cycle_task(collector, broker, KOA_TASK_TIME);
    size_t *partitions = koa_arena_alloc(collector->arena, count, sizeof(*partitions));
    int64_t *timestamps = koa_arena_alloc(collector->arena, count, sizeof(*timestamps));
    struct koa_offsets_wanted wanted = {.timestamps = timestamps};

    if (task == NULL || partitions == NULL || timestamps == NULL)
        return;
    for (size_t i = 0; i < count; i++) {
        partitions[i] = questions[order[i]].partition;
        timestamps[i] = questions[order[i]].timestamp;
    }
    koa_cycle_submit(
        collector, task, KOA_KAFKA_LIST_OFFSETS,
        koa_offsets_request_make(collector->arena, collector->draft, partitions, count, wanted));
}

static void ask_times(struct koa_collector *collector)
{
    struct koa_time_question *questions =
        koa_arena_alloc(collector->arena, QUESTION_LIMIT, sizeof(*questions));
    int32_t *owners = koa_arena_alloc(collector->arena, QUESTION_LIMIT, sizeof(*owners));
    struct koa_broker_order order;
    size_t count;

    if (questions == NULL || owners == NULL)
        return;
    count = koa_lag_questions(collector->lag, collector->draft,
                              collector->opts.ops->wall(collector->opts.context), questions,
                              QUESTION_LIMIT);
    if (count == 0)
        return;
    qsort(questions, count, sizeof(*questions), by_partition);
    for (size_t i = 0; i < count; i++)
        owners[i] = collector->draft->partitions.leader[questions[i].partition];
    if (!koa_broker_order_make(collector->arena, owners, count, koa_cycle_brokers(collector),
                               &order))
        return;
    for (size_t b = 0; b < collector->broker_count; b++) {
        if (order.first[b + 1] > order.first[b]) {
            ask_times_of(collector, collector->brokers[b], questions, order.order + order.first[b],
                         order.first[b + 1] - order.first[b]);
        }
    }
}

void koa_cycle_ask_for_offsets(struct koa_collector *collector)
{
    struct koa_broker_order order;

    if (!koa_cycle_list_brokers(collector) ||
        !koa_broker_order_make(collector->arena, collector->draft->partitions.leader,
                               collector->draft->partition_count, koa_cycle_brokers(collector),
                               &order)) {
        koa_cycle_note(collector, "no memory for the requests of offsets");
        return;
    }
    for (size_t b = 0; b < collector->broker_count; b++) {
        ask_broker(collector, collector->brokers[b], order.order + order.first[b],
                   order.first[b + 1] - order.first[b]);
    }
    ask_times(collector);
    koa_cycle_ask_for_markers(collector);
}

/* The last stable offset of what was asked for its end: of all in slow cycles, else of those with
 * an open transaction. After the end, so that what is below it was so at one time. */
static void ask_for_stable(struct koa_collector *collector, const struct koa_task *task)
{
    const uint8_t *flags = collector->draft->partitions.flags;
    size_t *open;
    size_t count = 0;

    if (collector->has_slow) {
        submit_offsets(collector, task->broker, KOA_TASK_STABLE, task->partitions,
                       task->partition_count);
        return;
    }
    for (size_t i = 0; i < task->partition_count; i++)
        count += (flags[task->partitions[i]] & KOA_PARTITION_IS_OPEN) != 0 ? 1 : 0;
    if (count == 0)
        return;
    open = koa_arena_alloc(collector->arena, count, sizeof(*open));
    count = 0;
    for (size_t i = 0; open != NULL && i < task->partition_count; i++) {
        if ((flags[task->partitions[i]] & KOA_PARTITION_IS_OPEN) != 0)
            open[count++] = task->partitions[i];
    }
    if (open != NULL)
        submit_offsets(collector, task->broker, KOA_TASK_STABLE, open, count);
}

static void take_times(struct koa_collector *collector,
                       const struct koa_kafka_list_offsets_response *answer)
{
    for (size_t i = 0; i < answer->topics.count; i++) {
        const struct koa_kafka_list_offsets_topic *topic = &answer->topics.rows[i];
        const struct koa_topic_row *row = koa_snapshot_find_topic(collector->draft, topic->name);

        for (size_t j = 0; row != NULL && j < topic->partitions.count; j++) {
            const struct koa_kafka_list_offsets_partition *partition = &topic->partitions.rows[j];
            size_t at;

            if (partition->error_code == KOA_KAFKA_NO_ERROR &&
                koa_snapshot_find_partition(collector->draft, row, partition->partition_index,
                                            &at)) {
                koa_lag_learn(collector->lag, collector->draft, at, partition->timestamp,
                              partition->offset);
            }
        }
    }
}

void koa_cycle_take_offsets(struct koa_collector *collector, const struct koa_task *task,
                            const struct koa_kafka_list_offsets_response *answer)
{
    static const enum koa_draft_offset columns[] = {[KOA_TASK_END] = KOA_DRAFT_END,
                                                    [KOA_TASK_START] = KOA_DRAFT_START,
                                                    [KOA_TASK_STABLE] = KOA_DRAFT_STABLE};
    int16_t code = KOA_KAFKA_NO_ERROR;
    size_t failed;

    collector->draft->made = koa_cycle_now(collector);
    if (task->kind == KOA_TASK_TIME) {
        take_times(collector, answer);
        return;
    }
    failed = koa_draft_offsets(collector->draft, answer, task->broker, columns[task->kind], &code);
    if (failed > 0) {
        char text[KOA_ROSTER_TEXT];

        (void) snprintf(text, sizeof(text), "broker %" PRId32 ": offsets of %zu partitions: %s",
                        task->broker, failed, koa_kafka_error_name(code));
        koa_cycle_note(collector, text);
        koa_log_debug(collector->opts.log, "cluster.offsets", "%s: %s", collector->name, text);
    }
    if (task->kind == KOA_TASK_END)
        ask_for_stable(collector, task);
}

/* Who is asked for what changes slowly, in slow cycles. */
#include <stdio.h>

#include "base/str.h"
#include "cluster/cycle.h"
#include "kafka/error_code.h"

enum {
    /* 500 topics are about 20 KB to ask and 60 KB to read. */
    TOPICS_PER_REQUEST = 500,
};

static void ask_for_log_dirs(struct koa_collector *collector)
{
    static const struct koa_kafka_describe_log_dirs_request all = {.topics = {.rows = NULL}};
    const struct koa_roster *roster = &collector->roster;

    for (size_t i = 0; i < roster->count; i++) {
        /* It failed before and is not asked. */
        if (roster->rows[i].is_listed && roster->rows[i].has_failed)
            collector->state->has_bytes = false;
    }
    for (size_t i = 0; i < collector->broker_count; i++) {
        struct koa_task *task = koa_cycle_task(collector, collector->brokers[i], KOA_TASK_LOG_DIRS);

        if (task != NULL)
            koa_cycle_submit(collector, task, KOA_KAFKA_DESCRIBE_LOG_DIRS, &all);
    }
}

static const void *configs_body(struct koa_collector *collector, size_t first, size_t count)
{
    static struct koa_str keys[] = {{.data = "min.insync.replicas", .size = 19}};
    struct koa_kafka_describe_configs_request *body =
        koa_arena_alloc(collector->arena, 1, sizeof(*body));
    struct koa_kafka_describe_configs_resource *rows =
        koa_arena_alloc(collector->arena, count, sizeof(*rows));

    if (body == NULL || rows == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const struct koa_topic_row *topic = &collector->draft->topics[first + i];

        rows[i] = (struct koa_kafka_describe_configs_resource){
            .resource_type = KOA_KAFKA_RESOURCE_TOPIC,
            .resource_name = {.data = topic->name, .size = topic->name_size},
            .configuration_keys = {.rows = keys, .count = KOA_ARRAY_COUNT(keys)}};
    }
    body->resources.rows = rows;
    body->resources.count = count;
    return body;
}

/* Any broker knows all topics' settings: the requests are spread. */
static void ask_for_configs(struct koa_collector *collector)
{
    size_t count = collector->draft->topic_count;

    for (size_t at = 0; at < count && collector->broker_count > 0; at += TOPICS_PER_REQUEST) {
        size_t part = count - at < TOPICS_PER_REQUEST ? count - at : TOPICS_PER_REQUEST;
        int32_t broker = collector->brokers[at / TOPICS_PER_REQUEST % collector->broker_count];
        struct koa_task *task = koa_cycle_task(collector, broker, KOA_TASK_CONFIGS);

        if (task != NULL) {
            koa_cycle_submit(collector, task, KOA_KAFKA_DESCRIBE_CONFIGS,
                             configs_body(collector, at, part));
        }
    }
}

/* With ZooKeeper the controller alone knows, and answers by itself; a KRaft broker asks it. */
static void ask_for_reassignments(struct koa_collector *collector)
{
    const struct koa_snapshot *previous = koa_cycle_previous(collector);
    bool is_zookeeper =
        previous != NULL && previous->state != NULL && previous->state->is_zookeeper;
    size_t at;
    struct koa_task *task;

    collector->reassignments.timeout_ms = (int32_t) collector->opts.request_timeout_ms;
    if (!is_zookeeper) {
        koa_cycle_pass_on(collector, KOA_TASK_REASSIGNMENTS, KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS,
                          &collector->reassignments);
        return;
    }
    if (!koa_broker_order_find(koa_cycle_brokers(collector), collector->draft->controller_id, &at))
        return;
    task = koa_cycle_task(collector, collector->brokers[at], KOA_TASK_REASSIGNMENTS);
    if (task != NULL) {
        koa_cycle_submit(collector, task, KOA_KAFKA_LIST_PARTITION_REASSIGNMENTS,
                         &collector->reassignments);
    }
}

static void ask_for_quorum(struct koa_collector *collector)
{
    static struct koa_kafka_describe_quorum_request_partition partition = {.partition_index = 0};
    static struct koa_kafka_describe_quorum_request_topic topic = {
        .topic_name = {.data = "__cluster_metadata", .size = 18},
        .partitions = {.rows = &partition, .count = 1}};
    static const struct koa_kafka_describe_quorum_request body = {
        .topics = {.rows = &topic, .count = 1}};

    koa_cycle_pass_on(collector, KOA_TASK_QUORUM, KOA_KAFKA_DESCRIBE_QUORUM, &body);
}

void koa_cycle_ask_for_state(struct koa_collector *collector)
{
    if (!collector->has_slow)
        return;
    collector->state = koa_state_create(collector->draft);
    if (collector->state == NULL) {
        koa_cycle_note(collector, "no memory for what changes slowly");
        return;
    }
    collector->state->has_bytes = true; /* until a broker does not tell */
    ask_for_log_dirs(collector);
    ask_for_configs(collector);
    ask_for_reassignments(collector);
    ask_for_quorum(collector);
}

/* A right that is missing costs that feature; it is told once. */
static void note_refused(struct koa_collector *collector, const struct koa_task *task, int16_t code)
{
    char text[KOA_ROSTER_TEXT];

    /* Not the controller: with ZooKeeper, the first time, before it is known. */
    if (code == KOA_KAFKA_NO_ERROR || code == KOA_KAFKA_NOT_CONTROLLER)
        return;
    (void) snprintf(text, sizeof(text), "%s was refused: %s",
                    koa_kafka_api_find(task->request.api_key)->name, koa_kafka_error_name(code));
    koa_cycle_note_lacking(collector, task, text);
}

/* Of the first topic that was refused. */
static int16_t configs_code(const struct koa_kafka_describe_configs_response *answer)
{
    for (size_t i = 0; i < answer->results.count; i++) {
        int16_t code = answer->results.rows[i].error_code;

        if (code != KOA_KAFKA_NO_ERROR && code != KOA_KAFKA_UNKNOWN_TOPIC_OR_PARTITION)
            return code;
    }
    return KOA_KAFKA_NO_ERROR;
}

static bool take_log_dirs(struct koa_collector *collector, const struct koa_task *task,
                          const struct koa_kafka_describe_log_dirs_response *answer)
{
    note_refused(collector, task, answer->error_code);
    if (answer->error_code != KOA_KAFKA_NO_ERROR || answer->results.count == 0)
        collector->state->has_bytes = false;
    return koa_state_take_log_dirs(collector->state, task->broker, koa_cycle_now(collector).ms,
                                   answer);
}

void koa_cycle_take_state(struct koa_collector *collector, const struct koa_task *task,
                          const void *body)
{
    const struct koa_kafka_list_partition_reassignments_response *reassignments = body;
    const struct koa_kafka_describe_quorum_response *quorum = body;
    bool has_memory = true;

    if (task->kind == KOA_TASK_LOG_DIRS) {
        has_memory = take_log_dirs(collector, task, body);
    } else if (task->kind == KOA_TASK_CONFIGS) {
        note_refused(collector, task, configs_code(body));
        koa_state_take_configs(collector->state, body);
    } else if (task->kind == KOA_TASK_REASSIGNMENTS) {
        note_refused(collector, task, reassignments->error_code);
        koa_state_take_reassignments(collector->state, reassignments);
    } else {
        note_refused(collector, task, quorum->error_code);
        has_memory = koa_state_take_quorum(collector->state, quorum);
    }
    if (!has_memory)
        koa_cycle_note(collector, "no memory for what changes slowly");
}

void koa_cycle_lack_state(struct koa_collector *collector, const struct koa_task *task,
                          const struct koa_error *error)
{
    if (task->kind == KOA_TASK_LOG_DIRS)
        collector->state->has_bytes = false;
    if (task->kind == KOA_TASK_QUORUM && error->code == KOA_ERR_UNSUPPORTED)
        collector->state->is_zookeeper = true;
}

/* The state of this cycle, or the one of before. */
void koa_cycle_finish_state(struct koa_collector *collector)
{
    const struct koa_snapshot *previous = koa_cycle_previous(collector);
    struct koa_state *old = previous != NULL ? previous->state : NULL;
    struct koa_snapshot *draft = collector->draft;
    int64_t keep_ms = koa_cycle_limits(collector).start_ms;

    if (collector->state != NULL &&
        !koa_state_finish(collector->state, old, koa_cycle_now(collector).ms, keep_ms)) {
        koa_cycle_note(collector, "no memory for what changes slowly");
        koa_state_unref(KOA_MOVE(collector->state));
    }
    if (collector->state != NULL) {
        draft->state = KOA_MOVE(collector->state);
    } else if (old != NULL) {
        koa_object_ref(&old->object);
        draft->state = old;
    }
}

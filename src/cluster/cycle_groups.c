/* Groups: listed by every broker, then asked for, in batches, of their coordinators. What is
 * believed of the answers is group_*.c's matter. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cluster/cycle.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_cluster.h"

enum {
    MANY_GROUPS = 8, /* first version of OffsetFetch that takes several groups (KIP-709) */
    /* Single groups that are under way at one coordinator. */
    SINGLE_WINDOW = 16,
};

typedef const void *describe_body_fn(struct koa_arena *arena, struct koa_str *names, size_t count);

static const void *classic_body(struct koa_arena *arena, struct koa_str *names, size_t count)
{
    struct koa_kafka_describe_groups_request *body = koa_arena_alloc(arena, 1, sizeof(*body));

    if (body != NULL) {
        body->groups.rows = names;
        body->groups.count = count;
    }
    return body;
}

static const void *consumer_body(struct koa_arena *arena, struct koa_str *names, size_t count)
{
    struct koa_kafka_consumer_group_describe_request *body =
        koa_arena_alloc(arena, 1, sizeof(*body));

    if (body != NULL) {
        body->group_ids.rows = names;
        body->group_ids.count = count;
    }
    return body;
}

static const void *share_body(struct koa_arena *arena, struct koa_str *names, size_t count)
{
    struct koa_kafka_share_group_describe_request *body = koa_arena_alloc(arena, 1, sizeof(*body));

    if (body != NULL) {
        body->group_ids.rows = names;
        body->group_ids.count = count;
    }
    return body;
}

static const void *streams_body(struct koa_arena *arena, struct koa_str *names, size_t count)
{
    struct koa_kafka_streams_group_describe_request *body =
        koa_arena_alloc(arena, 1, sizeof(*body));

    if (body != NULL) {
        body->group_ids.rows = names;
        body->group_ids.count = count;
    }
    return body;
}

/* How each type is described, and how its offsets are asked for. */
static const struct {
    describe_body_fn *describe_body;
    int16_t describe_key, commits_key;
} kinds[KOA_GROUP_TYPE_COUNT] = {
    [KOA_GROUP_CLASSIC] = {classic_body, KOA_KAFKA_DESCRIBE_GROUPS, KOA_KAFKA_OFFSET_FETCH},
    [KOA_GROUP_CONSUMER] = {consumer_body, KOA_KAFKA_CONSUMER_GROUP_DESCRIBE,
                            KOA_KAFKA_OFFSET_FETCH},
    [KOA_GROUP_SHARE] = {share_body, KOA_KAFKA_SHARE_GROUP_DESCRIBE,
                         KOA_KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS},
    [KOA_GROUP_STREAMS] = {streams_body, KOA_KAFKA_STREAMS_GROUP_DESCRIBE, KOA_KAFKA_OFFSET_FETCH},
};

static struct koa_str name_of(const struct koa_collector *collector, size_t group)
{
    const struct koa_group_row *row = &collector->draft->groups[group];

    return (struct koa_str){.data = row->name, .size = row->name_size};
}

void koa_cycle_list_groups_of(struct koa_collector *collector, int32_t broker)
{
    static const struct koa_kafka_list_groups_request all = {.states_filter = {.rows = NULL}};
    struct koa_task *task = koa_cycle_task(collector, broker, KOA_TASK_LIST_GROUPS);

    if (task != NULL)
        koa_cycle_submit(collector, task, KOA_KAFKA_LIST_GROUPS, &all);
}

void koa_cycle_list_groups(struct koa_collector *collector)
{
    static const struct koa_kafka_describe_cluster_request brokers = {
        .endpoint_type = KOA_KAFKA_ENDPOINT_BROKERS};
    struct koa_task *task =
        koa_cycle_task(collector, collector->metadata_broker, KOA_TASK_DESCRIBE_CLUSTER);

    if (task != NULL)
        koa_cycle_submit(collector, task, KOA_KAFKA_DESCRIBE_CLUSTER, &brokers);
    if (!koa_cycle_list_brokers(collector))
        return;
    for (size_t i = 0; i < collector->broker_count; i++)
        koa_cycle_list_groups_of(collector, collector->brokers[i]);
    collector->has_asked_for_lists = true;
}

void koa_cycle_take_list(struct koa_collector *collector, const struct koa_task *task,
                         const struct koa_kafka_list_groups_response *answer)
{
    struct koa_roster_row *row = koa_roster_find(&collector->roster, task->broker);

    if (answer->error_code != KOA_KAFKA_NO_ERROR) {
        char text[KOA_ROSTER_TEXT];

        (void) snprintf(text, sizeof(text), "broker %" PRId32 ": ListGroups: %s", task->broker,
                        koa_kafka_error_name(answer->error_code));
        koa_cycle_note(collector, text);
        return;
    }
    koa_group_list_add(&collector->list, collector->draft, collector->opts.groups, answer,
                       task->broker);
    if (row != NULL)
        row->has_listed = true;
}

static bool has_listed(const void *context, int32_t coordinator)
{
    const struct koa_collector *collector = context;
    const struct koa_roster_row *row = koa_roster_find(&collector->roster, coordinator);

    return row != NULL && row->has_listed;
}

static bool make_rows(struct koa_collector *collector)
{
    struct koa_group_owed owed = {.previous = koa_cycle_previous(collector),
                                  .has_listed = has_listed,
                                  .context = collector,
                                  .keep_ms = koa_cycle_limits(collector).end_ms};

    collector->draft->made = koa_cycle_now(collector);
    if (!koa_group_list_finish(&collector->list, collector->draft, &owed))
        return false;
    collector->answers = (struct koa_group_answers){
        .draft = collector->draft,
        .arena = collector->arena,
        .topics = collector->opts.filter,
        .work = koa_arena_alloc(collector->arena, collector->draft->group_count + 1,
                                sizeof(*collector->answers.work))};
    return collector->answers.work != NULL;
}

static const void *one_group_body(struct koa_collector *collector, size_t group)
{
    struct koa_kafka_offset_fetch_request *body =
        koa_arena_alloc(collector->arena, 1, sizeof(*body));

    if (body != NULL)
        body->group_id = name_of(collector, group);
    return body;
}

static const void *commits_body(struct koa_collector *collector, struct koa_group_slice slice)
{
    struct koa_kafka_offset_fetch_request *body =
        koa_arena_alloc(collector->arena, 1, sizeof(*body));
    struct koa_kafka_offset_fetch_request_group *groups =
        koa_arena_alloc(collector->arena, slice.count, sizeof(*groups));

    if (body == NULL || groups == NULL)
        return NULL;
    for (size_t i = 0; i < slice.count; i++) {
        groups[i] = (struct koa_kafka_offset_fetch_request_group){
            .group_id = name_of(collector, slice.indexes[i]), .member_epoch = -1};
    }
    body->groups.rows = groups;
    body->groups.count = slice.count;
    return body;
}

static const void *share_offsets_body(struct koa_collector *collector, struct koa_group_slice slice)
{
    struct koa_kafka_describe_share_group_offsets_request *body =
        koa_arena_alloc(collector->arena, 1, sizeof(*body));
    struct koa_kafka_describe_share_group_offsets_request_group *groups =
        koa_arena_alloc(collector->arena, slice.count, sizeof(*groups));

    if (body == NULL || groups == NULL)
        return NULL;
    for (size_t i = 0; i < slice.count; i++)
        groups[i].group_id = name_of(collector, slice.indexes[i]);
    body->groups.rows = groups;
    body->groups.count = slice.count;
    return body;
}

static void submit_single(struct koa_collector *collector, int32_t broker,
                          struct koa_group_queue *queue)
{
    struct koa_task *task = koa_cycle_task(collector, broker, KOA_TASK_COMMITS);

    if (task == NULL)
        return;
    task->queue = queue;
    task->groups =
        (struct koa_group_slice){.indexes = &queue->slice.indexes[queue->next++], .count = 1};
    koa_cycle_submit(collector, task, KOA_KAFKA_OFFSET_FETCH,
                     one_group_body(collector, task->groups.indexes[0]));
}

/* Old brokers take one group a request: a few at a time. */
static void ask_one_by_one(struct koa_collector *collector, int32_t broker,
                           struct koa_group_slice slice)
{
    struct koa_group_queue *queue = koa_arena_alloc(collector->arena, 1, sizeof(*queue));

    if (queue == NULL) {
        koa_cycle_note(collector, "no memory for a request");
        return;
    }
    queue->slice = slice;
    for (size_t i = 0; i < SINGLE_WINDOW && queue->next < slice.count; i++)
        submit_single(collector, broker, queue);
}

void koa_cycle_next_group(struct koa_collector *collector, const struct koa_task *task)
{
    const struct koa_roster_row *row = koa_roster_find(&collector->roster, task->broker);

    if (task->queue != NULL && task->queue->next < task->queue->slice.count && row != NULL &&
        !row->has_failed)
        submit_single(collector, task->broker, task->queue);
}

static void ask_for_commits(struct koa_collector *collector, int32_t broker,
                            struct koa_group_slice slice, enum koa_group_type type)
{
    struct koa_task *task;

    if (type != KOA_GROUP_SHARE &&
        collector->opts.ops->version(collector->opts.context, broker, KOA_KAFKA_OFFSET_FETCH) <
            MANY_GROUPS) {
        ask_one_by_one(collector, broker, slice);
        return;
    }
    task = koa_cycle_task(collector, broker, KOA_TASK_COMMITS);
    if (task == NULL)
        return;
    task->groups = slice;
    koa_cycle_submit(collector, task, kinds[type].commits_key,
                     type == KOA_GROUP_SHARE ? share_offsets_body(collector, slice)
                                             : commits_body(collector, slice));
}

static void ask_for_members(struct koa_collector *collector, int32_t broker,
                            struct koa_group_slice slice, enum koa_group_type type)
{
    struct koa_task *task = koa_cycle_task(collector, broker, KOA_TASK_DESCRIBE_GROUPS);
    struct koa_str *names = koa_arena_alloc(collector->arena, slice.count, sizeof(*names));

    if (task == NULL)
        return;
    task->groups = slice;
    for (size_t i = 0; names != NULL && i < slice.count; i++)
        names[i] = name_of(collector, slice.indexes[i]);
    koa_cycle_submit(collector, task, kinds[type].describe_key,
                     names != NULL ? kinds[type].describe_body(collector->arena, names, slice.count)
                                   : NULL);
}

/* Of one type at one coordinator, `batch` at a time. Commits first: they are most of the work, and
 * go evenly to the connections of a broker when they are asked for in a row. */
static void ask_coordinator(struct koa_collector *collector, int32_t broker,
                            struct koa_group_slice slice, enum koa_group_type type)
{
    void (*const questions[])(struct koa_collector *, int32_t, struct koa_group_slice,
                              enum koa_group_type) = {ask_for_commits, ask_for_members};
    size_t batch = (size_t) collector->opts.batch;

    for (size_t q = 0; q < KOA_ARRAY_COUNT(questions); q++) {
        for (size_t at = 0; at < slice.count; at += batch) {
            struct koa_group_slice part = {.indexes = slice.indexes + at,
                                           .count =
                                               slice.count - at < batch ? slice.count - at : batch};

            questions[q](collector, broker, part, type);
        }
    }
}

/* `wanted` groups by type and coordinator. */
static void ask(struct koa_collector *collector,
                bool (*wanted)(const struct koa_collector *, size_t))
{
    size_t count = collector->draft->group_count;
    int32_t *owners = koa_arena_alloc(collector->arena, count + 1, sizeof(*owners));
    struct koa_broker_order order;

    if (owners == NULL || !koa_cycle_list_brokers(collector)) {
        koa_cycle_note(collector, "no memory for the requests of groups");
        return;
    }
    for (int type = 0; type < KOA_GROUP_TYPE_COUNT; type++) {
        bool is_any = false;

        for (size_t i = 0; i < count; i++) {
            const struct koa_group_row *row = &collector->draft->groups[i];
            bool is_wanted = row->type == type && wanted(collector, i);

            owners[i] = is_wanted ? row->coordinator : -1;
            is_any = is_any || is_wanted;
        }
        if (!is_any)
            continue;
        if (!koa_broker_order_make(collector->arena, owners, count, koa_cycle_brokers(collector),
                                   &order)) {
            koa_cycle_note(collector, "no memory for the requests of groups");
            return;
        }
        for (size_t b = 0; b < collector->broker_count; b++) {
            struct koa_group_slice slice = {.indexes = order.order + order.first[b],
                                            .count = order.first[b + 1] - order.first[b]};

            ask_coordinator(collector, collector->brokers[b], slice, (enum koa_group_type) type);
        }
    }
}

static bool is_listed(const struct koa_collector *collector, size_t group)
{
    return (collector->draft->groups[group].flags & KOA_GROUP_OWED) == 0;
}

static bool is_refused(const struct koa_collector *collector, size_t group)
{
    return collector->answers.work[group].is_refused;
}

void koa_cycle_ask_for_groups(struct koa_collector *collector)
{
    if (!make_rows(collector)) {
        koa_cycle_note(collector, "no memory for the groups");
        collector->draft->group_count = 0;
        return;
    }
    ask(collector, is_listed);
}

bool koa_cycle_retry_groups(struct koa_collector *collector)
{
    bool is_any = false;

    for (size_t i = 0; i < collector->draft->group_count; i++) {
        struct koa_group_row *row = &collector->draft->groups[i];
        struct koa_group_work *work = &collector->answers.work[i];

        work->is_refused = work->is_refused && row->other_coordinator >= 0;
        if (work->is_refused) {
            row->coordinator = row->other_coordinator;
            row->error = NULL;
            is_any = true;
        }
    }
    if (is_any)
        ask(collector, is_refused);
    return is_any;
}

static bool take(struct koa_collector *collector, const struct koa_task *task, const void *body)
{
    struct koa_group_answers *answers = &collector->answers;

    switch (task->request.api_key) {
    case KOA_KAFKA_DESCRIBE_GROUPS:
        return koa_take_described(answers, task->groups, body);
    case KOA_KAFKA_CONSUMER_GROUP_DESCRIBE:
        return koa_take_consumer_described(answers, task->groups, body);
    case KOA_KAFKA_SHARE_GROUP_DESCRIBE:
        return koa_take_share_described(answers, task->groups, body);
    case KOA_KAFKA_STREAMS_GROUP_DESCRIBE:
        return koa_take_streams_described(answers, task->groups, body);
    case KOA_KAFKA_DESCRIBE_SHARE_GROUP_OFFSETS:
        return koa_take_share_offsets(answers, task->groups, body);
    default:
        return koa_take_commits(answers, task->groups, body);
    }
}

void koa_cycle_take_groups(struct koa_collector *collector, const struct koa_task *task,
                           const void *body)
{
    collector->draft->made = koa_cycle_now(collector);
    if (!take(collector, task, body))
        koa_cycle_note(collector, "no memory for the groups' data");
}

void koa_cycle_finish_groups(struct koa_collector *collector)
{
    struct koa_snapshot *draft = collector->draft;
    int64_t keep_ms = koa_cycle_limits(collector).end_ms;
    bool has_memory = true;
    size_t kept = 0;

    for (size_t i = 0; has_memory && i < draft->group_count; i++) {
        struct koa_group_row *row = &draft->groups[i];

        has_memory = koa_group_carry_over(&collector->answers, row, koa_cycle_previous(collector),
                                          keep_ms) &&
                     koa_group_join_assigned(&collector->answers, row);
    }
    if (!has_memory)
        koa_cycle_note(collector, "no memory for the groups' data");
    for (size_t i = 0; i < draft->group_count; i++) {
        const struct koa_group_row *row = &draft->groups[i];
        bool is_empty_debt =
            (row->flags & KOA_GROUP_OWED) != 0 && (row->flags & KOA_GROUP_HAS_COMMITS) == 0;

        if ((row->flags & KOA_GROUP_DEAD) == 0 && !is_empty_debt)
            draft->groups[kept++] = *row;
    }
    draft->group_count = kept;
}

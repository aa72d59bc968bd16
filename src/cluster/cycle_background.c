/* Requests that no phase waits for: pings of brokers that failed, calls of the configuration's
 * servers, of which the first answer is enough, and what a broker has to ask the controller for. A
 * controller that is silent would keep such an answer, and all behind it on that connection, from a
 * broker that is well: so they go over the configuration's servers, whose connections nothing else
 * uses once the brokers are known, and say nothing about a broker. */
#include "base/memory.h"
#include "cluster/cycle.h"
#include "kafka/messages/api_versions.h"

static void take_pong(struct koa_collector *collector, const struct koa_task *task,
                      const struct koa_kafka_answer *answer)
{
    if (answer->error != NULL) {
        koa_roster_failed(&collector->roster, task->broker, answer->error->text);
        return;
    }
    koa_roster_answered(&collector->roster, task->broker, koa_cycle_now(collector));
    if (collector->phase == KOA_PHASE_GROUPS && collector->has_asked_for_lists &&
        !collector->is_cancelled)
        koa_cycle_list_groups_of(collector, task->broker);
}

/* Counts in the slow cycle that is under way, which may be the next one by now. */
static void take_passed_on(struct koa_collector *collector, const struct koa_task *task,
                           const struct koa_kafka_answer *answer)
{
    if (answer->error != NULL && answer->error->code != KOA_ERR_UNSUPPORTED)
        collector->next_server++;
    if (collector->is_cancelled || collector->state == NULL)
        return;
    if (answer->error == NULL) {
        koa_cycle_take_state(collector, task, answer->body);
    } else {
        koa_cycle_lack_state(collector, task, answer->error);
        if (answer->error->code == KOA_ERR_UNSUPPORTED)
            koa_cycle_note_lacking(collector, task, answer->error->text);
    }
}

static void on_done(void *context, struct koa_kafka_request *request,
                    const struct koa_kafka_answer *answer)
{
    struct koa_task *task = KOA_CONTAINER_OF(request, struct koa_task, request);
    struct koa_collector *collector = context;

    koa_list_remove(&task->node);
    if (task->kind == KOA_TASK_PING && task->broker < 0) {
        koa_cycle_hear_server(collector, task->broker, answer->error);
    } else if (task->kind == KOA_TASK_PING) {
        take_pong(collector, task, answer);
    } else {
        take_passed_on(collector, task, answer);
    }
    koa_free(task);
}

static bool is_under_way(const struct koa_collector *collector, int32_t broker,
                         enum koa_task_kind kind)
{
    KOA_LIST_FOREACH (node, &collector->background) {
        const struct koa_task *task = KOA_CONTAINER_OF(node, struct koa_task, node);

        if (task->kind == kind && (kind != KOA_TASK_PING || task->broker == broker))
            return true;
    }
    return false;
}

static void submit(struct koa_collector *collector, int32_t broker, enum koa_task_kind kind,
                   int16_t api_key, const void *body)
{
    struct koa_task *task;

    if (is_under_way(collector, broker, kind))
        return;
    task = koa_calloc(1, sizeof(*task));
    if (task == NULL)
        return;
    task->broker = broker;
    task->kind = kind;
    task->request = (struct koa_kafka_request){
        .api_key = api_key,
        .body = body,
        .deadline = koa_mono_add_ms(koa_cycle_now(collector), collector->opts.request_timeout_ms),
        .done = on_done,
        .context = collector};
    koa_list_push_back(&collector->background, &task->node);
    collector->requests++;
    collector->opts.ops->submit(collector->opts.context, broker, &task->request);
}

static void submit_ping(struct koa_collector *collector, int32_t broker)
{
    static const struct koa_kafka_api_versions_request who = {
        .client_software_name = {.data = "kafka-ops-agent", .size = 15},
        .client_software_version = {.data = "0", .size = 1},
        .node_id = -1};

    submit(collector, broker, KOA_TASK_PING, KOA_KAFKA_API_VERSIONS, &who);
}

void koa_cycle_call(struct koa_collector *collector, int32_t server)
{
    submit_ping(collector, server);
}

bool koa_cycle_has_calls(const struct koa_collector *collector)
{
    KOA_LIST_FOREACH (node, &collector->background) {
        const struct koa_task *task = KOA_CONTAINER_OF(node, struct koa_task, node);

        if (task->kind == KOA_TASK_PING && task->broker < 0)
            return true;
    }
    return false;
}

void koa_cycle_ping(struct koa_collector *collector)
{
    const struct koa_roster *roster = &collector->roster;
    int32_t *ids = koa_arena_alloc(collector->arena, roster->count + 1, sizeof(*ids));
    size_t count = 0;

    /* Ids are copied first: answers may come at once and change the roster's rows. */
    for (size_t i = 0; ids != NULL && i < roster->count; i++) {
        if (roster->rows[i].is_listed && roster->rows[i].has_failed)
            ids[count++] = roster->rows[i].id;
    }
    for (size_t i = 0; i < count; i++)
        submit_ping(collector, ids[i]);
}

void koa_cycle_pass_on(struct koa_collector *collector, enum koa_task_kind kind, int16_t api_key,
                       const void *body)
{
    size_t server = collector->next_server % collector->opts.bootstrap_count;

    submit(collector, koa_kafka_bootstrap_id(server), kind, api_key, body);
}

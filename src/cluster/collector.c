/* The cycle: its phases, the requests under way, and when it is over. Who is asked for what is
 * decided in cycle_*.c, what is believed of the answers in draft.c, group_*.c and lag.c, who is up
 * in roster.c. */
#include "cluster/collector.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cluster/cycle.h"
#include "cluster/version_guess.h"
#include "kafka/error_code.h"
#include "kafka/messages/describe_cluster.h"

enum {
    CYCLE_LIMIT = 256 * 1024 * 1024, /* bytes of one cycle's requests: 40 a partition */
    STARTS_KEPT_SLOW_CYCLES = 3,
};

const char *koa_collector_phase_name(enum koa_collector_phase phase)
{
    static const char *const names[] = {[KOA_PHASE_METADATA] = "metadata",
                                        [KOA_PHASE_GROUPS] = "groups",
                                        [KOA_PHASE_COMMITS] = "commits",
                                        [KOA_PHASE_OFFSETS] = "offsets",
                                        [KOA_PHASE_IDLE] = "idle"};

    return names[phase];
}

enum koa_err koa_collector_create(const struct koa_collector_opts *opts,
                                  struct koa_collector **ret_collector, struct koa_error *reterr)
{
    struct koa_collector *collector = koa_calloc(1, sizeof(*collector));
    enum koa_err err = koa_require_memory(collector, reterr);

    if (err != KOA_OK)
        return err;
    collector->opts = *opts;
    collector->phase = KOA_PHASE_IDLE;
    collector->metadata_broker = koa_kafka_bootstrap_id(0);
    koa_list_init(&collector->background);
    collector->name = koa_strdup(opts->name);
    collector->lag = koa_lag_create();
    err = koa_require_memory(collector->name, reterr);
    if (err == KOA_OK)
        err = koa_require_memory(collector->lag, reterr);
    if (err == KOA_OK)
        *ret_collector = KOA_MOVE(collector);
    koa_collector_destroy(collector);
    return err;
}

void koa_collector_destroy(struct koa_collector *collector)
{
    if (collector == NULL)
        return;
    KOA_ASSERT(collector->pending == 0 && koa_list_is_empty(&collector->background));
    koa_snapshot_unref(collector->previous);
    koa_snapshot_unref(collector->draft);
    koa_state_unref(collector->state);
    koa_arena_destroy(collector->arena);
    koa_lag_destroy(collector->lag);
    koa_group_list_deinit(&collector->list);
    koa_roster_deinit(&collector->roster);
    koa_free(collector->name);
    koa_free(collector);
}

bool koa_collector_is_busy(const struct koa_collector *collector)
{
    return collector->phase != KOA_PHASE_IDLE;
}

void koa_collector_cancel(struct koa_collector *collector)
{
    collector->is_cancelled = true;
}

struct koa_mono koa_cycle_now(const struct koa_collector *collector)
{
    return collector->opts.ops->mono(collector->opts.context);
}

static void enter(struct koa_collector *collector, enum koa_collector_phase phase)
{
    struct koa_mono now = koa_cycle_now(collector);

    if (collector->phase != KOA_PHASE_IDLE) {
        collector->report.phase_ms[collector->phase] =
            koa_mono_diff_ms(now, collector->phase_began);
    }
    collector->phase = phase;
    collector->phase_began = now;
}

void koa_cycle_note(struct koa_collector *collector, const char *text)
{
    collector->errors++;
    (void) snprintf(collector->last_error, sizeof(collector->last_error), "%s", text);
}

const struct koa_snapshot *koa_cycle_previous(const struct koa_collector *collector)
{
    return collector->is_other_cluster ? NULL : collector->previous;
}

struct koa_draft_limits koa_cycle_limits(const struct koa_collector *collector)
{
    return (struct koa_draft_limits){
        .end_ms = KOA_OFFSET_KEEP_CYCLES * collector->opts.interval_ms,
        .start_ms = KOA_OFFSET_KEEP_CYCLES * collector->opts.interval_ms +
                    STARTS_KEPT_SLOW_CYCLES * collector->opts.slow_interval_ms};
}

bool koa_cycle_list_brokers(struct koa_collector *collector)
{
    const struct koa_roster *roster = &collector->roster;

    collector->broker_count = 0;
    collector->brokers =
        koa_arena_alloc(collector->arena, roster->count + 1, sizeof(*collector->brokers));
    if (collector->brokers == NULL) {
        koa_cycle_note(collector, "no memory for a cycle");
        return false;
    }
    for (size_t i = 0; i < roster->count; i++) {
        if (roster->rows[i].is_listed && !roster->rows[i].has_failed)
            collector->brokers[collector->broker_count++] = roster->rows[i].id;
    }
    return true;
}

static void take_body(struct koa_collector *collector, const struct koa_task *task,
                      const void *body)
{
    const struct koa_kafka_describe_cluster_response *description = body;

    switch (task->kind) {
    case KOA_TASK_METADATA:
        koa_cycle_take_metadata(collector, task, body);
        break;
    case KOA_TASK_DESCRIBE_CLUSTER:
        if (description->error_code == KOA_KAFKA_NO_ERROR)
            collector->draft->controller_id = description->controller_id;
        break;
    case KOA_TASK_LIST_GROUPS:
        koa_cycle_take_list(collector, task, body);
        break;
    case KOA_TASK_DESCRIBE_GROUPS:
    case KOA_TASK_COMMITS:
        koa_cycle_take_groups(collector, task, body);
        break;
    case KOA_TASK_END:
    case KOA_TASK_START:
    case KOA_TASK_STABLE:
    case KOA_TASK_TIME:
        koa_cycle_take_offsets(collector, task, body);
        break;
    case KOA_TASK_MARKERS:
        koa_cycle_take_markers(collector, task, body);
        break;
    case KOA_TASK_LOG_DIRS:
    case KOA_TASK_CONFIGS:
    case KOA_TASK_REASSIGNMENTS:
    case KOA_TASK_QUORUM:
        koa_cycle_take_state(collector, task, body);
        break;
    case KOA_TASK_PING:
        break;
    }
}

void koa_cycle_note_lacking(struct koa_collector *collector, const struct koa_task *task,
                            const char *text)
{
    unsigned key = (unsigned) task->request.api_key % 128U;
    uint64_t bit = UINT64_C(1) << (key % 64);

    if ((collector->lacking[key / 64] & bit) != 0)
        return;
    collector->lacking[key / 64] |= bit;
    koa_log_notice(collector->opts.log, "cluster.unsupported", "%s: %s; what it tells is left out",
                   collector->name, text);
}

static void take_error(struct koa_collector *collector, const struct koa_task *task,
                       const struct koa_error *error)
{
    /* Of these the broker lives, and has nothing more to say than this. */
    bool is_alive = error->code == KOA_ERR_PROTOCOL || error->code == KOA_ERR_LIMIT;

    if (task->kind == KOA_TASK_START || task->kind == KOA_TASK_STABLE)
        collector->slow_is_whole = false;
    if (collector->state != NULL)
        koa_cycle_lack_state(collector, task, error);
    if (error->code == KOA_ERR_UNSUPPORTED && task->kind == KOA_TASK_METADATA) {
        koa_cycle_note(collector, error->text); /* without it there is no cycle */
        return;
    }
    if (error->code == KOA_ERR_UNSUPPORTED) {
        koa_cycle_note_lacking(collector, task, error->text);
        return;
    }
    koa_cycle_note(collector, error->text);
    koa_roster_failed(&collector->roster, task->broker, error->text);
    if (is_alive)
        koa_roster_trust(&collector->roster, task->broker);
}

static void on_done(void *context, struct koa_kafka_request *request,
                    const struct koa_kafka_answer *answer)
{
    struct koa_task *task = KOA_CONTAINER_OF(request, struct koa_task, request);
    struct koa_collector *collector = context;

    collector->pending--;
    if (answer->error == NULL) {
        koa_roster_answered(&collector->roster, task->broker, koa_cycle_now(collector));
        if (!collector->is_cancelled)
            take_body(collector, task, answer->body);
    } else {
        take_error(collector, task, answer->error);
    }
    if (task->queue != NULL && !collector->is_cancelled)
        koa_cycle_next_group(collector, task);
    koa_cycle_step(collector);
}

struct koa_task *koa_cycle_task(struct koa_collector *collector, int32_t broker,
                                enum koa_task_kind kind)
{
    struct koa_task *task = koa_arena_alloc(collector->arena, 1, sizeof(*task));

    if (task == NULL) {
        koa_cycle_note(collector, "no memory for a request");
        return NULL;
    }
    task->broker = broker;
    task->kind = kind;
    return task;
}

void koa_cycle_submit(struct koa_collector *collector, struct koa_task *task, int16_t api_key,
                      const void *body)
{
    if (body == NULL) {
        koa_cycle_note(collector, "no memory for a request");
        return;
    }
    task->request = (struct koa_kafka_request){
        .api_key = api_key,
        .body = body,
        .deadline = koa_mono_add_ms(koa_cycle_now(collector), collector->opts.request_timeout_ms),
        .done = on_done,
        .context = collector};
    collector->pending++;
    collector->requests++;
    collector->opts.ops->submit(collector->opts.context, task->broker, &task->request);
}

/* The draft of a cycle that got metadata, completed. */
static struct koa_snapshot *complete(struct koa_collector *collector)
{
    struct koa_snapshot *draft;
    struct koa_wall now = collector->opts.ops->wall(collector->opts.context);

    koa_cycle_finish_groups(collector);
    koa_cycle_finish_state(collector);
    draft = KOA_MOVE(collector->draft);
    draft->made = koa_cycle_now(collector);
    draft->good_time = now;
    draft->version_guess = koa_version_guess(collector->opts.ops->version, collector->opts.context,
                                             collector->metadata_broker);
    koa_draft_carry_over(draft, koa_cycle_previous(collector), koa_cycle_limits(collector));
    koa_lag_finish(collector->lag, draft, koa_cycle_previous(collector), now);
    if (collector->has_slow && collector->slow_is_whole)
        collector->slow_due = koa_mono_add_ms(collector->began, collector->opts.slow_interval_ms);
    return draft;
}

/* A cycle that learned nothing: what was known, with the reason. */
static struct koa_snapshot *repeat(struct koa_collector *collector)
{
    struct koa_mono now = koa_cycle_now(collector);
    struct koa_snapshot *snapshot;

    if (collector->previous != NULL) {
        snapshot = koa_draft_repeat(collector->previous, now, koa_cycle_limits(collector));
    } else {
        snapshot = koa_snapshot_create(collector->name);
    }
    if (snapshot == NULL)
        return NULL;
    snapshot->made = now;
    if (collector->previous != NULL)
        snapshot->version_guess = collector->previous->version_guess;
    snapshot->error = koa_arena_strdup(snapshot->arena, collector->last_error);
    if (snapshot->error == NULL)
        snapshot->error = "no broker answered";
    return snapshot;
}

static size_t count_stale(const struct koa_snapshot *snapshot)
{
    size_t stale = 0;

    for (size_t i = 0; i < snapshot->broker_count; i++)
        stale += snapshot->brokers[i].is_up ? 0 : 1;
    return stale;
}

static void finish(struct koa_collector *collector)
{
    bool has_failed = collector->draft == NULL;
    struct koa_snapshot *snapshot;

    snapshot = has_failed ? repeat(collector) : complete(collector);
    enter(collector, KOA_PHASE_IDLE);
    collector->report.duration_ms = koa_mono_diff_ms(collector->phase_began, collector->began);
    collector->report.has_failed = has_failed;
    if (snapshot != NULL) {
        snapshot->interval_ms = collector->opts.interval_ms;
        snapshot->time = collector->opts.ops->wall(collector->opts.context);
        snapshot->cycle =
            (struct koa_snapshot_cycle){.duration_ms = (double) collector->report.duration_ms,
                                        .requests = collector->requests,
                                        .errors = collector->errors};
        if (!koa_roster_fill(&collector->roster, snapshot)) {
            koa_snapshot_unref(snapshot);
            snapshot = NULL;
        }
    }
    if (snapshot != NULL) {
        koa_draft_count(snapshot);
        collector->report.stale_brokers = count_stale(snapshot);
        koa_snapshot_unref(collector->previous);
        koa_object_ref(&snapshot->object);
        collector->previous = snapshot;
    }
    koa_arena_destroy(KOA_MOVE(collector->arena));
    collector->candidates = NULL;
    collector->opts.ops->finished(collector->opts.context, snapshot, &collector->report);
}

/* Everything that was asked has ended: what is next? */
static void advance(struct koa_collector *collector)
{
    switch (collector->phase) {
    case KOA_PHASE_METADATA:
        if (collector->draft != NULL) {
            enter(collector, KOA_PHASE_GROUPS);
            koa_cycle_ping(collector);
            koa_cycle_list_groups(collector);
            koa_cycle_ask_for_state(collector);
        } else if (koa_cycle_may_call_servers(collector)) {
            koa_cycle_call_servers(collector);
        } else if (koa_cycle_may_ask_for_metadata(collector)) {
            koa_cycle_ask_for_metadata(collector);
        } else {
            finish(collector);
        }
        break;
    case KOA_PHASE_GROUPS:
        enter(collector, KOA_PHASE_COMMITS);
        koa_cycle_ask_for_groups(collector);
        break;
    case KOA_PHASE_COMMITS:
        if (!collector->has_retried) {
            collector->has_retried = true;
            if (koa_cycle_retry_groups(collector))
                break;
        }
        enter(collector, KOA_PHASE_OFFSETS);
        koa_cycle_ask_for_offsets(collector);
        break;
    case KOA_PHASE_OFFSETS:
        finish(collector);
        break;
    case KOA_PHASE_IDLE:
        break;
    }
}

/* Not from inside itself: a request may end before submit() returns. */
void koa_cycle_step(struct koa_collector *collector)
{
    if (collector->is_stepping)
        return;
    collector->is_stepping = true;
    while (collector->pending == 0 && collector->phase != KOA_PHASE_IDLE &&
           !collector->is_cancelled && !koa_cycle_is_calling_servers(collector))
        advance(collector);
    collector->is_stepping = false;
}

bool koa_collector_begin(struct koa_collector *collector)
{
    bool last_is_up;
    const struct koa_roster_row *last;

    if (koa_collector_is_busy(collector) || collector->is_cancelled)
        return false;
    last = koa_roster_find(&collector->roster, collector->metadata_broker);
    last_is_up = last != NULL && last->is_up && last->is_listed;
    collector->began = koa_cycle_now(collector);
    collector->has_slow = koa_mono_diff_ms(collector->began, collector->slow_due) >= 0;
    collector->slow_is_whole = true;
    collector->has_retried = false;
    collector->has_called_servers = false;
    collector->has_asked_for_lists = false;
    collector->is_other_cluster = false;
    collector->requests = collector->errors = 0;
    collector->report = (struct koa_collector_report){.has_failed = false};
    (void) snprintf(collector->last_error, sizeof(collector->last_error), "no broker answered");
    collector->arena = koa_arena_create(CYCLE_LIMIT);
    enter(collector, KOA_PHASE_METADATA);
    if (collector->arena == NULL || !koa_cycle_list_candidates(collector, last_is_up)) {
        collector->candidate_count = collector->next_candidate = 0;
        koa_cycle_note(collector, "no memory for a cycle");
    }
    koa_roster_begin(&collector->roster);
    koa_cycle_step(collector);
    return true;
}

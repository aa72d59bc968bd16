/* The cycle: who is asked, in which order, and when it is over. What is believed of the answers is
 * draft.c's matter, who is up roster.c's. */
#include "cluster/collector.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cluster/draft.h"
#include "cluster/offsets_request.h"
#include "cluster/roster.h"
#include "kafka/error_code.h"
#include "kafka/messages/api_versions.h"
#include "kafka/messages/describe_cluster.h"

enum {
    CYCLE_LIMIT = 256 * 1024 * 1024, /* bytes of one cycle's requests: 40 a partition */
    /* Further brokers are asked for metadata until this many request timeouts have passed. */
    METADATA_TIMEOUTS = 3,
    STARTS_KEPT_SLOW_CYCLES = 3,
};

enum task_kind { TASK_METADATA, TASK_DESCRIBE, TASK_END, TASK_START, TASK_PING };

/* One request under way, in the cycle's arena. */
struct task {
    struct koa_kafka_request request;
    struct koa_collector *collector;
    int32_t broker;
    enum task_kind kind;
};

struct koa_collector {
    struct koa_collector_opts opts;
    char *name;
    struct koa_roster roster;
    struct koa_snapshot *previous;

    enum koa_collector_phase phase;
    bool is_stepping;
    bool is_cancelled;
    size_t pending;
    struct koa_arena *arena; /* of the cycle */
    struct koa_snapshot *draft;
    struct koa_mono began, phase_began;
    struct koa_mono slow_due;
    bool has_slow;     /* this cycle asks for starts */
    bool starts_whole; /* and no broker has failed to tell them */
    struct koa_collector_report report;
    int64_t requests, errors;
    char last_error[KOA_ERROR_TEXT_SIZE];

    int32_t *candidates; /* for metadata, in the cycle's arena */
    size_t candidate_count, next_candidate;
    int32_t metadata_broker; /* who answered last; kept across cycles */
};

static void step(struct koa_collector *collector);

const char *koa_collector_phase_name(enum koa_collector_phase phase)
{
    static const char *const names[] = {[KOA_PHASE_METADATA] = "metadata",
                                        [KOA_PHASE_DESCRIBE] = "describe",
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
    collector->name = koa_strdup(opts->name);
    err = koa_require_memory(collector->name, reterr);
    if (err == KOA_OK)
        *ret_collector = KOA_MOVE(collector);
    koa_collector_destroy(collector);
    return err;
}

void koa_collector_destroy(struct koa_collector *collector)
{
    if (collector == NULL)
        return;
    KOA_ASSERT(collector->pending == 0);
    koa_snapshot_unref(collector->previous);
    koa_snapshot_unref(collector->draft);
    koa_arena_destroy(collector->arena);
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

static struct koa_mono now_of(const struct koa_collector *collector)
{
    return collector->opts.ops->mono(collector->opts.context);
}

static void enter(struct koa_collector *collector, enum koa_collector_phase phase)
{
    struct koa_mono now = now_of(collector);

    if (collector->phase != KOA_PHASE_IDLE) {
        collector->report.phase_ms[collector->phase] =
            koa_mono_diff_ms(now, collector->phase_began);
    }
    collector->phase = phase;
    collector->phase_began = now;
}

static void note_error(struct koa_collector *collector, const char *text)
{
    collector->errors++;
    (void) snprintf(collector->last_error, sizeof(collector->last_error), "%s", text);
}

/* Metadata: the draft begins. */
static void take_metadata(struct koa_collector *collector, const struct task *task,
                          const struct koa_kafka_metadata_response *answer)
{
    struct koa_mono now = now_of(collector);
    struct koa_error error;
    struct koa_snapshot *draft;

    if (answer->error_code != KOA_KAFKA_NO_ERROR) {
        (void) koa_fail(&error, KOA_ERR_PROTOCOL, "Metadata was refused: %s",
                        koa_kafka_error_name(answer->error_code));
        note_error(collector, error.text);
        return;
    }
    draft = koa_snapshot_create(collector->name);
    if (draft == NULL) {
        note_error(collector, "no memory for a snapshot");
        return;
    }
    draft->made = now;
    draft->controller_id = answer->controller_id;
    draft->cluster_id = koa_arena_strndup(
        draft->arena, answer->cluster_id.data != NULL ? answer->cluster_id.data : "",
        answer->cluster_id.size);
    if (draft->cluster_id == NULL ||
        koa_draft_metadata(draft, collector->opts.filter, answer, &error) != KOA_OK) {
        note_error(collector, "no memory for a snapshot");
        koa_snapshot_unref(draft);
        return;
    }
    if (!koa_roster_update(&collector->roster, answer, now)) {
        koa_log_warn(collector->opts.log, "cluster.brokers",
                     "%s: only %zu of %zu brokers can be watched; the others are left out",
                     collector->name, collector->roster.count, answer->brokers.count);
    }
    collector->draft = draft;
    collector->metadata_broker = task->broker;
}

static void take_offsets(struct koa_collector *collector, const struct task *task,
                         const struct koa_kafka_list_offsets_response *answer)
{
    int64_t timestamp = task->kind == TASK_END ? KOA_KAFKA_OFFSET_END : KOA_KAFKA_OFFSET_START;
    int16_t code = KOA_KAFKA_NO_ERROR;
    size_t failed;

    collector->draft->made = now_of(collector);
    failed = koa_draft_offsets(collector->draft, answer, task->broker, timestamp, &code);
    if (failed > 0) {
        char text[KOA_ROSTER_TEXT];

        (void) snprintf(text, sizeof(text), "broker %" PRId32 ": offsets of %zu partitions: %s",
                        task->broker, failed, koa_kafka_error_name(code));
        note_error(collector, text);
        koa_log_debug(collector->opts.log, "cluster.offsets", "%s: %s", collector->name, text);
    }
}

static void take_body(struct koa_collector *collector, const struct task *task, const void *body)
{
    const struct koa_kafka_describe_cluster_response *description = body;

    switch (task->kind) {
    case TASK_METADATA:
        take_metadata(collector, task, body);
        break;
    case TASK_DESCRIBE:
        if (description->error_code == KOA_KAFKA_NO_ERROR)
            collector->draft->controller_id = description->controller_id;
        break;
    case TASK_END:
    case TASK_START:
        take_offsets(collector, task, body);
        break;
    case TASK_PING:
        break;
    }
}

static void on_done(void *context, struct koa_kafka_request *request,
                    const struct koa_kafka_answer *answer)
{
    struct task *task = KOA_CONTAINER_OF(request, struct task, request);
    struct koa_collector *collector = context;

    collector->pending--;
    if (answer->error == NULL) {
        koa_roster_answered(&collector->roster, task->broker, now_of(collector));
        if (!collector->is_cancelled)
            take_body(collector, task, answer->body);
    } else {
        /* An API that a broker lacks is no fault of the cluster: DescribeCluster is from 2.8. */
        bool is_optional =
            task->kind == TASK_DESCRIBE && answer->error->code == KOA_ERR_UNSUPPORTED;

        if (!is_optional) {
            note_error(collector, answer->error->text);
            koa_roster_failed(&collector->roster, task->broker, answer->error->text);
        }
        if (task->kind == TASK_START)
            collector->starts_whole = false;
    }
    step(collector);
}

static void submit(struct koa_collector *collector, int32_t broker, enum task_kind kind,
                   int16_t api_key, const void *body)
{
    struct task *task = koa_arena_alloc(collector->arena, 1, sizeof(*task));

    if (task == NULL || body == NULL) {
        note_error(collector, "no memory for a request");
        koa_roster_failed(&collector->roster, broker, "no memory for a request");
        return;
    }
    task->collector = collector;
    task->broker = broker;
    task->kind = kind;
    task->request = (struct koa_kafka_request){
        .api_key = api_key,
        .body = body,
        .deadline = koa_mono_add_ms(now_of(collector), collector->opts.request_timeout_ms),
        .done = on_done,
        .context = collector};
    collector->pending++;
    collector->requests++;
    collector->opts.ops->submit(collector->opts.context, broker, &task->request);
}

static void add_candidate(struct koa_collector *collector, int32_t id)
{
    for (size_t i = 0; i < collector->candidate_count; i++) {
        if (collector->candidates[i] == id)
            return;
    }
    collector->candidates[collector->candidate_count++] = id;
}

/* Who answered last, then who was up in the last cycle, then the configuration's servers, then the
 * rest: a frozen broker is not asked first twice. */
static bool list_candidates(struct koa_collector *collector, bool keep_last)
{
    const struct koa_roster *roster = &collector->roster;

    collector->candidate_count = collector->next_candidate = 0;
    collector->candidates =
        koa_arena_alloc(collector->arena, roster->count + collector->opts.bootstrap_count + 1,
                        sizeof(*collector->candidates));
    if (collector->candidates == NULL)
        return false;
    if (keep_last)
        add_candidate(collector, collector->metadata_broker);
    for (size_t i = 0; i < roster->count; i++) {
        if (roster->rows[i].is_up && roster->rows[i].is_listed)
            add_candidate(collector, roster->rows[i].id);
    }
    for (size_t i = 0; i < collector->opts.bootstrap_count; i++)
        add_candidate(collector, koa_kafka_bootstrap_id(i));
    for (size_t i = 0; i < roster->count; i++) {
        if (roster->rows[i].is_listed)
            add_candidate(collector, roster->rows[i].id);
    }
    return true;
}

static bool may_ask_for_metadata(const struct koa_collector *collector)
{
    int64_t spent = koa_mono_diff_ms(now_of(collector), collector->began);

    return collector->next_candidate < collector->candidate_count &&
           spent < METADATA_TIMEOUTS * collector->opts.request_timeout_ms;
}

static void ask_for_metadata(struct koa_collector *collector)
{
    /* All topics; none of them is created by asking. */
    static const struct koa_kafka_metadata_request all_topics = {.topics = {.rows = NULL}};

    submit(collector, collector->candidates[collector->next_candidate++], TASK_METADATA,
           KOA_KAFKA_METADATA, &all_topics);
}

static void tell_brokers(struct koa_collector *collector)
{
    const struct koa_roster *roster = &collector->roster;
    struct koa_kafka_address *addresses =
        koa_arena_alloc(collector->arena, roster->count + 1, sizeof(*addresses));
    size_t count = 0;

    for (size_t i = 0; addresses != NULL && i < roster->count; i++) {
        if (roster->rows[i].is_listed) {
            addresses[count++] = (struct koa_kafka_address){.id = roster->rows[i].id,
                                                            .host = roster->rows[i].host,
                                                            .port = roster->rows[i].port};
        }
    }
    if (addresses != NULL)
        collector->opts.ops->set_brokers(collector->opts.context, addresses, count);
}

static void describe(struct koa_collector *collector)
{
    static const struct koa_kafka_describe_cluster_request brokers = {
        .endpoint_type = KOA_KAFKA_ENDPOINT_BROKERS};

    enter(collector, KOA_PHASE_DESCRIBE);
    tell_brokers(collector);
    submit(collector, collector->metadata_broker, TASK_DESCRIBE, KOA_KAFKA_DESCRIBE_CLUSTER,
           &brokers);
}

static void ask_broker_for_offsets(struct koa_collector *collector, int32_t broker,
                                   const size_t *order, size_t count)
{
    for (size_t at = 0; at < count; at += KOA_OFFSETS_PER_REQUEST) {
        size_t part = count - at < KOA_OFFSETS_PER_REQUEST ? count - at : KOA_OFFSETS_PER_REQUEST;

        if (collector->has_slow) {
            submit(collector, broker, TASK_START, KOA_KAFKA_LIST_OFFSETS,
                   koa_offsets_request_make(collector->arena, collector->draft, order + at, part,
                                            KOA_KAFKA_OFFSET_START));
        }
        submit(collector, broker, TASK_END, KOA_KAFKA_LIST_OFFSETS,
               koa_offsets_request_make(collector->arena, collector->draft, order + at, part,
                                        KOA_KAFKA_OFFSET_END));
    }
}

static void ping(struct koa_collector *collector, int32_t broker)
{
    static const struct koa_kafka_api_versions_request who = {
        .client_software_name = {.data = "kafka-ops-agent", .size = 15},
        .client_software_version = {.data = "0", .size = 1},
        .node_id = -1};

    submit(collector, broker, TASK_PING, KOA_KAFKA_API_VERSIONS, &who);
}

/* Ids are copied first: answers may come at once and change the roster's rows. */
static void ask_for_offsets(struct koa_collector *collector)
{
    const struct koa_roster *roster = &collector->roster;
    int32_t *ids = koa_arena_alloc(collector->arena, roster->count + 1, sizeof(*ids));
    struct koa_leader_order leaders;
    size_t count = 0;

    enter(collector, KOA_PHASE_OFFSETS);
    for (size_t i = 0; ids != NULL && i < roster->count; i++) {
        if (roster->rows[i].is_listed)
            ids[count++] = roster->rows[i].id;
    }
    if (ids == NULL ||
        !koa_leader_order_make(collector->arena, collector->draft, ids, count, &leaders)) {
        note_error(collector, "no memory for the requests of offsets");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        size_t led = leaders.first[i + 1] - leaders.first[i];

        if (led > 0) {
            ask_broker_for_offsets(collector, ids[i], leaders.order + leaders.first[i], led);
        } else {
            ping(collector, ids[i]);
        }
    }
}

static struct koa_draft_limits limits_of(const struct koa_collector *collector)
{
    return (struct koa_draft_limits){
        .end_ms = KOA_OFFSET_KEEP_CYCLES * collector->opts.interval_ms,
        .start_ms = KOA_OFFSET_KEEP_CYCLES * collector->opts.interval_ms +
                    STARTS_KEPT_SLOW_CYCLES * collector->opts.slow_interval_ms};
}

static bool is_same_cluster(const struct koa_snapshot *draft, const struct koa_snapshot *previous)
{
    return previous == NULL || draft->cluster_id[0] == '\0' || previous->cluster_id[0] == '\0' ||
           strcmp(draft->cluster_id, previous->cluster_id) == 0;
}

/* The draft of a cycle that got metadata, completed. */
static struct koa_snapshot *complete(struct koa_collector *collector)
{
    struct koa_snapshot *draft = KOA_MOVE(collector->draft);

    draft->made = now_of(collector);
    draft->good_time = collector->opts.ops->wall(collector->opts.context);
    if (is_same_cluster(draft, collector->previous)) {
        koa_draft_carry_over(draft, collector->previous, limits_of(collector));
    } else {
        koa_log_warn(
            collector->opts.log, "cluster.identity",
            "%s: the servers now belong to cluster %s, before it was %s; what was known is "
            "dropped",
            collector->name, draft->cluster_id, collector->previous->cluster_id);
    }
    if (collector->has_slow && collector->starts_whole)
        collector->slow_due = koa_mono_add_ms(collector->began, collector->opts.slow_interval_ms);
    return draft;
}

/* A cycle that learned nothing: what was known, with the reason. */
static struct koa_snapshot *repeat(struct koa_collector *collector)
{
    struct koa_mono now = now_of(collector);
    struct koa_snapshot *snapshot;

    if (collector->previous != NULL) {
        snapshot = koa_draft_repeat(collector->previous, now, limits_of(collector));
    } else {
        snapshot = koa_snapshot_create(collector->name);
    }
    if (snapshot == NULL)
        return NULL;
    snapshot->made = now;
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

    enter(collector, KOA_PHASE_IDLE);
    collector->report.duration_ms = koa_mono_diff_ms(now_of(collector), collector->began);
    collector->report.has_failed = has_failed;
    snapshot = has_failed ? repeat(collector) : complete(collector);
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
            describe(collector);
        } else if (may_ask_for_metadata(collector)) {
            ask_for_metadata(collector);
        } else {
            finish(collector);
        }
        break;
    case KOA_PHASE_DESCRIBE:
        ask_for_offsets(collector);
        break;
    case KOA_PHASE_OFFSETS:
        finish(collector);
        break;
    case KOA_PHASE_IDLE:
        break;
    }
}

/* Not from inside itself: a request may end before submit() returns. */
static void step(struct koa_collector *collector)
{
    if (collector->is_stepping)
        return;
    collector->is_stepping = true;
    while (collector->pending == 0 && collector->phase != KOA_PHASE_IDLE &&
           !collector->is_cancelled)
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
    collector->began = now_of(collector);
    collector->has_slow = koa_mono_diff_ms(collector->began, collector->slow_due) >= 0;
    collector->starts_whole = true;
    collector->requests = collector->errors = 0;
    collector->report = (struct koa_collector_report){.has_failed = false};
    (void) snprintf(collector->last_error, sizeof(collector->last_error), "no broker answered");
    collector->arena = koa_arena_create(CYCLE_LIMIT);
    enter(collector, KOA_PHASE_METADATA);
    if (collector->arena == NULL || !list_candidates(collector, last_is_up)) {
        collector->candidate_count = collector->next_candidate = 0;
        note_error(collector, "no memory for a cycle");
    }
    koa_roster_begin(&collector->roster);
    step(collector);
    return true;
}

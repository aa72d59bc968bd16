/* Metadata of all topics, from the first broker that answers: the draft begins. */
#include <inttypes.h>
#include <string.h>

#include "cluster/cycle.h"
#include "kafka/error_code.h"

enum {
    /* Further brokers are asked until this many request timeouts have passed. */
    METADATA_TIMEOUTS = 3,
};

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

/* Other servers behind the same names: nothing of before is true of them. */
static void note_identity(struct koa_collector *collector)
{
    const struct koa_snapshot *draft = collector->draft;
    const struct koa_snapshot *previous = collector->previous;

    if (previous == NULL || draft->cluster_id[0] == '\0' || previous->cluster_id[0] == '\0' ||
        strcmp(draft->cluster_id, previous->cluster_id) == 0)
        return;
    collector->is_other_cluster = true;
    koa_log_warn(collector->opts.log, "cluster.identity",
                 "%s: the servers now belong to cluster %s, before it was %s; what was known is "
                 "dropped",
                 collector->name, draft->cluster_id, previous->cluster_id);
}

/* Metadata: the draft begins. */
void koa_cycle_take_metadata(struct koa_collector *collector, const struct koa_task *task,
                             const struct koa_kafka_metadata_response *answer)
{
    struct koa_mono now = koa_cycle_now(collector);
    struct koa_error error;
    struct koa_snapshot *draft;

    if (answer->error_code != KOA_KAFKA_NO_ERROR) {
        (void) koa_fail(&error, KOA_ERR_PROTOCOL, "Metadata was refused: %s",
                        koa_kafka_error_name(answer->error_code));
        koa_cycle_note(collector, error.text);
        return;
    }
    draft = koa_snapshot_create(collector->name);
    if (draft == NULL) {
        koa_cycle_note(collector, "no memory for a snapshot");
        return;
    }
    draft->made = now;
    draft->controller_id = answer->controller_id;
    draft->cluster_id = koa_arena_strndup(
        draft->arena, answer->cluster_id.data != NULL ? answer->cluster_id.data : "",
        answer->cluster_id.size);
    if (draft->cluster_id == NULL ||
        koa_draft_metadata(draft, collector->opts.filter, answer, &error) != KOA_OK) {
        koa_cycle_note(collector, "no memory for a snapshot");
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
    note_identity(collector);
    koa_draft_carry_histories(draft, koa_cycle_previous(collector));
    tell_brokers(collector);
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
bool koa_cycle_list_candidates(struct koa_collector *collector, bool keep_last)
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

bool koa_cycle_may_ask_for_metadata(const struct koa_collector *collector)
{
    int64_t spent = koa_mono_diff_ms(koa_cycle_now(collector), collector->began);

    return collector->next_candidate < collector->candidate_count &&
           spent < METADATA_TIMEOUTS * collector->opts.request_timeout_ms;
}

bool koa_cycle_may_call_servers(const struct koa_collector *collector)
{
    size_t next = collector->next_candidate;

    return koa_cycle_may_ask_for_metadata(collector) && !collector->has_called_servers &&
           next + 1 < collector->candidate_count && collector->candidates[next] < 0 &&
           collector->candidates[next + 1] < 0;
}

void koa_cycle_call_servers(struct koa_collector *collector)
{
    size_t first = collector->next_candidate;
    size_t behind = first;

    while (behind < collector->candidate_count && collector->candidates[behind] < 0)
        behind++;
    collector->has_called_servers = true;
    collector->has_heard_refusal = false;
    collector->next_candidate = collector->first_unheard = behind;
    /* Answers that come at once write over candidates that have been called. */
    for (size_t i = behind; i > first; i--)
        koa_cycle_call(collector, collector->candidates[i - 1]);
}

bool koa_cycle_is_calling_servers(const struct koa_collector *collector)
{
    return collector->phase == KOA_PHASE_METADATA && collector->draft == NULL &&
           collector->has_called_servers && collector->next_candidate >= collector->first_unheard &&
           koa_cycle_has_calls(collector);
}

/* What somebody must mend is told rather than that others keep silent, who take longer to say so.
 */
static void note_failed_call(struct koa_collector *collector, const struct koa_error *error)
{
    bool is_refusal = error->code == KOA_ERR_AUTH || error->code == KOA_ERR_TLS ||
                      error->code == KOA_ERR_PROTOCOL;

    if (is_refusal || !collector->has_heard_refusal) {
        koa_cycle_note(collector, error->text);
    } else {
        collector->errors++;
    }
    collector->has_heard_refusal = collector->has_heard_refusal || is_refusal;
}

/* Who answers is the next candidate: there is a place for each that was called. A call may also be
 * left from the cycle before. */
void koa_cycle_hear_server(struct koa_collector *collector, int32_t server,
                           const struct koa_error *error)
{
    if (collector->is_cancelled || collector->phase != KOA_PHASE_METADATA ||
        collector->draft != NULL || !collector->has_called_servers)
        return;
    if (error != NULL) {
        note_failed_call(collector, error);
    } else {
        collector->candidates[--collector->next_candidate] = server;
    }
    koa_cycle_step(collector);
}

void koa_cycle_ask_for_metadata(struct koa_collector *collector)
{
    /* All topics; none of them is created by asking. */
    static const struct koa_kafka_metadata_request all_topics = {.topics = {.rows = NULL}};

    struct koa_task *task = koa_cycle_task(
        collector, collector->candidates[collector->next_candidate++], KOA_TASK_METADATA);

    if (task != NULL)
        koa_cycle_submit(collector, task, KOA_KAFKA_METADATA, &all_topics);
}

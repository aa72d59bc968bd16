/* Decides what of the slow answers is believed. */
#include "cluster/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/str.h"
#include "cluster/name_search.h"
#include "cluster/snapshot.h"
#include "kafka/error_code.h"

enum { STATE_LIMIT = 256 * 1024 * 1024 /* bytes: more than a million topics */ };

static void destroy(struct koa_object *object)
{
    koa_arena_destroy(((struct koa_state *) (void *) object)->arena); /* it lives in it */
}

void koa_state_unref(struct koa_state *state)
{
    if (state != NULL)
        koa_object_unref(&state->object);
}

struct koa_state *koa_state_create(const struct koa_snapshot *draft)
{
    struct koa_arena *arena = koa_arena_create(STATE_LIMIT);
    struct koa_state *state = arena != NULL ? koa_arena_alloc(arena, 1, sizeof(*state)) : NULL;

    if (state == NULL) {
        koa_arena_destroy(arena);
        return NULL;
    }
    state->arena = arena;
    koa_object_init(&state->object, destroy);
    state->quorum_leader = state->quorum_epoch = -1;
    state->topics = koa_arena_alloc(arena, draft->topic_count + 1, sizeof(*state->topics));
    for (size_t i = 0; state->topics != NULL && i < draft->topic_count; i++) {
        const struct koa_topic_row *topic = &draft->topics[i];

        state->topics[i].name = koa_arena_strndup(arena, topic->name, topic->name_size);
        state->topics[i].name_size = topic->name_size;
        state->topics[i].lacks_replicas = topic->with_offline_replicas > 0;
    }
    state->topic_count = draft->topic_count;
    if (koa_arena_failed(arena)) {
        koa_state_unref(state);
        return NULL;
    }
    return state;
}

static struct koa_str topic_name_at(const void *rows, size_t index)
{
    const struct koa_topic_state *row = (const struct koa_topic_state *) rows + index;

    return (struct koa_str){.data = row->name, .size = row->name_size};
}

static struct koa_topic_state *find(const struct koa_state *state, struct koa_str name)
{
    size_t index = koa_name_search(state->topics, state->topic_count, topic_name_at, name);

    return index < state->topic_count ? &state->topics[index] : NULL;
}

const struct koa_topic_state *koa_state_find_topic(const struct koa_state *state,
                                                   struct koa_str name)
{
    return find(state, name);
}

static struct koa_log_dir_row *add_log_dir(struct koa_state *state)
{
    if (state->log_dir_count == state->log_dir_capacity) {
        size_t capacity = state->log_dir_capacity > 0 ? state->log_dir_capacity * 2 : 16;
        struct koa_log_dir_row *rows = koa_arena_alloc(state->arena, capacity, sizeof(*rows));

        if (rows == NULL)
            return NULL;
        if (state->log_dir_count > 0)
            memcpy(rows, state->log_dirs, state->log_dir_count * sizeof(*rows));
        state->log_dirs = rows;
        state->log_dir_capacity = capacity;
    }
    return &state->log_dirs[state->log_dir_count++];
}

/* Adds each topic's share to its bytes. */
static int64_t sum_sizes(struct koa_state *state,
                         const struct koa_kafka_describe_log_dirs_result *result)
{
    int64_t sum = 0;

    for (size_t i = 0; i < result->topics.count; i++) {
        const struct koa_kafka_describe_log_dirs_topic *topic = &result->topics.rows[i];
        struct koa_topic_state *row = find(state, topic->name);
        int64_t bytes = 0;

        for (size_t j = 0; j < topic->partitions.count; j++) {
            int64_t size = topic->partitions.rows[j].partition_size;

            /* Sizes that cannot be are left out, so that sums stay in range. */
            if (size > 0 && size < INT64_MAX / 1000000 && bytes < INT64_MAX / 2)
                bytes += size;
        }
        if (sum < INT64_MAX / 2)
            sum += bytes;
        if (row != NULL && row->bytes < INT64_MAX / 2)
            row->bytes += bytes;
    }
    return sum;
}

bool koa_state_take_log_dirs(struct koa_state *state, int32_t broker, int64_t learned_ms,
                             const struct koa_kafka_describe_log_dirs_response *answer)
{
    for (size_t i = 0; i < answer->results.count; i++) {
        const struct koa_kafka_describe_log_dirs_result *result = &answer->results.rows[i];
        struct koa_log_dir_row *row = add_log_dir(state);
        bool is_text = koa_utf8_valid(result->log_dir) && result->log_dir.size > 0 &&
                       memchr(result->log_dir.data, '\0', result->log_dir.size) == NULL;

        if (row == NULL)
            return false;
        *row = (struct koa_log_dir_row){.broker = broker,
                                        .path = is_text ? koa_arena_strndup(state->arena,
                                                                            result->log_dir.data,
                                                                            result->log_dir.size)
                                                        : "?",
                                        .error = result->error_code != KOA_KAFKA_NO_ERROR
                                                     ? koa_kafka_error_name(result->error_code)
                                                     : NULL,
                                        .size = sum_sizes(state, result),
                                        .total = result->total_bytes,
                                        .usable = result->usable_bytes,
                                        .learned_ms = learned_ms};
        if (row->path == NULL)
            return false;
    }
    return true;
}

void koa_state_take_configs(struct koa_state *state,
                            const struct koa_kafka_describe_configs_response *answer)
{
    for (size_t i = 0; i < answer->results.count; i++) {
        const struct koa_kafka_describe_configs_result *result = &answer->results.rows[i];
        struct koa_topic_state *row =
            result->error_code == KOA_KAFKA_NO_ERROR ? find(state, result->resource_name) : NULL;

        for (size_t j = 0; row != NULL && j < result->configs.count; j++) {
            const struct koa_kafka_describe_configs_entry *entry = &result->configs.rows[j];
            int64_t value;

            if (koa_str_equal_text(entry->name, "min.insync.replicas") &&
                koa_parse_int(entry->value, 1, INT32_MAX, &value) == KOA_OK)
                row->min_isr = (int32_t) value;
        }
    }
}

void koa_state_take_reassignments(
    struct koa_state *state, const struct koa_kafka_list_partition_reassignments_response *answer)
{
    if (answer->error_code != KOA_KAFKA_NO_ERROR)
        return;
    state->has_reassignments = true;
    for (size_t i = 0; i < answer->topics.count; i++) {
        struct koa_topic_state *row = find(state, answer->topics.rows[i].name);

        if (row != NULL)
            row->reassigning = (int32_t) answer->topics.rows[i].partitions.count;
    }
}

static void fill_voters(struct koa_state *state,
                        const struct koa_kafka_describe_quorum_replica *replicas, size_t count,
                        bool is_voter)
{
    for (size_t i = 0; i < count; i++) {
        state->voters[state->voter_count++] =
            (struct koa_voter_row){.id = replicas[i].replica_id,
                                   .is_voter = is_voter,
                                   .log_end = replicas[i].log_end_offset,
                                   .last_fetch_ms = replicas[i].last_fetch_timestamp};
    }
}

static int by_id(const void *a, const void *b)
{
    const struct koa_voter_row *first = a;
    const struct koa_voter_row *second = b;

    if (first->is_voter != second->is_voter)
        return first->is_voter ? -1 : 1;
    if (first->id != second->id)
        return first->id < second->id ? -1 : 1;
    return (first->log_end < second->log_end) - (first->log_end > second->log_end);
}

/* Each once, whatever the answer holds: the row with the longest log stays. */
static void order_voters(struct koa_state *state)
{
    size_t kept = 0;

    if (state->voter_count > 1)
        qsort(state->voters, state->voter_count, sizeof(*state->voters), by_id);
    for (size_t i = 0; i < state->voter_count; i++) {
        const struct koa_voter_row *last = kept > 0 ? &state->voters[kept - 1] : NULL;

        if (last == NULL || last->id != state->voters[i].id ||
            last->is_voter != state->voters[i].is_voter)
            state->voters[kept++] = state->voters[i];
    }
    state->voter_count = kept;
}

bool koa_state_take_quorum(struct koa_state *state,
                           const struct koa_kafka_describe_quorum_response *answer)
{
    const struct koa_kafka_describe_quorum_partition *quorum;
    int64_t end = -1;

    if (answer->error_code != KOA_KAFKA_NO_ERROR || answer->topics.count == 0 ||
        answer->topics.rows[0].partitions.count == 0)
        return true;
    quorum = &answer->topics.rows[0].partitions.rows[0];
    if (quorum->error_code != KOA_KAFKA_NO_ERROR)
        return true;
    state->voters =
        koa_arena_alloc(state->arena, quorum->current_voters.count + quorum->observers.count + 1,
                        sizeof(*state->voters));
    if (state->voters == NULL)
        return false;
    fill_voters(state, quorum->current_voters.rows, quorum->current_voters.count, true);
    fill_voters(state, quorum->observers.rows, quorum->observers.count, false);
    order_voters(state);
    for (size_t i = 0; i < state->voter_count; i++) {
        if (state->voters[i].id == quorum->leader_id && state->voters[i].is_voter)
            end = state->voters[i].log_end;
    }
    for (size_t i = 0; i < state->voter_count; i++) {
        struct koa_voter_row *voter = &state->voters[i];

        voter->lag =
            end >= 0 && voter->log_end >= 0 && voter->log_end < end ? end - voter->log_end : 0;
    }
    state->quorum_leader = quorum->leader_id;
    state->quorum_epoch = quorum->leader_epoch;
    state->has_quorum = true;
    return true;
}

static bool has_told(const struct koa_state *state, int32_t broker)
{
    for (size_t i = 0; i < state->log_dir_count; i++) {
        if (state->log_dirs[i].broker == broker)
            return true;
    }
    return false;
}

static bool carry_log_dirs(struct koa_state *state, const struct koa_state *previous,
                           int64_t now_ms, int64_t keep_ms)
{
    size_t told = state->log_dir_count;

    for (size_t i = 0; i < previous->log_dir_count; i++) {
        const struct koa_log_dir_row *old = &previous->log_dirs[i];
        struct koa_log_dir_row *row;
        size_t count = state->log_dir_count;
        bool is_known;

        state->log_dir_count = told;
        is_known = has_told(state, old->broker);
        state->log_dir_count = count;
        if (is_known || now_ms - old->learned_ms > keep_ms)
            continue;
        row = add_log_dir(state);
        if (row == NULL)
            return false;
        *row = *old;
        row->path = koa_arena_strdup(state->arena, old->path);
        if (row->path == NULL)
            return false;
    }
    return true;
}

static bool carry_quorum(struct koa_state *state, const struct koa_state *previous)
{
    state->voters =
        koa_arena_alloc(state->arena, previous->voter_count + 1, sizeof(*state->voters));
    if (state->voters == NULL)
        return false;
    if (previous->voter_count > 0)
        memcpy(state->voters, previous->voters, previous->voter_count * sizeof(*state->voters));
    state->voter_count = previous->voter_count;
    state->quorum_leader = previous->quorum_leader;
    state->quorum_epoch = previous->quorum_epoch;
    state->has_quorum = previous->has_quorum;
    return true;
}

/* A sum that lacks a replica is not that of the topic. */
static void note_bytes(struct koa_state *state, int64_t now_ms)
{
    for (size_t i = 0; i < state->topic_count; i++) {
        state->topics[i].has_bytes = state->has_bytes && !state->topics[i].lacks_replicas;
        state->topics[i].bytes_ms = now_ms;
    }
}

static void carry_topics(struct koa_state *state, const struct koa_state *previous, int64_t now_ms,
                         int64_t keep_ms)
{
    for (size_t i = 0; i < state->topic_count; i++) {
        struct koa_topic_state *row = &state->topics[i];
        const struct koa_topic_state *old =
            find(previous, (struct koa_str){.data = row->name, .size = row->name_size});

        if (old == NULL)
            continue;
        if (row->min_isr == 0)
            row->min_isr = old->min_isr;
        if (!row->has_bytes && now_ms - old->bytes_ms <= keep_ms) {
            row->has_bytes = old->has_bytes;
            row->bytes = old->bytes;
            row->bytes_ms = old->bytes_ms;
        }
        if (!state->has_reassignments)
            row->reassigning = old->reassigning;
    }
}

static int by_place(const void *a, const void *b)
{
    const struct koa_log_dir_row *first = a;
    const struct koa_log_dir_row *second = b;

    if (first->broker != second->broker)
        return first->broker < second->broker ? -1 : 1;
    return strcmp(first->path, second->path);
}

static int by_place_and_size(const void *a, const void *b)
{
    const struct koa_log_dir_row *first = a;
    const struct koa_log_dir_row *second = b;
    int order = by_place(a, b);

    return order != 0 ? order : (first->size < second->size) - (first->size > second->size);
}

/* Each once, whatever answers hold: the fullest row stays. */
static void order_log_dirs(struct koa_state *state)
{
    size_t kept = 0;

    if (state->log_dir_count > 1) {
        qsort(state->log_dirs, state->log_dir_count, sizeof(*state->log_dirs), by_place_and_size);
    }
    for (size_t i = 0; i < state->log_dir_count; i++) {
        if (kept == 0 || by_place(&state->log_dirs[kept - 1], &state->log_dirs[i]) != 0)
            state->log_dirs[kept++] = state->log_dirs[i];
    }
    state->log_dir_count = kept;
}

bool koa_state_finish(struct koa_state *state, const struct koa_state *previous, int64_t now_ms,
                      int64_t keep_ms)
{
    note_bytes(state, now_ms);
    if (previous != NULL) {
        if (!carry_log_dirs(state, previous, now_ms, keep_ms))
            return false;
        if (!state->has_quorum && !state->is_zookeeper && !carry_quorum(state, previous))
            return false;
        carry_topics(state, previous, now_ms, keep_ms);
        state->has_reassignments = state->has_reassignments || previous->has_reassignments;
    }
    order_log_dirs(state);
    return true;
}

/* Fills a snapshot's rows from tables. Lags, sums and the conditions that offsets tell are worked
 * out as a collector would. */
#include "kit/snapshot_kit.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kit/kit.h"

enum { INTERVAL_MS = 15000, KIT_REPLICAS = 3 };

static void *allocate(struct koa_snapshot *snapshot, size_t count, size_t size)
{
    void *memory = koa_arena_alloc(snapshot->arena, count + 1, size);

    assert_non_null(memory);
    return memory;
}

static int by_place(const void *a, const void *b)
{
    const struct kit_partition *left = *(const struct kit_partition *const *) a;
    const struct kit_partition *right = *(const struct kit_partition *const *) b;
    int order = strcmp(left->topic, right->topic);

    return order != 0 ? order : (left->id > right->id) - (left->id < right->id);
}

static void fill_partition(struct koa_snapshot *snapshot, size_t at, struct koa_topic_row *topic,
                           const struct kit_partition *row)
{
    struct koa_partition_columns *columns = &snapshot->partitions;
    int32_t replicas = row->replicas != 0 ? row->replicas : 1;

    assert_true(replicas <= KIT_REPLICAS);
    columns->id[at] = row->id;
    columns->leader[at] = row->leader != 0 ? row->leader : 1;
    columns->replicas[at] = replicas;
    columns->in_sync[at] = replicas - row->out_of_sync;
    if (row->end >= 0) {
        columns->flags[at] = KOA_PARTITION_HAS_END | KOA_PARTITION_HAS_START;
        columns->flags[at] |= row->stale_for_ms == 0 ? KOA_PARTITION_END_FRESH : 0;
    }
    columns->end[at] = row->end;
    columns->start[at] = row->start;
    columns->end_ms[at] = columns->start_ms[at] = KIT_SNAPSHOT_MONO_MS - row->stale_for_ms;
    columns->first_replica[at] = columns->first_in_sync[at] = at * KIT_REPLICAS;
    for (int32_t i = 0; i < replicas; i++)
        snapshot->replica_ids[at * KIT_REPLICAS + (size_t) i] = i + 1 + row->is_moved;
    columns->flags[at] |= columns->leader[at] >= 0 && !row->is_moved ? KOA_PARTITION_PREFERRED : 0;
    topic->non_preferred += columns->leader[at] >= 0 && row->is_moved ? 1 : 0;
    topic->count++;
    topic->leaderless += columns->leader[at] < 0 ? 1 : 0;
    topic->under_replicated += row->out_of_sync > 0 ? 1 : 0;
    topic->with_offline_replicas += row->has_offline != 0 ? 1 : 0;
}

static void fill_topics(struct koa_snapshot *snapshot, const struct kit_snapshot *spec)
{
    const struct kit_partition **rows =
        allocate(snapshot, spec->partition_count, sizeof(struct kit_partition *));

    snapshot->topics = allocate(snapshot, spec->partition_count, sizeof(*snapshot->topics));
    snapshot->replica_ids =
        allocate(snapshot, spec->partition_count * KIT_REPLICAS, sizeof(*snapshot->replica_ids));
    assert_true(koa_snapshot_alloc_partitions(snapshot, spec->partition_count));
    for (size_t i = 0; i < spec->partition_count; i++)
        rows[i] = &spec->partitions[i];
    qsort(rows, spec->partition_count, sizeof(struct kit_partition *), by_place);
    for (size_t i = 0; i < spec->partition_count; i++) {
        if (i == 0 || strcmp(rows[i - 1]->topic, rows[i]->topic) != 0) {
            snapshot->topics[snapshot->topic_count++] = (struct koa_topic_row){
                .name = rows[i]->topic, .name_size = strlen(rows[i]->topic), .first = i};
        }
        fill_partition(snapshot, i, &snapshot->topics[snapshot->topic_count - 1], rows[i]);
    }
}

static void fill_state(struct koa_snapshot *snapshot, const struct kit_state *spec)
{
    struct koa_state *state = koa_state_create(snapshot);

    assert_non_null(state);
    snapshot->state = state;
    state->log_dirs = spec->log_dirs;
    state->log_dir_count = spec->log_dir_count;
    state->voters = spec->voters;
    state->voter_count = spec->voter_count;
    state->has_quorum = spec->voter_count > 0;
    state->quorum_leader = state->has_quorum ? spec->voters[0].id : -1;
    state->quorum_epoch = 7;
    state->has_reassignments = true;
    for (size_t i = 0; i < snapshot->topic_count; i++) {
        struct koa_topic_row *topic = &snapshot->topics[i];

        state->topics[i].min_isr = spec->min_isr;
        state->topics[i].has_bytes = true;
        state->topics[i].bytes = spec->bytes;
        state->topics[i].reassigning = i == 0 ? spec->reassigning : 0;
        topic->state = &state->topics[i];
        for (size_t at = topic->first; at < topic->first + topic->count; at++) {
            int32_t in_sync = snapshot->partitions.in_sync[at];

            topic->under_min_isr += in_sync < spec->min_isr ? 1 : 0;
            topic->at_min_isr += in_sync == spec->min_isr ? 1 : 0;
        }
    }
}

static void fill_brokers(struct koa_snapshot *snapshot, const struct kit_snapshot *spec)
{
    int32_t count = spec->brokers != 0 ? spec->brokers : 3;

    snapshot->brokers = allocate(snapshot, (size_t) count, sizeof(*snapshot->brokers));
    snapshot->broker_count = (size_t) count;
    snapshot->controller_id = 1;
    for (int32_t i = 0; i < count; i++) {
        bool is_up = i < count - spec->brokers_down;

        snapshot->brokers[i] = (struct koa_snapshot_broker){.id = i + 1,
                                                            .host = "kafka",
                                                            .port = 9092 + i,
                                                            .rack = "",
                                                            .error = is_up ? NULL : "refused",
                                                            .is_up = is_up,
                                                            .is_controller = i == 0,
                                                            .is_known = true};
    }
}

static int by_commit(const void *a, const void *b)
{
    const struct kit_commit *left = *(const struct kit_commit *const *) a;
    const struct kit_commit *right = *(const struct kit_commit *const *) b;
    int order = strcmp(left->topic, right->topic);

    return order != 0 ? order
                      : (left->partition > right->partition) - (left->partition < right->partition);
}

/* What offsets tell. */
static unsigned judge(const struct koa_snapshot *snapshot, size_t at, int64_t offset)
{
    const struct koa_partition_columns *columns = &snapshot->partitions;
    unsigned conditions = 0;

    if ((columns->flags[at] & KOA_PARTITION_HAS_END) != 0) {
        conditions |= offset > columns->end[at] ? 1U << KOA_CONDITION_ABOVE_END : 0;
        conditions |= offset < columns->start[at] ? 1U << KOA_CONDITION_BELOW_START : 0;
        conditions |=
            (columns->flags[at] & KOA_PARTITION_END_FRESH) == 0 ? 1U << KOA_CONDITION_STALE : 0;
    }
    return conditions | (columns->leader[at] < 0 ? 1U << KOA_CONDITION_LEADERLESS : 0);
}

static void fill_commit(struct koa_snapshot *snapshot, struct koa_group_topic_row *topic,
                        const struct kit_commit *row, bool is_stale)
{
    struct koa_commit_row *commit = &topic->commits[topic->commit_count];
    unsigned conditions = row->conditions | (is_stale ? 1U << KOA_CONDITION_STALE : 0);
    size_t at = 0;
    int64_t lag;

    if (topic->topic != KOA_NO_INDEX &&
        koa_snapshot_find_partition(snapshot, &snapshot->topics[topic->topic],
                                    (int32_t) row->partition, &at)) {
        conditions |= judge(snapshot, at, row->offset);
    } else {
        at = (size_t) row->partition;
        conditions |= 1U << KOA_CONDITION_TOPIC_GONE;
    }
    *commit = (struct koa_commit_row){
        .offset = row->offset, .place = (uint32_t) at, .conditions = (uint8_t) conditions};
    topic->commit_count++;
    topic->committed += row->offset;
    if (koa_commit_lag(snapshot, topic, topic->commit_count - 1, &lag)) {
        topic->with_lag++;
        topic->lag += lag;
        topic->lag_max = lag > topic->lag_max ? lag : topic->lag_max;
    }
    for (int i = 0; i < KOA_CONDITION_COUNT; i++)
        topic->conditions[i] += (conditions >> i) & 1U;
}

static void add_history(const struct kit_snapshot *spec, const char *group,
                        struct koa_group_topic_row *topic)
{
    for (size_t i = 0; i < spec->group_topic_count; i++) {
        const struct kit_group_topic *row = &spec->group_topics[i];

        if (strcmp(row->group, group) != 0 || strcmp(row->topic, topic->name) != 0)
            continue;
        topic->progress_ms = row->still_ms != 0 ? KIT_SNAPSHOT_WALL_MS - row->still_ms : 0;
        topic->consumption_rate = (float) row->consumption_rate;
        topic->lag_velocity = (float) row->lag_velocity;
        topic->catch_up_seconds = (float) row->catch_up_seconds;
        topic->retention_ratio = (float) row->retention_ratio;
        topic->lag_seconds = (float) row->lag_seconds;
        topic->readable_seconds =
            (float) (row->readable_seconds > 0 ? row->readable_seconds : row->lag_seconds);
        topic->lag_quality = (uint8_t) row->lag_quality;
        topic->readable_quality = (uint8_t) row->lag_quality;
        topic->flags = (uint8_t) row->flags;
        topic->assigned = row->assigned;
    }
}

static void open_topic(struct koa_snapshot *snapshot, struct koa_group_topic_row *topic,
                       const char *name, size_t commits)
{
    const struct koa_topic_row *known = koa_snapshot_find_topic(snapshot, koa_str_from(name));

    *topic = (struct koa_group_topic_row){
        .name = name,
        .name_size = (uint32_t) strlen(name),
        .topic = known != NULL ? (uint32_t) (known - snapshot->topics) : KOA_NO_INDEX,
        .commits = allocate(snapshot, commits, sizeof(struct koa_commit_row)),
        .progress = KOA_NO_INDEX};
}

static void add_to_group(struct koa_group_row *group, const struct koa_group_topic_row *topic)
{
    group->with_lag += topic->with_lag;
    group->lag += topic->lag;
    group->lag_max = topic->lag_max > group->lag_max ? topic->lag_max : group->lag_max;
    for (int i = 0; i < KOA_CONDITION_COUNT; i++)
        group->conditions[i] += topic->conditions[i];
}

static void fill_group_topics(struct koa_snapshot *snapshot, const struct kit_snapshot *spec,
                              struct koa_group_row *group, bool is_stale)
{
    const struct kit_commit **rows =
        allocate(snapshot, spec->commit_count, sizeof(struct kit_commit *));
    size_t count = 0;

    for (size_t i = 0; i < spec->commit_count; i++) {
        if (strcmp(spec->commits[i].group, group->name) == 0)
            rows[count++] = &spec->commits[i];
    }
    if (count > 0)
        qsort(rows, count, sizeof(struct kit_commit *), by_commit);
    group->topics = allocate(snapshot, count, sizeof(*group->topics));
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(rows[i - 1]->topic, rows[i]->topic) != 0)
            open_topic(snapshot, &group->topics[group->topic_count++], rows[i]->topic, count - i);
        fill_commit(snapshot, &group->topics[group->topic_count - 1], rows[i], is_stale);
    }
    for (uint32_t i = 0; i < group->topic_count; i++) {
        add_history(spec, group->name, &group->topics[i]);
        add_to_group(group, &group->topics[i]);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct kit_group *const *) a)->name,
                  (*(const struct kit_group *const *) b)->name);
}

static void fill_groups(struct koa_snapshot *snapshot, const struct kit_snapshot *spec)
{
    const struct kit_group **rows =
        allocate(snapshot, spec->group_count, sizeof(struct kit_group *));

    snapshot->groups = allocate(snapshot, spec->group_count, sizeof(*snapshot->groups));
    snapshot->group_count = spec->group_count;
    for (size_t i = 0; i < spec->group_count; i++)
        rows[i] = &spec->groups[i];
    if (spec->group_count > 0)
        qsort(rows, spec->group_count, sizeof(struct kit_group *), by_name);
    for (size_t i = 0; i < spec->group_count; i++) {
        const struct kit_group *row = rows[i];
        struct koa_group_row *group = &snapshot->groups[i];

        *group = (struct koa_group_row){
            .name = row->name,
            .name_size = strlen(row->name),
            .display = row->name,
            .state = row->state != NULL ? row->state : "Stable",
            .protocol = "range",
            .error = row->error,
            .commits_ms = KIT_SNAPSHOT_MONO_MS - row->stale_for_ms,
            .members = row->members > 0 ? row->members : 0,
            .coordinator = row->coordinator != 0 ? row->coordinator : 1,
            .other_coordinator = -1,
            .type = (uint8_t) row->type,
            .flags =
                (uint8_t) (KOA_GROUP_HAS_COMMITS | (row->members >= 0 ? KOA_GROUP_HAS_MEMBERS : 0) |
                           (row->stale_for_ms > 0 ? KOA_GROUP_STALE : 0))};
        fill_group_topics(snapshot, spec, group, row->stale_for_ms > 0);
    }
}

struct koa_snapshot *kit_snapshot(const struct kit_snapshot *spec)
{
    struct koa_snapshot *snapshot =
        koa_snapshot_create(spec->cluster != NULL ? spec->cluster : "prod");

    assert_non_null(snapshot);
    snapshot->cluster_id = "id-1";
    snapshot->error = spec->error;
    snapshot->time.ms = snapshot->good_time.ms = KIT_SNAPSHOT_WALL_MS;
    snapshot->made.ms = KIT_SNAPSHOT_MONO_MS;
    snapshot->interval_ms = INTERVAL_MS;
    fill_brokers(snapshot, spec);
    fill_topics(snapshot, spec);
    fill_groups(snapshot, spec);
    if (spec->state != NULL)
        fill_state(snapshot, spec->state);
    return snapshot;
}

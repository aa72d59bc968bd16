/* What one cycle learned, as immutable columns, and the public functions that read them. */
#include "cluster/snapshot.h"

#include <string.h>

#include "base/str.h"
#include "cluster/name_search.h"

static void destroy(struct koa_object *object)
{
    struct koa_snapshot *snapshot = (struct koa_snapshot *) (void *) object;

    koa_snapshot_unref(snapshot->base);
    koa_state_unref(snapshot->state);
    koa_arena_destroy(snapshot->arena); /* the snapshot itself lives in it */
}

struct koa_snapshot *koa_snapshot_create(const char *cluster)
{
    struct koa_arena *arena = koa_arena_create(KOA_SNAPSHOT_LIMIT);
    struct koa_snapshot *snapshot =
        arena != NULL ? koa_arena_alloc(arena, 1, sizeof(*snapshot)) : NULL;

    if (snapshot == NULL) {
        koa_arena_destroy(arena);
        return NULL;
    }
    snapshot->arena = arena;
    koa_object_init(&snapshot->object, destroy);
    snapshot->cluster = koa_arena_strdup(arena, cluster);
    snapshot->cluster_id = "";
    snapshot->controller_id = -1;
    if (snapshot->cluster == NULL) {
        koa_snapshot_unref(snapshot);
        return NULL;
    }
    return snapshot;
}

void koa_snapshot_unref(struct koa_snapshot *snapshot)
{
    if (snapshot != NULL)
        koa_object_unref(&snapshot->object);
}

bool koa_snapshot_alloc_partitions(struct koa_snapshot *snapshot, size_t count)
{
    struct koa_partition_columns *columns = &snapshot->partitions;
    struct koa_arena *arena = snapshot->arena;

    snapshot->partition_count = count;
    if (count == 0)
        return true;
    columns->id = koa_arena_alloc(arena, count, sizeof(*columns->id));
    columns->leader = koa_arena_alloc(arena, count, sizeof(*columns->leader));
    columns->replicas = koa_arena_alloc(arena, count, sizeof(*columns->replicas));
    columns->in_sync = koa_arena_alloc(arena, count, sizeof(*columns->in_sync));
    columns->first_replica = koa_arena_alloc(arena, count, sizeof(*columns->first_replica));
    columns->first_in_sync = koa_arena_alloc(arena, count, sizeof(*columns->first_in_sync));
    columns->end = koa_arena_alloc(arena, count, sizeof(*columns->end));
    columns->start = koa_arena_alloc(arena, count, sizeof(*columns->start));
    columns->stable = koa_arena_alloc(arena, count, sizeof(*columns->stable));
    columns->history = koa_arena_alloc(arena, count, sizeof(*columns->history));
    columns->end_ms = koa_arena_alloc(arena, count, sizeof(*columns->end_ms));
    columns->start_ms = koa_arena_alloc(arena, count, sizeof(*columns->start_ms));
    columns->flags = koa_arena_alloc(arena, count, sizeof(*columns->flags));
    if (koa_arena_failed(arena))
        return false;
    memset(columns->history, 0xff, count * sizeof(*columns->history)); /* KOA_NO_INDEX */
    return true;
}

static struct koa_str topic_name_at(const void *rows, size_t index)
{
    const struct koa_topic_row *row = (const struct koa_topic_row *) rows + index;

    return (struct koa_str){.data = row->name, .size = row->name_size};
}

struct koa_topic_row *koa_snapshot_find_topic(const struct koa_snapshot *snapshot,
                                              struct koa_str name)
{
    size_t index = koa_name_search(snapshot->topics, snapshot->topic_count, topic_name_at, name);

    return index < snapshot->topic_count ? &snapshot->topics[index] : NULL;
}

bool koa_topic_is_same(const struct koa_topic_row *a, const struct koa_topic_row *b)
{
    static const struct koa_kafka_uuid none = {.bytes = {0}};

    return memcmp(&a->id, &b->id, sizeof(none)) == 0 || memcmp(&a->id, &none, sizeof(none)) == 0 ||
           memcmp(&b->id, &none, sizeof(none)) == 0;
}

bool koa_snapshot_find_partition(const struct koa_snapshot *snapshot,
                                 const struct koa_topic_row *topic, int32_t id, size_t *ret_index)
{
    const int32_t *ids = snapshot->partitions.id + topic->first;
    size_t low = 0;
    size_t high = topic->count;

    /* Ids are 0..count-1 in every topic that is whole. */
    if (id >= 0 && (size_t) id < topic->count && ids[id] == id) {
        *ret_index = topic->first + (size_t) id;
        return true;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ids[middle] == id) {
            *ret_index = topic->first + middle;
            return true;
        }
        if (id < ids[middle]) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return false;
}

const char *koa_snapshot_cluster(const struct koa_snapshot *snapshot)
{
    return snapshot->cluster;
}

const char *koa_snapshot_cluster_id(const struct koa_snapshot *snapshot)
{
    return snapshot->cluster_id;
}

struct koa_wall koa_snapshot_time(const struct koa_snapshot *snapshot)
{
    return snapshot->time;
}

const char *koa_snapshot_error(const struct koa_snapshot *snapshot)
{
    return snapshot->error;
}

struct koa_wall koa_snapshot_good_time(const struct koa_snapshot *snapshot)
{
    return snapshot->good_time;
}

void koa_snapshot_cycle(const struct koa_snapshot *snapshot, struct koa_snapshot_cycle *ret_cycle)
{
    *ret_cycle = snapshot->cycle;
}

int32_t koa_snapshot_controller(const struct koa_snapshot *snapshot)
{
    return snapshot->controller_id;
}

int64_t koa_snapshot_interval_ms(const struct koa_snapshot *snapshot)
{
    return snapshot->interval_ms;
}

size_t koa_snapshot_memory(const struct koa_snapshot *snapshot)
{
    return koa_arena_held(snapshot->arena) +
           (snapshot->state != NULL ? koa_arena_held(snapshot->state->arena) : 0);
}

size_t koa_snapshot_broker_count(const struct koa_snapshot *snapshot)
{
    return snapshot->broker_count;
}

void koa_snapshot_broker(const struct koa_snapshot *snapshot, size_t index,
                         struct koa_snapshot_broker *ret_broker)
{
    *ret_broker = snapshot->brokers[index];
}

size_t koa_snapshot_topic_count(const struct koa_snapshot *snapshot)
{
    return snapshot->topic_count;
}

void koa_snapshot_topic(const struct koa_snapshot *snapshot, size_t index,
                        struct koa_snapshot_topic *ret_topic)
{
    const struct koa_topic_row *row = &snapshot->topics[index];

    *ret_topic = (struct koa_snapshot_topic){.name = row->name,
                                             .is_internal = row->is_internal,
                                             .partitions = (int32_t) row->count,
                                             .leaderless = row->leaderless,
                                             .under_replicated = row->under_replicated,
                                             .with_offline_replicas = row->with_offline_replicas,
                                             .non_preferred = row->non_preferred};
    if (row->state == NULL)
        return;
    ret_topic->has_min_isr = row->state->min_isr > 0;
    ret_topic->min_isr = row->state->min_isr;
    ret_topic->under_min_isr = row->under_min_isr;
    ret_topic->at_min_isr = row->at_min_isr;
    ret_topic->has_reassigning = snapshot->state->has_reassignments;
    ret_topic->reassigning = row->state->reassigning;
    ret_topic->has_log_bytes = row->state->has_bytes;
    ret_topic->log_bytes = row->state->bytes;
}

const int32_t *koa_snapshot_replica_ids(const struct koa_snapshot *snapshot, size_t topic,
                                        size_t index)
{
    size_t at = snapshot->topics[topic].first + index;

    return snapshot->replica_ids + snapshot->partitions.first_replica[at];
}

const int32_t *koa_snapshot_in_sync_ids(const struct koa_snapshot *snapshot, size_t topic,
                                        size_t index)
{
    size_t at = snapshot->topics[topic].first + index;

    return snapshot->replica_ids + snapshot->partitions.first_in_sync[at];
}

void koa_snapshot_partition(const struct koa_snapshot *snapshot, size_t topic, size_t index,
                            struct koa_snapshot_partition *ret_partition)
{
    const struct koa_partition_columns *columns = &snapshot->partitions;
    size_t at = snapshot->topics[topic].first + index;
    uint8_t flags = columns->flags[at];
    bool has_end = (flags & KOA_PARTITION_HAS_END) != 0;

    *ret_partition = (struct koa_snapshot_partition){
        .id = columns->id[at],
        .leader = columns->leader[at],
        .replicas = columns->replicas[at],
        .in_sync = columns->in_sync[at],
        .is_leader_preferred = (flags & KOA_PARTITION_PREFERRED) != 0,
        .has_end_offset = has_end,
        .has_start_offset = (flags & KOA_PARTITION_HAS_START) != 0,
        .is_stale = has_end && (flags & KOA_PARTITION_END_FRESH) == 0,
        .has_stable_offset = (flags & KOA_PARTITION_HAS_STABLE) != 0,
        .has_open_transaction = (flags & KOA_PARTITION_IS_OPEN) != 0,
        .stable_offset = columns->stable[at],
        .end_offset = columns->end[at],
        .start_offset = columns->start[at],
        .offset_age_ms = has_end ? snapshot->made.ms - columns->end_ms[at] : 0,
    };
}

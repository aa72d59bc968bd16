/* Builds a snapshot. Decides what of a broker's answer is believed, and what of earlier cycles is
 * kept. */
#include "cluster/draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kafka/error_code.h"

enum { NAME_LIMIT = 249 }; /* Kafka's own limit of a topic's name */

typedef const struct koa_kafka_metadata_topic topic_in;
typedef const struct koa_kafka_metadata_partition partition_in;

static bool is_usable(const struct koa_name_filter *filter, topic_in *topic)
{
    char name[NAME_LIMIT + 1];

    /* Not allowed, or just being deleted: nothing is known but the name. */
    if (topic->error_code != KOA_KAFKA_NO_ERROR && topic->partitions.count == 0)
        return false;
    if (topic->name.size == 0 || topic->name.size > NAME_LIMIT || !koa_utf8_valid(topic->name) ||
        memchr(topic->name.data, '\0', topic->name.size) != NULL)
        return false;
    (void) koa_str_copy(name, sizeof(name), topic->name);
    return koa_name_filter_passes(filter, name);
}

static int by_name(const void *a, const void *b)
{
    return koa_str_compare((*(topic_in *const *) a)->name, (*(topic_in *const *) b)->name);
}

static int by_index(const void *a, const void *b)
{
    int32_t first = (*(partition_in *const *) a)->partition_index;
    int32_t second = (*(partition_in *const *) b)->partition_index;

    return (first > second) - (first < second);
}

/* Pointers to the topics that count, sorted, each name once. */
static topic_in **select_topics(struct koa_arena *scratch, const struct koa_name_filter *filter,
                                const struct koa_kafka_metadata_response *metadata,
                                size_t *ret_count)
{
    topic_in **rows = koa_arena_alloc(scratch, metadata->topics.count + 1, sizeof(void *));
    size_t found = 0;
    size_t kept = 0;

    if (rows == NULL)
        return NULL;
    for (size_t i = 0; i < metadata->topics.count; i++) {
        if (is_usable(filter, &metadata->topics.rows[i]))
            rows[found++] = &metadata->topics.rows[i];
    }
    qsort(rows, found, sizeof(void *), by_name);
    for (size_t i = 0; i < found; i++) {
        if (kept == 0 || !koa_str_equal(rows[kept - 1]->name, rows[i]->name))
            rows[kept++] = rows[i];
    }
    *ret_count = kept;
    return rows;
}

/* The same of one topic's partitions. */
static partition_in **select_partitions(struct koa_arena *scratch, topic_in *topic,
                                        size_t *ret_count)
{
    partition_in **rows = koa_arena_alloc(scratch, topic->partitions.count + 1, sizeof(void *));
    size_t found = 0;
    size_t kept = 0;

    if (rows == NULL)
        return NULL;
    for (size_t i = 0; i < topic->partitions.count; i++) {
        if (topic->partitions.rows[i].partition_index >= 0)
            rows[found++] = &topic->partitions.rows[i];
    }
    qsort(rows, found, sizeof(void *), by_index);
    for (size_t i = 0; i < found; i++) {
        if (kept == 0 || rows[kept - 1]->partition_index != rows[i]->partition_index)
            rows[kept++] = rows[i];
    }
    *ret_count = kept;
    return rows;
}

struct filling {
    struct koa_snapshot *draft;
    size_t partition; /* the next one's place in the columns */
    size_t id;        /* the next one's place in `replica_ids` */
};

static size_t add_ids(struct filling *filling, const int32_t *ids, size_t count)
{
    size_t first = filling->id;

    if (count > 0)
        memcpy(filling->draft->replica_ids + first, ids, count * sizeof(*ids));
    filling->id += count;
    return first;
}

static void fill_partition(struct filling *filling, struct koa_topic_row *row,
                           partition_in *partition)
{
    struct koa_partition_columns *columns = &filling->draft->partitions;
    size_t at = filling->partition++;
    size_t replicas = partition->replica_nodes.count;
    size_t in_sync = partition->isr_nodes.count;
    bool has_leader = partition->leader_id >= 0;

    columns->id[at] = partition->partition_index;
    columns->leader[at] = has_leader ? partition->leader_id : -1;
    columns->replicas[at] = (int32_t) replicas;
    columns->in_sync[at] = (int32_t) in_sync;
    columns->first_replica[at] = add_ids(filling, partition->replica_nodes.rows, replicas);
    columns->first_in_sync[at] = in_sync == replicas
                                     ? columns->first_replica[at]
                                     : add_ids(filling, partition->isr_nodes.rows, in_sync);
    if (has_leader && replicas > 0) {
        bool is_preferred = partition->replica_nodes.rows[0] == partition->leader_id;

        columns->flags[at] = is_preferred ? KOA_PARTITION_PREFERRED : 0;
        row->non_preferred += is_preferred ? 0 : 1;
    }
    row->leaderless += has_leader ? 0 : 1;
    row->under_replicated += in_sync < replicas ? 1 : 0;
    row->with_offline_replicas += partition->offline_replicas.count > 0 ? 1 : 0;
}

static bool fill_topic(struct filling *filling, struct koa_topic_row *row, topic_in *topic,
                       struct koa_arena *scratch)
{
    size_t count = 0;
    partition_in **partitions;

    koa_arena_reset(scratch);
    partitions = select_partitions(scratch, topic, &count);
    row->name = koa_arena_strndup(filling->draft->arena, topic->name.data, topic->name.size);
    if (partitions == NULL || row->name == NULL)
        return false;
    row->name_size = topic->name.size;
    row->id = topic->topic_id;
    row->is_internal = topic->is_internal;
    row->first = filling->partition;
    row->count = count;
    for (size_t i = 0; i < count; i++)
        fill_partition(filling, row, partitions[i]);
    return true;
}

/* Those in sync take room of their own only when they are not all. */
static size_t count_ids(partition_in *partition)
{
    size_t replicas = partition->replica_nodes.count;
    size_t in_sync = partition->isr_nodes.count;

    return in_sync == replicas ? replicas : replicas + in_sync;
}

/* Room for all partitions, repeated ones included; the count is set right at the end. */
static bool make_room(struct koa_snapshot *draft, topic_in *const *topics, size_t count)
{
    size_t partitions = 0;
    size_t ids = 0;

    for (size_t i = 0; i < count; i++) {
        partitions += topics[i]->partitions.count;
        for (size_t j = 0; j < topics[i]->partitions.count; j++)
            ids += count_ids(&topics[i]->partitions.rows[j]);
    }
    draft->topics = koa_arena_alloc(draft->arena, count + 1, sizeof(*draft->topics));
    draft->replica_ids = koa_arena_alloc(draft->arena, ids + 1, sizeof(*draft->replica_ids));
    return draft->topics != NULL && draft->replica_ids != NULL &&
           koa_snapshot_alloc_partitions(draft, partitions);
}

enum koa_err koa_draft_metadata(struct koa_snapshot *draft, const struct koa_name_filter *filter,
                                const struct koa_kafka_metadata_response *metadata,
                                struct koa_error *reterr)
{
    KOA_AUTO(koa_arena) *scratch = koa_arena_create(KOA_SNAPSHOT_LIMIT);
    KOA_AUTO(koa_arena) *of_topic = koa_arena_create(KOA_SNAPSHOT_LIMIT);
    struct filling filling = {.draft = draft};
    size_t count = 0;
    topic_in **topics;

    if (scratch == NULL || of_topic == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for a snapshot");
    topics = select_topics(scratch, filter, metadata, &count);
    if (topics == NULL || !make_room(draft, topics, count))
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for a snapshot of %zu topics", count);
    for (size_t i = 0; i < count; i++) {
        if (!fill_topic(&filling, &draft->topics[i], topics[i], of_topic))
            return koa_fail(reterr, KOA_ERR_NOMEM, "no memory for topic %zu of %zu", i, count);
    }
    draft->topic_count = count;
    draft->partition_count = filling.partition;
    return KOA_OK;
}

static bool read_offset(const struct koa_kafka_list_offsets_partition *partition,
                        int64_t *ret_offset)
{
    *ret_offset = partition->old_style_offsets.count > 0 ? partition->old_style_offsets.rows[0]
                                                         : partition->offset;
    return *ret_offset >= 0;
}

static void take_offset(struct koa_snapshot *draft, size_t at, enum koa_draft_offset kind,
                        int64_t offset)
{
    struct koa_partition_columns *columns = &draft->partitions;
    uint8_t *flags = &columns->flags[at];

    switch (kind) {
    case KOA_DRAFT_END:
        columns->end[at] = offset;
        columns->end_ms[at] = draft->made.ms;
        *flags |= KOA_PARTITION_HAS_END | KOA_PARTITION_END_FRESH;
        if (columns->stable[at] > offset) /* the log is another, or was cut */
            *flags = (uint8_t) (*flags & ~(KOA_PARTITION_HAS_STABLE | KOA_PARTITION_IS_OPEN));
        break;
    case KOA_DRAFT_START:
        columns->start[at] = offset;
        columns->start_ms[at] = draft->made.ms;
        *flags |= KOA_PARTITION_HAS_START;
        break;
    case KOA_DRAFT_STABLE:
        columns->stable[at] = offset;
        *flags |= KOA_PARTITION_HAS_STABLE | KOA_PARTITION_STABLE_FRESH;
        *flags &= (uint8_t) ~KOA_PARTITION_IS_OPEN;
        if ((*flags & KOA_PARTITION_END_FRESH) != 0 && offset < columns->end[at])
            *flags |= KOA_PARTITION_IS_OPEN;
        break;
    }
}

size_t koa_draft_offsets(struct koa_snapshot *draft,
                         const struct koa_kafka_list_offsets_response *answer, int32_t broker,
                         enum koa_draft_offset kind, int16_t *ret_error_code)
{
    size_t errors = 0;

    for (size_t i = 0; i < answer->topics.count; i++) {
        const struct koa_kafka_list_offsets_topic *topic = &answer->topics.rows[i];
        const struct koa_topic_row *row = koa_snapshot_find_topic(draft, topic->name);

        for (size_t j = 0; row != NULL && j < topic->partitions.count; j++) {
            const struct koa_kafka_list_offsets_partition *partition = &topic->partitions.rows[j];
            int64_t offset;
            size_t at;

            if (!koa_snapshot_find_partition(draft, row, partition->partition_index, &at) ||
                draft->partitions.leader[at] != broker)
                continue;
            if (partition->error_code != 0) {
                errors++;
                *ret_error_code = partition->error_code;
            } else if (read_offset(partition, &offset)) {
                take_offset(draft, at, kind, offset);
            }
        }
    }
    return errors;
}

/* A partition of `draft` that is also one of `previous`: takes over what is not too old. */
static void carry_partition(struct koa_snapshot *draft, size_t at,
                            const struct koa_snapshot *previous, size_t from,
                            struct koa_draft_limits keep)
{
    struct koa_partition_columns *to = &draft->partitions;
    const struct koa_partition_columns *old = &previous->partitions;

    if ((to->flags[at] & KOA_PARTITION_HAS_END) == 0 &&
        (old->flags[from] & KOA_PARTITION_HAS_END) != 0 &&
        draft->made.ms - old->end_ms[from] <= keep.end_ms) {
        to->end[at] = old->end[from];
        to->end_ms[at] = old->end_ms[from];
        to->flags[at] |= KOA_PARTITION_HAS_END;
    }
    /* A log that ends before it started is another one. */
    if ((to->flags[at] & KOA_PARTITION_HAS_START) == 0 &&
        (old->flags[from] & KOA_PARTITION_HAS_START) != 0 &&
        !((to->flags[at] & KOA_PARTITION_HAS_END) != 0 && old->start[from] > to->end[at]) &&
        draft->made.ms - old->start_ms[from] <= keep.start_ms) {
        to->start[at] = old->start[from];
        to->start_ms[at] = old->start_ms[from];
        to->flags[at] |= KOA_PARTITION_HAS_START;
    }
}

typedef void carry_fn(struct koa_snapshot *draft, size_t at, const struct koa_snapshot *previous,
                      size_t from, struct koa_draft_limits keep);

/* For each partition that both have. */
static void carry(struct koa_snapshot *draft, const struct koa_snapshot *previous, carry_fn *each,
                  struct koa_draft_limits keep)
{
    for (size_t i = 0; previous != NULL && i < draft->topic_count; i++) {
        const struct koa_topic_row *row = &draft->topics[i];
        const struct koa_topic_row *old = koa_snapshot_find_topic(
            previous, (struct koa_str){.data = row->name, .size = row->name_size});

        if (old == NULL || !koa_topic_is_same(row, old))
            continue;
        for (size_t at = row->first; at < row->first + row->count; at++) {
            size_t from;

            if (koa_snapshot_find_partition(previous, old, draft->partitions.id[at], &from))
                each(draft, at, previous, from, keep);
        }
    }
}

void koa_draft_carry_over(struct koa_snapshot *draft, const struct koa_snapshot *previous,
                          struct koa_draft_limits keep)
{
    carry(draft, previous, carry_partition, keep);
}

static void carry_history(struct koa_snapshot *draft, size_t at,
                          const struct koa_snapshot *previous, size_t from,
                          struct koa_draft_limits keep)
{
    const struct koa_partition_columns *old = &previous->partitions;
    enum { KEPT = KOA_PARTITION_HAS_STABLE | KOA_PARTITION_IS_OPEN };

    (void) keep;
    draft->partitions.history[at] = old->history[from];
    draft->partitions.stable[at] = old->stable[from];
    draft->partitions.flags[at] |= old->flags[from] & KEPT;
}

void koa_draft_carry_histories(struct koa_snapshot *draft, const struct koa_snapshot *previous)
{
    carry(draft, previous, carry_history, (struct koa_draft_limits){.end_ms = 0});
}

static struct koa_snapshot_broker *find_broker(const struct koa_snapshot *draft, int32_t id)
{
    size_t low = 0;
    size_t high = draft->broker_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (draft->brokers[middle].id == id)
            return &draft->brokers[middle];
        if (id < draft->brokers[middle].id) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* Against min.insync.replicas: below it, writes with acks=all are refused; at it, one more loss
 * does that. A topic with as few replicas as it needs is always at it, and says nothing by that.
 * One with fewer than it needs takes writes all the same while all of them are in sync: brokers cap
 * the setting at the number of replicas (measured on Kafka 3.9 and 4.4). */
static void count_in_sync(struct koa_snapshot *draft, struct koa_topic_row *topic)
{
    const struct koa_partition_columns *columns = &draft->partitions;
    int32_t needed;

    if (draft->state == NULL || draft->base != NULL)
        return;
    topic->state = koa_state_find_topic(
        draft->state, (struct koa_str){.data = topic->name, .size = topic->name_size});
    needed = topic->state != NULL ? topic->state->min_isr : 0;
    for (size_t at = topic->first; needed > 0 && at < topic->first + topic->count; at++) {
        int32_t replicas = columns->replicas[at];

        topic->under_min_isr +=
            columns->in_sync[at] < needed && columns->in_sync[at] < replicas ? 1 : 0;
        topic->at_min_isr += columns->in_sync[at] == needed && replicas > needed ? 1 : 0;
    }
}

void koa_draft_count(struct koa_snapshot *draft)
{
    const struct koa_partition_columns *columns = &draft->partitions;

    for (size_t i = 0; i < draft->topic_count; i++)
        count_in_sync(draft, &draft->topics[i]);

    for (size_t at = 0; at < draft->partition_count; at++) {
        struct koa_snapshot_broker *leader = find_broker(draft, columns->leader[at]);

        if (leader != NULL)
            leader->leaders++;
        for (int32_t i = 0; i < columns->replicas[at]; i++) {
            int32_t id = draft->replica_ids[columns->first_replica[at] + (size_t) i];
            struct koa_snapshot_broker *holder = find_broker(draft, id);

            if (holder != NULL)
                holder->replicas++;
        }
    }
}

struct koa_snapshot *koa_draft_repeat(struct koa_snapshot *previous, struct koa_mono made,
                                      struct koa_draft_limits keep)
{
    struct koa_snapshot *draft = koa_snapshot_create(previous->cluster);
    struct koa_snapshot *base = previous->base != NULL ? previous->base : previous;
    size_t count = previous->partition_count;
    uint8_t *flags;

    if (draft == NULL)
        return NULL;
    flags = koa_arena_alloc(draft->arena, count + 1, sizeof(*flags));
    draft->cluster_id = koa_arena_strdup(draft->arena, previous->cluster_id);
    if (flags == NULL || draft->cluster_id == NULL) {
        koa_snapshot_unref(draft);
        return NULL;
    }
    koa_object_ref(&base->object);
    draft->base = base;
    draft->made = made;
    draft->good_time = previous->good_time;
    draft->controller_id = previous->controller_id;
    draft->topics = previous->topics;
    draft->topic_count = previous->topic_count;
    draft->partitions = previous->partitions;
    draft->partition_count = count;
    draft->replica_ids = previous->replica_ids;
    draft->groups = previous->groups;
    draft->group_count = previous->group_count;
    draft->state = previous->state;
    if (draft->state != NULL)
        koa_object_ref(&draft->state->object);
    for (size_t at = 0; at < count; at++) {
        uint8_t kept = KOA_PARTITION_PREFERRED | KOA_PARTITION_HAS_STABLE | KOA_PARTITION_IS_OPEN;

        if (made.ms - previous->partitions.end_ms[at] <= keep.end_ms)
            kept |= KOA_PARTITION_HAS_END;
        if (made.ms - previous->partitions.start_ms[at] <= keep.start_ms)
            kept |= KOA_PARTITION_HAS_START;
        flags[at] = previous->partitions.flags[at] & kept;
    }
    draft->partitions.flags = flags;
    return draft;
}

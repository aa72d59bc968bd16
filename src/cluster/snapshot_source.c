/* Shows snapshots as samples, family by family and in each cluster by cluster. Values come straight
 * from the columns; only the labels of one batch are put together. */
#include "base/memory.h"
#include "base/str.h"
#include "cluster/group_source.h"
#include "cluster/snapshot_families.h"
#include "metrics/catalog.h"

/* Those of group_source.c come after the own ones. */
enum { OWN_COUNT = KOA_SNAPSHOT_FAMILIES, FAMILY_COUNT = OWN_COUNT + KOA_GROUP_FAMILIES };

struct clusters_source {
    struct koa_metrics_source source; /* first: what the caller holds */
    struct koa_cluster *const *clusters;
    size_t count;
    struct koa_family_view views[FAMILY_COUNT];
};

/* The pinned object: the snapshots as they were at the start, the position, and a batch's labels.
 */
struct walk {
    struct koa_object object; /* first */
    size_t family;
    size_t cluster;
    size_t index;        /* of the broker, topic or partition */
    size_t topic;        /* of the partition */
    struct koa_str name; /* of the cluster */
    /* Of a batch's labels. Those of partitions must fit the nearest cache, hence side by side. */
    struct koa_label_view rows[KOA_BATCH_SAMPLES][KOA_FAMILY_LABELS];
    char numbers[KOA_BATCH_SAMPLES][KOA_NUM_TEXT_SIZE];
    char texts[KOA_BATCH_SAMPLES][KOA_FAMILY_TEXT];
    struct koa_group_walk groups;
    size_t count;
    struct koa_snapshot *snapshots[]; /* NULL: none yet */
};

static void destroy_walk(struct koa_object *object)
{
    struct walk *walk = (struct walk *) (void *) object;

    for (size_t i = 0; i < walk->count; i++)
        koa_snapshot_unref(walk->snapshots[i]);
    koa_free(walk);
}

static void begin(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    const struct clusters_source *clusters = source->context;
    struct walk *walk = koa_calloc(1, sizeof(*walk) + clusters->count * sizeof(void *));

    if (walk == NULL) {
        cursor->failed = true;
        return;
    }
    koa_object_init(&walk->object, destroy_walk);
    for (size_t i = 0; i < clusters->count; i++)
        walk->snapshots[i] = koa_cluster_snapshot(clusters->clusters[i]);
    walk->count = clusters->count;
    cursor->pinned = &walk->object;
}

static size_t size_of(const struct koa_snapshot *snapshot, enum koa_family_level level)
{
    switch (level) {
    case KOA_OF_CLUSTER:
        return 1;
    case KOA_OF_BROKER:
        return snapshot->broker_count;
    case KOA_OF_LOG_DIR:
        return snapshot->state != NULL ? snapshot->state->log_dir_count : 0;
    case KOA_OF_VOTER:
        return snapshot->state != NULL ? snapshot->state->voter_count : 0;
    case KOA_OF_TOPIC:
        return snapshot->topic_count;
    case KOA_OF_PARTITION: /* see add_partitions() */
        break;
    }
    return 0;
}

/* Which labels a sample shares with the one before it; see same_values. */
enum { CLUSTER_FIRST = 1, CLUSTER_SECOND = 2, TOPIC_THIRD = 4 };

/* Room for the labels of the batch's next sample. */
static struct koa_family_labels next_labels(struct walk *walk, const struct koa_batch *batch)
{
    return (struct koa_family_labels){.rows = walk->rows[batch->count],
                                      .number = walk->numbers[batch->count],
                                      .text = walk->texts[batch->count]};
}

static struct koa_sample *add_sample(const struct koa_family_view *view, struct koa_batch *batch,
                                     const struct koa_family_labels *labels, double value)
{
    struct koa_sample *sample = &batch->samples[batch->count++];

    *sample = (struct koa_sample){
        .family = view, .labels = labels->rows, .label_count = labels->count, .value = value};
    return sample;
}

/* Of a cluster, broker or topic. Returns what it shares with its neighbours. */
static uint32_t label(const struct koa_snapshot_family *family, const struct walk *walk,
                      const struct koa_snapshot *snapshot, struct koa_family_labels *labels)
{
    size_t index = walk->index;
    uint32_t same = CLUSTER_FIRST;

    if (family->label != NULL) {
        family->label(snapshot, index, labels);
        return 0;
    }
    if (family->level == KOA_OF_BROKER || family->level == KOA_OF_LOG_DIR) {
        koa_family_label(labels, KOA_STR("broker"),
                         koa_family_number(labels, family->level == KOA_OF_BROKER
                                                       ? snapshot->brokers[index].id
                                                       : snapshot->state->log_dirs[index].broker));
        same = CLUSTER_SECOND;
    }
    koa_family_label(labels, KOA_STR("cluster"), walk->name);
    if (family->level == KOA_OF_LOG_DIR) {
        koa_family_label(labels, KOA_STR("log_dir"),
                         koa_str_from(snapshot->state->log_dirs[index].path));
    }
    if (family->level == KOA_OF_VOTER) {
        koa_family_label(labels, KOA_STR("voter"),
                         koa_family_number(labels, snapshot->state->voters[index].id));
    }
    if (family->level == KOA_OF_TOPIC) {
        const struct koa_topic_row *topic = &snapshot->topics[index];

        koa_family_label(labels, KOA_STR("topic"), (struct koa_str){topic->name, topic->name_size});
    }
    return same;
}

/* Samples of a cluster, its brokers or topics, until the batch is full or all are shown. */
static bool add_rows(const struct koa_family_view *view, struct walk *walk, struct koa_batch *batch)
{
    const struct koa_snapshot_family *family = &koa_snapshot_families[walk->family];
    const struct koa_snapshot *snapshot = walk->snapshots[walk->cluster];
    size_t size = size_of(snapshot, family->level);
    bool is_first = true;

    for (; walk->index < size; walk->index++) {
        struct koa_family_labels labels;
        double value = 0;
        uint32_t same;

        if (batch->count == KOA_BATCH_SAMPLES)
            return false;
        if (!family->read(snapshot, walk->index, &value))
            continue;
        labels = next_labels(walk, batch);
        same = label(family, walk, snapshot, &labels);
        add_sample(view, batch, &labels, value)->same_values = is_first ? 0 : same;
        is_first = false;
    }
    return true;
}

/* The same for partitions, which are most of all samples: topic by topic, so that nothing is worked
 * out twice. */
static bool add_partitions(const struct koa_family_view *view, struct walk *walk,
                           struct koa_batch *batch)
{
    const struct koa_snapshot_family *family = &koa_snapshot_families[walk->family];
    const struct koa_snapshot *snapshot = walk->snapshots[walk->cluster];
    uint32_t same = 0;

    if (snapshot->granularity != KOA_GRANULARITY_PARTITION)
        return true;
    for (; walk->topic < snapshot->topic_count; walk->topic++) {
        const struct koa_topic_row *topic = &snapshot->topics[walk->topic];
        const struct koa_str name = {topic->name, topic->name_size};

        for (; walk->index < topic->first + topic->count; walk->index++) {
            struct koa_family_labels labels;
            double value = 0;

            if (batch->count == KOA_BATCH_SAMPLES)
                return false;
            if (!family->read(snapshot, walk->index, &value))
                continue;
            labels = next_labels(walk, batch);
            koa_family_label(&labels, KOA_STR("cluster"), walk->name);
            koa_family_label(&labels, KOA_STR("partition"),
                             koa_family_number(&labels, snapshot->partitions.id[walk->index]));
            koa_family_label(&labels, KOA_STR("topic"), name);
            add_sample(view, batch, &labels, value)->same_values = same;
            same = CLUSTER_FIRST | TOPIC_THIRD;
        }
        same &= CLUSTER_FIRST;
    }
    return true;
}

/* Samples of one cluster's groups, until the batch is full or the cluster done. */
static void add_groups(const struct koa_family_view *view, struct walk *walk,
                       struct koa_batch *batch)
{
    const struct koa_snapshot *snapshot = walk->snapshots[walk->cluster];

    if (snapshot == NULL ||
        koa_group_family_fill(walk->family - OWN_COUNT, view, snapshot, &walk->groups, batch))
        walk->cluster++;
}

/* Samples of one cluster, until the batch is full or the cluster done. */
static void add_cluster(const struct koa_family_view *view, struct walk *walk,
                        struct koa_batch *batch)
{
    const struct koa_snapshot *snapshot = walk->snapshots[walk->cluster];
    bool is_done = true;

    if (snapshot != NULL) {
        walk->name = koa_str_from(snapshot->cluster);
        is_done = koa_snapshot_families[walk->family].level == KOA_OF_PARTITION
                      ? add_partitions(view, walk, batch)
                      : add_rows(view, walk, batch);
    }
    if (is_done) {
        walk->index = walk->topic = 0;
        walk->cluster++;
    }
}

static bool next(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                 struct koa_batch *batch)
{
    struct walk *walk = (struct walk *) (void *) cursor->pinned;

    const struct clusters_source *clusters = source->context;

    batch->count = 0;
    while (walk != NULL && walk->family < FAMILY_COUNT && batch->count < KOA_BATCH_SAMPLES) {
        if (walk->cluster < walk->count) {
            if (walk->family < OWN_COUNT) {
                add_cluster(&clusters->views[walk->family], walk, batch);
            } else {
                add_groups(&clusters->views[walk->family], walk, batch);
            }
        }
        if (walk->cluster >= walk->count) {
            walk->cluster = 0;
            walk->family++;
        }
    }
    return batch->count > 0;
}

static bool seek(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor,
                 struct koa_str family)
{
    const struct clusters_source *clusters = source->context;
    struct walk *walk = (struct walk *) (void *) cursor->pinned;

    for (size_t i = 0; walk != NULL && i < FAMILY_COUNT; i++) {
        if (koa_str_equal(clusters->views[i].name, family)) {
            walk->family = i;
            return true;
        }
    }
    return false;
}

static void end(const struct koa_metrics_source *source, struct koa_metrics_cursor *cursor)
{
    (void) source;
    koa_object_unref(cursor->pinned);
    cursor->pinned = NULL;
}

enum koa_err koa_clusters_source_create(struct koa_cluster *const *clusters, size_t count,
                                        struct koa_metrics_source **ret_source,
                                        struct koa_error *reterr)
{
    struct clusters_source *source = koa_calloc(1, sizeof(*source));

    if (source == NULL)
        return koa_require_memory(source, reterr);
    source->clusters = clusters;
    source->count = count;
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        const char *name =
            i < OWN_COUNT ? koa_snapshot_families[i].name : koa_group_family_name(i - OWN_COUNT);
        const struct koa_metric_row *row = koa_catalog_find(name);

        KOA_ASSERT(row != NULL);
        source->views[i] = koa_catalog_view(row);
    }
    source->source = (struct koa_metrics_source){.name = "cluster",
                                                 .context = source,
                                                 .begin = begin,
                                                 .next = next,
                                                 .end = end,
                                                 .seek = seek};
    *ret_source = &source->source;
    return KOA_OK;
}

void koa_clusters_source_destroy(struct koa_metrics_source *source)
{
    koa_free(source); /* its first member */
}

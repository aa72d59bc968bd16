/* Shows snapshots as samples, family by family and in each cluster by cluster. Values come straight
 * from the columns; only the labels of one batch are put together. */
#include <stdio.h>

#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"
#include "cluster/group_source.h"
#include "cluster/snapshot.h"
#include "metrics/catalog.h"

enum level { OF_CLUSTER, OF_BROKER, OF_TOPIC, OF_PARTITION };

enum { LABEL_LIMIT = 4, LABEL_TEXT = 80 };

/* One value's place: index of the broker, the topic, or the partition in the columns. */
typedef bool read_fn(const struct koa_snapshot *snapshot, size_t index, double *ret_value);

/* The labels of one sample; `number` and `text` are room for what has to be written. */
struct labels {
    struct koa_label_view *rows;
    size_t count;
    char *number;
    char *text;
};

struct family {
    const char *name;
    enum level level;
    read_fn *read;
    /* NULL: those of the level. */
    void (*label)(const struct koa_snapshot *snapshot, size_t index, struct labels *labels);
};

static bool brokers_up(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    size_t up = 0;

    (void) index;
    for (size_t i = 0; i < snapshot->broker_count; i++)
        up += snapshot->brokers[i].is_up ? 1 : 0;
    *ret_value = (double) up;
    return true;
}

static bool one(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) snapshot, (void) index;
    *ret_value = 1;
    return true;
}

static bool one_when_named(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    *ret_value = 1;
    return snapshot->cluster_id[0] != '\0';
}

static bool topics(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    *ret_value = (double) snapshot->topic_count;
    return snapshot->good_time.ms != 0;
}

static bool broker_is_up(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->brokers[index].is_up ? 1 : 0;
    return true;
}

static bool broker_is_controller(const struct koa_snapshot *snapshot, size_t index,
                                 double *ret_value)
{
    *ret_value = snapshot->brokers[index].is_controller ? 1 : 0;
    return snapshot->controller_id >= 0;
}

static bool topic_partitions(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->topics[index].count;
    return true;
}

static bool topic_leaderless(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->topics[index].leaderless;
    return true;
}

static bool topic_under_replicated(const struct koa_snapshot *snapshot, size_t index,
                                   double *ret_value)
{
    *ret_value = snapshot->topics[index].under_replicated;
    return true;
}

static bool topic_offline(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->topics[index].with_offline_replicas;
    return true;
}

/* The sum over topics of one of the three above. */
static bool sum(const struct koa_snapshot *snapshot, read_fn *read, double *ret_value)
{
    *ret_value = 0;
    for (size_t i = 0; i < snapshot->topic_count; i++) {
        double value = 0;

        (void) read(snapshot, i, &value);
        *ret_value += value;
    }
    return snapshot->good_time.ms != 0;
}

static bool all_leaderless(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    return sum(snapshot, topic_leaderless, ret_value);
}

static bool all_under_replicated(const struct koa_snapshot *snapshot, size_t index,
                                 double *ret_value)
{
    (void) index;
    return sum(snapshot, topic_under_replicated, ret_value);
}

static bool all_offline(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    (void) index;
    return sum(snapshot, topic_offline, ret_value);
}

static bool end_offset(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->partitions.end[index];
    return (snapshot->partitions.flags[index] & KOA_PARTITION_HAS_END) != 0;
}

static bool start_offset(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (double) snapshot->partitions.start[index];
    return (snapshot->partitions.flags[index] & KOA_PARTITION_HAS_START) != 0;
}

static bool leader(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->partitions.leader[index];
    return snapshot->partitions.leader[index] >= 0;
}

static bool replicas(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->partitions.replicas[index];
    return true;
}

static bool in_sync(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = snapshot->partitions.in_sync[index];
    return true;
}

/* Without a leader there is nothing that could be preferred. */
static bool is_preferred(const struct koa_snapshot *snapshot, size_t index, double *ret_value)
{
    *ret_value = (snapshot->partitions.flags[index] & KOA_PARTITION_PREFERRED) != 0 ? 1 : 0;
    return snapshot->partitions.leader[index] >= 0;
}

static bool is_under_replicated(const struct koa_snapshot *snapshot, size_t index,
                                double *ret_value)
{
    *ret_value = snapshot->partitions.in_sync[index] < snapshot->partitions.replicas[index] ? 1 : 0;
    return true;
}

static void add_label(struct labels *labels, struct koa_str name, struct koa_str value)
{
    labels->rows[labels->count++] = (struct koa_label_view){.name = name, .value = value};
}

static struct koa_str number(const struct labels *labels, int32_t value)
{
    return (struct koa_str){.data = labels->number, .size = koa_format_int(value, labels->number)};
}

static void label_broker_info(const struct koa_snapshot *snapshot, size_t index,
                              struct labels *labels)
{
    const struct koa_snapshot_broker *broker = &snapshot->brokers[index];

    (void) snprintf(labels->text, LABEL_TEXT, "%s:%d", broker->host, broker->port);
    add_label(labels, KOA_STR("address"), koa_str_from(labels->text));
    add_label(labels, KOA_STR("cluster"), koa_str_from(snapshot->cluster));
    add_label(labels, KOA_STR("id"), number(labels, broker->id));
    add_label(labels, KOA_STR("rack"), koa_str_from(broker->rack));
}

static void label_cluster_info(const struct koa_snapshot *snapshot, size_t index,
                               struct labels *labels)
{
    (void) index;
    add_label(labels, KOA_STR("cluster"), koa_str_from(snapshot->cluster));
    add_label(labels, KOA_STR("cluster_id"), koa_str_from(snapshot->cluster_id));
    if (snapshot->controller_id >= 0) {
        add_label(labels, KOA_STR("controller"), number(labels, snapshot->controller_id));
    } else {
        add_label(labels, KOA_STR("controller"), KOA_STR(""));
    }
}

/* What a family is for stands in the catalog. */
static const struct family families[] = {
    {"kafka_brokers", OF_CLUSTER, brokers_up, NULL},
    {"kafka_broker_info", OF_BROKER, one, label_broker_info},
    {"kafka_topic_partitions", OF_TOPIC, topic_partitions, NULL},
    {"kafka_topic_partition_current_offset", OF_PARTITION, end_offset, NULL},
    {"kafka_topic_partition_oldest_offset", OF_PARTITION, start_offset, NULL},
    {"kafka_topic_partition_leader", OF_PARTITION, leader, NULL},
    {"kafka_topic_partition_replicas", OF_PARTITION, replicas, NULL},
    {"kafka_topic_partition_in_sync_replica", OF_PARTITION, in_sync, NULL},
    {"kafka_topic_partition_leader_is_preferred", OF_PARTITION, is_preferred, NULL},
    {"kafka_topic_partition_under_replicated_partition", OF_PARTITION, is_under_replicated, NULL},
    {"kafka_ops_cluster_topics", OF_CLUSTER, topics, NULL},
    {"kafka_ops_cluster_info", OF_CLUSTER, one_when_named, label_cluster_info},
    {"kafka_ops_broker_up", OF_BROKER, broker_is_up, NULL},
    {"kafka_ops_broker_is_controller", OF_BROKER, broker_is_controller, NULL},
    {"kafka_ops_topic_partitions_leaderless", OF_TOPIC, topic_leaderless, NULL},
    {"kafka_ops_topic_partitions_under_replicated", OF_TOPIC, topic_under_replicated, NULL},
    {"kafka_ops_topic_partitions_offline_replicas", OF_TOPIC, topic_offline, NULL},
    {"kafka_ops_cluster_partitions_leaderless", OF_CLUSTER, all_leaderless, NULL},
    {"kafka_ops_cluster_partitions_under_replicated", OF_CLUSTER, all_under_replicated, NULL},
    {"kafka_ops_cluster_partitions_offline_replicas", OF_CLUSTER, all_offline, NULL},
};
/* Those of group_source.c come after the own ones. */
enum { OWN_COUNT = KOA_ARRAY_COUNT(families), FAMILY_COUNT = OWN_COUNT + KOA_GROUP_FAMILIES };

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
    struct koa_label_view rows[KOA_BATCH_SAMPLES][LABEL_LIMIT];
    char numbers[KOA_BATCH_SAMPLES][KOA_NUM_TEXT_SIZE];
    char texts[KOA_BATCH_SAMPLES][LABEL_TEXT];
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

static size_t size_of(const struct koa_snapshot *snapshot, enum level level)
{
    switch (level) {
    case OF_CLUSTER:
        return 1;
    case OF_BROKER:
        return snapshot->broker_count;
    case OF_TOPIC:
        return snapshot->topic_count;
    case OF_PARTITION: /* see add_partitions() */
        break;
    }
    return 0;
}

/* Which labels a sample shares with the one before it; see same_values. */
enum { CLUSTER_FIRST = 1, CLUSTER_SECOND = 2, TOPIC_THIRD = 4 };

/* Room for the labels of the batch's next sample. */
static struct labels next_labels(struct walk *walk, const struct koa_batch *batch)
{
    return (struct labels){.rows = walk->rows[batch->count],
                           .number = walk->numbers[batch->count],
                           .text = walk->texts[batch->count]};
}

static struct koa_sample *add_sample(const struct koa_family_view *view, struct koa_batch *batch,
                                     const struct labels *labels, double value)
{
    struct koa_sample *sample = &batch->samples[batch->count++];

    *sample = (struct koa_sample){
        .family = view, .labels = labels->rows, .label_count = labels->count, .value = value};
    return sample;
}

/* Of a cluster, broker or topic. Returns what it shares with its neighbours. */
static uint32_t label(const struct family *family, const struct walk *walk,
                      const struct koa_snapshot *snapshot, struct labels *labels)
{
    size_t index = walk->index;
    uint32_t same = CLUSTER_FIRST;

    if (family->label != NULL) {
        family->label(snapshot, index, labels);
        return 0;
    }
    if (family->level == OF_BROKER) {
        add_label(labels, KOA_STR("broker"), number(labels, snapshot->brokers[index].id));
        same = CLUSTER_SECOND;
    }
    add_label(labels, KOA_STR("cluster"), walk->name);
    if (family->level == OF_TOPIC) {
        const struct koa_topic_row *topic = &snapshot->topics[index];

        add_label(labels, KOA_STR("topic"), (struct koa_str){topic->name, topic->name_size});
    }
    return same;
}

/* Samples of a cluster, its brokers or topics, until the batch is full or all are shown. */
static bool add_rows(const struct koa_family_view *view, struct walk *walk, struct koa_batch *batch)
{
    const struct family *family = &families[walk->family];
    const struct koa_snapshot *snapshot = walk->snapshots[walk->cluster];
    size_t size = size_of(snapshot, family->level);
    bool is_first = true;

    for (; walk->index < size; walk->index++) {
        struct labels labels;
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
    const struct family *family = &families[walk->family];
    const struct koa_snapshot *snapshot = walk->snapshots[walk->cluster];
    uint32_t same = 0;

    if (snapshot->granularity != KOA_GRANULARITY_PARTITION)
        return true;
    for (; walk->topic < snapshot->topic_count; walk->topic++) {
        const struct koa_topic_row *topic = &snapshot->topics[walk->topic];
        const struct koa_str name = {topic->name, topic->name_size};

        for (; walk->index < topic->first + topic->count; walk->index++) {
            struct labels labels;
            double value = 0;

            if (batch->count == KOA_BATCH_SAMPLES)
                return false;
            if (!family->read(snapshot, walk->index, &value))
                continue;
            labels = next_labels(walk, batch);
            add_label(&labels, KOA_STR("cluster"), walk->name);
            add_label(&labels, KOA_STR("partition"),
                      number(&labels, snapshot->partitions.id[walk->index]));
            add_label(&labels, KOA_STR("topic"), name);
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
        is_done = families[walk->family].level == OF_PARTITION ? add_partitions(view, walk, batch)
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
        const char *name = i < OWN_COUNT ? families[i].name : koa_group_family_name(i - OWN_COUNT);
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

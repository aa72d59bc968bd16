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

/* The labels of one sample; `text` is room for what has to be written. */
struct labels {
    struct koa_label_view rows[LABEL_LIMIT];
    size_t count;
    char text[2][LABEL_TEXT];
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

static struct koa_str number(char text[LABEL_TEXT], int32_t value)
{
    return (struct koa_str){.data = text, .size = koa_format_int(value, text)};
}

static void label_broker_info(const struct koa_snapshot *snapshot, size_t index,
                              struct labels *labels)
{
    const struct koa_snapshot_broker *broker = &snapshot->brokers[index];

    (void) snprintf(labels->text[1], LABEL_TEXT, "%s:%d", broker->host, broker->port);
    add_label(labels, KOA_STR("address"), koa_str_from(labels->text[1]));
    add_label(labels, KOA_STR("cluster"), koa_str_from(snapshot->cluster));
    add_label(labels, KOA_STR("id"), number(labels->text[0], broker->id));
    add_label(labels, KOA_STR("rack"), koa_str_from(broker->rack));
}

static void label_cluster_info(const struct koa_snapshot *snapshot, size_t index,
                               struct labels *labels)
{
    (void) index;
    add_label(labels, KOA_STR("cluster"), koa_str_from(snapshot->cluster));
    add_label(labels, KOA_STR("cluster_id"), koa_str_from(snapshot->cluster_id));
    if (snapshot->controller_id >= 0) {
        add_label(labels, KOA_STR("controller"), number(labels->text[0], snapshot->controller_id));
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
    struct labels labels[KOA_BATCH_SAMPLES];
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
    case OF_PARTITION:
        return snapshot->partition_count;
    }
    return 0;
}

static bool is_exported(const struct koa_snapshot *snapshot, enum level level)
{
    return level != OF_PARTITION || snapshot->granularity == KOA_GRANULARITY_PARTITION;
}

static void label(const struct family *family, const struct walk *walk,
                  const struct koa_snapshot *snapshot, struct labels *labels)
{
    size_t index = walk->index;

    labels->count = 0;
    if (family->label != NULL) {
        family->label(snapshot, index, labels);
        return;
    }
    if (family->level == OF_BROKER)
        add_label(labels, KOA_STR("broker"), number(labels->text[0], snapshot->brokers[index].id));
    add_label(labels, KOA_STR("cluster"), walk->name);
    if (family->level == OF_PARTITION)
        add_label(labels, KOA_STR("partition"),
                  number(labels->text[0], snapshot->partitions.id[index]));
    if (family->level == OF_TOPIC || family->level == OF_PARTITION) {
        const struct koa_topic_row *topic =
            &snapshot->topics[family->level == OF_TOPIC ? index : walk->topic];

        add_label(labels, KOA_STR("topic"), (struct koa_str){topic->name, topic->name_size});
    }
}

/* Which labels of label() a sample has in common with the one before it, of the same family and
 * cluster; see same_values. */
static uint32_t same_values(const struct family *family, bool is_same_topic)
{
    static const uint32_t cluster_first = 1;
    static const uint32_t cluster_second = 2;
    static const uint32_t topic_third = 4;

    if (family->label != NULL || family->level == OF_CLUSTER)
        return 0;
    if (family->level == OF_BROKER)
        return cluster_second;
    return family->level == OF_PARTITION && is_same_topic ? cluster_first | topic_third
                                                          : cluster_first;
}

/* Goes to the topic that the partition at `index` is of. */
static void find_topic(struct walk *walk, const struct koa_snapshot *snapshot)
{
    while (walk->index >= snapshot->topics[walk->topic].first + snapshot->topics[walk->topic].count)
        walk->topic++;
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
    const struct family *family = &families[walk->family];
    const struct koa_snapshot *snapshot = walk->snapshots[walk->cluster];
    size_t size = snapshot != NULL && is_exported(snapshot, family->level)
                      ? size_of(snapshot, family->level)
                      : 0;
    size_t first = batch->count;
    size_t last_topic = 0; /* of the sample before */

    if (snapshot != NULL)
        walk->name = koa_str_from(snapshot->cluster);
    for (; walk->index < size && batch->count < KOA_BATCH_SAMPLES; walk->index++) {
        struct labels *labels = &walk->labels[batch->count];
        struct koa_sample *sample = &batch->samples[batch->count];
        double value = 0;

        if (!family->read(snapshot, walk->index, &value))
            continue;
        if (family->level == OF_PARTITION)
            find_topic(walk, snapshot);
        label(family, walk, snapshot, labels);
        *sample = (struct koa_sample){
            .family = view, .labels = labels->rows, .label_count = labels->count, .value = value};
        if (batch->count > first)
            sample->same_values = same_values(family, last_topic == walk->topic);
        last_topic = walk->topic;
        batch->count++;
    }
    if (walk->index >= size) {
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

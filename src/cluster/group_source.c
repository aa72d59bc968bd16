/* Shows consumer groups as samples, level by level: groups, their topics, their commits. Commits
 * are nearly all of what a large cluster exports: they have a loop of their own, in which nothing
 * is worked out twice. */
#include "cluster/group_source.h"

#include <string.h>

#include "base/str.h"

enum level { OF_GROUP, OF_TOPIC, OF_COMMIT };

/* What a value is of. `topic` and `commit` are NULL above their level. */
struct subject {
    const struct koa_snapshot *snapshot;
    const struct koa_group_row *group;
    const struct koa_group_topic_row *topic;
    size_t item; /* the commit's index, or that of the word */
};

typedef bool read_fn(const struct subject *subject, double *ret_value);

struct family {
    const char *name;
    enum level level;
    bool is_of_share; /* of share groups, else of all others */
    read_fn *read;
    /* A label more, with one sample for each word that has a value. */
    const char *extra;
    size_t words;
    const char *(*word)(const struct subject *subject);
    /* NULL: those of the level and `extra`. */
    void (*label)(const struct subject *subject, struct koa_group_labels *labels);
};

static bool one(const struct subject *subject, double *ret_value)
{
    (void) subject;
    *ret_value = 1;
    return true;
}

static bool has_state(const struct subject *subject, double *ret_value)
{
    *ret_value = 1;
    return subject->group->state[0] != '\0';
}

static const char *state_word(const struct subject *subject)
{
    return subject->group->state;
}

static bool members(const struct subject *subject, double *ret_value)
{
    *ret_value = (double) subject->group->members;
    return (subject->group->flags & KOA_GROUP_HAS_MEMBERS) != 0;
}

static bool idle_members(const struct subject *subject, double *ret_value)
{
    *ret_value = (double) subject->group->idle_members;
    return (subject->group->flags & KOA_GROUP_HAS_MEMBERS) != 0;
}

static bool group_lag(const struct subject *subject, double *ret_value)
{
    *ret_value = (double) subject->group->lag;
    return subject->group->with_lag > 0;
}

static bool group_lag_max(const struct subject *subject, double *ret_value)
{
    *ret_value = (double) subject->group->lag_max;
    return subject->group->with_lag > 0;
}

/* A cycle that learned nothing shows every commit as stale. */
static bool condition(const struct subject *subject, double *ret_value)
{
    uint32_t count = subject->group->conditions[subject->item];

    if (subject->item == KOA_CONDITION_STALE && subject->snapshot->base != NULL) {
        count = 0;
        for (uint32_t i = 0; i < subject->group->topic_count; i++)
            count += subject->group->topics[i].commit_count;
    }
    *ret_value = count;
    return count > 0;
}

static const char *condition_word(const struct subject *subject)
{
    return koa_condition_name((enum koa_condition) subject->item);
}

static bool topic_committed(const struct subject *subject, double *ret_value)
{
    *ret_value = (double) subject->topic->committed;
    return subject->topic->commit_count > 0;
}

static bool topic_lag(const struct subject *subject, double *ret_value)
{
    *ret_value = (double) subject->topic->lag;
    return subject->topic->with_lag > 0;
}

static bool topic_assigned(const struct subject *subject, double *ret_value)
{
    *ret_value = subject->topic->assigned;
    return (subject->topic->flags & KOA_GROUP_TOPIC_HAS_ASSIGNED) != 0;
}

static bool topic_progress(const struct subject *subject, double *ret_value)
{
    *ret_value = (double) subject->topic->progress_ms / 1000.0;
    return subject->topic->progress_ms != 0;
}

static bool topic_lag_seconds(const struct subject *subject, double *ret_value)
{
    *ret_value = koa_decimal(subject->topic->lag_seconds);
    return subject->topic->lag_quality != KOA_LAG_UNKNOWN;
}

static bool topic_lag_quality(const struct subject *subject, double *ret_value)
{
    *ret_value = 1;
    return subject->topic->lag_quality != KOA_LAG_UNKNOWN;
}

static const char *quality_word(const struct subject *subject)
{
    return koa_lag_quality_name((enum koa_lag_quality) subject->topic->lag_quality);
}

static bool topic_velocity(const struct subject *subject, double *ret_value)
{
    *ret_value = koa_decimal(subject->topic->lag_velocity);
    return (subject->topic->flags & KOA_GROUP_TOPIC_HAS_RATES) != 0;
}

static bool topic_consumption(const struct subject *subject, double *ret_value)
{
    *ret_value = koa_decimal(subject->topic->consumption_rate);
    return (subject->topic->flags & KOA_GROUP_TOPIC_HAS_RATES) != 0;
}

static bool topic_catch_up(const struct subject *subject, double *ret_value)
{
    *ret_value = koa_decimal(subject->topic->catch_up_seconds);
    return (subject->topic->flags & KOA_GROUP_TOPIC_HAS_CATCH_UP) != 0;
}

static bool topic_retention(const struct subject *subject, double *ret_value)
{
    *ret_value = koa_decimal(subject->topic->retention_ratio);
    return (subject->topic->flags & KOA_GROUP_TOPIC_HAS_RETENTION) != 0;
}

static bool commit_offset(const struct subject *subject, double *ret_value)
{
    *ret_value = (double) subject->topic->commits[subject->item].offset;
    return true;
}

static bool commit_lag(const struct subject *subject, double *ret_value)
{
    int64_t lag;

    if (!koa_commit_lag(subject->snapshot, subject->topic, subject->item, &lag))
        return false;
    *ret_value = (double) lag;
    return true;
}

static void add_label(struct koa_group_labels *labels, struct koa_str name, struct koa_str value)
{
    labels->rows[labels->count++] = (struct koa_label_view){.name = name, .value = value};
}

static struct koa_str shown_name(const struct koa_group_row *group)
{
    if (group->display == group->name)
        return (struct koa_str){.data = group->name, .size = group->name_size};
    return koa_str_from(group->display);
}

static void label_info(const struct subject *subject, struct koa_group_labels *labels)
{
    const struct koa_group_row *group = subject->group;
    struct koa_str coordinator = {.data = labels->text};

    if (group->coordinator >= 0)
        coordinator.size = koa_format_int(group->coordinator, labels->text);
    add_label(labels, KOA_STR("cluster"), koa_str_from(subject->snapshot->cluster));
    add_label(labels, KOA_STR("consumergroup"), shown_name(group));
    add_label(labels, KOA_STR("coordinator"), coordinator);
    add_label(labels, KOA_STR("protocol"), koa_str_from(group->protocol));
    add_label(labels, KOA_STR("type"),
              koa_str_from(koa_group_type_name((enum koa_group_type) group->type)));
}

#define CONDITIONS "condition", KOA_CONDITION_COUNT, condition_word

/* What a family is for stands in the catalog. */
static const struct family families[KOA_GROUP_FAMILIES] = {
    {"kafka_consumergroup_current_offset", OF_COMMIT, false, commit_offset, .words = 0},
    {"kafka_consumergroup_lag", OF_COMMIT, false, commit_lag, .words = 0},
    {"kafka_consumergroup_current_offset_sum", OF_TOPIC, false, topic_committed, .words = 0},
    {"kafka_consumergroup_lag_sum", OF_TOPIC, false, topic_lag, .words = 0},
    {"kafka_consumergroup_members", OF_GROUP, false, members, .words = 0},
    {"kafka_ops_consumergroup_state", OF_GROUP, false, has_state, "state", 1, state_word, NULL},
    {"kafka_ops_consumergroup_info", OF_GROUP, false, one, .label = label_info},
    {"kafka_ops_consumergroup_lag_max", OF_GROUP, false, group_lag_max, .words = 0},
    {"kafka_ops_consumergroup_lag_sum_all_topics", OF_GROUP, false, group_lag, .words = 0},
    {"kafka_ops_consumergroup_partition_condition", OF_GROUP, false, condition, CONDITIONS, NULL},
    {"kafka_ops_consumergroup_members_idle", OF_GROUP, false, idle_members, .words = 0},
    {"kafka_ops_consumergroup_topic_assigned_partitions", OF_TOPIC, false, topic_assigned,
     .words = 0},
    {"kafka_ops_consumergroup_last_progress_timestamp_seconds", OF_TOPIC, false, topic_progress,
     .words = 0},
    {"kafka_ops_consumergroup_lag_seconds", OF_TOPIC, false, topic_lag_seconds, .words = 0},
    {"kafka_ops_consumergroup_lag_quality", OF_TOPIC, false, topic_lag_quality, "quality", 1,
     quality_word, NULL},
    {"kafka_ops_consumergroup_lag_velocity", OF_TOPIC, false, topic_velocity, .words = 0},
    {"kafka_ops_consumergroup_consumption_rate", OF_TOPIC, false, topic_consumption, .words = 0},
    {"kafka_ops_consumergroup_catch_up_seconds", OF_TOPIC, false, topic_catch_up, .words = 0},
    {"kafka_ops_consumergroup_retention_ratio", OF_TOPIC, false, topic_retention, .words = 0},
    {"kafka_ops_sharegroup_lag", OF_COMMIT, true, commit_lag, .words = 0},
    {"kafka_ops_sharegroup_topic_lag", OF_TOPIC, true, topic_lag, .words = 0},
    {"kafka_ops_sharegroup_lag_sum_all_topics", OF_GROUP, true, group_lag, .words = 0},
    {"kafka_ops_sharegroup_members", OF_GROUP, true, members, .words = 0},
    {"kafka_ops_sharegroup_state", OF_GROUP, true, has_state, "state", 1, state_word, NULL},
};

const char *koa_group_family_name(size_t family)
{
    return families[family].name;
}

static bool is_of(const struct family *family, const struct koa_group_row *group)
{
    return family->is_of_share == (group->type == KOA_GROUP_SHARE);
}

/* In order of name: a label name sorts by its bytes, and the extra one goes where it belongs. */
static void label(const struct family *family, const struct subject *subject,
                  struct koa_group_labels *labels)
{
    struct koa_str group = family->is_of_share ? KOA_STR("sharegroup") : KOA_STR("consumergroup");
    struct koa_str extra = koa_str_from(family->extra);
    bool is_before_group = extra.size > 0 && koa_str_compare(extra, group) < 0;

    labels->count = 0;
    if (family->label != NULL) {
        family->label(subject, labels);
        return;
    }
    add_label(labels, KOA_STR("cluster"), koa_str_from(subject->snapshot->cluster));
    if (is_before_group)
        add_label(labels, extra, koa_str_from(family->word(subject)));
    add_label(labels, group, shown_name(subject->group));
    if (extra.size > 0 && !is_before_group)
        add_label(labels, extra, koa_str_from(family->word(subject)));
    if (subject->topic != NULL) {
        add_label(labels, KOA_STR("topic"),
                  (struct koa_str){subject->topic->name, subject->topic->name_size});
    }
}

/* Which values are the very same bytes as those of the sample before. */
static uint32_t compare_labels(const struct koa_sample *before, const struct koa_sample *sample)
{
    uint32_t same = 0;

    for (size_t i = 0; i < sample->label_count; i++) {
        const struct koa_str *left = &before->labels[i].value;
        const struct koa_str *right = &sample->labels[i].value;

        if (left->data == right->data && left->size == right->size)
            same |= UINT32_C(1) << i;
    }
    return same;
}

static void add_sample(const struct koa_family_view *view, const struct koa_group_labels *labels,
                       struct koa_batch *batch, double value)
{
    struct koa_sample *sample = &batch->samples[batch->count];

    *sample = (struct koa_sample){
        .family = view, .labels = labels->rows, .label_count = labels->count, .value = value};
    if (batch->count > 0 && sample[-1].family == view)
        sample->same_values = compare_labels(sample - 1, sample);
    batch->count++;
}

/* The words of one group or topic. */
static bool add_words(const struct family *family, const struct koa_family_view *view,
                      struct subject *subject, struct koa_group_walk *walk, struct koa_batch *batch)
{
    size_t words = family->words > 0 ? family->words : 1;

    for (; walk->place.item < words; walk->place.item++) {
        struct koa_group_labels *labels = &walk->labels[batch->count];
        double value = 0;

        if (batch->count == KOA_BATCH_SAMPLES)
            return false;
        subject->item = walk->place.item;
        if (!family->read(subject, &value))
            continue;
        label(family, subject, labels);
        add_sample(view, labels, batch, value);
    }
    walk->place.item = 0;
    return true;
}

/* The commits of one topic. The rows differ in one label and the value. */
static bool add_commits(const struct family *family, const struct koa_family_view *view,
                        struct subject *subject, struct koa_group_walk *walk,
                        struct koa_batch *batch)
{
    const struct koa_group_topic_row *topic = subject->topic;
    struct koa_group_labels first = {.count = 0};
    size_t at = family->is_of_share ? 1 : 2; /* of the partition: after the consumer group */
    uint32_t same = 0;

    add_label(&first, KOA_STR("cluster"), koa_str_from(subject->snapshot->cluster));
    if (!family->is_of_share)
        add_label(&first, KOA_STR("consumergroup"), shown_name(subject->group));
    add_label(&first, KOA_STR("partition"), (struct koa_str){NULL, 0});
    if (family->is_of_share)
        add_label(&first, KOA_STR("sharegroup"), shown_name(subject->group));
    add_label(&first, KOA_STR("topic"), (struct koa_str){topic->name, topic->name_size});
    for (; walk->place.item < topic->commit_count; walk->place.item++) {
        struct koa_group_labels *labels = &walk->labels[batch->count];
        const struct koa_commit_row *commit = &topic->commits[walk->place.item];
        double value = 0;

        if (batch->count == KOA_BATCH_SAMPLES)
            return false;
        subject->item = walk->place.item;
        if (!family->read(subject, &value))
            continue;
        memcpy(labels->rows, first.rows, first.count * sizeof(first.rows[0]));
        labels->rows[at].value.data = labels->text;
        labels->rows[at].value.size =
            koa_format_int(koa_commit_partition(subject->snapshot, commit), labels->text);
        batch->samples[batch->count++] = (struct koa_sample){.family = view,
                                                             .labels = labels->rows,
                                                             .label_count = first.count,
                                                             .same_values = same,
                                                             .value = value};
        same = ((UINT32_C(1) << first.count) - 1) & ~(UINT32_C(1) << at);
    }
    walk->place.item = 0;
    return true;
}

static bool add_topics(const struct family *family, const struct koa_family_view *view,
                       struct subject *subject, struct koa_group_walk *walk,
                       struct koa_batch *batch)
{
    for (; walk->place.topic < subject->group->topic_count; walk->place.topic++) {
        bool is_done;

        subject->topic = &subject->group->topics[walk->place.topic];
        is_done = family->level == OF_COMMIT ? add_commits(family, view, subject, walk, batch)
                                             : add_words(family, view, subject, walk, batch);
        if (!is_done)
            return false;
    }
    walk->place.topic = 0;
    return true;
}

static bool is_exported(const struct family *family, const struct koa_snapshot *snapshot)
{
    if (family->level == OF_COMMIT)
        return snapshot->granularity == KOA_GRANULARITY_PARTITION;
    return family->level == OF_GROUP || snapshot->granularity != KOA_GRANULARITY_GROUP;
}

bool koa_group_family_fill(size_t index, const struct koa_family_view *view,
                           const struct koa_snapshot *snapshot, struct koa_group_walk *walk,
                           struct koa_batch *batch)
{
    const struct family *family = &families[index];
    struct subject subject = {.snapshot = snapshot};

    if (!is_exported(family, snapshot))
        return true;
    for (; walk->place.group < snapshot->group_count; walk->place.group++) {
        bool is_done;

        subject.group = &snapshot->groups[walk->place.group];
        subject.topic = NULL;
        if (!is_of(family, subject.group))
            continue;
        is_done = family->level == OF_GROUP ? add_words(family, view, &subject, walk, batch)
                                            : add_topics(family, view, &subject, walk, batch);
        if (!is_done)
            return false;
    }
    walk->place.group = 0;
    return true;
}

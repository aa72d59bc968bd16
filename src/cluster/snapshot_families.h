/* What a snapshot shows beside its groups: a row per family, with the function that reads its
 * value. snapshot_source.c walks them. What a family is for stands in the catalog. */
#ifndef CLUSTER_SNAPSHOT_FAMILIES_H
#define CLUSTER_SNAPSHOT_FAMILIES_H

#include "base/num.h"
#include "cluster/snapshot.h"
#include "metrics/source.h"

enum koa_family_level {
    KOA_OF_CLUSTER,
    KOA_OF_BROKER,
    KOA_OF_LOG_DIR,
    KOA_OF_VOTER,
    KOA_OF_TOPIC,
    KOA_OF_PARTITION
};

enum { KOA_FAMILY_LABELS = 5, KOA_FAMILY_TEXT = 80 };

/* One value's place: index of the broker, the log dir, the voter, the topic, or the partition in
 * the columns. False: it has no true value. */
typedef bool koa_family_read_fn(const struct koa_snapshot *snapshot, size_t index,
                                double *ret_value);

/* The labels of one sample; `number` and `text` are room for what has to be written. */
struct koa_family_labels {
    struct koa_label_view *rows;
    size_t count;
    char *number;
    char *text;
};

static inline void koa_family_label(struct koa_family_labels *labels, struct koa_str name,
                                    struct koa_str value)
{
    labels->rows[labels->count++] = (struct koa_label_view){.name = name, .value = value};
}

/* Once a sample: there is room for one number. */
static inline struct koa_str koa_family_number(const struct koa_family_labels *labels,
                                               int32_t value)
{
    return (struct koa_str){.data = labels->number, .size = koa_format_int(value, labels->number)};
}

struct koa_snapshot_family {
    const char *name;
    enum koa_family_level level;
    koa_family_read_fn *read;
    /* NULL: those of the level. In order of name. */
    void (*label)(const struct koa_snapshot *snapshot, size_t index,
                  struct koa_family_labels *labels);
};

enum { KOA_SNAPSHOT_FAMILIES = 36 };

extern const struct koa_snapshot_family koa_snapshot_families[KOA_SNAPSHOT_FAMILIES];

#endif

/* Consumer groups as samples: the families that snapshot_source.c shows after its own. */
#ifndef CLUSTER_GROUP_SOURCE_H
#define CLUSTER_GROUP_SOURCE_H

#include "base/num.h"
#include "cluster/snapshot.h"
#include "metrics/source.h"

enum { KOA_GROUP_FAMILIES = 24, KOA_GROUP_LABELS = 5 };

const char *koa_group_family_name(size_t family);

/* The labels of one sample; `text` is room for one number. */
struct koa_group_labels {
    struct koa_label_view rows[KOA_GROUP_LABELS];
    size_t count;
    char text[KOA_NUM_TEXT_SIZE];
};

/* Where a walk over one family of one cluster stands, zeroed at its start. */
struct koa_group_place {
    size_t group, topic;
    size_t item; /* the commit, or one of the family's words */
};

/* Position, and memory that a batch's samples point to. */
struct koa_group_walk {
    struct koa_group_place place;
    struct koa_group_labels labels[KOA_BATCH_SAMPLES];
};

/* Adds samples of a family until the batch is full (false) or the cluster is done (true). */
bool koa_group_family_fill(size_t family, const struct koa_family_view *view,
                           const struct koa_snapshot *snapshot, struct koa_group_walk *walk,
                           struct koa_batch *batch);

#endif

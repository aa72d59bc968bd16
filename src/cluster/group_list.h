/* Which groups there are: the brokers' lists, merged. While a coordinator moves, a group stands in
 * two lists, or in none. Pure. */
#ifndef CLUSTER_GROUP_LIST_H
#define CLUSTER_GROUP_LIST_H

#include "cluster/name_filter.h"
#include "cluster/snapshot.h"
#include "kafka/messages/list_groups.h"

enum { KOA_GROUP_LIMIT = 1000000 }; /* groups of one cluster; more are not watched */

struct koa_group_list {
    struct koa_group_row *rows;
    size_t count, capacity;
    bool has_overflown; /* the limit was reached, or memory */
};

void koa_group_list_deinit(struct koa_group_list *list);
/* Takes what `broker` lists and `filter` passes. Names are copied into the draft's arena. */
void koa_group_list_add(struct koa_group_list *list, struct koa_snapshot *draft,
                        const struct koa_name_filter *filter,
                        const struct koa_kafka_list_groups_response *answer, int32_t broker);
/* Did `coordinator` list its groups in this cycle? One that did not may still have them. */
typedef bool koa_has_listed_fn(const void *context, int32_t coordinator);

struct koa_group_owed {
    const struct koa_snapshot *previous; /* may be NULL */
    koa_has_listed_fn *has_listed;
    const void *context;
    int64_t keep_ms; /* older commits than this are dropped */
};

/* The draft's groups: in order of name, each once, and those that are owed. Empties the list. False
 * when memory is out. */
KOA_MUST_USE bool koa_group_list_finish(struct koa_group_list *list, struct koa_snapshot *draft,
                                        const struct koa_group_owed *owed);

/* The text in `arena`, without a copy where it is one of Kafka's own words. NULL when memory is
 * out. */
const char *koa_group_word(struct koa_arena *arena, struct koa_str text);

#endif

/* Groups of the model: type, members, and how far they have read. A group reads a run of partitions
 * that lie side by side in the model, so it takes the same few bytes whether it has ten or a
 * thousand; members, assignments and commits are computed when somebody asks. */
#ifndef SIM_GROUP_H
#define SIM_GROUP_H

#include <koa/base.h>

struct koa_sim_model;

enum koa_sim_group_type {
    KOA_SIM_CLASSIC,
    KOA_SIM_CONSUMER, /* KIP-848 */
    KOA_SIM_SHARE,    /* KIP-932 */
    KOA_SIM_STREAMS,  /* KIP-1071 */
    KOA_SIM_GROUP_TYPE_COUNT
};

/* What a group is like. */
struct koa_sim_group_plan {
    struct koa_str name; /* copied */
    enum koa_sim_group_type type;
    bool is_simple; /* a classic group that only commits */
    int32_t members;
    size_t first, count; /* partitions of the model */
    size_t uncommitted;  /* of them, the last ones, without a commit */
    int64_t lag_ms;      /* how old the messages are that it reads */
    double speed; /* 1: keeps pace, below: lags more and more, 0: stalled, above: catches up */
};

enum {
    KOA_SIM_LEFT_MAX = 4, /* topics that one group no longer reads */
    /* As offsets.retention.minutes: commits of a topic that is no longer read are forgotten. */
    KOA_SIM_OFFSETS_RETENTION_MS = 7 * 24 * 3600 * 1000,
};

/* A topic that the group no longer reads: its commits stay as they were. */
struct koa_sim_left {
    size_t first, count; /* partitions of the model */
    int64_t since_ms;
    int64_t position_ms; /* of the last commit */
};

struct koa_sim_group {
    struct koa_sim_group_plan plan;
    bool is_deleted;
    int32_t slot;  /* of its coordinator */
    int32_t epoch; /* a rebalance adds one */
    /* It has read the log as it was at position_ms, and goes on from since_ms at its speed. */
    int64_t since_ms, position_ms;
    int64_t rebalances_until_ms;
    uint64_t salt;
    struct koa_sim_left left[KOA_SIM_LEFT_MAX];
    int32_t left_count;
};

/* "classic", "consumer", "share", "streams". */
const char *koa_sim_group_type_name(enum koa_sim_group_type type);
const char *koa_sim_group_state(const struct koa_sim_group *group, int64_t now_ms);
/* "consumer", "share", "streams"; "" for one that only commits. */
const char *koa_sim_group_protocol_type(const struct koa_sim_group *group);

/* Changes speed and members from `now_ms` on. */
void koa_sim_group_set_speed(struct koa_sim_group *group, double speed, int64_t now_ms);
void koa_sim_group_set_members(struct koa_sim_group *group, int32_t members, int64_t now_ms);
void koa_sim_group_rebalance(struct koa_sim_group *group, int64_t duration_ms, int64_t now_ms);

/* Stops reading a topic, given as its partitions; false: it has left KOA_SIM_LEFT_MAX already. */
KOA_MUST_USE bool koa_sim_group_leave(struct koa_sim_group *group, size_t first, size_t count,
                                      int64_t now_ms);
/* Set when the group no longer reads this partition of the model. */
const struct koa_sim_left *koa_sim_group_left(const struct koa_sim_group *group, size_t partition);

/* The commit of its partition `index` (0 to plan.count - 1); -1: none. */
int64_t koa_sim_group_commit(const struct koa_sim_model *model, const struct koa_sim_group *group,
                             size_t index, int64_t now_ms);
/* What a member is assigned: a run of the group's own. */
void koa_sim_group_assignment(const struct koa_sim_group *group, int32_t member, size_t *ret_first,
                              size_t *ret_count);

#endif

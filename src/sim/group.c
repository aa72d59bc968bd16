/* Reading as movement through time: a group stands at a moment of the past, and its commits are the
 * ends that the logs had then. Speed 1 keeps the distance, less makes it grow. */
#include "sim/group.h"

#include "sim/draw.h"
#include "sim/model.h"

enum {
    COMMIT_EVERY_MS = 5000, /* auto.commit.interval.ms */
    SPREAD_MS = 500,        /* partitions of one group are not all equally far */
};

const char *koa_sim_group_type_name(enum koa_sim_group_type type)
{
    static const char *const names[KOA_SIM_GROUP_TYPE_COUNT] = {
        [KOA_SIM_CLASSIC] = "classic",
        [KOA_SIM_CONSUMER] = "consumer",
        [KOA_SIM_SHARE] = "share",
        [KOA_SIM_STREAMS] = "streams",
    };

    return names[type];
}

const char *koa_sim_group_state(const struct koa_sim_group *group, int64_t now_ms)
{
    if (group->plan.members == 0)
        return "Empty";
    if (now_ms < group->rebalances_until_ms && group->plan.type != KOA_SIM_SHARE)
        return group->plan.type == KOA_SIM_CLASSIC ? "PreparingRebalance" : "Reconciling";
    return "Stable";
}

const char *koa_sim_group_protocol_type(const struct koa_sim_group *group)
{
    if (group->plan.is_simple)
        return "";
    return group->plan.type == KOA_SIM_CLASSIC ? "consumer"
                                               : koa_sim_group_type_name(group->plan.type);
}

static double speed_of(const struct koa_sim_group *group)
{
    return group->plan.members > 0 || group->plan.is_simple ? group->plan.speed : 0;
}

static int64_t position_at(const struct koa_sim_group *group, int64_t at_ms)
{
    int64_t position_ms =
        group->position_ms + (int64_t) (speed_of(group) * (double) (at_ms - group->since_ms));
    /* Catching up ends where it is as near as its plan says. */
    int64_t nearest_ms = at_ms - group->plan.lag_ms;

    if (position_ms > nearest_ms)
        return nearest_ms > group->position_ms ? nearest_ms : group->position_ms;
    return position_ms;
}

/* Of the last commit: whole steps, each group at its own beat. */
static int64_t committed_position(const struct koa_sim_group *group, int64_t now_ms)
{
    int64_t beat_ms = now_ms + (int64_t) (group->salt % COMMIT_EVERY_MS);
    int64_t committed_ms =
        now_ms - ((beat_ms % COMMIT_EVERY_MS) + COMMIT_EVERY_MS) % COMMIT_EVERY_MS;

    return position_at(group, committed_ms < group->since_ms ? group->since_ms : committed_ms);
}

static void stand(struct koa_sim_group *group, int64_t now_ms)
{
    group->position_ms = position_at(group, now_ms);
    group->since_ms = now_ms;
}

void koa_sim_group_set_speed(struct koa_sim_group *group, double speed, int64_t now_ms)
{
    stand(group, now_ms);
    group->plan.speed = speed;
}

void koa_sim_group_set_members(struct koa_sim_group *group, int32_t members, int64_t now_ms)
{
    stand(group, now_ms);
    group->plan.members = members;
    group->epoch++;
}

void koa_sim_group_rebalance(struct koa_sim_group *group, int64_t duration_ms, int64_t now_ms)
{
    group->rebalances_until_ms = now_ms + duration_ms;
    group->epoch++;
}

bool koa_sim_group_leave(struct koa_sim_group *group, size_t first, size_t count, int64_t now_ms)
{
    if (koa_sim_group_left(group, first) != NULL)
        return true;
    if (group->left_count == KOA_SIM_LEFT_MAX)
        return false;
    group->left[group->left_count++] =
        (struct koa_sim_left){.first = first,
                              .count = count,
                              .since_ms = now_ms,
                              .position_ms = committed_position(group, now_ms)};
    group->epoch++;
    return true;
}

const struct koa_sim_left *koa_sim_group_left(const struct koa_sim_group *group, size_t partition)
{
    for (int32_t i = 0; i < group->left_count; i++) {
        if (partition >= group->left[i].first &&
            partition - group->left[i].first < group->left[i].count)
            return &group->left[i];
    }
    return NULL;
}

int64_t koa_sim_group_commit(const struct koa_sim_model *model, const struct koa_sim_group *group,
                             size_t index, int64_t now_ms)
{
    const struct koa_sim_partition *partition = &model->partitions[group->plan.first + index];
    const struct koa_sim_left *left = koa_sim_group_left(group, group->plan.first + index);
    int64_t position_ms = left != NULL ? left->position_ms : committed_position(group, now_ms);
    int64_t offset;
    int64_t stable;

    if (index + group->plan.uncommitted >= group->plan.count ||
        (left != NULL && now_ms - left->since_ms >= KOA_SIM_OFFSETS_RETENTION_MS))
        return -1;
    offset = koa_sim_partition_end(
        partition, position_ms - (int64_t) (koa_sim_draw_at(group->salt, index) % SPREAD_MS));
    /* Readers of committed messages wait for open transactions, and stop before a marker that no
     * message followed when they came there. */
    stable = koa_sim_partition_stable_end(partition, now_ms);
    if (offset > stable)
        offset = stable;
    if (offset > 0 && koa_sim_partition_is_marker(partition, offset - 1))
        offset = partition->history->markers_from;
    return offset;
}

void koa_sim_group_assignment(const struct koa_sim_group *group, int32_t member, size_t *ret_first,
                              size_t *ret_count)
{
    size_t members = (size_t) group->plan.members;
    size_t from = group->plan.count * (size_t) member / members;
    size_t until = group->plan.count * ((size_t) member + 1) / members;

    *ret_first = group->plan.first + from;
    *ret_count = until - from;
}

/* Groups that come and go, stand still and catch up, lose members, and change their coordinator. */
#include "base/str.h"
#include "sim/action.h"

static enum koa_err create_group(struct koa_sim_model *model,
                                 const struct koa_sim_arguments *arguments, int64_t now_ms,
                                 struct koa_error *reterr)
{
    const struct koa_sim_topic *topic = koa_sim_require_topic(model, arguments->topic, reterr);
    struct koa_sim_group_plan plan = {
        .name = koa_str_from(arguments->group),
        .type = (enum koa_sim_group_type) arguments->type,
        .members = (int32_t) arguments->members,
        .lag_ms = arguments->lag_ms,
        .speed = arguments->speed,
    };

    if (topic == NULL)
        return KOA_ERR_NOT_FOUND;
    if (!koa_sim_version_has_type(model->version, plan.type)) {
        return koa_fail(reterr, KOA_ERR_UNSUPPORTED, "Kafka %s has no %s groups",
                        koa_sim_version_name(model->version), koa_sim_group_type_name(plan.type));
    }
    /* A classic group without members only commits. */
    plan.is_simple = plan.type == KOA_SIM_CLASSIC && plan.members == 0;
    plan.first = topic->first;
    plan.count = (size_t) topic->partitions;
    return koa_sim_model_add_group(model, &plan, now_ms, reterr);
}

static enum koa_err delete_group(struct koa_sim_model *model,
                                 const struct koa_sim_arguments *arguments, int64_t now_ms,
                                 struct koa_error *reterr)
{
    struct koa_sim_group *group = koa_sim_require_group(model, arguments->group, reterr);

    (void) now_ms;
    if (group == NULL)
        return KOA_ERR_NOT_FOUND;
    koa_sim_model_remove_group(model, group);
    return KOA_OK;
}

static enum koa_err set_speed(struct koa_sim_model *model,
                              const struct koa_sim_arguments *arguments, int64_t now_ms,
                              struct koa_error *reterr)
{
    struct koa_sim_group *group = koa_sim_require_group(model, arguments->group, reterr);

    if (group == NULL)
        return KOA_ERR_NOT_FOUND;
    koa_sim_group_set_speed(group, arguments->speed, now_ms);
    return KOA_OK;
}

static enum koa_err stall_group(struct koa_sim_model *model,
                                const struct koa_sim_arguments *arguments, int64_t now_ms,
                                struct koa_error *reterr)
{
    struct koa_sim_arguments still = *arguments;

    still.speed = 0;
    return set_speed(model, &still, now_ms, reterr);
}

static enum koa_err set_members(struct koa_sim_model *model,
                                const struct koa_sim_arguments *arguments, int64_t now_ms,
                                struct koa_error *reterr)
{
    struct koa_sim_group *group = koa_sim_require_group(model, arguments->group, reterr);

    if (group == NULL)
        return KOA_ERR_NOT_FOUND;
    koa_sim_group_set_members(group, (int32_t) arguments->members, now_ms);
    return KOA_OK;
}

static enum koa_err kill_members(struct koa_sim_model *model,
                                 const struct koa_sim_arguments *arguments, int64_t now_ms,
                                 struct koa_error *reterr)
{
    struct koa_sim_group *group = koa_sim_require_group(model, arguments->group, reterr);
    int64_t left;

    if (group == NULL)
        return KOA_ERR_NOT_FOUND;
    left = arguments->members == 0 ? 0 : group->plan.members - arguments->members;
    koa_sim_group_set_members(group, left > 0 ? (int32_t) left : 0, now_ms);
    return KOA_OK;
}

static enum koa_err unsubscribe(struct koa_sim_model *model,
                                const struct koa_sim_arguments *arguments, int64_t now_ms,
                                struct koa_error *reterr)
{
    const struct koa_sim_topic *topic = koa_sim_require_topic(model, arguments->topic, reterr);
    struct koa_sim_group *group = koa_sim_require_group(model, arguments->group, reterr);
    size_t end;

    if (topic == NULL || group == NULL)
        return KOA_ERR_NOT_FOUND;
    end = topic->first + (size_t) topic->partitions;
    if (end <= group->plan.first || topic->first >= group->plan.first + group->plan.count) {
        return koa_fail(reterr, KOA_ERR_NOT_FOUND, "group '%s' does not read topic '%s'",
                        arguments->group, arguments->topic);
    }
    if (!koa_sim_group_leave(group, topic->first, (size_t) topic->partitions, now_ms)) {
        return koa_fail(reterr, KOA_ERR_LIMIT,
                        "group '%s' has stopped reading %d topics already, no group can more",
                        arguments->group, KOA_SIM_LEFT_MAX);
    }
    return KOA_OK;
}

static enum koa_err rebalance(struct koa_sim_model *model,
                              const struct koa_sim_arguments *arguments, int64_t now_ms,
                              struct koa_error *reterr)
{
    struct koa_sim_group *group = koa_sim_require_group(model, arguments->group, reterr);

    if (group == NULL)
        return KOA_ERR_NOT_FOUND;
    koa_sim_group_rebalance(group, arguments->duration_ms, now_ms);
    return KOA_OK;
}

/* Moves the slot of one group, with all groups in it, or every slot that a broker has. */
static enum koa_err move_coordinator(struct koa_sim_model *model,
                                     const struct koa_sim_arguments *arguments, int64_t now_ms,
                                     struct koa_error *reterr)
{
    const struct koa_sim_group *group = NULL;

    if (koa_sim_require_node(model, arguments->to, reterr) == NULL)
        return KOA_ERR_NOT_FOUND;
    if (arguments->group != NULL) {
        group = koa_sim_require_group(model, arguments->group, reterr);
        if (group == NULL)
            return KOA_ERR_NOT_FOUND;
    }
    for (int32_t s = 0; s < KOA_SIM_SLOTS; s++) {
        struct koa_sim_slot *slot = &model->slots[s];
        bool is_meant = group != NULL
                            ? group->slot == s
                            : arguments->broker == 0 || slot->coordinator == arguments->broker;

        if (!is_meant || slot->coordinator == arguments->to)
            continue;
        slot->former = slot->coordinator;
        slot->former_until_ms = now_ms + arguments->duration_ms;
        slot->coordinator = (int32_t) arguments->to;
    }
    return KOA_OK;
}

/* ---- rows */

#define GROUP                                                                                      \
    {                                                                                              \
        KOA_TEXT(struct koa_sim_arguments, group), .required = true, .help = "its name"            \
    }

static const struct koa_choice types[] = {
    {"classic", KOA_SIM_CLASSIC},
    {"consumer", KOA_SIM_CONSUMER},
    {"share", KOA_SIM_SHARE},
    {"streams", KOA_SIM_STREAMS},
    {NULL, 0},
};

static const struct koa_option create_options[] = {
    GROUP,
    {KOA_CHOICE(struct koa_sim_arguments, type, types), .fallback = "classic",
     .help = "its protocol"},
    {KOA_TEXT(struct koa_sim_arguments, topic), .required = true, .help = "what it reads"},
    {KOA_COUNT(struct koa_sim_arguments, members), .fallback = "3", .maximum = KOA_SIM_MEMBERS_MAX,
     .help = "how many; a classic group of 0 only commits"},
    {KOA_DURATION(struct koa_sim_arguments, lag_ms), .key = "lag", .fallback = "2s",
     .help = "how old the messages are that it reads"},
    {KOA_NUMBER(struct koa_sim_arguments, speed), .fallback = "1", .minimum = 0, .maximum = 1000,
     .help = "1 keeps pace, less lags more and more, 0 stands still, more catches up"},
    {0},
};

static const struct koa_option group_options[] = {GROUP, {0}};

static const struct koa_option speed_options[] = {
    GROUP,
    {KOA_NUMBER(struct koa_sim_arguments, speed), .required = true, .minimum = 0, .maximum = 1000,
     .help = "1 keeps pace, less lags more and more, 0 stands still, more catches up"},
    {0},
};

static const struct koa_option members_options[] = {
    GROUP,
    {KOA_COUNT(struct koa_sim_arguments, members), .required = true, .maximum = KOA_SIM_MEMBERS_MAX,
     .help = "how many it has from now on"},
    {0},
};

static const struct koa_option kill_options[] = {
    GROUP,
    {KOA_COUNT(struct koa_sim_arguments, members), .fallback = "0", .maximum = KOA_SIM_MEMBERS_MAX,
     .help = "how many go; 0: all"},
    {0},
};

static const struct koa_option unsubscribe_options[] = {
    GROUP,
    {KOA_TEXT(struct koa_sim_arguments, topic), .required = true, .help = "what it reads no more"},
    {0},
};

_Static_assert(KOA_SIM_LEFT_MAX == 4, "the words of unsubscribe say how many");

static const struct koa_option rebalance_options[] = {
    GROUP,
    {KOA_DURATION(struct koa_sim_arguments, duration_ms), .key = "lasts", .fallback = "5s",
     .help = "until it is stable again"},
    {0},
};

static const struct koa_option move_options[] = {
    {KOA_TEXT(struct koa_sim_arguments, group),
     .help = "this group, and those that share its place; default: those of the broker"},
    {KOA_COUNT(struct koa_sim_arguments, broker), .fallback = "0", .maximum = KOA_SIM_BROKERS_MAX,
     .help = "the groups that this one coordinates; 0: all groups"},
    {KOA_COUNT(struct koa_sim_arguments, to), .required = true, .minimum = 1,
     .maximum = KOA_SIM_BROKERS_MAX, .help = "id of the new coordinator"},
    {KOA_DURATION(struct koa_sim_arguments, duration_ms), .key = "listed_twice", .fallback = "0s",
     .help = "how long the old one lists them too"},
    {0},
};

const struct koa_sim_action koa_sim_group_actions[] = {
    {.name = "create_group",
     .help = "Creates a group that reads a topic",
     .options = create_options,
     .run = create_group},
    {.name = "delete_group",
     .help = "Deletes a group and its commits",
     .options = group_options,
     .run = delete_group},
    {.name = "stall_group",
     .help = "Its commits stand still, its members stay",
     .options = group_options,
     .run = stall_group},
    {.name = "set_speed",
     .help = "Changes how fast it reads",
     .options = speed_options,
     .run = set_speed},
    {.name = "kill_members",
     .help = "Members go; a group without any stands still",
     .options = kill_options,
     .run = kill_members},
    {.name = "set_members",
     .help = "Gives it another number of members",
     .options = members_options,
     .run = set_members},
    {.name = "unsubscribe",
     .help = "It reads a topic no more; what it has committed for it is forgotten after a week. A "
             "group can stop reading 4 topics",
     .options = unsubscribe_options,
     .run = unsubscribe},
    {.name = "rebalance",
     .help = "Its members share out the partitions anew; it is not stable meanwhile",
     .options = rebalance_options,
     .run = rebalance},
    {.name = "move_coordinator",
     .help = "Another broker coordinates groups; the old one may list them too for a while",
     .options = move_options,
     .run = move_coordinator},
    {0},
};

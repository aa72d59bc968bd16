/* The list of all actions, and what their functions share. */
#include "sim/action.h"

#include <inttypes.h>

#include "base/str.h"

const struct koa_sim_action *const koa_sim_actions[] = {
    koa_sim_broker_actions,  koa_sim_fault_actions, koa_sim_topic_actions,
    koa_sim_storage_actions, koa_sim_group_actions, NULL,
};

const struct koa_sim_action *koa_sim_action_find(const char *name)
{
    for (const struct koa_sim_action *const *table = koa_sim_actions; *table != NULL; table++) {
        for (const struct koa_sim_action *action = *table; action->name != NULL; action++) {
            if (koa_text_equal(action->name, name))
                return action;
        }
    }
    return NULL;
}

struct koa_sim_topic *koa_sim_require_topic(const struct koa_sim_model *model, const char *name,
                                            struct koa_error *reterr)
{
    struct koa_sim_topic *topic = koa_sim_model_find(model, koa_str_from(name));

    if (topic == NULL)
        (void) koa_fail(reterr, KOA_ERR_NOT_FOUND, "there is no topic '%s'", name);
    return topic;
}

struct koa_sim_group *koa_sim_require_group(const struct koa_sim_model *model, const char *name,
                                            struct koa_error *reterr)
{
    struct koa_sim_group *group = koa_sim_model_find_group(model, koa_str_from(name));

    if (group == NULL)
        (void) koa_fail(reterr, KOA_ERR_NOT_FOUND, "there is no group '%s'", name);
    return group;
}

struct koa_sim_node *koa_sim_require_node(const struct koa_sim_model *model, int64_t broker,
                                          struct koa_error *reterr)
{
    struct koa_sim_node *node =
        broker > INT32_MAX ? NULL : koa_sim_model_node(model, (int32_t) broker);

    if (node == NULL) {
        (void) koa_fail(reterr, KOA_ERR_NOT_FOUND, "there is no broker %" PRId64, broker);
    }
    return node;
}

/* Groups of a simulated broker: who coordinates them, which there are, their members, what they
 * have committed. */
#ifndef SIM_ANSWER_GROUPS_H
#define SIM_ANSWER_GROUPS_H

#include "sim/answers.h"

koa_sim_answer_fn koa_sim_answer_find_coordinator;
koa_sim_answer_fn koa_sim_answer_list_groups;
koa_sim_answer_fn koa_sim_answer_describe_groups;
koa_sim_answer_fn koa_sim_answer_consumer_group_describe;
koa_sim_answer_fn koa_sim_answer_offset_fetch;
koa_sim_answer_fn koa_sim_answer_share_group_describe;
koa_sim_answer_fn koa_sim_answer_describe_share_group_offsets;
koa_sim_answer_fn koa_sim_answer_streams_group_describe;

/* The group, when the broker that is asked coordinates it and it is of this type; else NULL, and
 * the error. */
const struct koa_sim_group *koa_sim_coordinated_group(const struct koa_sim_question *question,
                                                      struct koa_str name,
                                                      enum koa_sim_group_type type,
                                                      int16_t *ret_error);

#endif

/* Members of a group as describe APIs tell them, made up when somebody asks. */
#ifndef SIM_MEMBER_H
#define SIM_MEMBER_H

#include "kafka/messages/group_assignment.h"
#include "sim/answers.h"

struct koa_sim_member {
    struct koa_str member_id, client_id, client_host;
};

/* All live in the question's arena. False: it is full. */
KOA_MUST_USE bool koa_sim_member_fill(const struct koa_sim_question *question,
                                      const struct koa_sim_group *group, int32_t index,
                                      struct koa_sim_member *ret_member);
/* The topics that the group reads and that still exist. */
KOA_MUST_USE bool koa_sim_group_topics(const struct koa_sim_question *question,
                                       const struct koa_sim_group *group,
                                       struct koa_str **ret_names, size_t *ret_count);
/* The same as bytes of the consumer protocol, version 1. */
KOA_MUST_USE bool koa_sim_group_subscription(const struct koa_sim_question *question,
                                             const struct koa_sim_group *group,
                                             struct koa_str *ret_bytes);
/* What a member is assigned: as a struct, and as bytes of the consumer protocol, version 1. */
KOA_MUST_USE bool koa_sim_member_assignment(const struct koa_sim_question *question,
                                            const struct koa_sim_group *group, int32_t index,
                                            struct koa_kafka_group_assignment **ret_assignment);
KOA_MUST_USE bool koa_sim_member_assignment_bytes(const struct koa_sim_question *question,
                                                  const struct koa_sim_group *group, int32_t index,
                                                  struct koa_str *ret_bytes);

#endif

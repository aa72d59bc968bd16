/* A simulated cluster without sockets: questions as bytes, answers decoded, time moved by hand. */
#ifndef UNIT_SIM_SIM_KIT_H
#define UNIT_SIM_SIM_KIT_H

#include "base/buf.h"
#include "sim/answers.h"
#include "sim/scenario.h"

enum { SIM_KIT_BROKERS = 3 };

struct sim_kit {
    struct koa_sim_model *model;
    int ports[SIM_KIT_BROKERS];
    struct koa_sim_cluster cluster;
    struct koa_sim_question question; /* who is asked, and when */
    struct koa_buf request, response;
    struct koa_sim_scenario *scenario; /* the last one */
};

/* Three brokers, 5 topics, 17 partitions, the 10 first groups with 4 partitions and 2 members each.
 */
void sim_kit_set_up(struct sim_kit *kit, enum koa_sim_version version);
void sim_kit_set_up_with_seed(struct sim_kit *kit, enum koa_sim_version version, uint64_t seed);
void sim_kit_tear_down(struct sim_kit *kit);
/* Moves both clocks, and plays what is due. */
void sim_kit_advance(struct sim_kit *kit, int64_t duration_ms);
/* Plays a scenario whose times begin now; what an earlier one still had to do must be done. */
void sim_kit_do(struct sim_kit *kit, const char *events);
/* Sends a request and decodes what comes back. */
void sim_kit_ask(struct sim_kit *kit, int16_t key, int16_t version, const void *body,
                 void *ret_body);
/* The same, and the frame as it came, without its length; an error when it would be closed. */
enum koa_err sim_kit_send(struct sim_kit *kit, int16_t key, int16_t version, const void *body,
                          struct koa_str *ret_frame);
/* The group's coordinator is asked from now on; fails the test when there is no such group. */
struct koa_sim_group *sim_kit_turn_to(struct sim_kit *kit, const char *group);

#endif

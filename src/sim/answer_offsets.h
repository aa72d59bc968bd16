/* ListOffsets of a simulated broker. */
#ifndef SIM_ANSWER_OFFSETS_H
#define SIM_ANSWER_OFFSETS_H

#include "sim/answers.h"

koa_sim_answer_fn koa_sim_answer_list_offsets;

#endif

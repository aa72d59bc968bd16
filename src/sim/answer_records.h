/* Topics that clients make, what they write and read, on a simulated broker. */
#ifndef SIM_ANSWER_RECORDS_H
#define SIM_ANSWER_RECORDS_H

#include "sim/answers.h"

koa_sim_answer_fn koa_sim_answer_create_topics;
koa_sim_answer_fn koa_sim_answer_produce;
koa_sim_answer_fn koa_sim_answer_fetch;

#endif

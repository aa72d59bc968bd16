/* DescribeConfigs of a simulated broker. */
#ifndef SIM_ANSWER_CONFIGS_H
#define SIM_ANSWER_CONFIGS_H

#include "sim/answers.h"

koa_sim_answer_fn koa_sim_answer_describe_configs;

#endif

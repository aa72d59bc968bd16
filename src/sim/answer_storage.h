/* Log dirs, the controllers' quorum and moving partitions, as a simulated broker tells them. */
#ifndef SIM_ANSWER_STORAGE_H
#define SIM_ANSWER_STORAGE_H

#include "sim/answers.h"

koa_sim_answer_fn koa_sim_answer_describe_log_dirs;
koa_sim_answer_fn koa_sim_answer_describe_quorum;
koa_sim_answer_fn koa_sim_answer_list_partition_reassignments;

#endif

/* Metadata and DescribeCluster of a simulated broker. */
#ifndef SIM_ANSWER_METADATA_H
#define SIM_ANSWER_METADATA_H

#include "sim/answers.h"

struct koa_str koa_sim_rack_of(int32_t broker);
koa_sim_answer_fn koa_sim_answer_metadata;
koa_sim_answer_fn koa_sim_answer_describe_cluster;

#endif

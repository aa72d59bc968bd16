/* Metadata and DescribeCluster of a simulated broker. False: the arena is full. */
#ifndef SIM_ANSWER_METADATA_H
#define SIM_ANSWER_METADATA_H

#include "kafka/messages/metadata.h"
#include "sim/answers.h"

bool koa_sim_answer_metadata(const struct koa_sim_question *question, int16_t version,
                             const void *request, void *response);
bool koa_sim_answer_describe_cluster(const struct koa_sim_question *question, int16_t version,
                                     const void *request, void *response);

#endif

/* ListOffsets of a simulated broker. False: the arena is full. */
#ifndef SIM_ANSWER_OFFSETS_H
#define SIM_ANSWER_OFFSETS_H

#include "kafka/messages/list_offsets.h"
#include "sim/answers.h"

bool koa_sim_answer_list_offsets(const struct koa_sim_question *question, int16_t version,
                                 const void *request, void *response);

#endif

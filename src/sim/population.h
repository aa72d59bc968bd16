/* The topics and groups that a new simulated cluster has. */
#ifndef SIM_POPULATION_H
#define SIM_POPULATION_H

#include "sim/model.h"

/* Fills an empty model, whose arrays have room. */
KOA_MUST_USE enum koa_err koa_sim_populate(struct koa_sim_model *model,
                                           const struct koa_sim_model_opts *opts,
                                           struct koa_error *reterr);

#endif

/* A file that says how large a simulated cluster is (`cluster`), and what happens to it, and when
 * (`scenario`, a list of events). */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "base/buf.h"
#include "config/node.h"
#include "sim/action.h"

/* As flags give it, too. */
struct koa_sim_size {
    int64_t brokers, topics, partitions;
    int64_t groups;           /* 0: none */
    int64_t group_partitions; /* 0: ten for each group */
    int64_t members;
    int64_t latency_ms;
    int64_t seed;
    int version; /* enum koa_sim_version */
};

struct koa_sim_scenario {
    struct koa_arena *arena; /* holds all of it */
    struct koa_sim_event *events;
    size_t count;
    bool has_size;
    struct koa_sim_size size;
};

/* Reads the file. KOA_ERR_PARSE: every error is in `errors`, with its place. */
KOA_MUST_USE enum koa_err koa_sim_scenario_read(const char *path, struct koa_buf *errors,
                                                struct koa_sim_scenario **ret_scenario,
                                                struct koa_error *reterr);
/* The same from text; `name` stands for the file in messages. */
KOA_MUST_USE enum koa_err koa_sim_scenario_parse(struct koa_str text, const char *name,
                                                 struct koa_buf *errors,
                                                 struct koa_sim_scenario **ret_scenario,
                                                 struct koa_error *reterr);
/* Adds its events to those of a model, which must not outlive it. */
KOA_MUST_USE enum koa_err koa_sim_scenario_play(const struct koa_sim_scenario *scenario,
                                                struct koa_sim_model *model,
                                                struct koa_error *reterr);
void koa_sim_scenario_destroy(struct koa_sim_scenario *scenario);

/* docs/simulate.md: every action and its arguments. */
void koa_sim_scenario_document(struct koa_buf *buf);

#endif

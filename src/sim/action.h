/* What can happen to a simulated cluster: one row for each thing, with its arguments, its function
 * and its documentation. */
#ifndef SIM_ACTION_H
#define SIM_ACTION_H

#include <koa/option.h>

#include "sim/limits.h"
#include "sim/model.h"

/* The arguments of all actions; each has rows for those that it takes. */
struct koa_sim_arguments {
    int64_t broker; /* 0: all */
    int64_t to;     /* a broker's id; 0: the action chooses */
    struct koa_counts brokers;
    const char *topic;
    int64_t partition; /* -1: all of the topic */
    int64_t partitions;
    double rate; /* messages a second */
    int64_t messages;
    const char *group;
    int type; /* enum koa_sim_group_type */
    int64_t members;
    double speed;
    int64_t lag_ms;
    int64_t dir;
    double share;
    int64_t duration_ms;
    const char *api;   /* NULL: all */
    const char *error; /* name or number */
    int64_t times;     /* 0: until told otherwise */
};

/* One thing that happens. Its texts live as long as the action is done, or as long as the list of
 * events that it is in. */
struct koa_sim_event {
    int64_t at_ms;    /* since the simulation began */
    int64_t every_ms; /* and again and again; 0: once */
    const struct koa_sim_action *action;
    struct koa_sim_arguments arguments;
};

typedef enum koa_err koa_sim_action_fn(struct koa_sim_model *model,
                                       const struct koa_sim_arguments *arguments, int64_t now_ms,
                                       struct koa_error *reterr);

struct koa_sim_action {
    const char *name;
    const char *help;                 /* one sentence, no full stop */
    const struct koa_option *options; /* of struct koa_sim_arguments */
    koa_sim_action_fn *run;           /* changes nothing when it fails */
};

/* Tables of the files action_*.c; each ends with an all-zero row. */
extern const struct koa_sim_action koa_sim_broker_actions[];
extern const struct koa_sim_action koa_sim_fault_actions[];
extern const struct koa_sim_action koa_sim_topic_actions[];
extern const struct koa_sim_action koa_sim_storage_actions[];
extern const struct koa_sim_action koa_sim_group_actions[];

/* All tables; ends with NULL. */
extern const struct koa_sim_action *const koa_sim_actions[];
/* NULL: there is none. */
const struct koa_sim_action *koa_sim_action_find(const char *name);

/* For the actions' functions: what an argument names, or NULL and the error. */
struct koa_sim_topic *koa_sim_require_topic(const struct koa_sim_model *model, const char *name,
                                            struct koa_error *reterr);
struct koa_sim_group *koa_sim_require_group(const struct koa_sim_model *model, const char *name,
                                            struct koa_error *reterr);
struct koa_sim_node *koa_sim_require_node(const struct koa_sim_model *model, int64_t broker,
                                          struct koa_error *reterr);

#endif

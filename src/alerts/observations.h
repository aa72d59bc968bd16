/* What one evaluation of one rule saw, until its alerts have taken it in. */
#ifndef ALERTS_OBSERVATIONS_H
#define ALERTS_OBSERVATIONS_H

#include <koa/rule.h>

#include "alerts/state.h"
#include "base/arena.h"
#include "base/map.h"

struct koa_alert_set;

struct koa_observation {
    uint64_t identity;
    const struct koa_labels *labels; /* sorted */
    enum koa_look look;
    bool has_value;
    double value;
    const char *message;
};

enum {
    /* 1,000 alerts of a rule with 4 KiB of labels and text each. */
    KOA_OBSERVATIONS_BYTES = 4 * 1024 * 1024,
    KOA_RULE_ERROR_SIZE = 256
};

/* Only what can change an alert is kept: subjects that hold, and those that have one. So a rule may
 * report 100,000 healthy partitions in the memory of none. */
struct koa_observations {
    const char *rule;
    const struct koa_alert_set *set;
    struct koa_arena *arena;
    struct koa_map *rows; /* identity -> struct koa_observation */
    bool is_fresh;
    bool is_missing;
    int64_t looked;  /* reported in all */
    int64_t refused; /* did not fit into limit or memory */
    char problem[KOA_RULE_ERROR_SIZE];
};

/* `limit`: observations that may be kept. */
KOA_MUST_USE enum koa_err koa_observations_init(struct koa_observations *observations, size_t limit,
                                                struct koa_error *reterr);
void koa_observations_deinit(struct koa_observations *observations);
/* For the next evaluation, of `rule` with the alerts of `set`. Both are borrowed. False when memory
 * is out. */
KOA_MUST_USE bool koa_observations_begin(struct koa_observations *observations, const char *rule,
                                         const struct koa_alert_set *set, size_t limit);
/* Adds the one observation without labels that stands for "could not look" (missing_data: fire). */
void koa_observations_add_missing(struct koa_observations *observations);
/* Walks what is kept, in the order of adding; `position` starts at 0. */
const struct koa_observation *koa_observations_next(const struct koa_observations *observations,
                                                    size_t *position);

#endif

/* What is still to happen to a simulated cluster, in order of time. Pure. */
#ifndef SIM_EVENTS_H
#define SIM_EVENTS_H

#include "sim/action.h"

/* Events that wait; more are refused. */
enum { KOA_SIM_EVENTS_MAX = 10000 };

/* Copies the event, not its texts. KOA_ERR_LIMIT, KOA_ERR_NOMEM. */
KOA_MUST_USE enum koa_err koa_sim_events_add(struct koa_sim_model *model,
                                             const struct koa_sim_event *event,
                                             struct koa_error *reterr);
/* When the next one is due; false: nothing more happens. */
bool koa_sim_events_next(const struct koa_sim_model *model, struct koa_mono *ret_due);
/* Does everything that is due, in order. `failed` (may be NULL) is told of what could not be done;
 * the others go on. Returns how many were done. */
typedef void koa_sim_failed_fn(void *context, const struct koa_sim_event *event,
                               const struct koa_error *error);
size_t koa_sim_events_run(struct koa_sim_model *model, struct koa_mono now,
                          koa_sim_failed_fn *failed, void *context);
void koa_sim_events_destroy(struct koa_sim_events *events);

#endif

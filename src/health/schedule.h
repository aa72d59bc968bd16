/* When a check runs and what its runs mean: a pure state machine per check. Time comes in as an
 * argument; what to do comes out. */
#ifndef HEALTH_SCHEDULE_H
#define HEALTH_SCHEDULE_H

#include <koa/health.h>

struct koa_schedule_opts {
    int64_t interval_ms; /* at least 1 */
    int64_t initial_delay_ms;
    int64_t failure_threshold; /* runs in a row until unhealthy is believed; at least 1 */
    int64_t success_threshold; /* and until an unhealthy check is believed to be better */
    int64_t degraded_after_ms; /* 0: off */
    int64_t max_age_ms;        /* 0: no answer is ever too old */
};

/* A caller who wants a run now gets the last answer when that run began less than this ago. */
enum { KOA_SCHEDULE_REQUEST_GAP_MS = 1000 };

struct koa_schedule {
    struct koa_schedule_opts opts;
    struct koa_mono due;     /* of the next run by the interval */
    struct koa_mono started; /* the last run */
    struct koa_mono fresh;   /* when the last answer came; before the first: when one could begin */
    bool has_started;
    bool has_ended;
    bool is_running;
    enum koa_status confirmed; /* the last status that thresholds have let pass */
    int64_t streak;            /* runs in a row that contradict it */
};

enum koa_schedule_action {
    KOA_SCHEDULE_WAIT,  /* nothing to do yet */
    KOA_SCHEDULE_START, /* begin a run; the schedule counts it as running from now on */
    KOA_SCHEDULE_JOIN,  /* a run is under way; its answer is the caller's */
    KOA_SCHEDULE_ANSWER /* the last answer is young enough */
};

/* What one run means. */
struct koa_schedule_outcome {
    enum koa_status status; /* to publish */
    bool is_slow;           /* healthy became degraded because it took too long */
    int64_t streak, needed; /* the status is held back: `streak` of `needed` runs; needed 0: not */
};

void koa_schedule_init(struct koa_schedule *schedule, const struct koa_schedule_opts *opts,
                       struct koa_mono now);
/* START when a run is due, else WAIT. */
KOA_MUST_USE enum koa_schedule_action koa_schedule_tick(struct koa_schedule *schedule,
                                                        struct koa_mono now);
/* Somebody wants a run now: START, JOIN or ANSWER. */
KOA_MUST_USE enum koa_schedule_action koa_schedule_request(struct koa_schedule *schedule,
                                                           struct koa_mono now);
/* There is news to judge (a snapshot): START, or JOIN when a run is under way. */
KOA_MUST_USE enum koa_schedule_action koa_schedule_poke(struct koa_schedule *schedule,
                                                        struct koa_mono now);
/* The run has ended with `status` after `duration_ms`. */
void koa_schedule_end(struct koa_schedule *schedule, struct koa_mono now, enum koa_status status,
                      double duration_ms, struct koa_schedule_outcome *ret_outcome);

/* The last answer is older than `max_age`. */
bool koa_schedule_is_stale(const struct koa_schedule *schedule, struct koa_mono now);
/* When the schedule must be looked at next: a run is due, or the answer becomes too old. */
struct koa_mono koa_schedule_next(const struct koa_schedule *schedule, struct koa_mono now);

#endif

/* Decides when a check runs, who joins a run, and when a status is believed. Runs nothing itself
 * and knows no clock. */
#include "health/schedule.h"

#include <string.h>

/* Further than any timer is armed. */
static const struct koa_mono never = {.ms = INT64_MAX};

void koa_schedule_init(struct koa_schedule *schedule, const struct koa_schedule_opts *opts,
                       struct koa_mono now)
{
    memset(schedule, 0, sizeof(*schedule));
    schedule->opts = *opts;
    schedule->due = koa_mono_add_ms(now, opts->initial_delay_ms);
    schedule->fresh = schedule->due;
}

/* Runs keep to a grid of intervals. One that was missed, because a run took longer or the machine
 * slept, is skipped and not made up for: a check that hangs is not hammered. */
static void plan_next(struct koa_schedule *schedule, struct koa_mono now)
{
    int64_t late_ms = koa_mono_diff_ms(now, schedule->due);

    if (late_ms >= 0)
        schedule->due.ms += (late_ms / schedule->opts.interval_ms + 1) * schedule->opts.interval_ms;
}

static enum koa_schedule_action begin(struct koa_schedule *schedule, struct koa_mono now)
{
    schedule->is_running = true;
    schedule->has_started = true;
    schedule->started = now;
    return KOA_SCHEDULE_START;
}

enum koa_schedule_action koa_schedule_tick(struct koa_schedule *schedule, struct koa_mono now)
{
    if (schedule->is_running || koa_mono_diff_ms(schedule->due, now) > 0)
        return KOA_SCHEDULE_WAIT;
    plan_next(schedule, now);
    return begin(schedule, now);
}

enum koa_schedule_action koa_schedule_request(struct koa_schedule *schedule, struct koa_mono now)
{
    if (schedule->is_running)
        return KOA_SCHEDULE_JOIN;
    if (schedule->has_ended &&
        koa_mono_diff_ms(now, schedule->started) < KOA_SCHEDULE_REQUEST_GAP_MS)
        return KOA_SCHEDULE_ANSWER;
    return begin(schedule, now);
}

enum koa_schedule_action koa_schedule_poke(struct koa_schedule *schedule, struct koa_mono now)
{
    return schedule->is_running ? KOA_SCHEDULE_JOIN : begin(schedule, now);
}

/* Holds back a change into or out of unhealthy until enough runs in a row agree. Unknown is no
 * evidence: it shows at once and moves no count. */
static void weigh(struct koa_schedule *schedule, enum koa_status status,
                  struct koa_schedule_outcome *outcome)
{
    bool is_failure = status == KOA_STATUS_UNHEALTHY;
    int64_t needed =
        is_failure ? schedule->opts.failure_threshold : schedule->opts.success_threshold;

    outcome->status = status;
    if (status == KOA_STATUS_UNKNOWN)
        return;
    if (is_failure == (schedule->confirmed == KOA_STATUS_UNHEALTHY) ||
        (!is_failure && schedule->confirmed == KOA_STATUS_UNKNOWN)) {
        schedule->streak = 0;
        schedule->confirmed = status;
        return;
    }
    schedule->streak++;
    if (schedule->streak >= needed) {
        schedule->streak = 0;
        schedule->confirmed = status;
        return;
    }
    outcome->status = schedule->confirmed;
    outcome->streak = schedule->streak;
    outcome->needed = needed;
}

void koa_schedule_end(struct koa_schedule *schedule, struct koa_mono now, enum koa_status status,
                      double duration_ms, struct koa_schedule_outcome *ret_outcome)
{
    memset(ret_outcome, 0, sizeof(*ret_outcome));
    schedule->is_running = false;
    schedule->has_ended = true;
    schedule->fresh = now;
    plan_next(schedule, now);
    if (status == KOA_STATUS_HEALTHY && schedule->opts.degraded_after_ms > 0 &&
        duration_ms > (double) schedule->opts.degraded_after_ms) {
        status = KOA_STATUS_DEGRADED;
        ret_outcome->is_slow = true;
    }
    weigh(schedule, status, ret_outcome);
}

static struct koa_mono stale_time(const struct koa_schedule *schedule)
{
    return schedule->opts.max_age_ms == 0
               ? never
               : koa_mono_add_ms(schedule->fresh, schedule->opts.max_age_ms + 1);
}

bool koa_schedule_is_stale(const struct koa_schedule *schedule, struct koa_mono now)
{
    return koa_mono_diff_ms(stale_time(schedule), now) <= 0;
}

struct koa_mono koa_schedule_next(const struct koa_schedule *schedule, struct koa_mono now)
{
    struct koa_mono next = schedule->is_running ? never : schedule->due;
    struct koa_mono stale = stale_time(schedule);

    return stale.ms > now.ms && stale.ms < next.ms ? stale : next;
}

/* A window of a few points, so that rates follow the last minutes and not the whole past. */
#include "cluster/progress.h"

#include <string.h>

enum { STEP_MS = KOA_PROGRESS_WINDOW_MS / (KOA_PROGRESS_POINTS - 1) };

void koa_progress_observe(struct koa_progress *progress, int64_t ms, int64_t consumed, int64_t lag)
{
    progress->now.ms = ms;
    progress->now.consumed += consumed;
    progress->now.lag = lag;
    if (progress->count > 0 && ms - progress->points[progress->count - 1].ms < STEP_MS)
        return;
    if (progress->count == KOA_PROGRESS_POINTS) {
        memmove(&progress->points[0], &progress->points[1],
                (KOA_PROGRESS_POINTS - 1) * sizeof(progress->points[0]));
        progress->count--;
    }
    progress->points[progress->count++] = progress->now;
}

bool koa_progress_rates(const struct koa_progress *progress, struct koa_rates *ret_rates)
{
    const struct koa_progress_point *first = &progress->points[0];
    double seconds;

    if (progress->count == 0 || progress->now.ms <= first->ms)
        return false;
    seconds = (double) (progress->now.ms - first->ms) / 1000.0;
    ret_rates->consumption = (double) (progress->now.consumed - first->consumed) / seconds;
    ret_rates->velocity = (double) (progress->now.lag - first->lag) / seconds;
    return true;
}

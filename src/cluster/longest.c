/* One rule for partitions, topics and groups, so that their lags in time do not contradict. */
#include "cluster/longest.h"

void koa_longest_add(struct koa_longest *longest, enum koa_lag_quality quality, double seconds)
{
    if (quality == KOA_LAG_UNKNOWN) {
        longest->has_unknown = true;
        return;
    }
    longest->has_known = true;
    if (seconds > longest->seconds)
        longest->seconds = seconds;
    if (quality > longest->quality)
        longest->quality = quality;
}

enum koa_lag_quality koa_longest_end(const struct koa_longest *longest, double *ret_seconds)
{
    enum koa_lag_quality quality = longest->has_unknown ? KOA_LAG_AT_LEAST : longest->quality;

    *ret_seconds = 0;
    if (!longest->has_known || (quality == KOA_LAG_AT_LEAST && longest->seconds <= 0))
        return KOA_LAG_UNKNOWN;
    *ret_seconds = longest->seconds;
    return quality;
}

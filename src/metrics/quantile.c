/* Quantiles from buckets. */
#include <math.h>

#include "metrics/registry.h"

/* Where `rank` lies between the edges of the bucket that holds it. The outer edges are the smallest
 * and the largest value seen. */
static double interpolate(const struct koa_histogram_view *histogram, size_t bucket, double before,
                          double rank)
{
    double low = bucket > 0 ? histogram->bounds[bucket - 1] : histogram->minimum;
    double high = bucket < histogram->bound_count ? histogram->bounds[bucket] : histogram->maximum;

    low = fmax(low, histogram->minimum);
    high = fmin(high, histogram->maximum);
    if (!isfinite(low) || !isfinite(high) || !(low < high))
        return high;
    return low + (high - low) * (rank - before) / (double) histogram->buckets[bucket];
}

bool koa_histogram_quantile(const struct koa_histogram_view *histogram, double quantile,
                            double *ret_value)
{
    double rank = quantile * (double) histogram->count;
    double before = 0;

    if (histogram->count == 0 || !(quantile >= 0 && quantile <= 1))
        return false;
    for (size_t i = 0; i <= histogram->bound_count; i++) {
        double inside = (double) histogram->buckets[i];

        if (inside > 0 && before + inside >= rank) {
            *ret_value = fmax(fmin(interpolate(histogram, i, before, rank), histogram->maximum),
                              histogram->minimum);
            return true;
        }
        before += inside;
    }
    *ret_value = histogram->maximum;
    return true;
}

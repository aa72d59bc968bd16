/* The longest of several lags in time, as sure as the least sure of them. Pure. */
#ifndef CLUSTER_LONGEST_H
#define CLUSTER_LONGEST_H

#include <koa/snapshot.h>

/* Zero it. */
struct koa_longest {
    double seconds;
    enum koa_lag_quality quality; /* of those that are known */
    bool has_known, has_unknown;
};

/* One of them; `seconds` does not count where the quality is KOA_LAG_UNKNOWN. */
void koa_longest_add(struct koa_longest *longest, enum koa_lag_quality quality, double seconds);
/* Beside one that is unknown it is at least that of the others. KOA_LAG_UNKNOWN, and 0 seconds:
 * none is known, or all that is known is that it is at least nothing. */
enum koa_lag_quality koa_longest_end(const struct koa_longest *longest, double *ret_seconds);

#endif

/* Decides when an overrun begins and ends, so that a cluster whose brokers hang for hours is told
 * of twice and not with every cycle. Counting them all is the metric's business. */
#include "cluster/overrun.h"

/* One broker that hangs costs every other cycle its timeout while the rest are quick. */
enum { CYCLES_IN_TIME = 3 };

bool koa_overrun_left_out(struct koa_overrun *overrun)
{
    overrun->in_time = 0;
    return overrun->left_out++ == 0;
}

int64_t koa_overrun_ended(struct koa_overrun *overrun, bool is_in_time)
{
    int64_t left_out = overrun->left_out;

    overrun->in_time = is_in_time ? overrun->in_time + 1 : 0;
    if (left_out == 0 || overrun->in_time < CYCLES_IN_TIME)
        return 0;
    *overrun = (struct koa_overrun){.left_out = 0};
    return left_out;
}

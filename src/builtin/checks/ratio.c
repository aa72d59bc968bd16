/* The judgement that memory and disks share. Pure. */
#include "builtin/checks/ratio.h"

#include <math.h>

double koa_ratio_percent(double ratio)
{
    return round(ratio * 1000.0) / 10.0;
}

enum koa_status koa_ratio_status(double ratio, double warning, double critical)
{
    if (ratio >= critical)
        return KOA_STATUS_UNHEALTHY;
    return ratio >= warning ? KOA_STATUS_DEGRADED : KOA_STATUS_HEALTHY;
}

enum koa_err koa_ratio_check_limits(double warning, double critical, struct koa_error *reterr)
{
    if (warning <= critical)
        return KOA_OK;
    return koa_fail(reterr, KOA_ERR_INVALID, "warning (%g) must not be above critical (%g)",
                    warning, critical);
}

/* Shares in use and their two limits, as the memory and disk checks judge them. */
#ifndef BUILTIN_CHECKS_RATIO_H
#define BUILTIN_CHECKS_RATIO_H

#include <koa/error.h>
#include <koa/health.h>

/* Percent with one decimal place, as texts show it, so that figure and text agree. */
double koa_ratio_percent(double ratio);
/* Unhealthy from `critical` on, degraded from `warning` on. */
enum koa_status koa_ratio_status(double ratio, double warning, double critical);
/* A warning above the critical limit would never show. */
KOA_MUST_USE enum koa_err koa_ratio_check_limits(double warning, double critical,
                                                 struct koa_error *reterr);

#endif

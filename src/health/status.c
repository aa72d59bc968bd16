/* The words for statuses, as every format prints them. */
#include <koa/health.h>

static const char *const names[KOA_STATUS_COUNT] = {
    [KOA_STATUS_UNKNOWN] = "unknown",
    [KOA_STATUS_HEALTHY] = "healthy",
    [KOA_STATUS_DEGRADED] = "degraded",
    [KOA_STATUS_UNHEALTHY] = "unhealthy",
};

const char *koa_status_name(enum koa_status status)
{
    return (unsigned) status < KOA_STATUS_COUNT ? names[status] : names[KOA_STATUS_UNKNOWN];
}

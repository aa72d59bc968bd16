/* One look at a PostgreSQL server, on the loop. */
#ifndef BUILTIN_CHECKS_PG_PROBE_H
#define BUILTIN_CHECKS_PG_PROBE_H

#include "builtin/checks/pg_target.h"
#include "health/probe.h"

/* Runs SELECT 1 over the connection that the check keeps, or a new one; finishes `probe`. `target`
 * outlives the run. */
void koa_pg_probe_start(const struct koa_pg_target *target, struct koa_probe *probe);

#endif

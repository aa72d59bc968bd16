/* What every check on a cluster's snapshot asks first: is there one, and is it fresh. */
#ifndef BUILTIN_CHECKS_SNAPSHOT_STATE_H
#define BUILTIN_CHECKS_SNAPSHOT_STATE_H

#include <koa/check.h>

/* For checks on what the data say, not on where they come from. False: the verdict is unknown
 * already, because there is no snapshot, or an old one, or one of a cycle that failed. */
bool koa_snapshot_is_usable(const struct koa_snapshot *snapshot, struct koa_wall now,
                            struct koa_verdict *verdict);

#endif

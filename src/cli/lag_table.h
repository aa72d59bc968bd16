/* A snapshot's consumer groups as a terminal's table, and as JSON. Pure. */
#ifndef CLI_LAG_TABLE_H
#define CLI_LAG_TABLE_H

#include <koa/snapshot.h>

#include "api/group_view.h"

struct cli_lag_opts {
    enum koa_group_order order; /* of groups */
    bool without_partitions;    /* one row for each group and topic */
    bool thousands;             /* 1,234,567 */
};

/* Names are shown without anything that a terminal would obey. */
void cli_lag_table(const struct koa_snapshot *snapshot, const struct cli_lag_opts *opts,
                   struct koa_buf *text);
/* One object: cluster, timestamp, groups as /clusters/{c}/groups/{g} has them. */
void cli_lag_json(const struct koa_snapshot *snapshot, const struct cli_lag_opts *opts,
                  struct koa_buf *text);
/* A line for each broker and group of which something is not known; returns how many. */
size_t cli_lag_problems(const struct koa_snapshot *snapshot, struct koa_buf *text);

#endif

/* What the system says of this process: the numbers behind the standard process_* metrics. */
#ifndef LOOP_PROCESS_STATS_H
#define LOOP_PROCESS_STATS_H

#include <koa/base.h>

struct koa_process_stats {
    double cpu_seconds;        /* user and system, since the start */
    double start_time_seconds; /* since 1970 */
    int64_t resident_bytes;
    int64_t open_fds;
    int64_t max_fds;
    int64_t threads;
};

/* Reads /proc/self, which is memory and never blocks. False when it is not there. Any thread. */
KOA_MUST_USE bool koa_process_stats_read(struct koa_process_stats *ret_stats);

#endif

/* How full the memory is that this process may use. */
#ifndef BUILTIN_CHECKS_MEMORY_USAGE_H
#define BUILTIN_CHECKS_MEMORY_USAGE_H

#include <koa/error.h>

struct koa_memory_usage {
    int64_t used_bytes;
    int64_t limit_bytes; /* more than 0 */
    double ratio;        /* used / limit, 0..1 */
    const char *source;  /* "machine", "cgroup" */
};

/* The machine's memory, or that of a control group (v2, else v1) this process is in, its parents
 * included: whichever is fuller. Page cache that can be taken back does not count as used, nor does
 * swap count as memory. `root` is where /proc and /sys are found, "" outside tests. Blocks. */
KOA_MUST_USE enum koa_err koa_memory_usage_read(const char *root,
                                                struct koa_memory_usage *ret_usage,
                                                struct koa_error *reterr);

#endif

/* How full one file system is. */
#ifndef BUILTIN_CHECKS_DISK_USAGE_H
#define BUILTIN_CHECKS_DISK_USAGE_H

#include <koa/error.h>

struct koa_disk_usage {
    int64_t total_bytes, used_bytes, available_bytes;
    double
        space_ratio; /* as df: used / (used + available), so that root's reserve counts as used */
    double inode_ratio; /* 0 where the file system has no fixed number of inodes */
};

/* Of the file system that holds `path`. Blocks, for ever when the mount hangs. */
KOA_MUST_USE enum koa_err koa_disk_usage_read(const char *path, struct koa_disk_usage *ret_usage,
                                              struct koa_error *reterr);

#endif

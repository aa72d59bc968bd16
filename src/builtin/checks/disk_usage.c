/* One call of statvfs and the arithmetic of df. */
#include "builtin/checks/disk_usage.h"

#include <errno.h>
#include <sys/statvfs.h>

static double share(double used, double available)
{
    return used + available > 0 ? used / (used + available) : 0.0;
}

enum koa_err koa_disk_usage_read(const char *path, struct koa_disk_usage *ret_usage,
                                 struct koa_error *reterr)
{
    struct statvfs status;
    int64_t unit;

    if (statvfs(path, &status) != 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot read the usage of %s", path);
    unit = (int64_t) status.f_frsize;
    *ret_usage = (struct koa_disk_usage){
        .total_bytes = (int64_t) status.f_blocks * unit,
        .used_bytes = (int64_t) (status.f_blocks - status.f_bfree) * unit,
        .available_bytes = (int64_t) status.f_bavail * unit,
    };
    ret_usage->space_ratio =
        share((double) ret_usage->used_bytes, (double) ret_usage->available_bytes);
    if (status.f_files > 0) {
        ret_usage->inode_ratio =
            share((double) (status.f_files - status.f_ffree), (double) status.f_favail);
    }
    return KOA_OK;
}

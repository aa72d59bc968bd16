/* Preloaded: statvfs() of a path below HUNG_MOUNT does not return while the file HUNG_WHILE is
 * there. That is what a dead network mount does to its callers. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

typedef int statvfs_fn(const char *path, struct statvfs64 *ret_usage);

/* The name that programs with 64-bit file offsets call. */
int statvfs64(const char *path, struct statvfs64 *ret_usage)
{
    const char *mount = getenv("HUNG_MOUNT");
    const char *gate = getenv("HUNG_WHILE");
    statvfs_fn *real = NULL;

    *(void **) (&real) = dlsym(RTLD_NEXT, "statvfs64");
    if (mount != NULL && gate != NULL && strncmp(path, mount, strlen(mount)) == 0) {
        while (access(gate, F_OK) == 0)
            (void) usleep(20000);
    }
    return real(path, ret_usage);
}

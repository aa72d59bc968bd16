/* One agent per state directory: an flock that ends with its process, however it ends. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "base/str.h"
#include "store/database.h"

enum { PATH_SIZE = 4096 };

/* Makes each missing part of the path, mode 0700. */
static enum koa_err make_directory(const char *directory, struct koa_error *reterr)
{
    char path[PATH_SIZE];

    if (!koa_str_copy(path, sizeof(path), koa_str_from(directory)))
        return koa_fail(reterr, KOA_ERR_INVALID, "the path of the state directory is too long");
    for (char *at = path + 1; *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot make '%s'", path);
        *at = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot make '%s'", path);
    return KOA_OK;
}

static enum koa_err fail_locked(int descriptor, const char *path, struct koa_error *reterr)
{
    char holder[KOA_NUM_TEXT_SIZE] = "";
    ssize_t size = pread(descriptor, holder, sizeof(holder) - 1, 0);

    holder[size > 0 ? size : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return koa_fail(reterr, KOA_ERR_STATE,
                    "'%s' is held by another agent (process %s); give this one a state directory "
                    "of its own",
                    path, holder[0] != '\0' ? holder : "unknown");
}

static enum koa_err write_holder(int descriptor, const char *path, struct koa_error *reterr)
{
    char text[KOA_NUM_TEXT_SIZE + 1];
    size_t size = koa_format_int(getpid(), text);

    text[size++] = '\n';
    if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, text, size, 0) != (ssize_t) size)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot write '%s'", path);
    return KOA_OK;
}

enum koa_err koa_directory_lock(const char *directory, int *ret_descriptor,
                                struct koa_error *reterr)
{
    char path[PATH_SIZE + 8];
    enum koa_err err = make_directory(directory, reterr);
    int descriptor;

    if (err != KOA_OK)
        return err;
    (void) snprintf(path, sizeof(path), "%s/lock", directory);
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot open '%s'", path);
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        err = errno == EWOULDBLOCK
                  ? fail_locked(descriptor, path, reterr)
                  : koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot lock '%s'", path);
    }
    if (err == KOA_OK)
        err = write_holder(descriptor, path, reterr);
    if (err == KOA_OK) {
        *ret_descriptor = descriptor;
    } else {
        (void) close(descriptor);
    }
    return err;
}

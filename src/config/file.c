/* Reads configuration and secret files: regular files only, with a limit, straight into the block
 * that the caller gets, so that no copy of a secret stays behind. */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { REASON_SIZE = 128 };

static void refuse(const struct koa_config_file *file, const char *verb, int number,
                   struct koa_config_errors *errors)
{
    char reason[REASON_SIZE];

    koa_config_errors_add(errors, file->where, file->error_path, "the file '%s' cannot be %s: %s",
                          file->path, verb, strerror_r(number, reason, sizeof(reason)));
}

/* Non-blocking, because opening a pipe for reading would wait for its writer. */
static int open_regular(const struct koa_config_file *file, struct koa_config_errors *errors)
{
    int descriptor = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (descriptor < 0) {
        refuse(file, "opened", errno, errors);
        return -1;
    }
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode))
        return descriptor;
    (void) close(descriptor);
    koa_config_errors_add(errors, file->where, file->error_path, "'%s' is not a regular file",
                          file->path);
    return -1;
}

/* Reads until the end or one byte beyond the limit. False with errno. */
static bool read_all(int descriptor, char *text, size_t room, size_t *ret_size)
{
    size_t used = 0;
    ssize_t size;

    do {
        size = read(descriptor, text + used, room - used);
        if (size > 0)
            used += (size_t) size;
    } while (size > 0 || (size < 0 && errno == EINTR));
    *ret_size = used;
    return size == 0;
}

char *koa_config_read_file(const struct koa_config_file *file, size_t *ret_size,
                           struct koa_config_errors *errors)
{
    KOA_AUTOFREE char *text = koa_calloc(file->limit + 2, 1);
    int descriptor = text != NULL ? open_regular(file, errors) : -1;
    bool is_read;
    int number;

    if (text == NULL) {
        koa_config_errors_add(errors, file->where, file->error_path,
                              "no memory to read the file '%s'", file->path);
    }
    if (descriptor < 0)
        return NULL;
    is_read = read_all(descriptor, text, file->limit + 1, ret_size);
    number = errno;
    (void) close(descriptor);
    if (!is_read) {
        refuse(file, "read", number, errors);
    } else if (*ret_size > file->limit) {
        koa_config_errors_add(errors, file->where, file->error_path,
                              "the file '%s' is larger than %zu KiB", file->path,
                              file->limit / 1024);
    }
    if (!is_read || *ret_size > file->limit) {
        explicit_bzero(text, file->limit + 1);
        return NULL;
    }
    return KOA_MOVE(text);
}

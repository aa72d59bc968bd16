/* Reads configuration and secret files: regular files only, with a limit, straight into the block
 * that the caller gets, so that no copy of a secret stays behind. */
#include "config/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

enum { SECRET_LIMIT = 65536 }; /* a token or key, not a data file */

/* Non-blocking, because opening a pipe for reading would wait for its writer. */
static enum koa_err open_regular(const char *path, int *ret_descriptor, struct koa_error *reterr)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (descriptor < 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "the file '%s' cannot be opened", path);
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        (void) close(descriptor);
        return koa_fail(reterr, KOA_ERR_IO, "'%s' is not a regular file", path);
    }
    *ret_descriptor = descriptor;
    return KOA_OK;
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

/* Into a block of `limit` + 2 bytes. */
static enum koa_err read_file(const char *path, size_t limit, char **ret_text, size_t *ret_size,
                              struct koa_error *reterr)
{
    KOA_AUTOFREE char *text = koa_calloc(limit + 2, 1);
    int descriptor = -1;
    bool is_read;
    int number;
    enum koa_err err;

    if (text == NULL)
        return koa_fail(reterr, KOA_ERR_NOMEM, "no memory to read the file '%s'", path);
    err = open_regular(path, &descriptor, reterr);
    if (err != KOA_OK)
        return err;
    is_read = read_all(descriptor, text, limit + 1, ret_size);
    number = errno;
    (void) close(descriptor);
    if (!is_read) {
        err = koa_fail_errno(reterr, KOA_ERR_IO, number, "the file '%s' cannot be read", path);
    } else if (*ret_size > limit) {
        err = koa_fail(reterr, KOA_ERR_LIMIT, "the file '%s' is larger than %zu KiB", path,
                       limit / 1024);
    }
    if (err != KOA_OK) {
        explicit_bzero(text, limit + 1);
        return err;
    }
    *ret_text = KOA_MOVE(text);
    return KOA_OK;
}

char *koa_config_read_file(const struct koa_config_file *file, size_t *ret_size,
                           struct koa_config_errors *errors)
{
    struct koa_error error;
    char *text = NULL;

    if (read_file(file->path, file->limit, &text, ret_size, &error) != KOA_OK)
        koa_config_errors_add(errors, file->where, file->error_path, "%s", error.text);
    return text;
}

enum koa_err koa_secret_file_read(const char *path, char **ret_secret, struct koa_error *reterr)
{
    char *text = NULL;
    size_t size = 0;
    enum koa_err err = read_file(path, SECRET_LIMIT, &text, &size, reterr);

    if (err != KOA_OK || text == NULL)
        return err;
    if (strlen(text) != size) {
        explicit_bzero(text, SECRET_LIMIT + 1);
        koa_free(text);
        return koa_fail(reterr, KOA_ERR_PARSE, "the file '%s' holds a NUL byte; a secret is text",
                        path);
    }
    while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
        text[--size] = '\0';
    *ret_secret = koa_strdup(text);
    koa_free_secret(text);
    return koa_require_memory(*ret_secret, reterr);
}

static void mix(uint64_t *signature, int64_t value)
{
    /* Odd constant of SplitMix64; the value only has to differ when a file does. */
    *signature = (*signature ^ (uint64_t) value) * UINT64_C(0xbf58476d1ce4e5b9);
    *signature ^= *signature >> 31;
}

uint64_t koa_file_signature(const char *const *paths, size_t count)
{
    uint64_t signature = 1;

    for (size_t i = 0; i < count; i++) {
        struct stat status;

        if (paths[i] == NULL || paths[i][0] == '\0' || stat(paths[i], &status) != 0) {
            mix(&signature, -1);
            continue;
        }
        mix(&signature, status.st_mtim.tv_sec);
        mix(&signature, status.st_mtim.tv_nsec);
        mix(&signature, (int64_t) status.st_size);
        mix(&signature, (int64_t) status.st_ino);
    }
    return signature;
}

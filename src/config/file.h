/* Whole small files: the configuration, secrets. They may hang on a dead mount: callers on a loop
 * read them on a worker. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "config/node.h"

struct koa_config_file {
    const char *path;
    size_t limit;                 /* bytes */
    const struct koa_node *where; /* what names it, for messages */
    const char *error_path;
};

/* The text of a regular file, NUL-ended, in a block of `limit` + 2 bytes (koa_free()). NULL when an
 * error was added; it names the path and never shows what the file holds. A pipe or device is
 * refused: it could block for ever. */
KOA_MUST_USE char *koa_config_read_file(const struct koa_config_file *file, size_t *ret_size,
                                        struct koa_config_errors *errors);

/* What a `*_file` setting names: text of at most 64 KiB without NUL bytes, and without the line end
 * that editors add. koa_free_secret(). */
KOA_MUST_USE enum koa_err koa_secret_file_read(const char *path, char **ret_secret,
                                               struct koa_error *reterr);

/* A number that changes when one of the files does, by what stat() says of them. NULL and "" stand
 * for no file. */
uint64_t koa_file_signature(const char *const *paths, size_t count);

#endif

/* Whole small files for this room. */
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

#endif

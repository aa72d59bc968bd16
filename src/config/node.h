/* A parsed configuration text as a tree that knows where each part stood. */
#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

#include <koa/option.h>

#include "base/arena.h"
#include "base/buf.h"

enum koa_node_type { KOA_NODE_SCALAR, KOA_NODE_LIST, KOA_NODE_MAP };

struct koa_node {
    enum koa_node_type type;
    const char *key;   /* in a map; NULL elsewhere */
    const char *value; /* of a scalar; "" for an empty one */
    bool is_quoted;    /* a quoted scalar is text, never null */
    const char *file;  /* "koa.yaml", "KOA_LOG_LEVEL", "--port", or "settings" */
    int line, column;  /* from 1; 0 where there is no file */
    int key_line, key_column;
    struct koa_node *children; /* first of a list or map */
    struct koa_node *next;
};

/* One error of a configuration. */
struct koa_config_error {
    const char *file;
    int line, column;
    const char *path; /* "checks[2].timeout" */
    char *text;       /* what, and what is allowed */
};

/* Collects all errors of a load (at most 100; then one more says so). Never loses the fact that
 * there was one, not even when memory is out. */
struct koa_config_errors {
    struct koa_arena *arena; /* borrowed: texts live in it */
    struct koa_config_error *rows;
    size_t count, capacity;
    size_t total; /* added, those that are not kept included */
};

void koa_config_errors_add(struct koa_config_errors *errors, const struct koa_node *where,
                           const char *path, const char *format, ...) KOA_PRINTF(4, 5);
/* Masks what has become a registered secret since the texts were made. */
void koa_config_errors_mask(struct koa_config_errors *errors);
/* "file:line:column: path: text", one line each. Registered secrets are masked. */
void koa_config_errors_print(const struct koa_config_errors *errors, struct koa_buf *buf);

/* Fails with the first error as one line, and says how many more there are; there is at least one.
 */
enum koa_err koa_config_errors_fail(const struct koa_config_errors *errors,
                                    struct koa_error *reterr);

/* Nothing stands there: no node, or a plain `key:`, `~` or null. */
bool koa_node_is_empty(const struct koa_node *node);
/* The child of a map, or NULL. */
const struct koa_node *koa_node_get(const struct koa_node *map, const char *key);

#endif

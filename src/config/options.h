/* Option rows at work: nodes to typed structs, and rows to documentation. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "config/node.h"

struct koa_options_opts {
    /* Tables whose keys are all allowed at this level; ends with NULL. Keys of any other table are
     * unknown and reported, with the nearest known one. */
    const struct koa_option *const *tables;
    /* The struct of each table, in the same order. Zeroed by the caller. */
    void *const *targets;
    const char *path;        /* "checks[2]"; "" at the top */
    struct koa_arena *arena; /* strings and lists live in it */
    struct koa_config_errors *errors;
    bool read_secret_files; /* follow <key>_file; off for documentation and check-config's dry parts
                             */
};

/* Fills every member of every row: from the node (NULL: empty map), else from its fallback. All
 * errors are collected; true when there was none. Secrets are registered for redaction. */
KOA_MUST_USE bool koa_options_load(const struct koa_options_opts *opts,
                                   const struct koa_node *node);

/* One table, one struct: the usual case. Of `opts` the tables and targets do not count. */
KOA_MUST_USE bool koa_options_load_one(const struct koa_option *rows, void *target,
                                       const struct koa_node *node,
                                       const struct koa_options_opts *opts);

/* Two loaded structs hold the same settings, secrets included: what a reload has not changed. */
bool koa_options_equal(const struct koa_option *rows, const void *a, const void *b);

/* The effective settings as YAML, secrets as "***", indented by `indent` levels. */
void koa_options_print(const struct koa_option *rows, const void *target, int indent,
                       struct koa_buf *buf);
/* A Markdown table: key, type, default, allowed, environment, help; nested rows with dotted keys.
 */
void koa_options_document(const struct koa_option *rows, struct koa_buf *buf);

struct koa_unknown_word {
    const char *noun; /* "check type" */
    const char *name;
    const char *const *words; /* that are known; ends with NULL */
};

/* Adds to `errors`: "unknown check type 'y'; allowed: ...; did you mean 'z'?" */
void koa_options_unknown(struct koa_config_errors *errors, const struct koa_node *where,
                         const char *path, const struct koa_unknown_word *unknown);

#endif

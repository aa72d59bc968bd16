/* YAML text to nodes: at most 4 MiB, 32 levels, 100,000 nodes; no duplicate keys; aliases are
 * counted each time. ${NAME} and ${NAME:-default} are replaced inside scalar values only, after
 * parsing, so that a value can never inject structure. */
#ifndef CONFIG_YAML_H
#define CONFIG_YAML_H

#include "config/node.h"

/* Reads a variable; NULL when it is not set. */
typedef const char *koa_getenv_fn(void *context, const char *name);

struct koa_yaml_opts {
    const char *file;      /* for messages; copied */
    koa_getenv_fn *getenv; /* NULL: no replacement */
    void *context;
    /* The text is the value of this setting, not a file: messages give it instead of a position. */
    const char *setting;
};

/* Nodes live in `arena`. An empty text gives an empty map. Errors are added to `errors`; NULL is
 * returned only when there is no tree at all. */
KOA_MUST_USE struct koa_node *koa_yaml_parse(struct koa_str text, const struct koa_yaml_opts *opts,
                                             struct koa_arena *arena,
                                             struct koa_config_errors *errors);
/* Reads `path` whole, then the same. */
KOA_MUST_USE struct koa_node *koa_yaml_read(const char *path, const struct koa_yaml_opts *opts,
                                            struct koa_arena *arena,
                                            struct koa_config_errors *errors);

/* Settings given from C or by flags as a tree ("tls.ca_file" nests), values parsed as YAML flow.
 * `file` is what messages call those without an origin of their own. */
KOA_MUST_USE struct koa_node *koa_node_from_settings(const struct koa_settings *settings,
                                                     const char *file, struct koa_arena *arena,
                                                     struct koa_config_errors *errors);
/* A tree of what the variables named in `rows` say; NULL when none is set. A message names the
 * variable, not a file. */
KOA_MUST_USE struct koa_node *koa_node_from_environment(const struct koa_option *rows,
                                                        koa_getenv_fn *getenv, void *context,
                                                        struct koa_arena *arena,
                                                        struct koa_config_errors *errors);
/* Lays `over` on `under`: maps merge key by key, everything else is replaced. */
KOA_MUST_USE const struct koa_node *
koa_node_merge(const struct koa_node *under, const struct koa_node *over, struct koa_arena *arena);

#endif

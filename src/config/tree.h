/* Trees that do not come from a file. Shared by the files of this room. */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include "config/yaml.h"

/* One value in YAML's flow form, without a position. NULL when an error was added. */
KOA_MUST_USE struct koa_node *koa_yaml_parse_value(const struct koa_setting *setting,
                                                   const char *file, struct koa_arena *arena,
                                                   struct koa_config_errors *errors);

/* Puts `value` at the dotted `path` below `root`, making maps on the way. False when memory is out
 * or something on the way is no map. */
KOA_MUST_USE bool koa_tree_put(struct koa_node *root, const char *path, struct koa_node *value,
                               struct koa_arena *arena);

/* A scalar of exactly this text, which is not parsed. */
KOA_MUST_USE struct koa_node *koa_tree_scalar(const char *value, const char *file,
                                              struct koa_arena *arena);

#endif

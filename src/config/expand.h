/* ${NAME} and ${NAME:-default} in a value. */
#ifndef CONFIG_EXPAND_H
#define CONFIG_EXPAND_H

#include "config/yaml.h"

/* Replaces each reference in `node`'s value, once: what a variable holds is not looked at again.
 * `$${` stands for a plain `${`; every other `$` is itself. A variable that is not set and has no
 * default is an error that names it. */
void koa_expand(struct koa_node *node, const struct koa_yaml_opts *opts, struct koa_arena *arena,
                struct koa_config_errors *errors);

#endif

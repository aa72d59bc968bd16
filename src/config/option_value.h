/* One value by its row: from a node into a member. Shared by the files of this room. */
#ifndef CONFIG_OPTION_VALUE_H
#define CONFIG_OPTION_VALUE_H

#include "config/options.h"

/* Reads `node` into `member`, whose type is the row's. Adds every error. Not for groups, lists and
 * subtrees. */
void koa_option_read(const struct koa_option *option, const struct koa_node *node, void *member,
                     const struct koa_options_opts *opts);

/* What is allowed, for messages: "a whole number from 1 to 100", "one of text, json", ... */
void koa_option_describe(const struct koa_option *option, struct koa_buf *buf);
/* The same beside the type's name: "1 to 100", "one of text, json", or nothing. */
void koa_option_document_allowed(const struct koa_option *option, struct koa_buf *buf);
/* "duration", "list of texts", ... */
const char *koa_option_type_name(enum koa_option_type type);

#endif

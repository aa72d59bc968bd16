/* The built-in checks, rules and notifiers: each table ends with NULL. */
#ifndef BUILTIN_BUILTIN_H
#define BUILTIN_BUILTIN_H

#include <koa/check.h>
#include <koa/notifier.h>
#include <koa/rule.h>

extern const struct koa_check_ops *const koa_builtin_checks[];
extern const struct koa_rule_ops *const koa_builtin_rules[];
extern const struct koa_notifier_ops *const koa_builtin_notifiers[];

/* By the name of the type; NULL when there is none. */
const struct koa_check_ops *koa_builtin_find_check(const char *type);
const struct koa_rule_ops *koa_builtin_find_rule(const char *type);
const struct koa_notifier_ops *koa_builtin_find_notifier(const char *type);

#endif

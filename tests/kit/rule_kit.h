/* Rules and notifiers as a test makes them: from settings, as a file would, and looked at under a
 * clock of the test's own. And the suites that each type, ours or a host's, must pass. */
#ifndef KIT_RULE_KIT_H
#define KIT_RULE_KIT_H

#include "alerts/rule.h"

/* A rule named "rule" with `settings`, or NULL and its error in `text` (may be NULL). */
struct koa_rule *kit_rule_make(const struct koa_rule_ops *ops, const struct koa_settings *settings,
                               struct koa_error *reterr);
struct koa_notifier *kit_notifier_make(const struct koa_notifier_ops *ops,
                                       const struct koa_settings *settings,
                                       struct koa_error *reterr);

/* Evaluates, and tells what the alerts are then: "firing {topic=a} message; pending {} message",
 * "missing: why" when the rule could not look, "" when nothing is active. Borrowed until the next
 * call. */
const char *kit_rule_look(struct koa_rule *rule, struct koa_view *view);

/* Fails the test unless the type keeps the contract with these settings, which must be enough. */
void kit_rule_contract(const struct koa_rule_ops *ops, const struct koa_settings *settings);
void kit_notifier_contract(const struct koa_notifier_ops *ops, const struct koa_settings *settings);

#endif

/* A configuration looked at without an agent: for `check-config` and docs/config.md. */
#ifndef AGENT_CHECK_H
#define AGENT_CHECK_H

#include "base/buf.h"

enum { KOA_CONFIGURATION_TEXT_LIMIT = 4 << 20 };

/* Reads `file` and the environment as `serve` does, checks, rules and notifiers included. True:
 * `text` gets the effective settings as YAML, secrets masked. False: every error, a line each.
 * `warnings` gets a line for what is allowed and hardly meant. Opens no socket and starts no
 * thread. */
bool koa_configuration_check(const char *file, struct koa_buf *text, struct koa_buf *warnings);

/* docs/config.md: every key of the file, of each type of check, rule and notifier. */
void koa_configuration_document(struct koa_buf *buf);

#endif

/* Nothing secret is printed: the values of secrets are registered when they are loaded, and every
 * text that leaves the process as message, detail or log line passes through here. */
#ifndef BASE_REDACT_H
#define BASE_REDACT_H

#include <koa/base.h>

#include "base/buf.h"

/* Registers a secret of at least 4 bytes (shorter ones would mask ordinary words) for the life of
 * the process. The same value twice is one. Any thread. False when memory or the limit of 1024
 * secrets is reached. */
bool koa_redact_register(const char *secret);

/* Replaces, in place, each registered secret, also in its URL-encoded form, by "***", and in URLs
 * the password of user:password@ and the values of query parameters named password, token, secret,
 * key, sig, signature and access_token. The text never grows. Any thread. */
void koa_redact(char *text);

/* `url` without password and query values, for messages. Cut to fit. */
void koa_redact_url(const char *url, char *target, size_t size);

#endif

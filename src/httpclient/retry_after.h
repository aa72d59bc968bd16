/* The Retry-After header. */
#ifndef HTTPCLIENT_RETRY_AFTER_H
#define HTTPCLIENT_RETRY_AFTER_H

#include <koa/base.h>
#include <koa/time.h>

/* Milliseconds from `now`, 0 to one day, for seconds or a date (RFC 9110, 10.2.3); -1 for anything
 * else. */
int64_t koa_retry_after_parse(struct koa_str value, struct koa_wall now);

#endif

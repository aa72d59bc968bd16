/* Failed logins per address: a bucket of tokens for each, in a table of fixed size. Pure; the owner
 * locks. */
#ifndef HTTPSERVER_LIMITER_H
#define HTTPSERVER_LIMITER_H

#include <koa/base.h>
#include <koa/time.h>

enum { KOA_HTTP_ADDRESS_SIZE = 16 };

struct koa_http_limiter;

/* 1024 addresses; beyond that those with the fewest failures are forgotten first. NULL when memory
 * is out. */
KOA_MUST_USE struct koa_http_limiter *koa_http_limiter_create(void);
void koa_http_limiter_destroy(struct koa_http_limiter *limiter);

/* Seconds until `address` may try again, at least 1; 0: now. `address` is IPv6 (IPv4 mapped); of
 * IPv6 proper the first 64 bits count, because one host has all of the rest. */
int64_t koa_http_limiter_wait_s(const struct koa_http_limiter *limiter,
                                const unsigned char address[KOA_HTTP_ADDRESS_SIZE],
                                int64_t failures_per_minute, struct koa_mono now);
/* A login from `address` failed. */
void koa_http_limiter_fail(struct koa_http_limiter *limiter,
                           const unsigned char address[KOA_HTTP_ADDRESS_SIZE],
                           int64_t failures_per_minute, struct koa_mono now);

#endif

/* A gzip stream: bytes in, bytes out, whatever the sizes of both. */
#ifndef EXPORT_GZIP_H
#define EXPORT_GZIP_H

#include <koa/base.h>
#include <koa/error.h>

struct koa_gzip;

KOA_MUST_USE struct koa_gzip *koa_gzip_create(void); /* NULL when memory is out */
void koa_gzip_destroy(struct koa_gzip *gzip);
/* Takes from `*input` (moved on) and writes at `target`. Returns the bytes written. */
size_t koa_gzip_run(struct koa_gzip *gzip, struct koa_str *input, char *target, size_t size);
/* The same when `*input` is all that is left: call it until the stream is done. */
size_t koa_gzip_finish(struct koa_gzip *gzip, struct koa_str *input, char *target, size_t size);
/* The trailer is written. */
bool koa_gzip_is_done(const struct koa_gzip *gzip);

#endif

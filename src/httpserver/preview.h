/* A request's head looked at whole, before the library takes it apart, by the filter of hygiene.h:
 * what the library would refuse in words of its own is refused in ours. Pure. */
#ifndef HTTPSERVER_PREVIEW_H
#define HTTPSERVER_PREVIEW_H

#include "httpserver/hygiene.h"

struct koa_http_preview {
    const char *method; /* in the caller's bytes; "" when there is none */
    size_t memory;      /* what the library needs to take the head apart, at most */
};

/* How many of `bytes` the head takes, blank lines before it included; 0 while it has no end. The
 * first `seen` bytes held no end. */
size_t koa_http_head_size(struct koa_str bytes, size_t seen);
/* `head` has the size that koa_http_head_size() told; NULs are written over what separates its
 * parts. `scratch` has KOA_HTTP_TARGET_MEMORY(KOA_HTTP_TARGET_SIZE) bytes. */
enum koa_http_fault koa_http_preview(char *head, size_t size, char *scratch,
                                     struct koa_http_preview *ret_preview);
/* The fault of bytes that hold no end of a head and are more than is allowed. */
enum koa_http_fault koa_http_fault_of_overlong(struct koa_str bytes);

#endif

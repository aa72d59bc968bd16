/* Many allocations, one end. Objects that are published are one arena, so that the last reader can
 * free them on any thread. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <koa/base.h>

struct koa_arena;

/* `limit`: bytes of payload at most; allocations beyond it return NULL. NULL when memory is out. */
KOA_MUST_USE struct koa_arena *koa_arena_create(size_t limit);
void koa_arena_destroy(struct koa_arena *arena);
KOA_DEFINE_AUTO(koa_arena, koa_arena_destroy)
/* Keeps one block and forgets the rest: for use again and again. */
void koa_arena_reset(struct koa_arena *arena);

/* Zeroed, aligned for any type; NULL when the limit or memory is reached, which also sets the
 * sticky flag below. `count` * `size` is checked. */
KOA_MUST_USE void *koa_arena_alloc(struct koa_arena *arena, size_t count, size_t size);
KOA_MUST_USE char *koa_arena_strdup(struct koa_arena *arena, const char *text);
/* Copies `size` bytes and adds a NUL. */
KOA_MUST_USE char *koa_arena_strndup(struct koa_arena *arena, const char *text, size_t size);
KOA_MUST_USE char *koa_arena_printf(struct koa_arena *arena, const char *format, ...)
    KOA_PRINTF(2, 3);
/* An allocation has failed since the start or the last reset. */
bool koa_arena_failed(const struct koa_arena *arena);
/* Bytes of payload handed out, and of memory held. */
size_t koa_arena_used(const struct koa_arena *arena);
size_t koa_arena_held(const struct koa_arena *arena);

#endif

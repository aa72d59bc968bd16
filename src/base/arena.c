/* Bump allocation in blocks that double up to a ceiling; what does not fit a block gets one of its
 * own. Only memory is managed here: who frees the arena, and when, is the owner's matter. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

enum {
    FIRST_BLOCK = 1024,
    LARGEST_BLOCK = 256 * 1024, /* bounds what the last, half-used block wastes */
    ALIGNMENT = _Alignof(max_align_t),
};

struct block {
    struct block *next;
    size_t capacity, used;
    _Alignas(max_align_t) unsigned char data[];
};

struct koa_arena {
    struct block *blocks; /* the newest first */
    size_t limit, used, held;
    size_t next_capacity;
    bool failed;
};

struct koa_arena *koa_arena_create(size_t limit)
{
    struct koa_arena *arena = koa_calloc(1, sizeof(*arena));

    if (arena == NULL)
        return NULL;
    arena->limit = limit;
    arena->held = sizeof(*arena);
    arena->next_capacity = FIRST_BLOCK;
    return arena;
}

void koa_arena_destroy(struct koa_arena *arena)
{
    if (arena == NULL)
        return;
    while (arena->blocks != NULL) {
        struct block *next = arena->blocks->next;

        koa_free(arena->blocks);
        arena->blocks = next;
    }
    koa_free(arena);
}

void koa_arena_reset(struct koa_arena *arena)
{
    struct block *kept = arena->blocks;

    if (kept != NULL) {
        while (kept->next != NULL) {
            struct block *after = kept->next->next;

            arena->held -= sizeof(*kept) + kept->next->capacity;
            koa_free(kept->next);
            kept->next = after;
        }
        /* Blocks are handed out zeroed. */
        memset(kept->data, 0, kept->used);
        kept->used = 0;
    }
    arena->used = 0;
    arena->failed = false;
}

static struct block *add_block(struct koa_arena *arena, size_t size)
{
    bool is_own = size > arena->next_capacity / 4;
    size_t capacity = is_own ? size : arena->next_capacity;
    struct block *block = koa_calloc(1, sizeof(*block) + capacity);

    if (block == NULL)
        return NULL;
    block->capacity = capacity;
    arena->held += sizeof(*block) + capacity;
    if (is_own && arena->blocks != NULL) {
        /* Behind the newest, whose rest stays in use. */
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    } else {
        block->next = arena->blocks;
        arena->blocks = block;
        if (arena->next_capacity < LARGEST_BLOCK)
            arena->next_capacity *= 2;
    }
    return block;
}

/* `size` bytes, the start aligned to `alignment`. */
static void *take(struct koa_arena *arena, size_t size, size_t alignment)
{
    struct block *block = arena->blocks;
    size_t start = block != NULL ? (block->used + alignment - 1) & ~(alignment - 1) : 0;

    if (arena->failed || size > arena->limit - arena->used) {
        arena->failed = true;
        return NULL;
    }
    if (block == NULL || start > block->capacity || size > block->capacity - start) {
        block = add_block(arena, size);
        if (block == NULL) {
            arena->failed = true;
            return NULL;
        }
        start = 0;
    }
    block->used = start + size;
    arena->used += size;
    return block->data + start;
}

void *koa_arena_alloc(struct koa_arena *arena, size_t count, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(count, size, &total) || total > SIZE_MAX / 2) {
        arena->failed = true;
        return NULL;
    }
    /* An allocation of nothing still gets an address of its own. */
    return take(arena, total > 0 ? total : 1, ALIGNMENT);
}

char *koa_arena_strdup(struct koa_arena *arena, const char *text)
{
    return koa_arena_strndup(arena, text, strlen(text));
}

char *koa_arena_strndup(struct koa_arena *arena, const char *text, size_t size)
{
    char *copy = size < SIZE_MAX / 2 ? take(arena, size + 1, 1) : NULL;

    if (copy == NULL) {
        arena->failed = true;
        return NULL;
    }
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

char *koa_arena_printf(struct koa_arena *arena, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int length;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length >= 0)
        text = take(arena, (size_t) length + 1, 1);
    if (text == NULL) {
        arena->failed = true;
        return NULL;
    }
    va_start(args, format);
    vsnprintf(text, (size_t) length + 1, format, args);
    va_end(args);
    return text;
}

bool koa_arena_failed(const struct koa_arena *arena)
{
    return arena->failed;
}

size_t koa_arena_used(const struct koa_arena *arena)
{
    return arena->used;
}

size_t koa_arena_held(const struct koa_arena *arena)
{
    return arena->held;
}

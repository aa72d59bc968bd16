/* Allocation through one door. Decides about overflow and about the test's failing allocation;
 * what to do when memory is out is the caller's business. */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Allocations that may still pass; negative: all may. */
static atomic_int_fast64_t allowed = -1;

static bool is_refused(size_t count, size_t size)
{
    int_fast64_t left = atomic_load_explicit(&allowed, memory_order_relaxed);

    if (size != 0 && count > SIZE_MAX / size)
        return true;
    if (left < 0)
        return false;
    if (left > 0)
        atomic_fetch_sub_explicit(&allowed, 1, memory_order_relaxed);
    return left == 0;
}

void koa_memory_fail_after(int64_t successes)
{
    atomic_store_explicit(&allowed, successes, memory_order_relaxed);
}

void *koa_calloc(size_t count, size_t size)
{
    bool is_empty = count == 0 || size == 0;

    if (is_refused(count, size))
        return NULL;
    /* One byte where nothing was asked for, so that NULL always means failure. */
    return is_empty ? calloc(1, 1) : calloc(count, size);
}

void *koa_realloc_array(void *block, size_t count, size_t size)
{
    if (is_refused(count, size))
        return NULL;
    return realloc(block, count * size > 0 ? count * size : 1);
}

char *koa_strdup(const char *text)
{
    return koa_strndup(text, strlen(text));
}

char *koa_strndup(const char *text, size_t size)
{
    char *copy = size < SIZE_MAX ? koa_calloc(size + 1, 1) : NULL;

    if (copy != NULL && size > 0)
        memcpy(copy, text, size);
    return copy;
}

void koa_free(void *block)
{
    free(block);
}

void koa_free_secret(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

enum koa_err koa_require_memory(const void *block, struct koa_error *reterr)
{
    return block != NULL ? KOA_OK : koa_fail(reterr, KOA_ERR_NOMEM, "memory is out");
}

void koa_free_auto(void *pointer_to_pointer)
{
    void *block;

    memcpy(&block, pointer_to_pointer, sizeof(block));
    free(block);
}

void koa_assert_failed(const char *condition, const char *file, int line)
{
    (void) fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, condition);
    abort();
}

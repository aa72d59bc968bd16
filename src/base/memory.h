/* Allocation with checked sizes, and scope cleanup. One place, so that tests can make the n-th
 * allocation fail. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <koa/base.h>
#include <koa/error.h>

/* NULL when memory is out or count * size overflows; zeroed. Free with koa_free(). */
KOA_MUST_USE void *koa_calloc(size_t count, size_t size);
/* Resizes to count * size bytes; the old block stays valid on failure. New bytes are not set. */
KOA_MUST_USE void *koa_realloc_array(void *block, size_t count, size_t size);
KOA_MUST_USE char *koa_strdup(const char *text);
KOA_MUST_USE char *koa_strndup(const char *text, size_t size);
/* NULL is nothing. */
void koa_free(void *block);
/* Overwrites before it frees: for secrets. */
void koa_free_secret(char *secret);

/* KOA_OK, or KOA_ERR_NOMEM with text when `block` is NULL. For constructors. */
KOA_MUST_USE enum koa_err koa_require_memory(const void *block, struct koa_error *reterr);

/* `char *` and other blocks of koa_calloc(): freed at the end of the scope. */
void koa_free_auto(void *pointer_to_pointer);
#define KOA_AUTOFREE __attribute__((cleanup(koa_free_auto)))

/* Hands a cleaned-up local over: yields its value and clears it. */
#define KOA_MOVE(pointer)                                                                          \
    __extension__({                                                                                \
        __typeof__(pointer) koa_moved = (pointer);                                                 \
        (pointer) = NULL;                                                                          \
        koa_moved;                                                                                 \
    })

/* From an embedded member to the struct around it. */
#define KOA_CONTAINER_OF(member_pointer, structure, member)                                        \
    ((structure *) (void *) ((char *) (member_pointer) -offsetof(structure, member)))

/* A broken invariant of our own: only for what no input can reach. Active in every build, because
 * going on with a broken invariant is worse than stopping. */
#define KOA_ASSERT(condition)                                                                      \
    ((condition) ? (void) 0 : koa_assert_failed(#condition, __FILE__, __LINE__))
_Noreturn void koa_assert_failed(const char *condition, const char *file, int line);

/* Tests only: lets `successes` more allocations pass, then fails every one; -1 turns it off. */
void koa_memory_fail_after(int64_t successes);

#endif
